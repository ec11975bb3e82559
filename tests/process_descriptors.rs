//! Which descriptors a process has, and what it costs its starter.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{descriptors, one_at_a_time, watchdog};
use psync::prelude::*;
use std::{
    io::Write,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

#[shared]
struct Room {
    count: Value<u32>,
    all_here: Event,
    leave: Event,
}

fn room() -> Shared<Room> {
    Shared::new(Room::default()).expect("shared memory")
}

/// Lists its descriptors while all the others live.
#[process]
fn list(room: &Room, others: u32) -> Vec<i32> {
    if room.count.update(|n| n + 1) == others {
        room.all_here.set();
    }
    room.all_here.wait();
    let found = descriptors();
    room.leave.wait();
    found
}

fn lists(method: StartMethod, processes: u32) -> Vec<Vec<i32>> {
    let room = room();
    let start = |_| {
        list::spawn_with(Options::new().start_method(method), &room, processes).expect("a start")
    };
    let started: Vec<_> = (0..processes).map(start).collect();
    room.all_here.wait();
    room.leave.set();
    started.into_iter().map(|process| process.join().expect("ends")).collect()
}

/// `_TestProcess.test_child_fd_inflation`
#[test]
fn live_siblings_cost_no_descriptors() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let alone = lists(method, 1).remove(0);
        let siblings = if method == StartMethod::Spawn { 10 } else { 50 };
        for found in lists(method, siblings) {
            assert_eq!(found.len(), alone.len(), "{found:?} beside {alone:?} with {method:?}");
        }
    }
}

#[test]
fn processes_that_have_ended_cost_their_starter_no_descriptors() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let round = || {
        for method in [StartMethod::ForkServer, StartMethod::Spawn] {
            for found in lists(method, 5) {
                assert!(found.len() > 3);
            }
            let options = Options::new().start_method(method);
            let piped = options.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            psync::spawn_with(piped, |()| (), ()).expect("a start").join().expect("ends");
        }
    };
    round();
    let before = descriptors();
    for _ in 0..5 {
        round();
    }
    assert_eq!(descriptors().len(), before.len(), "{before:?} have become {:?}", descriptors());
}

fn can_write_to(fd: i32) -> bool {
    // SAFETY: a number; nothing is done to it.
    let copy = unsafe { libc::dup(fd) };
    if copy < 0 {
        return false;
    }
    // SAFETY: just made.
    let mut file = unsafe { std::fs::File::from_raw_fd(copy) };
    file.write_all(b"x").is_ok()
}

/// A socket of this process with a number that nothing in another process has by chance.
fn high_descriptor() -> (OwnedFd, OwnedFd) {
    let (ours, other) = std::os::unix::net::UnixStream::pair().expect("a pair");
    // SAFETY: makes a copy.
    let high = unsafe { libc::fcntl(ours.as_raw_fd(), libc::F_DUPFD, 700) };
    assert!(high >= 700);
    // SAFETY: just made.
    (unsafe { OwnedFd::from_raw_fd(high) }, other.into())
}

/// `TestCloseFds.test_closefd`
#[test]
fn what_the_starter_has_open_is_not_open_in_the_process() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let (high, _other) = high_descriptor();
    assert!(can_write_to(high.as_raw_fd()));
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let options = Options::new().start_method(method);
        let process = psync::spawn_with(options, can_write_to, high.as_raw_fd()).expect("a start");
        assert!(!process.join().expect("ends"), "{method:?}");
    }
    // `Fork` copies the whole process.
    common::in_a_program("life::has_what_a_forked_starter_has_open");
}

#[test]
fn programs_that_a_process_runs_get_no_descriptors_of_psync() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let run = |()| {
        let output = std::process::Command::new("/bin/ls").arg("/proc/self/fd").output();
        let output = String::from_utf8(output.expect("ls").stdout).expect("text");
        output.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let process = psync::spawn_with(Options::new().start_method(method), run, ());
        // Three streams, and the listing itself.
        assert_eq!(process.expect("a start").join().expect("ends"), ["0", "1", "2", "3"]);
    }
}
