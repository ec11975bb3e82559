//! What a process finds around it: what its starter has at that moment. These change the calling process, which has one thread.

use super::life::{gate, pass, with};
use psync::prelude::*;
use std::{
    env,
    fs::{self, File},
    io::{Read, Write},
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

fn scratch() -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let place = env::temp_dir().join(format!("psync-test-{}-{now}", std::process::id()));
    fs::create_dir_all(&place).unwrap();
    place
}

#[allow(clippy::needless_pass_by_value, reason = "arguments cross by value")]
fn variables(names: Vec<String>) -> Vec<Option<String>> {
    names.iter().map(|name| env::var(name).ok()).collect()
}

pub fn environment(method: StartMethod) {
    // SAFETY: this program has one thread.
    unsafe { env::set_var("PSYNC_TEST_OLD", "old") };
    let ask = |options: Options| {
        let names = ["PSYNC_TEST_OLD", "PSYNC_TEST_NEW", "PSYNC_TEST_EMPTY", "PSYNC_BOOT"];
        let names = names.map(str::to_owned).to_vec();
        psync::spawn_with(options, variables, names).unwrap().join().unwrap()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(ask(with(method)), [text("old"), None, None, None]);
    let options = with(method).env("PSYNC_TEST_NEW", "a=b\nc").env("PSYNC_TEST_EMPTY", "");
    assert_eq!(ask(options), [text("old"), text("a=b\nc"), text(""), None]);
    assert_eq!(ask(with(method).env("PSYNC_TEST_OLD", "other"))[0], text("other"));
    // SAFETY: as above.
    unsafe { env::set_var("PSYNC_TEST_OLD", "changed since") };
    assert_eq!(ask(with(method))[0], text("changed since"));
    for (name, value) in [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "x\0y")] {
        let refused = psync::spawn_with(with(method).env(name, value), variables, Vec::new());
        assert!(matches!(refused, Err(SpawnError::Refused { .. })), "{name:?} {refused:?}");
    }
    let long = "x".repeat(300 << 10);
    for n in 0..3 {
        // SAFETY: as above.
        unsafe { env::set_var(format!("PSYNC_TEST_LONG_{n}"), &long[..100 << 10]) };
    }
    assert_eq!(ask(with(method))[0], text("changed since"), "with an environment of 300 KiB");
    for name in ["OLD", "LONG_0", "LONG_1", "LONG_2"] {
        // SAFETY: as above.
        unsafe { env::remove_var(format!("PSYNC_TEST_{name}")) };
    }
    assert_eq!(ask(with(method))[0], None, "removed since");
}

fn where_am_i(_: ()) -> Result<PathBuf, String> {
    env::current_dir().map_err(|error| error.kind().to_string())
}

pub fn directory(method: StartMethod) {
    let before = env::current_dir().unwrap();
    let place = fs::canonicalize(scratch()).unwrap();
    let ask = |options| psync::spawn_with(options, where_am_i, ()).unwrap().join().unwrap();
    assert_eq!(ask(with(method)).unwrap(), before);
    assert_eq!(ask(with(method).current_dir(&place)).unwrap(), place);
    env::set_current_dir(&place).unwrap();
    assert_eq!(ask(with(method)).unwrap(), place);
    env::set_current_dir(&before).unwrap();
    let missing = psync::spawn_with(with(method).current_dir("/nowhere/at/all"), where_am_i, ());
    assert!(matches!(missing, Err(SpawnError::Os(_))), "{missing:?}");
    fs::remove_dir(place).unwrap();
}

pub fn deleted_directory(method: StartMethod) {
    let before = env::current_dir().unwrap();
    let place = scratch();
    env::set_current_dir(&place).unwrap();
    fs::remove_dir(&place).unwrap();
    let found = psync::spawn_with(with(method), where_am_i, ()).unwrap().join().unwrap();
    assert!(found.is_err(), "{found:?}");
    env::set_current_dir(before).unwrap();
}

fn own_umask(_: ()) -> u32 {
    // SAFETY: asks for the mask by setting it.
    unsafe { libc::umask(0) }
}

pub fn mask_of_files(method: StartMethod) {
    for mask in [0o077, 0o022] {
        // SAFETY: sets a number of this process.
        unsafe { libc::umask(mask) };
        let found = psync::spawn_with(with(method), own_umask, ()).unwrap().join().unwrap();
        assert_eq!(found, mask, "{found:o} is not {mask:o}");
    }
}

fn speak(_: ()) {
    println!("to standard output");
    eprintln!("to standard error");
}

pub fn null_and_files(method: StartMethod) {
    let place = scratch();
    let (out, err, input) = (place.join("out"), place.join("err"), place.join("in"));
    fs::write(&input, "from a file").unwrap();
    let options = with(method)
        .stdout(File::create(&out).unwrap().into())
        .stderr(File::create(&err).unwrap().into())
        .stdin(Stdio::null());
    psync::spawn_with(options, speak, ()).unwrap().join().unwrap();
    assert_eq!(fs::read_to_string(&out).unwrap(), "to standard output\n");
    assert_eq!(fs::read_to_string(&err).unwrap(), "to standard error\n");
    let read = |options| psync::spawn_with(options, read_all, ()).unwrap().join().unwrap();
    assert_eq!(read(with(method).stdin(File::open(&input).unwrap().into())), "from a file");
    assert_eq!(read(with(method).stdin(Stdio::null())), "");
    let options = with(method).stdout(Stdio::null()).stderr(Stdio::null());
    psync::spawn_with(options, speak, ()).unwrap().join().unwrap();
    fs::remove_dir_all(place).unwrap();
}

fn read_all(_: ()) -> String {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    text
}

fn echo(_: ()) {
    let text = read_all(());
    print!("{}", text.to_uppercase());
    eprint!("{}", text.len());
}

pub fn pipes(method: StartMethod) {
    let options = with(method).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = psync::spawn_with(options, echo, ()).unwrap();
    let mut input = process.take_stdin().unwrap();
    assert!(process.take_stdin().is_none(), "once");
    input.write_all(b"hello").unwrap();
    drop(input);
    let (mut out, mut err) = (String::new(), String::new());
    process.take_stdout().unwrap().read_to_string(&mut out).unwrap();
    process.take_stderr().unwrap().read_to_string(&mut err).unwrap();
    process.join().unwrap();
    assert_eq!((out.as_str(), err.as_str()), ("HELLO", "5"));
    let mut process = pass::spawn_with(with(method), &gate()).unwrap();
    assert!(process.take_stdin().is_none() && process.take_stdout().is_none());
    assert!(process.take_stderr().is_none());
    process.kill().unwrap();
}

fn blocked(_: ()) -> Vec<i32> {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: initialises the set.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), set.as_mut_ptr()) };
    // SAFETY: initialised above.
    let set = unsafe { set.assume_init() };
    // SAFETY: reads the set.
    (1..=31).filter(|&signal| unsafe { libc::sigismember(&raw const set, signal) } == 1).collect()
}

/// Whether a signal that this process sends to itself waits, as a blocked one must, whichever thread it could go to.
fn keeps_waiting(signal: i32) -> bool {
    // SAFETY: asks for nothing but a number.
    let own = unsafe { libc::getpid() };
    // SAFETY: a signal to this process itself.
    unsafe { libc::kill(own, signal) };
    let mut set = std::mem::MaybeUninit::zeroed();
    // SAFETY: initialises the set.
    unsafe { libc::sigpending(set.as_mut_ptr()) };
    // SAFETY: initialised above.
    unsafe { libc::sigismember(set.as_ptr(), signal) == 1 }
}

fn set_blocked(how: i32, signals: &[i32]) {
    let mut set = std::mem::MaybeUninit::zeroed();
    // SAFETY: initialises the set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for &signal in signals {
        // SAFETY: the set is initialised.
        unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
    }
    // SAFETY: the set is initialised.
    unsafe { libc::pthread_sigmask(how, set.as_ptr(), std::ptr::null_mut()) };
}

pub fn signal_mask(method: StartMethod) {
    let ask = || psync::spawn_with(with(method), blocked, ()).unwrap().join().unwrap();
    assert_eq!(ask(), []);
    set_blocked(libc::SIG_BLOCK, &[libc::SIGUSR1, libc::SIGTERM]);
    assert_eq!(ask(), [libc::SIGUSR1, libc::SIGTERM]);
    let process = psync::spawn_with(with(method), keeps_waiting, libc::SIGUSR1).unwrap();
    assert!(process.join().expect("the signal is blocked"));
    set_blocked(libc::SIG_SETMASK, &[]);
    assert_eq!(ask(), []);
}

fn limit(_: ()) -> (u64, u64) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes to a live variable.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    (limit.rlim_cur, limit.rlim_max)
}

pub fn limits(method: StartMethod) {
    let (soft, hard) = limit(());
    for lower in [soft - 1, soft - 2] {
        let limit = libc::rlimit { rlim_cur: lower, rlim_max: hard };
        // SAFETY: reads a live variable.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
        let found = psync::spawn_with(with(method), self::limit, ()).unwrap().join().unwrap();
        assert_eq!(found, (lower, hard));
    }
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: as above.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
}

pub fn name_in_the_process_list(method: StartMethod) {
    for (name, shown) in [("squirrel", "squirrel"), ("a squirrel of fame", "a squirrel of f")] {
        let gate = gate();
        let process = pass::spawn_with(with(method).name(name), &gate).unwrap();
        gate.here.wait();
        let comm = fs::read_to_string(format!("/proc/{}/comm", process.pid())).unwrap();
        assert_eq!(comm.trim_end(), shown);
        gate.open.set();
        process.join().unwrap();
    }
}

pub fn arguments_of_the_program(method: StartMethod) {
    let theirs = psync::spawn_with(with(method), |()| env::args().collect::<Vec<_>>(), ());
    let theirs = theirs.unwrap().join().unwrap();
    assert_eq!(theirs, env::args().collect::<Vec<_>>());
    assert_eq!(
        psync::spawn_with(with(method), |()| env::current_exe().unwrap(), ())
            .unwrap()
            .join()
            .unwrap(),
        env::current_exe().unwrap()
    );
}

fn dispositions(_: ()) -> Vec<bool> {
    let ask = |signal| {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: writes to a live variable.
        unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
        // SAFETY: zeros are a value, and the call has written one.
        unsafe { action.assume_init() }.sa_sigaction
    };
    let ends = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1, libc::SIGQUIT];
    let ends = ends.map(|signal| ask(signal) == libc::SIG_DFL);
    ends.into_iter().chain([ask(libc::SIGPIPE) == libc::SIG_IGN]).collect()
}

/// Signals mean what they mean in any program of Rust: what whoever ran it has ignored (as `nohup` does) stays ignored, all else is default.
pub fn signals_mean_what_they_meant(method: StartMethod) {
    let found = psync::spawn_with(with(method), dispositions, ()).unwrap().join().unwrap();
    assert_eq!(found, dispositions(()));
}
