//! What the tests of processes have in common: a watchdog, and programs that they run.
#![allow(dead_code, unreachable_pub, reason = "every test binary uses a part of it")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "this is for tests")]

pub mod checks;
pub mod limits;
#[cfg(test)]
pub mod programs;

use std::{
    io::Write,
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

/// Ends this process, with the name of the test on standard error, unless it is dropped in time.
#[must_use = "it watches until it is dropped"]
#[derive(Debug)]
pub struct Watchdog {
    _alive: mpsc::Sender<()>,
}

/// Watches the calling test for two minutes.
pub fn watchdog() -> Watchdog {
    watchdog_for(Duration::from_mins(2))
}

/// Watches the calling test.
pub fn watchdog_for(patience: Duration) -> Watchdog {
    let test = thread::current().name().unwrap_or("a test without a name").to_owned();
    let (alive, dropped) = mpsc::channel();
    let watch = move || {
        if dropped.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = writeln!(std::io::stderr(), "{test} hangs");
            std::process::abort();
        }
    };
    thread::Builder::new().name("watchdog".to_owned()).spawn(watch).expect("a thread");
    Watchdog { _alive: alive }
}

/// Tests that change what the whole process has (a directory, a signal, the supervisor) run one at a time.
pub fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for something that the system brings about and tells nobody of; false if it takes longer than ten seconds.
pub fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        if Instant::now() > end {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

/// Whether a process with this pid exists and has not ended.
pub fn is_alive(pid: i32) -> bool {
    state_of(pid).is_some_and(|state| state != 'Z' && state != 'X')
}

/// The letter that the kernel shows for the state of a process; `None` if there is none of that pid.
pub fn state_of(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat[stat.rfind(')')? + 1..].trim_start().chars().next()
}

/// Sends a signal as any program may.
pub fn signal(pid: i32, signal: i32) {
    // SAFETY: sends a signal to a process of this test.
    let result = unsafe { libc::kill(pid, signal) };
    assert_eq!(result, 0, "kill({pid}, {signal}): {}", std::io::Error::last_os_error());
}

/// Runs a check that a test and a program share: in this process, and in a program of one thread with all three methods.
#[cfg(test)]
pub fn everywhere(check: &str) {
    let _watchdog = watchdog_for(Duration::from_mins(5));
    for method in [psync::StartMethod::ForkServer, psync::StartMethod::Spawn] {
        checks::find(check)(method);
    }
    in_a_program(check);
}

/// Runs a check in a program of one thread with all three methods.
#[cfg(test)]
pub fn in_a_program(check: &str) {
    let _watchdog = watchdog_for(Duration::from_mins(5));
    assert_eq!(programs::run(["check", check]), "Fork\nForkServer\nSpawn\n");
}

/// Sleeps until somebody ends this process.
pub fn sleep_for_ever() -> ! {
    loop {
        thread::sleep(Duration::from_secs(100));
    }
}

/// The open descriptors of this process, in order.
pub fn descriptors() -> Vec<i32> {
    let directory = std::fs::read_dir("/proc/self/fd").expect("/proc");
    let listing: Vec<i32> =
        directory.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    // The descriptor of the listing itself is gone by now.
    // SAFETY: asks about a number.
    let is_open = |fd: &i32| unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0;
    let mut open: Vec<i32> = listing.into_iter().filter(is_open).collect();
    open.sort_unstable();
    open
}

/// Stays on the CPU on which the caller is at this moment, with everything that it starts itself.
pub fn stay_on_one_cpu() {
    stay_on(a_cpu());
}

/// The number of the CPU on which the caller is at this moment.
pub fn a_cpu() -> usize {
    // SAFETY: asks for a number.
    let cpu = unsafe { libc::sched_getcpu() };
    cpu.unsigned_abs() as usize
}

/// Stays on this CPU.
pub fn stay_on(cpu: usize) {
    // SAFETY: zeros are the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the number of a CPU that there is.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: for the calling thread, with a set of the size that is told.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}
