//! The handle of a process.

use super::{
    ExitStatus, ProcessError, StartMethod,
    family::{existing_family, family},
    link::{self, Glances, Link},
    log::{self, Level},
    outcome, reaping,
};
use crate::{
    shm::world::{
        Blocking, Identity, Operation, Phase, Site, Slept, Wake, Watch, Whom, existing, me,
    },
    sys::{clock::Deadline, pidfd::PidFd},
};
use core::{fmt, marker::PhantomData, time::Duration};
use nix::libc;
use serde::de::DeserializeOwned;
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process::{ChildStderr, ChildStdin, ChildStdout},
    sync::{Arc, OnceLock},
};

/// Our ends of a process's standard streams, where they are pipes.
#[derive(Debug, Default)]
pub(crate) struct Streams(pub(crate) [Option<OwnedFd>; 3]);

/// A started process, without the type of its result. Its slot in the table lives as long as this.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) id: Identity,
    pub(crate) pid: i32,
    pub(crate) name: String,
    method: StartMethod,
    pidfd: PidFd,
    creator: i32,
    /// To the supervisor that tells of its end.
    link: Option<Arc<Link>>,
    end: OnceLock<ExitStatus>,
}

impl Child {
    pub(crate) fn new(
        id: Identity,
        pid: i32,
        name: String,
        method: StartMethod,
        pidfd: PidFd,
        link: Option<Arc<Link>>,
    ) -> Self {
        let creator = me().pid;
        Self { id, pid, name, method, pidfd, creator, link, end: OnceLock::new() }
    }

    /// Waits for its end.
    pub(crate) fn wait(&self, blocking: &Blocking) -> Option<ExitStatus> {
        match self.end.get() {
            Some(status) => Some(*status),
            None if self.method == StartMethod::Fork => self.wait_ourselves(blocking),
            None => self.wait_for_table(blocking),
        }
    }

    /// As [`wait`](Self::wait), without waiting.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        self.wait(&Deadline::after(Duration::ZERO).into())
    }

    fn wait_for_table(&self, blocking: &Blocking) -> Option<ExitStatus> {
        let slot = existing()?.slot(self.id);
        let mut glances = Glances::new();
        loop {
            let watch = Watch::new();
            let low = slot.state().low();
            if let Some(status) = self.look_up() {
                return Some(status);
            }
            if !link::serves(self.link.as_deref()) {
                return self.wait_for_kernel(blocking.deadline);
            }
            let whom = Whom::Processes(&[self.id]);
            match blocking.sleep_until(watch, &[(slot.word(), low)], glances.next(), whom) {
                Slept::Woke(Wake::TimedOut) if blocking.deadline.is_over() => {
                    return self.look_again();
                }
                Slept::Woke(Wake::TimedOut) if glances.are_rare() => self.verify(),
                Slept::Woke(Wake::Verify) => self.verify(),
                // It may be the supervisor that has died.
                Slept::Woke(Wake::TimedOut | Wake::Look) | Slept::Deadlock => link::check(),
            }
        }
    }

    /// Once its supervisor is gone, nobody writes its end into the table.
    fn wait_for_kernel(&self, deadline: Deadline) -> Option<ExitStatus> {
        while !self.pidfd.wait(deadline.min(Deadline::after(Duration::from_secs(1)))) {
            if deadline.is_over() {
                return self.look_up();
            }
            make_room();
        }
        reaping::settle(existing()?, self.id, &self.pidfd);
        self.look_up()
    }

    /// Without waiting: for what the table does not know because whoever should tell is dead.
    fn look_again(&self) -> Option<ExitStatus> {
        if self.pidfd.has_ended() {
            link::check();
            if !link::serves(self.link.as_deref()) {
                reaping::settle(existing()?, self.id, &self.pidfd);
            }
        }
        self.look_up()
    }

    /// How it ended, if the table knows.
    fn look_up(&self) -> Option<ExitStatus> {
        let slot = existing()?.slot(self.id);
        let state = slot.state();
        if state.generation() == self.id.generation() && state.phase() == Phase::Running {
            return None;
        }
        let status = || {
            let status = ExitStatus::from_word(slot.status());
            self.tell_of(status);
            status
        };
        Some(*self.end.get_or_init(status))
    }

    fn tell_of(&self, status: ExitStatus) {
        let (name, pid) = (&self.name, self.pid);
        let level = if status.success() { Level::Debug } else { Level::Warn };
        log::own(level, format_args!("`{name}` (process {pid}) has ended: {status}"));
    }

    /// For when nothing has been heard for a while: whoever should tell may be dead.
    fn verify(&self) {
        make_room();
        if let Some(world) = existing() {
            reaping::verify(world, self.id);
        }
    }

    /// A child of `Fork` is a real child of this process.
    fn wait_ourselves(&self, blocking: &Blocking) -> Option<ExitStatus> {
        let whom = Whom::Processes(&[self.id]);
        let wait = |until| if self.pidfd.wait(until) { Wake::Look } else { Wake::TimedOut };
        while blocking.rest(Deadline::NEVER, whom, wait) != Slept::Woke(Wake::Look)
            || !self.pidfd.has_ended()
        {
            if blocking.deadline.is_over() {
                return None;
            }
        }
        reaping::settle(existing()?, self.id, &self.pidfd);
        self.look_up()
    }

    /// Whether this process is its parent.
    pub(crate) const fn is_fork(&self) -> bool {
        matches!(self.method, StartMethod::Fork)
    }

    /// Readable when it has ended.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Sends a signal; no error if it has ended.
    pub(crate) fn signal(&self, signal: i32) -> io::Result<()> {
        if self.end.get().is_none() { Ok(self.pidfd.signal(signal)?) } else { Ok(()) }
    }

    /// Whether it has left a result.
    pub(crate) fn has_result(&self) -> bool {
        matches!((existing(), existing_family()), (Some(world), Some(family)) if outcome::has_result(world, family, self.id))
    }

    /// What it left, once it has ended.
    fn take<R: DeserializeOwned>(&self, status: ExitStatus) -> Result<R, ProcessError> {
        let (name, pid) = (self.name.clone(), self.pid);
        let taken = match (existing(), family()) {
            (Some(world), Ok(family)) => outcome::take(world, family, self.id),
            _ => None,
        };
        match taken {
            Some(Ok(result)) => Ok(result),
            Some(Err(fault)) => Err(ProcessError::from_fault(fault, name, pid)),
            None => Err(ProcessError::from_status(status, &name, pid)),
        }
    }
}

/// A child with many handles in its result may be waiting for room.
pub(crate) fn make_room() {
    if let Some(family) = existing_family() {
        drop(family.empty_inbox());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // A forked copy of this handle is not the owner of the slot.
        let (Some(world), true) = (existing(), self.creator == me().pid) else { return };
        if let (Some(_), Some(family)) = (self.look_up(), existing_family()) {
            outcome::clear(world, family, self.id);
        }
        world.slot(self.id).detach(self.id);
    }
}

/// A process that was started, and will return an `R`.
///
/// Dropping it leaves the process to itself: it goes on, and the exit of this process still waits for it.
///
/// # Examples
/// ```
/// let mut process = psync::spawn(|n: u64| (1..=n).product::<u64>(), 5)?;
/// assert!(process.pid() > 0);
/// assert_eq!(process.join()?, 120);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// ```
/// use psync::{Event, Shared, process};
/// use std::time::Duration;
///
/// #[process(wait(done))]
/// fn linger(done: &Event) -> u32 {
///     7
/// }
///
/// let done = Shared::new(Event::new())?;
/// let mut process = linger::spawn(&done)?;
/// assert!(process.is_alive());
/// assert_eq!(process.exit_status(), None);
/// assert!(process.join_timeout(Duration::from_millis(1)).is_none());
/// process.interrupt()?; // as Ctrl-C does, unless the program was started to ignore that
/// process.terminate()?;
/// assert!(process.wait().signal().is_some());
/// # Ok::<(), psync::Error>(())
/// ```
pub struct Process<R> {
    child: Arc<Child>,
    streams: Streams,
    taken: bool,
    result: PhantomData<fn() -> R>,
}

impl<R> Process<R> {
    pub(crate) fn new(child: Arc<Child>, streams: Streams) -> Self {
        Self { child, streams, taken: false, result: PhantomData }
    }

    pub(crate) fn child(&self) -> &Arc<Child> {
        &self.child
    }

    /// The same process under another type of its result, for one that has none.
    pub(crate) fn returning<T>(self) -> Process<T> {
        Process { child: self.child, streams: self.streams, taken: self.taken, result: PhantomData }
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        self.child.pid
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.child.name
    }

    /// Whether it is still running.
    pub fn is_alive(&self) -> bool {
        self.child.status().is_none()
    }

    /// How it ended; `None` while it runs.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.child.status()
    }

    /// Waits until it has ended. Can be called again, and from several threads.
    #[track_caller]
    pub fn wait(&self) -> ExitStatus {
        self.wait_until(Deadline::NEVER).unwrap_or(ExitStatus::Unknown)
    }

    /// Waits until it has ended, but not longer than `timeout`.
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Option<ExitStatus> {
        self.wait_until(Deadline::after(timeout))
    }

    #[track_caller]
    fn wait_until(&self, deadline: Deadline) -> Option<ExitStatus> {
        let site = Site::here::<Self>(Operation::Join);
        self.child.wait(&Blocking::new(deadline, Some(site)))
    }

    /// Sends SIGINT. Success if it has ended already.
    ///
    /// # Errors
    /// If it has changed its user and may no longer be signalled.
    pub fn interrupt(&self) -> io::Result<()> {
        self.child.signal(libc::SIGINT)
    }

    /// Sends SIGTERM. Success if it has ended already.
    ///
    /// # Errors
    /// If it has changed its user and may no longer be signalled.
    pub fn terminate(&self) -> io::Result<()> {
        self.child.signal(libc::SIGTERM)
    }

    /// Sends SIGKILL. Success if it has ended already.
    ///
    /// # Errors
    /// If it has changed its user and may no longer be signalled.
    pub fn kill(&self) -> io::Result<()> {
        self.child.signal(libc::SIGKILL)
    }

    /// The writing end of its standard input, once, if that is [`Stdio::piped`](super::Stdio::piped).
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.streams.0[0].take().map(ChildStdin::from)
    }

    /// The reading end of its standard output, once, if that is [`Stdio::piped`](super::Stdio::piped).
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.streams.0[1].take().map(ChildStdout::from)
    }

    /// The reading end of its standard error, once, if that is [`Stdio::piped`](super::Stdio::piped).
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.streams.0[2].take().map(ChildStderr::from)
    }
}

impl<R: DeserializeOwned> Process<R> {
    /// Waits until it has ended, and returns what its function returned.
    ///
    /// # Errors
    /// See [`ProcessError`]. A result that was complete counts, whatever ended the process afterwards.
    #[track_caller]
    pub fn join(self) -> Result<R, ProcessError> {
        let status = self.wait();
        self.child.take(status)
    }

    /// As [`join`](Self::join), but `None` if it runs longer than `timeout`. The result can be had once; a further call
    /// reports how the process ended, as if there were none.
    #[track_caller]
    pub fn join_timeout(&mut self, timeout: Duration) -> Option<Result<R, ProcessError>> {
        let status = self.wait_timeout(timeout)?;
        if core::mem::replace(&mut self.taken, true) {
            return Some(Err(ProcessError::from_status(status, self.name(), self.pid())));
        }
        Some(self.child.take(status))
    }
}

/// Readable when the process has ended.
impl<R> AsFd for Process<R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.child.as_fd()
    }
}

impl<R> fmt::Debug for Process<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.name())
            .field("pid", &self.pid())
            .field("exit_status", &self.exit_status())
            .finish()
    }
}
