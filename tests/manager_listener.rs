//! Listeners and clients: connections that are authenticated, and what strangers can do to them.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{eventually, signal, watchdog};
use psync::{
    ManagerError,
    manager::{Address, Client, Listener},
    spawn,
};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

const KEY: &[u8] = b"a key of thirty-two random bytes";

/// One address of each family that is free.
fn families() -> (tempfile::TempDir, [String; 3]) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket").display().to_string();
    let name = format!("@psync test {} {path}", std::process::id());
    (directory, ["127.0.0.1:0".to_owned(), path, name])
}

fn bind(address: &str) -> (Listener, String) {
    let listener = Listener::bind(address, KEY).expect("it is free");
    let address = listener.address().to_string();
    (listener, address)
}

/// `_TestListenerClient.test_listener_client`, `_TestListener.test_abstract_socket`, `_TestListener.test_context`
#[test]
fn a_client_in_another_process_is_heard() {
    let _watchdog = watchdog();
    let (directory, families) = families();
    for family in &families {
        let (listener, address) = bind(family);
        let say = |address: String| {
            let client = Client::connect(address, KEY).expect("it listens");
            client.send("hello").expect("it is there");
            assert_eq!(client.recv::<u32>().expect("an answer"), 1729);
        };
        let process = spawn(say, address.clone()).expect("starts");
        let client = listener.accept().expect("one comes");
        assert_eq!(client.recv::<String>().expect("a message"), "hello");
        client.send(&1729).expect("it is there");
        process.join().expect("no panic");
        assert!(matches!(client.recv_bytes(), Err(ManagerError::Disconnected)));
        drop(listener);
        assert!(Client::connect(&address, KEY).is_err(), "nobody listens any more");
    }
    assert_eq!(std::fs::read_dir(directory.path()).expect("there").count(), 0, "no file is left");
}

/// `_TestListener.test_multiple_bind`
#[test]
fn an_address_is_taken_once() {
    let _watchdog = watchdog();
    let (_directory, families) = families();
    for family in &families {
        let (_listener, address) = bind(family);
        assert!(matches!(Listener::bind(&address, KEY), Err(ManagerError::System { .. })));
    }
}

/// `_TestListener.test_empty_authkey`
#[test]
fn a_key_may_be_empty() {
    let _watchdog = watchdog();
    let listener = Listener::bind("127.0.0.1:0", b"").expect("it is free");
    let address = listener.address().to_string();
    let client = std::thread::spawn(move || Client::connect(address, b"").expect("the same key"));
    listener.accept().expect("one comes").send(&1729).expect("it is there");
    assert_eq!(client.join().expect("no panic").recv::<u32>().expect("a message"), 1729);
}

/// `_TestListenerClient.test_issue14725`
#[test]
fn a_client_that_is_gone_before_it_is_accepted_is_heard() {
    let _watchdog = watchdog();
    let (listener, address) = bind("127.0.0.1:0");
    let client = Client::connect(address, KEY).expect("it listens");
    client.send("hello").expect("there is room");
    drop(client);
    let client = listener.accept().expect("it has come");
    assert_eq!(client.recv::<String>().expect("it was sent"), "hello");
    assert!(matches!(client.recv::<String>(), Err(ManagerError::Disconnected)));
}

/// `TestInvalidFamily.test_invalid_family`
#[test]
fn what_is_no_address_is_an_error() {
    for text in [r"\\.\pipe\test", "", "farm", "no such host:1x", "127.0.0.1:99999"] {
        let error = Listener::bind(text, KEY).expect_err("no address");
        assert!(matches!(error, ManagerError::Address { .. }), "{text}: {error:?}");
        assert!(matches!(Client::connect(text, KEY), Err(ManagerError::Address { .. })));
    }
    for text in ["127.0.0.1:70", "/run/farm.sock", "unix:farm.sock", "@farm", "[::1]:7"] {
        let address: Address = text.parse().expect("an address");
        assert_eq!(address.to_string(), text);
    }
}

/// `TestIgnoreEINTR.test_ignore_listener`
#[test]
fn a_signal_does_not_end_an_accept() {
    let _watchdog = watchdog();
    let (reports, told) = psync::channel(1).expect("memory");
    let serve = |reports: psync::Sender<String>| {
        extern "C" fn nothing(_: i32) {}
        // SAFETY: the handler does nothing.
        unsafe { libc::signal(libc::SIGUSR1, nothing as *const () as libc::sighandler_t) };
        let (listener, address) = bind("127.0.0.1:0");
        reports.send(address).expect("room");
        listener.accept().expect("one comes").send("welcome").expect("it is there");
    };
    let process = spawn(serve, reports).expect("starts");
    let address: String = told.recv().expect("an address");
    for _ in 0..20 {
        signal(process.pid(), libc::SIGUSR1);
        std::thread::yield_now();
    }
    let client = Client::connect(address, KEY).expect("it listens");
    assert_eq!(client.recv::<String>().expect("a message"), "welcome");
    process.join().expect("no panic");
}

/// `OtherTest.test_answer_challenge_auth_failure`
#[test]
fn a_client_with_another_key_is_refused_on_both_sides() {
    let _watchdog = watchdog();
    let (listener, address) = bind("127.0.0.1:0");
    for key in [&b""[..], b"another key", &KEY[..31]] {
        let error = Client::connect(&address, key).expect_err("another key");
        assert!(matches!(error, ManagerError::Refused), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("another key") && !text.contains("random bytes"), "{text}");
        assert!(matches!(listener.accept(), Err(ManagerError::Refused)));
    }
    let client = Client::connect(&address, KEY).expect("the same key");
    listener.accept().expect("it comes").send(&7_u8).expect("it is there");
    assert_eq!(client.recv::<u8>().expect("a message"), 7);
    assert!(!format!("{listener:?} {client:?}").contains("random bytes"));
}

/// A server that does not know the key, and says that it does.
#[test]
fn a_server_has_to_know_the_key_too() {
    let _watchdog = watchdog();
    let impostor = TcpListener::bind("127.0.0.1:0").expect("it is free");
    let address = impostor.local_addr().expect("an address").to_string();
    let answers: [&[u8]; 3] = [&[0; 32], &[7; 32], b"#WELCOME# and so on, 32 bytes long"];
    let serve = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = impostor.accept().expect("one comes");
            stream.write_all(b"psyncM01").expect("it is there");
            stream.write_all(&[9; 32]).expect("it is there");
            stream.read_exact(&mut [0; 64]).expect("its proof");
            stream.write_all(answer).expect("it is there");
        }
        let (mut stream, _) = impostor.accept().expect("one comes");
        stream.write_all(&[b'x'; 40]).expect("it is there");
    });
    for _ in answers {
        assert!(matches!(Client::connect(&address, KEY), Err(ManagerError::Refused)));
    }
    assert!(matches!(Client::connect(&address, KEY), Err(ManagerError::Protocol { .. })));
    serve.join().expect("no panic");
}

/// Stands between a client and a listener, and hands on what `change` makes of what the client sends.
fn between(address: &str, change: impl Fn(Vec<u8>, usize) -> Vec<u8> + Send + 'static) -> String {
    let door = TcpListener::bind("127.0.0.1:0").expect("it is free");
    let here = door.local_addr().expect("an address").to_string();
    let address = address.to_owned();
    std::thread::spawn(move || {
        let (mut client, _) = door.accept().expect("one comes");
        let mut server = TcpStream::connect(address).expect("it listens");
        let (mut back, mut to_client) =
            (server.try_clone().expect("one"), client.try_clone().expect("one"));
        std::thread::spawn(move || std::io::copy(&mut back, &mut to_client));
        let mut buffer = vec![0; 1 << 16];
        for turn in 0.. {
            let Ok(read @ 1..) = client.read(&mut buffer) else { break };
            if server.write_all(&change(buffer[..read].to_vec(), turn)).is_err() {
                break;
            }
        }
        let _ = server.shutdown(std::net::Shutdown::Both);
    });
    here
}

/// The first thing that the client sends is its proof, and each thing after it one frame.
fn heard_of(change: impl Fn(Vec<u8>, usize) -> Vec<u8> + Send + 'static) -> ManagerError {
    let (listener, address) = bind("127.0.0.1:0");
    let client = Client::connect(between(&address, change), KEY).expect("the same key");
    let server = listener.accept().expect("it comes");
    client.send_bytes(b"one").expect("there is room");
    assert_eq!(server.recv_bytes().expect("a message"), b"one");
    let _ = client.send_bytes(b"two");
    let heard = server.recv_bytes().expect_err("it is not what was sent");
    // Whatever comes after it is not listened to.
    let _ = client.send_bytes(b"three");
    assert!(server.recv_bytes().is_err());
    heard
}

#[test]
fn what_was_changed_on_the_way_is_found_out() {
    let _watchdog = watchdog();
    for place in [5, 7, 20, 38] {
        let flip = move |mut bytes: Vec<u8>, turn| {
            if turn == 2 {
                bytes[place] ^= 1;
            }
            bytes
        };
        assert!(matches!(heard_of(flip), ManagerError::Protocol { .. }), "byte {place}");
    }
}

#[test]
fn a_frame_counts_in_its_place_only() {
    let _watchdog = watchdog();
    let recorded = std::sync::Mutex::new(Vec::new());
    let again = move |bytes: Vec<u8>, turn| {
        let mut recorded = recorded.lock().expect("no panic");
        if turn == 1 {
            recorded.clone_from(&bytes);
        }
        if turn == 2 { recorded.clone() } else { bytes }
    };
    assert!(matches!(heard_of(again), ManagerError::Protocol { .. }));
}

#[test]
fn a_frame_that_is_cut_off_is_no_message() {
    let _watchdog = watchdog();
    let (listener, address) = bind("127.0.0.1:0");
    let client = Client::connect(&address, KEY).expect("the same key");
    let server = listener.accept().expect("it comes");
    let relayed =
        between(&address, |bytes, turn| if turn == 1 { bytes[..10].to_vec() } else { bytes });
    let cut = Client::connect(relayed, KEY).expect("the same key");
    let other = listener.accept().expect("it comes");
    cut.send_bytes(&[7; 100]).expect("there is room");
    drop(cut);
    assert!(matches!(other.recv_bytes(), Err(ManagerError::Disconnected)));
    // Nobody else notices.
    client.send_bytes(b"fine").expect("there is room");
    assert_eq!(server.recv_bytes().expect("a message"), b"fine");
}

/// It does not hang up: it just says no more.
#[test]
fn a_client_that_stops_in_the_middle_of_a_message_has_ten_seconds() {
    let _watchdog = watchdog();
    let (listener, address) = bind("127.0.0.1:0");
    let other = Client::connect(&address, KEY).expect("the same key");
    let server = listener.accept().expect("it comes");
    let half = |bytes: Vec<u8>, turn| if turn == 1 { bytes[..7].to_vec() } else { bytes };
    let slow = Client::connect(between(&address, half), KEY).expect("the same key");
    let held_up = listener.accept().expect("it comes");
    slow.send_bytes(&[7; 100]).expect("there is room");
    let before = Instant::now();
    let waiting = std::thread::spawn(move || held_up.recv_bytes());
    other.send_bytes(b"fine").expect("there is room");
    assert_eq!(server.recv_bytes().expect("a message"), b"fine");
    let late = waiting.join().expect("no panic");
    assert!(matches!(late, Err(ManagerError::TimedOut)), "{late:?}");
    assert!(before.elapsed() < Duration::from_secs(20), "{:?}", before.elapsed());
    drop(slow);
}

#[test]
fn a_length_that_lies_asks_for_no_memory() {
    let _watchdog = watchdog();
    let memory = || {
        let text = std::fs::read_to_string("/proc/self/status").expect("it lives");
        let line = text.lines().find(|line| line.starts_with("VmData")).expect("a line");
        line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number")
    };
    let before = memory();
    let lie = |bytes: Vec<u8>, turn| {
        if turn == 2 { [&u32::MAX.to_le_bytes(), &bytes[4..]].concat() } else { bytes }
    };
    assert!(matches!(heard_of(lie), ManagerError::Protocol { .. }));
    let (listener, address) = bind("127.0.0.1:0");
    let large = |bytes: Vec<u8>, turn| {
        let len = 60_u32 << 20;
        if turn == 1 { [&len.to_le_bytes(), &bytes[4..]].concat() } else { bytes }
    };
    let client = Client::connect(between(&address, large), KEY).expect("the same key");
    let server = listener.accept().expect("it comes");
    client.send_bytes(b"little").expect("there is room");
    drop(client);
    assert!(server.recv_bytes().is_err());
    let grown = memory().saturating_sub(before);
    // Threads of other tests have their stacks; the length that was said is 60 MiB, and never comes at once.
    assert!(grown < 4 << 20, "{grown} KiB");
    assert!(matches!(
        server.send_bytes(&vec![0; (64 << 20) + 1]),
        Err(ManagerError::Protocol { .. })
    ));
}

#[test]
fn a_recorded_handshake_is_worth_nothing() {
    let _watchdog = watchdog();
    let (listener, address) = bind("127.0.0.1:0");
    let (record, recorded) = std::sync::mpsc::channel();
    let relayed = between(&address, move |bytes, turn| {
        if turn == 0 {
            record.send(bytes.clone()).expect("somebody listens");
        }
        bytes
    });
    let client = Client::connect(relayed, KEY).expect("the same key");
    drop(listener.accept().expect("it comes"));
    drop(client);
    let proof = recorded.recv().expect("the client's proof");
    assert_eq!(proof.len(), 64);
    let mut stream = TcpStream::connect(&address).expect("it listens");
    stream.read_exact(&mut [0; 40]).expect("another number");
    stream.write_all(&proof).expect("it is there");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty(), "it hangs up");
    assert!(matches!(listener.accept(), Err(ManagerError::Refused)));
}

#[test]
fn a_thousand_half_open_connections_hold_nobody_up() {
    let _watchdog = watchdog();
    let (listener, address) = bind("127.0.0.1:0");
    let early = Client::connect(&address, KEY).expect("it listens");
    let server = listener.accept().expect("it comes");
    let mut half_open = Vec::new();
    let at = address.parse().expect("an address");
    for _ in 0..1000 {
        // The kernel may have no more room for those that nobody has taken in yet.
        if let Ok(stream) = TcpStream::connect_timeout(&at, Duration::from_millis(100)) {
            half_open.push(stream);
            if half_open.len() > 400 {
                half_open.remove(0);
            }
        }
    }
    early.send_bytes(b"still here").expect("there is room");
    assert_eq!(server.recv_bytes().expect("a message"), b"still here");
    let before = Instant::now();
    let late = Client::connect(&address, KEY).expect("there is room for it");
    late.send_bytes(b"me too").expect("there is room");
    let heard = std::iter::from_fn(|| Some(listener.accept())).find_map(Result::ok);
    assert_eq!(heard.expect("it comes").recv_bytes().expect("a message"), b"me too");
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    let threads = || std::fs::read_dir("/proc/self/task").expect("it lives").count();
    drop(half_open);
    assert!(eventually(|| threads() < 100), "{} threads", threads());
}

#[test]
fn garbage_is_refused() {
    let _watchdog = watchdog();
    let (listener, address) = bind("127.0.0.1:0");
    let mut state = 1_u64;
    for size in [0, 1, 31, 63, 64, 65, 1000] {
        let mut garbage = vec![0; size];
        for byte in &mut garbage {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = state.to_le_bytes()[7];
        }
        let mut stream = TcpStream::connect(&address).expect("it listens");
        let _ = stream.write_all(&garbage);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        assert!(listener.accept().is_err(), "{size}");
    }
    let client = Client::connect(&address, KEY).expect("it goes on");
    drop(listener.accept().expect("it comes"));
    assert!(matches!(client.recv_bytes(), Err(ManagerError::Disconnected)));
}

#[test]
fn a_receive_can_have_a_timeout_and_a_message_be_large() {
    let _watchdog = watchdog();
    let (listener, address) = bind("127.0.0.1:0");
    let client = Client::connect(&address, KEY).expect("it listens");
    let server = listener.accept().expect("it comes");
    let early = server.recv_bytes_timeout(Duration::from_millis(5));
    assert!(matches!(early, Err(ManagerError::TimedOut)));
    let large: Vec<u8> = (0..5_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let sent = large.clone();
    let sending = std::thread::spawn(move || client.send_bytes(&sent).map(|()| client));
    assert_eq!(server.recv_bytes().expect("it comes"), large);
    let client = sending.join().expect("no panic").expect("it was taken");
    let queue = psync::Queue::<u8>::bounded(1).expect("memory");
    assert!(matches!(client.send(&queue), Err(ManagerError::Encode { .. })));
    client.send(&Some(1.5_f64)).expect("there is room");
    assert!(matches!(server.recv::<String>(), Err(ManagerError::Decode { .. })));
}
