//! Deadlines on the monotonic clock.

use core::time::Duration;
use nix::libc;

/// A moment on the monotonic clock, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(Option<u64>);

const NANOS: u64 = 1_000_000_000;

impl Deadline {
    /// The deadline that does not come.
    pub(crate) const NEVER: Self = Self(None);

    /// `timeout` from now; never, if that lies beyond what the clock can count.
    pub(crate) fn after(timeout: Duration) -> Self {
        let timeout = u64::try_from(timeout.as_nanos()).ok();
        Self(timeout.and_then(|timeout| now().checked_add(timeout)).filter(|at| *at < u64::MAX / 2))
    }

    /// Whether the moment has come.
    pub(crate) fn is_over(self) -> bool {
        self.0.is_some_and(|at| now() >= at)
    }

    /// The time that is left, `None` if there is no end to it.
    pub(crate) fn remaining(self) -> Option<Duration> {
        self.0.map(|at| Duration::from_nanos(at.saturating_sub(now())))
    }

    /// The earlier of the two.
    pub(crate) fn min(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Self(Some(a.min(b))),
            (a, b) => Self(a.or(b)),
        }
    }

    /// The absolute time for calls on `CLOCK_MONOTONIC`.
    pub(crate) fn timespec(self) -> Option<libc::timespec> {
        self.0.map(timespec)
    }
}

#[allow(clippy::cast_possible_wrap, reason = "seconds since boot fit in 63 bits")]
const fn timespec(nanos: u64) -> libc::timespec {
    libc::timespec { tv_sec: (nanos / NANOS) as i64, tv_nsec: (nanos % NANOS) as i64 }
}

/// Nanoseconds on the monotonic clock.
pub(crate) fn now() -> u64 {
    read(nix::time::ClockId::CLOCK_MONOTONIC)
}

/// The same clock as of the last tick of the kernel's, a few milliseconds ago at most: what it costs is hardly more than a load.
#[inline]
pub(crate) fn coarse() -> u64 {
    read(nix::time::ClockId::CLOCK_MONOTONIC_COARSE)
}

/// How old [`coarse`] may be.
pub(crate) fn tick() -> u64 {
    nix::time::clock_getres(nix::time::ClockId::CLOCK_MONOTONIC_COARSE)
        .map_or(NANOS / 100, |tick| tick.tv_nsec().unsigned_abs())
}

/// Nanoseconds since boot, the clock that `/proc/PID/stat` dates processes with.
pub(crate) fn since_boot() -> u64 {
    read(nix::time::ClockId::CLOCK_BOOTTIME)
}

#[allow(clippy::cast_sign_loss, reason = "neither clock is ever negative")]
fn read(clock: nix::time::ClockId) -> u64 {
    nix::time::clock_gettime(clock).map_or(0, |t| t.tv_sec() as u64 * NANOS + t.tv_nsec() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_far_future_is_never() {
        assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
        assert!(!Deadline::NEVER.is_over());
    }

    #[test]
    fn zero_is_over_at_once() {
        assert!(Deadline::after(Duration::ZERO).is_over());
    }

    #[test]
    fn the_earlier_deadline_wins() {
        let soon = Deadline::after(Duration::from_secs(1));
        assert_eq!(soon.min(Deadline::NEVER), soon);
        assert_eq!(Deadline::after(Duration::from_secs(9)).min(soon), soon);
    }
}
