//! A process from its start to its end.

use psync::{__private::supervisor_pid, active_children, prelude::*, wait_any};
use std::{
    io,
    os::fd::{AsFd, AsRawFd},
    time::Duration,
};

#[shared]
pub struct Gate {
    pub here: Event,
    pub open: Event,
    pub passed: Event,
}

pub fn gate() -> Shared<Gate> {
    Shared::new(Gate::default()).unwrap()
}

pub fn with(method: StartMethod) -> Options {
    Options::new().start_method(method)
}

/// Says that it is there, and waits to be let through.
#[process]
pub fn pass(gate: &Gate) {
    gate.here.set();
    gate.open.wait();
    gate.passed.set();
}

/// Says that it is there, and never ends by itself.
#[process]
pub fn stay(gate: &Gate) {
    gate.here.set();
    loop {
        std::thread::sleep(Duration::from_secs(100));
    }
}

fn listed(pid: i32) -> Option<String> {
    let children = active_children();
    children.iter().find(|child| child.pid() == pid).map(|child| child.name().to_owned())
}

pub fn is_seen_as_started_running_and_ended(method: StartMethod) {
    let gate = gate();
    let process = pass::spawn_with(with(method).name("visitor"), &gate).unwrap();
    let pid = process.pid();
    assert!(pid > 0 && pid != psync::current().pid());
    assert_eq!(process.name(), "visitor");
    gate.here.wait();
    assert!(process.is_alive());
    assert_eq!(process.exit_status(), None);
    assert_eq!(listed(pid).as_deref(), Some("visitor"));
    gate.open.set();
    let status = process.wait();
    assert!(status.success() && status.code() == Some(0) && status.signal().is_none());
    assert!(!process.is_alive());
    assert_eq!(process.exit_status(), Some(status));
    assert_eq!(listed(pid), None);
    process.join().unwrap();
    assert!(gate.passed.is_set());
}

type Card = (i32, String, bool, Option<(i32, String, bool)>, Option<String>, usize);

fn introduce(_: ()) -> Card {
    let own = psync::current();
    let parent = own.parent().map(|p| (p.pid(), p.name().to_owned(), p.is_alive()));
    let method = own.start_method().map(|method| format!("{method:?}"));
    (own.pid(), own.name().to_owned(), own.is_daemon(), parent, method, own.index())
}

pub fn tells_who_it_is(method: StartMethod) {
    for daemon in [false, true] {
        let options = with(method).name("guest").daemon(daemon);
        let process = psync::spawn_with(options, introduce, ()).unwrap();
        let pid = process.pid();
        let own = psync::current();
        let (its_pid, name, is_daemon, parent, its_method, _) = process.join().unwrap();
        assert_eq!((its_pid, name.as_str(), is_daemon), (pid, "guest", daemon));
        assert_eq!(parent, Some((own.pid(), own.name().to_owned(), true)));
        assert_eq!(its_method, Some(format!("{method:?}")));
    }
    let indices = [(), ()]
        .map(|()| psync::spawn_with(with(method), introduce, ()).unwrap().join().unwrap().5);
    assert!(indices[0] < indices[1], "{indices:?}");
}

pub fn waits_with_and_without_limits(method: StartMethod) {
    let gate = gate();
    let mut process = pass::spawn_with(with(method), &gate).unwrap();
    gate.here.wait();
    assert_eq!(process.wait_timeout(Duration::ZERO), None);
    assert_eq!(process.wait_timeout(Duration::from_millis(5)), None);
    assert!(process.join_timeout(Duration::ZERO).is_none());
    gate.open.set();
    assert!(process.wait().success());
    assert!(process.wait().success(), "a second time");
    assert!(process.wait_timeout(Duration::ZERO).unwrap().success());
    assert!(process.join_timeout(Duration::ZERO).unwrap().is_ok());
    let again = process.join_timeout(Duration::ZERO).unwrap();
    assert!(matches!(again, Err(ProcessError::Exited { code: 0, .. })), "{again:?}");
}

type Signal = fn(&Process<()>) -> io::Result<()>;

pub fn ends_by_signals(method: StartMethod) {
    let cases: [(Signal, i32); 3] = [
        (Process::interrupt, libc::SIGINT),
        (Process::terminate, libc::SIGTERM),
        (Process::kill, libc::SIGKILL),
    ];
    // What whoever ran this program has ignored ends no process of it.
    // SAFETY: asks, and puts back what was there.
    let is_ignored = unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) } == libc::SIG_IGN;
    if !is_ignored {
        // SAFETY: as above.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
    }
    for (send, signal) in cases.into_iter().skip(usize::from(is_ignored)) {
        let gate = gate();
        let process = stay::spawn_with(with(method).daemon(true), &gate).unwrap();
        gate.here.wait();
        send(&process).unwrap();
        let status = process.wait();
        assert_eq!((status.signal(), status.code()), (Some(signal), None), "{status}");
        assert!(!process.is_alive() && !status.success());
        assert_eq!(listed(process.pid()), None);
        send(&process).expect("one that has ended can be signalled");
        assert_eq!(process.wait(), status, "waiting again");
        let pid = process.pid();
        match process.join() {
            Err(ProcessError::Signaled { signal: ended_by, pid: whose, name, .. }) => {
                assert_eq!((ended_by, whose, name.as_str()), (signal, pid, "stay"));
            }
            other => panic!("{other:?}"),
        }
    }
}

pub fn ends_by_real_time_signals(method: StartMethod) {
    for signal in [libc::SIGRTMIN(), libc::SIGRTMAX()] {
        let gate = gate();
        let process = stay::spawn_with(with(method), &gate).unwrap();
        gate.here.wait();
        // SAFETY: takes two numbers.
        assert_eq!(unsafe { libc::kill(process.pid(), signal) }, 0);
        let status = process.wait();
        assert_eq!(status.signal(), Some(signal), "{status}");
        // Nor does it keep the ends of others from being seen.
        assert_eq!(leave::spawn_with(with(method), 5, false).unwrap().wait().code(), Some(5));
    }
}

#[process]
fn leave(code: i32, at_once: bool) {
    if at_once {
        // SAFETY: ends this process.
        unsafe { libc::_exit(code) };
    }
    std::process::exit(code)
}

#[process]
fn abort() {
    std::process::abort()
}

pub fn ends_by_exit_and_abort(method: StartMethod) {
    for (code, at_once) in [(0, false), (7, false), (255, false), (0, true), (9, true)] {
        let process = leave::spawn_with(with(method), code, at_once).unwrap();
        let status = process.wait();
        assert_eq!((status.code(), status.success()), (Some(code), code == 0));
        let joined = process.join();
        assert!(
            matches!(joined, Err(ProcessError::Exited { code: c, .. }) if c == code),
            "{joined:?}"
        );
    }
    let process = abort::spawn_with(with(method)).unwrap();
    assert_eq!(process.wait().signal(), Some(libc::SIGABRT));
    let joined = process.join();
    assert!(
        matches!(joined, Err(ProcessError::Signaled { signal: libc::SIGABRT, .. })),
        "{joined:?}"
    );
}

pub fn has_a_descriptor_that_shows_its_end(method: StartMethod) {
    let (first, second) = (gate(), gate());
    let one = pass::spawn_with(with(method), &first).unwrap();
    let two = pass::spawn_with(with(method), &second).unwrap();
    first.here.wait();
    second.here.wait();
    assert!(one.as_fd().as_raw_fd() > 2);
    let soon = Some(Duration::from_millis(5));
    assert_eq!(wait_any(&[&one, &two], soon).unwrap(), []);
    assert_eq!(wait_any(&[&one, &two], Some(Duration::ZERO)).unwrap(), []);
    second.open.set();
    assert_eq!(wait_any(&[&one, &two], None).unwrap(), [1]);
    first.open.set();
    assert!(one.wait().success());
    assert_eq!(wait_any(&[&one, &two], None).unwrap(), [0, 1]);
}

pub fn goes_on_without_its_handle(method: StartMethod) {
    let gate = gate();
    let process = pass::spawn_with(with(method), &gate).unwrap();
    let pid = process.pid();
    gate.here.wait();
    drop(process);
    assert_eq!(listed(pid).as_deref(), Some("pass"), "a process without a handle is a child still");
    gate.open.set();
    gate.passed.wait();
    assert!(crate::common::eventually(|| listed(pid).is_none()));
    assert!(crate::common::eventually(|| !crate::common::is_alive(pid)));
}

fn try_to_start(_: ()) -> String {
    match psync::spawn(|()| (), ()) {
        Err(SpawnError::Daemon) => SpawnError::Daemon.to_string(),
        other => format!("{other:?}"),
    }
}

pub fn daemons_start_nothing(method: StartMethod) {
    let daemon = psync::spawn_with(with(method).daemon(true), try_to_start, ()).unwrap();
    let said = daemon.join().unwrap();
    assert!(said.starts_with("a daemon process may not start processes"), "{said}");
    let other = psync::spawn_with(with(method).daemon(false), try_to_start, ()).unwrap();
    assert!(other.join().unwrap().starts_with("Ok("));
}

/// Starts processes below each other and says what each one's parent is.
fn descend((depth, method): (u32, u32)) -> Vec<(i32, i32)> {
    let mut below = Vec::new();
    if depth > 0 {
        let options = with(StartMethod::ALL[method as usize]);
        let child = psync::spawn_with(options, descend, (depth - 1, method)).unwrap();
        below = child.join().unwrap();
    }
    below.push((psync::current().pid(), psync::current().parent().unwrap().pid()));
    below
}

pub fn starts_others_three_deep(method: StartMethod) {
    // A child of the first two methods has two threads, so that only a child of `Fork` may itself fork.
    let index = StartMethod::ALL.iter().position(|&known| known == method).unwrap();
    let index = u32::try_from(index).unwrap();
    let generations = psync::spawn_with(with(method), descend, (3, index)).unwrap().join().unwrap();
    assert_eq!(generations.len(), 4);
    for pair in generations.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "the parent of {pair:?}");
    }
    assert_eq!(generations[3].1, psync::current().pid());
    assert!(method == StartMethod::Fork || supervisor_pid().is_some());
}

fn own_and_childs_name(_: ()) -> (String, String) {
    let child = psync::spawn(|()| psync::current().name().to_owned(), ()).unwrap();
    (psync::current().name().to_owned(), child.join().unwrap())
}

pub fn carries_the_default_names(method: StartMethod) {
    let named_after = pass::spawn_with(with(method), &gate()).unwrap();
    assert_eq!(named_after.name(), "pass");
    named_after.kill().unwrap();
    let process = psync::spawn_with(with(method), own_and_childs_name, ()).unwrap();
    let name = process.name().to_owned();
    assert!(name.starts_with("Process-"), "{name}");
    assert_eq!(process.join().unwrap(), (name.clone(), format!("{name}:1")));
    let long = "ü".repeat(200);
    let process =
        psync::spawn_with(with(method).name(&long), |()| psync::current().name().to_owned(), ());
    assert_eq!(process.unwrap().join().unwrap(), "ü".repeat(64), "128 bytes are kept");
}

/// A copy of the whole starter has its descriptors; the others have their own only.
pub fn has_what_a_forked_starter_has_open(method: StartMethod) {
    let (reader, _writer) = io::pipe().unwrap();
    // SAFETY: makes a copy, which is never closed.
    let high = unsafe { libc::fcntl(reader.as_raw_fd(), libc::F_DUPFD, 700) };
    assert!(high >= 700);
    // SAFETY: asks about a number.
    let is_open = |fd: i32| unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0;
    let there = psync::spawn_with(with(method), is_open, high).unwrap().join().unwrap();
    assert_eq!(there, method == StartMethod::Fork);
}
