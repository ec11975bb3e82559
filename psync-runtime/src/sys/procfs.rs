//! What `/proc` tells about a process.

use super::{OsError, clock, standard};
use nix::{fcntl::OFlag, libc};
use std::os::fd::OwnedFd;

/// What of `/proc/PID/stat` decides whether a process lives and is the one that was meant, and how many threads it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    state: u8,
    /// Also those that have ended and still have something to be cleared away.
    pub(crate) threads: usize,
    /// In clock ticks since boot.
    pub(crate) started: u64,
}

impl Stat {
    /// `None` if there is no such process (not even a zombie).
    pub(crate) fn of(pid: i32) -> Option<Self> {
        Self::read(&format!("/proc/{pid}/stat"))
    }

    fn read(path: &str) -> Option<Self> {
        let text = std::fs::read(path).ok()?;
        // The name is in parentheses and may hold anything, also parentheses.
        let end = text.iter().rposition(|&byte| byte == b')')?;
        let mut fields = core::str::from_utf8(&text[end + 1..]).ok()?.split_ascii_whitespace();
        let state = *fields.next()?.as_bytes().first()?;
        let threads = fields.nth(16)?.parse().ok()?;
        let started = fields.nth(1)?.parse().ok()?;
        Some(Self { state, threads, started })
    }

    /// Ended, but not yet waited for.
    pub(crate) const fn is_zombie(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

/// Whether the process `pid` has a thread `tid` that has not ended.
pub(crate) fn is_thread_alive(pid: i32, tid: i32) -> bool {
    Stat::read(&format!("/proc/{pid}/task/{tid}/stat")).is_some_and(|stat| !stat.is_zombie())
}

/// Whether the thread `tid` of the process `pid` sleeps until it is woken.
#[cfg(feature = "fault-points")]
pub(crate) fn is_thread_asleep(pid: i32, tid: i32) -> bool {
    Stat::read(&format!("/proc/{pid}/task/{tid}/stat")).is_some_and(|stat| stat.state == b'S')
}

/// The present moment on the clock of [`Stat::started`]. A process with the same pid that started later is another one.
pub(crate) fn ticks_since_boot() -> u64 {
    clock::since_boot() / (1_000_000_000 / ticks_per_second())
}

fn ticks_per_second() -> u64 {
    let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten();
    ticks
        .and_then(|ticks: libc::c_long| u64::try_from(ticks).ok())
        .filter(|&ticks| ticks > 0)
        .unwrap_or(100)
}

/// Opens again what a process has open under a number; not sockets.
pub(crate) fn open_descriptor(pid: i32, descriptor: i32) -> Result<OwnedFd, OsError> {
    let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    let path = format!("/proc/{pid}/fd/{descriptor}");
    let file = nix::fcntl::open(path.as_str(), flags, nix::sys::stat::Mode::empty());
    standard::beyond(OsError::wrap("open(/proc/PID/fd)", file)?)
}

/// How many threads this process has.
pub(crate) fn thread_count() -> std::io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_stat_is_read() {
        let stat = Stat::of(nix::unistd::getpid().as_raw()).expect("we exist");
        assert!(!stat.is_zombie());
        assert!(stat.started <= ticks_since_boot());
        assert!(stat.threads >= 1 && stat.threads < 1000);
    }

    #[test]
    fn a_thread_is_alive_until_it_ends() {
        let pid = nix::unistd::getpid().as_raw();
        assert!(is_thread_alive(pid, nix::unistd::gettid().as_raw()));
        let ended = std::thread::spawn(|| nix::unistd::gettid().as_raw()).join();
        let ended = ended.expect("the thread does not panic");
        // Joined is a moment before gone.
        while is_thread_alive(pid, ended) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn nobody_has_no_stat() {
        assert!(Stat::of(i32::MAX).is_none());
    }
}
