//! `Event`: a flag that processes wait for.

use super::raw::RawEvent;
use crate::{
    primitive::AtomicU32,
    shm::world::{Blocking, Operation, Site},
    sys::clock::Deadline,
};
use core::{fmt, time::Duration};

/// A flag that one process sets and others wait for.
///
/// Everything that was written before [`set`](Self::set) is visible after a wait that it ends. Setting and clearing cost no system call
/// unless somebody waits.
///
/// **When a process dies**, nothing happens to the flag: it is set or clear, and a waiter that died was never there. If nobody is left who
/// would set it, a wait without a timeout does not end, and is not reported as a deadlock: anybody might set it.
///
/// # Examples
/// ```
/// use psync::prelude::*;
///
/// #[process(wait(bell))]
/// fn lunch(bell: &Event) -> String {
///     "soup".to_owned()
/// }
///
/// let bell = Shared::new(Event::new())?;
/// let lunch = lunch::spawn(&bell)?;
/// bell.set();
/// assert_eq!(lunch.join()?, "soup");
/// # Ok::<(), psync::Error>(())
/// ```
///
/// With a timeout, and between threads:
/// ```
/// use psync::Event;
/// use std::time::Duration;
///
/// let ready = Event::new();
/// assert!(!ready.wait_timeout(Duration::ZERO));
/// std::thread::scope(|scope| {
///     scope.spawn(|| ready.set());
///     ready.wait();
/// });
/// assert!(ready.is_set());
/// ```
#[repr(transparent)]
pub struct Event(RawEvent);

impl Event {
    /// An event that is clear.
    pub const fn new() -> Self {
        Self(RawEvent::new())
    }

    /// Sets the event and lets everybody go on who waits for it. If it is set already, it stays so: it is not counted how often.
    #[inline]
    pub fn set(&self) {
        self.0.set();
    }

    /// Clears the event. Whoever was waiting when it was set goes on nevertheless.
    ///
    /// # Examples
    /// ```
    /// let event = psync::Event::new();
    /// event.set();
    /// event.clear();
    /// assert!(!event.is_set());
    /// ```
    #[inline]
    pub fn clear(&self) {
        self.0.clear();
    }

    /// Whether the event is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.0.is_set()
    }

    /// Waits until the event is set, however shortly.
    #[inline]
    #[track_caller]
    pub fn wait(&self) {
        if !self.0.is_set() {
            self.wait_until(Deadline::NEVER);
        }
    }

    /// Waits until the event is set, however shortly, or `timeout` is over; whether it was set. With a timeout of zero, looks
    /// once.
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.0.is_set() || self.wait_until(Deadline::after(timeout))
    }

    #[cold]
    #[track_caller]
    fn wait_until(&self, deadline: Deadline) -> bool {
        self.0.wait(&Blocking::new(deadline, Some(Site::here::<Self>(Operation::Wait))))
    }
}

impl Event {
    /// The word that a wait sleeps on, and what it is then; `None` if the event is set.
    pub(crate) fn sleep_word(&self) -> Option<(&AtomicU32, u32)> {
        self.0.sleep_word()
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "Event(set)" } else { "Event(unset)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::testing::watchdog;

    #[test]
    fn it_reads_as_it_is() {
        let event = Event::new();
        assert_eq!(format!("{event:?}"), "Event(unset)");
        event.set();
        assert_eq!(format!("{event:?}"), "Event(set)");
        event.clear();
        assert!(!event.is_set());
    }

    #[test]
    fn ping_pong_loses_no_wake_up() {
        let _watchdog = watchdog("ping_pong_loses_no_wake_up");
        let (ball, back) = (Event::new(), Event::new());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    ball.wait();
                    ball.clear();
                    back.set();
                }
            });
            for _ in 0..5_000 {
                ball.set();
                back.wait();
                back.clear();
            }
        });
    }

    #[test]
    fn one_set_wakes_everybody() {
        let _watchdog = watchdog("one_set_wakes_everybody");
        let event = Event::new();
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| assert!(event.wait_timeout(Duration::from_secs(30))));
            }
            event.set();
        });
    }
}
