//! The supervisor is signalled and killed: running work goes on, and the next start works.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{eventually, is_alive, one_at_a_time, signal, state_of, watchdog};
use psync::{__private::supervisor_pid, ExitStatus, active_children, prelude::*};
use std::time::Duration;

#[shared]
struct Den {
    here: [Event; 3],
    leave: Event,
}

fn den() -> Shared<Den> {
    Shared::new(Den::default()).expect("shared memory")
}

/// A result that is large, so that it takes the way through the store, and has a handle in it, that takes the inbox.
#[process]
fn work(den: &Den, place: usize) -> (String, Shared<Value<usize>>) {
    den.here[place].set();
    den.leave.wait();
    ("done".repeat(100_000), Shared::new(Value::new(place)).expect("shared memory"))
}

#[process]
fn real_parent() -> i32 {
    std::os::unix::process::parent_id().cast_signed()
}

#[process]
fn parents_of_a_process_of_ours() -> (Option<i32>, i32) {
    let parent = real_parent::run().expect("a process");
    (supervisor_pid(), parent)
}

fn supervisor() -> i32 {
    real_parent::run().expect("a process");
    supervisor_pid().expect("a supervisor")
}

fn start(
    den: &Shared<Den>,
    method: StartMethod,
    place: usize,
) -> Process<(String, Shared<Value<usize>>)> {
    let process = work::spawn_with(Options::new().start_method(method), den, place);
    let process = process.expect("a start");
    den.here[place].wait();
    process
}

fn finish(process: Process<(String, Shared<Value<usize>>)>, place: usize) -> ExitStatus {
    let status = process.wait();
    let (text, value) = process.join().expect("the result has arrived");
    assert!(text == "done".repeat(100_000) && value.get() == place);
    status
}

/// `_TestProcess.test_forkserver_sigint`, `TestResourceTracker.test_resource_tracker_sigint`,
/// `TestResourceTracker.test_resource_tracker_sigterm`
#[test]
fn signals_to_a_group_do_not_end_it() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let (den, before) = (den(), supervisor());
    let first = start(&den, StartMethod::ForkServer, 0);
    for number in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1] {
        signal(before, number);
        assert_eq!(real_parent::run().expect("a process"), before);
    }
    let second = start(&den, StartMethod::Spawn, 1);
    den.leave.set();
    assert!(finish(first, 0).success() && finish(second, 1).success());
    assert_eq!(supervisor_pid(), Some(before), "it has been replaced");
}

/// `_TestProcess.test_forkserver_sigkill`, `TestResourceTracker.test_resource_tracker_sigkill`
#[test]
fn its_death_hurts_nobody() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    for round in 0..3 {
        let (den, before) = (den(), supervisor());
        let first = start(&den, StartMethod::ForkServer, 0);
        let second = start(&den, StartMethod::Spawn, 1);
        signal(before, libc::SIGKILL);
        // Until then, one of its ready children may take on a start before it follows it.
        assert!(eventually(|| {
            active_children();
            !is_alive(before) && supervisor_pid() != Some(before)
        }));
        let third = start(&den, StartMethod::ForkServer, 2);
        let after = supervisor_pid().expect("a new one");
        assert_ne!(after, before, "round {round}");
        assert_eq!(state_of(before), None, "the old one is a zombie");
        assert!(first.is_alive() && second.is_alive());
        assert_eq!(active_children().len(), 3);
        den.leave.set();
        for (process, place) in [(first, 0), (second, 1)] {
            let status = finish(process, place);
            assert!(matches!(status, ExitStatus::Unknown) || status.success(), "{status}");
        }
        assert!(finish(third, 2).success(), "one of the new supervisor's");
        assert!(active_children().is_empty());
    }
}

#[test]
fn its_death_is_no_end_of_waiting() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let (den, before) = (den(), supervisor());
    let mut process = start(&den, StartMethod::ForkServer, 0);
    signal(before, libc::SIGKILL);
    assert_eq!(process.wait_timeout(Duration::from_millis(20)), None);
    assert!(process.join_timeout(Duration::from_millis(20)).is_none());
    process.kill().expect("it can be killed without a supervisor");
    assert!(matches!(process.wait(), ExitStatus::Unknown));
    let ended = process.join();
    assert!(matches!(ended, Err(ProcessError::Lost { .. })), "{ended:?}");
    // Nothing was started since: asking for the children is enough to notice.
    assert!(active_children().is_empty());
    assert!(eventually(|| {
        active_children();
        state_of(before).is_none()
    }));
}

#[test]
fn it_may_die_while_processes_start() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    supervisor();
    std::thread::scope(|scope| {
        let starts = scope.spawn(|| {
            for n in 0..200_u64 {
                let sum = psync::spawn(|n: u64| n + 1, n).expect("a start").join();
                assert_eq!(sum.expect("a result"), n + 1);
            }
        });
        let mut killed = 0;
        while !starts.is_finished() && killed < 5 {
            let Some(pid) = supervisor_pid() else { continue };
            // It may have been replaced in between, and nobody else has this pid before it is reaped.
            // SAFETY: at worst there is no such process.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            killed += 1;
            assert!(eventually(|| supervisor_pid() != Some(pid) || starts.is_finished()));
        }
    });
    assert_eq!(real_parent::run().expect("a process"), supervisor_pid().expect("a supervisor"));
}

/// `TestResourceTracker.test_resource_tracker_reused`
#[test]
fn processes_use_the_supervisor_that_they_come_from() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let ours = supervisor();
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let process = parents_of_a_process_of_ours::spawn_with(Options::new().start_method(method));
        let (theirs, parent) = process.expect("a start").join().expect("ends");
        assert_eq!((theirs, parent), (None, ours), "{method:?}");
    }
}

/// It has no use for the program's streams, so it keeps no pipe open.
#[test]
fn it_lets_go_of_the_programs_streams() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let pid = supervisor();
    for stream in 0..3 {
        let target = std::fs::read_link(format!("/proc/{pid}/fd/{stream}")).expect("open");
        assert_eq!(target.to_str(), Some("/dev/null"));
    }
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).expect("alive");
    assert_eq!(comm, "psync-super\n");
}
