//! Forked children, shared memory, and randomness.

use core::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use nix::{
    libc,
    sys::{
        signal::{Signal, kill},
        wait::{WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, fork},
};
use psync_runtime::sync::testing;
use std::time::Instant;

/// Puts `value` into memory that children share. It stays until the end of the program.
pub(crate) fn share<T>(value: T) -> &'static T {
    // SAFETY: a new mapping, wherever the kernel likes.
    let memory = unsafe {
        libc::mmap(
            core::ptr::null_mut(),
            size_of::<T>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    assert_ne!(memory, libc::MAP_FAILED);
    let place = memory.cast::<T>();
    // SAFETY: the mapping is page-aligned and large enough.
    unsafe { place.write(value) };
    // SAFETY: just written, and never unmapped.
    unsafe { &*place }
}

/// A child, which is killed when this is dropped.
pub(crate) struct Child {
    pid: Pid,
    ended: bool,
}

/// Runs `work` in a forked child.
pub(crate) fn start(work: impl FnOnce()) -> Child {
    // SAFETY: this program has one thread.
    match unsafe { fork() }.expect("a child") {
        ForkResult::Parent { child } => Child { pid: child, ended: false },
        ForkResult::Child => {
            nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).expect("a lifeline");
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            // SAFETY: ends the child without the parent's exit handlers.
            unsafe { libc::_exit(i32::from(result.is_err())) }
        }
    }
}

static SILENT: AtomicBool = AtomicBool::new(false);

/// Does not tell the world of the deaths during `test`.
pub(crate) fn without_reports(test: impl FnOnce()) {
    SILENT.store(true, Relaxed);
    test();
    SILENT.store(false, Relaxed);
}

static SHORT: AtomicBool = AtomicBool::new(false);

/// Has every test take fewer rounds from here on: without the kernel's marks some deaths take a second to notice.
pub(crate) fn shorten() {
    SHORT.store(true, Relaxed);
}

/// How many rounds to take.
pub(crate) fn times(most: usize) -> core::ops::Range<usize> {
    0..if SHORT.load(Relaxed) { most / 10 } else { most }
}

impl Child {
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    #[allow(dead_code, reason = "another test uses it")]
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid, signal).expect("it is ours");
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        if !self.ended {
            kill(self.pid, Signal::SIGKILL).expect("it is ours");
            self.join();
        }
    }

    /// Waits for its end; whether it ended well.
    pub(crate) fn join(&mut self) -> bool {
        self.ended = true;
        let status = waitpid(self.pid, None).expect("it is ours");
        if !SILENT.load(Relaxed) {
            testing::report_death(self.pid());
        }
        matches!(status, WaitStatus::Exited(_, 0))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A number below `end`.
pub(crate) fn random(end: u64) -> u64 {
    static STATE: AtomicU64 = AtomicU64::new(0x2545_f491_4f6c_dd1d);
    let mut state = STATE.load(Relaxed);
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    STATE.store(state, Relaxed);
    state % end
}

/// Lets up to `most` microseconds pass.
pub(crate) fn pause(most: u64) {
    let until = Instant::now() + Duration::from_micros(random(most));
    while Instant::now() < until {
        std::thread::yield_now();
    }
}

/// Waits until `done`.
pub(crate) fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        pause(50);
    }
}

/// Waits until `count` has changed, which shows that those who change it are not stuck.
pub(crate) fn progress(count: &AtomicU64) {
    let before = count.load(Relaxed);
    until(|| count.load(Relaxed) != before);
}

/// Ends the program if it has not ended, or called this again, after so many seconds.
pub(crate) fn alarm(seconds: u32) {
    nix::unistd::alarm::set(seconds);
}
