//! Pipes between processes, and waits on several things at once.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "a sender that takes its time")]

mod common;

use common::{sleep_for_ever, watchdog};
use psync::{prelude::*, spawn, wait_any};
use std::{
    io::{Read, Seek, Write},
    os::fd::{AsFd, AsRawFd},
    time::{Duration, Instant},
};

type Text = Connection<String, String>;

#[process]
fn echo(line: Text) {
    while let Ok(text) = line.recv() {
        if text.is_empty() {
            return;
        }
        line.send(&text).expect("received");
    }
}

/// `_TestConnection.test_spawn_close`, `_TestConnection.test_context`
#[test]
fn values_go_there_and_back_until_an_end_is_gone() {
    let _watchdog = watchdog();
    let (ours, theirs) = pipe().expect("descriptors");
    let child = echo::spawn(theirs).expect("starts");
    for text in ["hello", "ä", &"long".repeat(1_000_000)] {
        ours.send(&text.to_owned()).expect("received");
        assert_eq!(ours.recv().as_deref(), Ok(text));
    }
    assert_eq!(ours.try_recv(), Err(RecvError::Empty));
    let began = Instant::now();
    assert_eq!(ours.recv_timeout(Duration::from_millis(100)), Err(RecvError::TimedOut));
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert!(!ours.poll(Duration::ZERO));
    ours.send(&String::new()).expect("received");
    child.join().expect("ends");
    assert!(ours.poll(Duration::ZERO), "the end of the other side is to be seen");
    assert_eq!(ours.recv(), Err(RecvError::Disconnected));
    let error = ours.send(&"late".to_owned()).expect_err("nobody is there");
    assert_eq!(error.kind(), SendErrorKind::Disconnected);
}

/// `_TestConnection.test_sendbytes`
#[test]
fn bytes_are_sent_as_they_are() {
    let _watchdog = watchdog();
    let (ours, theirs) = pipe::<(), ()>().expect("descriptors");
    let message = b"abcdefghijklmnopqrstuvwxyz";
    for part in [&message[5..], &message[7..15], &message[26..], &message[26..26]] {
        ours.send_bytes(part).expect("room");
        assert_eq!(theirs.recv_bytes().as_deref(), Ok(part));
    }
    let long = vec![7; 10_000_000];
    ours.send_bytes(&long).expect("memory");
    assert_eq!(theirs.recv_bytes(), Ok(long));
    let mut place = [0; 10];
    ours.send_bytes(b"fits").expect("room");
    assert_eq!(theirs.recv_bytes_into(&mut place), Ok(4));
    assert_eq!(&place[..4], b"fits");
    ours.send_bytes(&message[..]).expect("room");
    assert!(matches!(theirs.recv_bytes_into(&mut place), Err(RecvError::Decode(_))));
    ours.send_bytes(b"next").expect("room");
    assert_eq!(theirs.recv_bytes().as_deref(), Ok(&b"next"[..]));
}

#[process]
fn send_strings(line: Connection<(), ()>) {
    for bytes in [&b"hello"[..], b"", b"a", b"b", b"", b"bye", b"", b"lop"] {
        line.send_bytes(bytes).expect("received");
    }
}

/// `_TestPoll.test_strings`, `_TestPoll.test_dont_merge`
#[test]
fn messages_keep_their_boundaries() {
    let _watchdog = watchdog();
    let (ours, theirs) = pipe::<(), ()>().expect("descriptors");
    assert!(!ours.poll(Duration::from_millis(1)));
    let child = send_strings::spawn(theirs).expect("starts");
    for bytes in [&b"hello"[..], b"", b"a", b"b", b"", b"bye", b"", b"lop"] {
        while !ours.poll(Duration::from_millis(10)) {}
        assert!(ours.poll(Duration::ZERO));
        assert_eq!(ours.recv_bytes().as_deref(), Ok(bytes));
    }
    child.join().expect("ends");
    assert_eq!(ours.recv_bytes(), Err(RecvError::Disconnected));
}

#[process]
fn only_poll(line: Connection<(), ()>) -> bool {
    line.poll(Duration::from_mins(1))
}

/// `_TestPoll.test_boundaries`
#[test]
fn polling_takes_nothing() {
    let _watchdog = watchdog();
    let (ours, theirs) = pipe::<(), ()>().expect("descriptors");
    ours.send_bytes(b"first").expect("room");
    ours.send_bytes(b"second").expect("room");
    let shared: Connection<(), ()> = {
        // The same end once more, as a process has it that sends it away and keeps it.
        let (a, b) = pipe::<Connection<(), ()>, ()>().expect("descriptors");
        a.send(&theirs).expect("room");
        b.recv().expect("a connection")
    };
    assert!(only_poll::run(shared).expect("ends"));
    assert_eq!(theirs.recv_bytes().as_deref(), Ok(&b"first"[..]));
    assert_eq!(theirs.recv_bytes().as_deref(), Ok(&b"second"[..]));
}

#[process]
fn stop_in_the_middle(line: Connection<(), ()>, here: &Event) {
    here.set();
    let _ = line.recv_bytes();
    sleep_for_ever();
}

#[test]
fn an_end_of_a_killed_process_is_closed() {
    let _watchdog = watchdog();
    let (ours, theirs) = pipe::<(), ()>().expect("descriptors");
    let here = Shared::new(Event::new()).expect("memory");
    let child = stop_in_the_middle::spawn(theirs, &here).expect("starts");
    here.wait();
    std::thread::scope(|scope| {
        let receiver = scope.spawn(|| ours.recv_bytes());
        child.kill().expect("signals");
        assert_eq!(receiver.join().expect("no panic"), Err(RecvError::Disconnected));
    });
}

extern "C" fn nothing(_: libc::c_int) {}

#[process]
fn slow_echo(line: Connection<Vec<u8>, Vec<u8>>, ready: &Event) {
    // SAFETY: a handler that does nothing.
    unsafe { libc::signal(libc::SIGUSR1, nothing as *const () as libc::sighandler_t) };
    ready.set();
    let short = line.recv().expect("despite signals");
    line.send(&short).expect("received");
    line.send(&vec![1; 10_000_000]).expect("despite signals");
}

/// `TestIgnoreEINTR.test_ignore`
#[test]
fn signals_end_neither_a_receive_nor_a_send() {
    let _watchdog = watchdog();
    let (ours, theirs) = pipe::<Vec<u8>, Vec<u8>>().expect("descriptors");
    let ready = Shared::new(Event::new()).expect("memory");
    let child = slow_echo::spawn(theirs, &ready).expect("starts");
    ready.wait();
    for _ in 0..20 {
        common::signal(child.pid(), libc::SIGUSR1);
    }
    ours.send(&vec![1, 2, 3, 4]).expect("room");
    assert_eq!(ours.recv(), Ok(vec![1, 2, 3, 4]));
    for _ in 0..20 {
        common::signal(child.pid(), libc::SIGUSR1);
    }
    assert_eq!(ours.recv().map(|bytes| bytes.len()), Ok(10_000_000));
    child.join().expect("ends");
}

/// `_TestConnection.test_wait_empty`
#[test]
fn a_wait_for_nothing_takes_its_time() {
    let _watchdog = watchdog();
    let began = Instant::now();
    assert!(wait_any(&[], Some(Duration::from_millis(500))).expect("waits").is_empty());
    assert!(began.elapsed() >= Duration::from_millis(400));
}

#[process]
fn send_ten(line: Connection<(usize, i32), ()>, index: usize) {
    let pid = psync::current().pid();
    (0..10).for_each(|_| line.send(&(index, pid)).expect("received"));
}

/// `TestWait.test_wait`
#[test]
fn a_wait_on_pipes_gets_all_messages_and_then_their_ends() {
    let _watchdog = watchdog();
    let mut lines = Vec::new();
    let mut expected = Vec::new();
    let children: Vec<_> = (0..4)
        .map(|index| {
            let (theirs, ours) = pipe().expect("descriptors");
            lines.push(ours);
            send_ten::spawn(theirs, index).expect("starts")
        })
        .collect();
    for (index, child) in children.iter().enumerate() {
        expected.extend([(index, child.pid()); 10]);
    }
    let mut received = Vec::new();
    while !lines.is_empty() {
        let items: Vec<&dyn psync::Waitable> = lines.iter().map(|line| line as _).collect();
        let ready = wait_any(&items, None).expect("waits");
        for index in ready.into_iter().rev() {
            match lines[index].recv() {
                Ok(message) => received.push(message),
                Err(RecvError::Disconnected) => drop(lines.remove(index)),
                Err(error) => panic!("{error}"),
            }
        }
    }
    received.sort_unstable();
    assert_eq!(received, expected);
    for child in children {
        child.join().expect("ends");
    }
}

/// Sends its lines with pauses, or without, over a socket of the network.
#[process]
fn send_lines(address: std::net::SocketAddr, pause: Duration) {
    let mut socket = std::net::TcpStream::connect(address).expect("connects");
    for line in 0..10 {
        std::thread::sleep(pause);
        socket.write_all(format!("{line}\n").as_bytes()).expect("sends");
    }
}

/// `TestWait.test_wait_socket`, `TestWait.test_wait_socket_slow`
#[test]
fn a_wait_on_sockets_gets_all_lines_of_each() {
    let _watchdog = watchdog();
    for pause in [Duration::ZERO, Duration::from_millis(10)] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let children = [0; 4].map(|_| send_lines::spawn(address, pause).expect("starts"));
        let mut open: Vec<_> =
            (0..4).map(|_| (listener.accept().expect("connects").0, String::new())).collect();
        let mut texts = Vec::new();
        while !open.is_empty() {
            let items: Vec<&dyn psync::Waitable> = open.iter().map(|(one, _)| one as _).collect();
            for index in wait_any(&items, None).expect("waits").into_iter().rev() {
                let mut bytes = [0; 32];
                match open[index].0.read(&mut bytes).expect("reads") {
                    0 => texts.push(open.remove(index).1),
                    len => open[index].1 += core::str::from_utf8(&bytes[..len]).expect("text"),
                }
            }
        }
        let expected = "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        assert!(texts.len() == 4 && texts.iter().all(|text| text == expected), "{texts:?}");
        for child in children {
            child.join().expect("ends");
        }
    }
}

/// `TestWait.test_wait_timeout`
#[test]
fn a_wait_tells_which_end_has_something() {
    let _watchdog = watchdog();
    let (a, b) = pipe::<u8, u8>().expect("descriptors");
    let began = Instant::now();
    assert!(wait_any(&[&a, &b], Some(Duration::from_millis(300))).expect("waits").is_empty());
    assert!(began.elapsed() >= Duration::from_millis(300));
    b.send(&1).expect("room");
    assert_eq!(wait_any(&[&a, &b], Some(Duration::from_secs(20))).expect("waits"), [0]);
}

#[process]
fn end_when_told(event: &Event) {
    event.wait();
}

/// `TestWait.test_wait_integer`
#[test]
fn a_wait_returns_all_that_are_ready() {
    let _watchdog = watchdog();
    let event = Shared::new(Event::new()).expect("memory");
    let child = end_when_told::spawn(&event).expect("starts");
    let (a, b) = pipe::<u8, u8>().expect("descriptors");
    event.set();
    assert_eq!(wait_any(&[&a, &child, &b], None).expect("waits"), [1]);
    a.send(&1).expect("room");
    assert_eq!(wait_any(&[&a, &child, &b], None).expect("waits"), [1, 2]);
    b.send(&1).expect("room");
    assert_eq!(wait_any(&[&a, &child, &b], None).expect("waits"), [0, 1, 2]);
}

#[process]
fn feed(queue: Queue<u32>, sender: Sender<u32>, go: &Event) {
    go.wait();
    queue.send(1).expect("room");
    sender.send(2).expect("room");
}

#[test]
fn a_wait_on_queues_channels_pipes_events_and_processes() {
    let _watchdog = watchdog();
    let queue = Queue::<u32>::bounded(4).expect("memory");
    let other = Queue::<u32>::bounded(4).expect("memory");
    let (sender, receiver) = channel::<u32>(4).expect("memory");
    let (a, b) = pipe::<u8, u8>().expect("descriptors");
    let (go, never) = (Shared::new(Event::new()).expect("memory"), Event::new());
    let child = feed::spawn(queue.clone(), sender, &go).expect("starts");
    let items: [&dyn psync::Waitable; 6] = [&other, &queue, &receiver, &a, &never, &child];
    let short = Some(Duration::from_millis(50));
    assert!(wait_any(&items, short).expect("waits").is_empty());
    go.set();
    let mut seen = std::collections::BTreeSet::new();
    while !(seen.contains(&1) && seen.contains(&2) && seen.contains(&5)) {
        seen.extend(wait_any(&items, None).expect("waits"));
    }
    assert!(seen.iter().all(|index| [1, 2, 5].contains(index)), "{seen:?}");
    assert_eq!((queue.recv(), receiver.recv()), (Ok(1), Ok(2)));
    b.send(&1).expect("room");
    never.set();
    // Queues and the receiver are ready as well: nobody is left to send.
    let ready = wait_any(&items, None).expect("waits");
    assert!(ready.ends_with(&[2, 3, 4, 5]), "{ready:?}");
    child.join().expect("ends");
}

#[process]
fn connect_and_send(address: std::net::SocketAddr, jobs: WorkQueue<u32>, go: &Event) {
    let _socket = std::net::TcpStream::connect(address).expect("connects");
    go.wait();
    jobs.send(1).expect("room");
}

#[test]
fn a_wait_on_a_socket_a_file_and_jobs() {
    let _watchdog = watchdog();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let jobs = WorkQueue::<u32>::bounded(4).expect("memory");
    let (reader, mut writer) = std::io::pipe().expect("descriptors");
    let go = Shared::new(Event::new()).expect("memory");
    let child = connect_and_send::spawn(address, jobs.clone(), &go).expect("starts");
    let items: [&dyn psync::Waitable; 3] = [&jobs, &listener, &reader];
    assert_eq!(wait_any(&items, None).expect("waits"), [1]);
    let socket = listener.accept().expect("connects").0;
    assert!(wait_any(&items, Some(Duration::from_millis(50))).expect("waits").is_empty());
    go.set();
    assert_eq!(wait_any(&items, None).expect("waits"), [0]);
    jobs.recv().expect("a job").done();
    writer.write_all(b"x").expect("room");
    child.join().expect("ends");
    // The socket has hung up, and a file is always ready.
    let file = tempfile::tempfile().expect("a file");
    let items: [&dyn psync::Waitable; 3] = [&socket, &reader, &file];
    assert_eq!(wait_any(&items, None).expect("waits"), [0, 1, 2]);
}

/// `_TestConnection.test_fd_transfer`
#[test]
fn files_go_along_as_descriptors_of_standard_streams() {
    let _watchdog = watchdog();
    let mut file = tempfile::tempfile().expect("a file");
    let options = Options::new().stdout(Stdio::from(file.try_clone().expect("a descriptor")));
    let write = |()| print!("foo");
    psync::spawn_with(options, write, ()).expect("starts").join().expect("ends");
    let mut text = String::new();
    file.rewind().expect("a file");
    file.read_to_string(&mut text).expect("text");
    assert_eq!(text, "foo");
    file.flush().expect("a file");
}

#[test]
fn an_end_is_a_descriptor() {
    let (a, b) = pipe::<u8, u8>().expect("descriptors");
    assert_ne!(a.as_fd().as_raw_fd(), b.as_fd().as_raw_fd());
    drop(spawn(|()| (), ()).expect("starts"));
}

#[process]
fn hears(line: Text) -> bool {
    line.recv().is_ok()
}

#[process]
fn floods(line: Text) {
    while line.send(&"a".repeat(10_000)).is_ok() {}
}

#[test]
fn who_waits_at_an_end_is_shown() {
    let _watchdog = watchdog();
    let ((a, b), (c, d)) = (pipe().expect("descriptors"), pipe().expect("descriptors"));
    let (hears, floods) = (hears::spawn(b).expect("starts"), floods::spawn(d).expect("starts"));
    for (pid, what) in [(hears.pid(), "for a message of"), (floods.pid(), "for room in")] {
        let (who, what) =
            (format!("(process {pid}, "), format!("{what} Connection<String, String>"));
        let shows = |line: &str| line.contains(&who) && line.contains(&what);
        while !psync::dump_waits().lines().any(shows) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    drop::<(Text, Text)>((a, c));
    assert!(!hears.join().expect("ends"));
    floods.join().expect("ends");
}
