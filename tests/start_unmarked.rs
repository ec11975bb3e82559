//! `PSYNC_ROBUST=ask`: every process of the program does without the kernel's marks in the locks of the dead, and finds them all the same.

mod killing;

use killing::Watchdog;
use psync::{LockError, PoisonCause, prelude::*, spawn, spawn_with};
use psync_runtime::sync::testing;
use std::process::Command;

/// Says to the same test, in a process of its own, what it is to find.
const EXPECTED: &str = "PSYNC_TEST_UNMARKED";

/// This process, and one that it starts.
fn ask_twice((): ()) -> Vec<bool> {
    let child = spawn(|()| testing::must_ask(), ()).map(Process::join);
    vec![testing::must_ask(), child.expect("a start").expect("an answer")]
}

fn die_with((mutex,): (Shared<Mutex<u32>>,)) {
    let _guard = mutex.lock().expect("free");
    killing::kill(killing::own_pid());
    unreachable!("it is dead");
}

/// What holds in a program with the variable as it is.
fn look(expected: bool) {
    let _watchdog = Watchdog::new("locks of the dead");
    assert_eq!(testing::must_ask(), expected, "the first process");
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let options = Options::new().start_method(method);
        let answers = spawn_with(options, ask_twice, ()).expect("a start").join();
        assert_eq!(answers.expect("answers"), [expected; 2], "{method:?}, and its child");
    }
    let mutex = Shared::new(Mutex::new(0)).expect("memory");
    let victim = spawn(die_with, (mutex.clone(),)).expect("a start");
    let pid = victim.pid();
    let died = LockError::Poisoned { pid, cause: PoisonCause::Died };
    victim.wait();
    assert_eq!(mutex.lock().expect_err("poisoned"), died);
    assert_eq!(mutex.try_lock().expect_err("poisoned"), died);
}

#[test]
fn a_whole_program_does_without_marks() {
    if let Some(expected) = std::env::var_os(EXPECTED) {
        return look(expected == "true");
    }
    let this = std::env::current_exe().expect("the test is a file");
    for (value, expected) in [(Some("ask"), true), (Some("yes"), false), (None, false)] {
        let mut again = Command::new(&this);
        again.args(["--exact", "a_whole_program_does_without_marks", "--nocapture"]);
        again.env(EXPECTED, expected.to_string()).env_remove("PSYNC_ROBUST");
        again.envs(value.map(|value| ("PSYNC_ROBUST", value)));
        let output = again.output().expect("it can be run");
        assert!(output.status.success(), "{value:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
