//! A process's connection to a supervisor: how it finds one, launches one, and notices that it is gone.

use super::{SpawnError, family::family, legacy, preload, reaping, supervisor};
use crate::{
    primitive::{AtomicBool, Ordering},
    shm::world::{Slot, descriptor, existing, world},
    sys::{
        OsError,
        clock::Deadline,
        fork_lock::{ForkCell, ForkLock},
        image,
        pidfd::PidFd,
        socket, spawn,
    },
};
use core::time::Duration;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::SigSet,
    unistd::{Gid, Uid},
};
use std::{
    ffi::CStr,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
};

/// The environment variable that tells a new process its role.
pub(crate) const VARIABLE: &str = "PSYNC_BOOT";
/// A supervisor that has not come up by then never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// The sending ends of a supervisor's sockets.
#[derive(Debug)]
pub(crate) struct Link {
    /// To whichever ready child takes the message.
    pub(crate) line: OwnedFd,
    /// To the supervisor itself.
    pub(crate) control: OwnedFd,
    /// The supervisor's pid.
    pid: i32,
    /// The supervisor, if this process launched it and must reap it.
    supervisor: Option<PidFd>,
    /// Set once the supervisor is known to be gone.
    gone: AtomicBool,
    /// The user and group that its children run as.
    user: (Uid, Gid),
}

impl Link {
    /// The supervisor's pid.
    pub(crate) const fn pid(&self) -> i32 {
        self.pid
    }
}

/// Whom this process acts for.
fn user() -> (Uid, Gid) {
    (nix::unistd::geteuid(), nix::unistd::getegid())
}

static LINK: ForkCell<Option<Arc<Link>>> = ForkCell::new(None);

/// The supervisor that this process uses at present, if any.
pub(crate) fn existing_link() -> Option<Arc<Link>> {
    LINK.with(|link| link.clone())
}

fn install(link: Link) -> Arc<Link> {
    legacy::install();
    let link = Arc::new(link);
    let old = LINK.with(|current| current.replace(Arc::clone(&link)));
    drop(old);
    link
}

/// In a child: uses the supervisor that it comes from.
pub(crate) fn inherit(pid: i32, line: OwnedFd, control: OwnedFd) {
    install(Link {
        line,
        control,
        pid,
        supervisor: None,
        gone: AtomicBool::new(false),
        user: user(),
    });
}

/// The supervisor that this process uses, if its children run as whom this process acts for. A process that has given up its
/// privileges must not get them back in its children.
fn fitting_link() -> Option<Arc<Link>> {
    existing_link().filter(|link| link.user == user())
}

/// A supervisor, launched if there is none.
pub(crate) fn link() -> Result<Arc<Link>, SpawnError> {
    static LAUNCHING: ForkLock = ForkLock::new();
    if let Some(link) = fitting_link() {
        return Ok(link);
    }
    let _launching = LAUNCHING.lock();
    match fitting_link() {
        Some(link) => Ok(link),
        None => launch().map(install),
    }
}

/// The supervisor behind `link` is gone: the next start launches another.
pub(crate) fn discard(link: &Arc<Link>) {
    link.gone.store(true, Ordering::Release);
    let old = LINK.with(|current| current.take_if(|current| Arc::ptr_eq(current, link)));
    drop(old);
    if let Some(pidfd) = &link.supervisor {
        pidfd.wait(Deadline::after(Duration::from_millis(100)));
        if pidfd.reap().is_none() {
            // It hangs up before it has quite ended, on a busy machine long before.
            reaping::leave_for_later(link.pid);
        }
    }
    reaping::expect_orphans();
    if let Some(world) = existing() {
        // Whoever waits for what this supervisor would have told looks for itself from here on.
        world.announce_death();
    }
}

/// Discards the present link if its supervisor has ended, and leaves no zombie of it.
pub(crate) fn check() {
    if let Some(link) = existing_link()
        && link.has_ended()
    {
        discard(&link);
    }
    reaping::adopt_orphans();
}

/// Whether the supervisor behind `link` lives, as far as this process knows.
pub(crate) fn serves(link: Option<&Link>) -> bool {
    link.is_some_and(|link| !link.gone.load(Ordering::Acquire))
}

/// Whether the supervisor behind `link` lives and will tell of the end of the process in `slot`. A start that was sent again, to another
/// supervisor, may have been taken on by a child of the first one after all.
pub(crate) fn reports_on(link: &Link, slot: &Slot) -> bool {
    serves(Some(link)) && slot.reporter() == link.pid
}

/// When to see whether the supervisor lives, for whoever waits for what it would tell: soon, then less and less often. Its death is
/// made known by its ready children, if it had any at that moment.
#[derive(Debug)]
pub(crate) struct Glances(Duration);

impl Glances {
    const RARE: Duration = Duration::from_secs(1);

    pub(crate) const fn new() -> Self {
        Self(Duration::from_millis(5))
    }

    /// The next moment.
    pub(crate) fn next(&mut self) -> Deadline {
        self.0 = (self.0 * 2).min(Self::RARE);
        Deadline::after(self.0)
    }

    /// Whether it is time to doubt more than the supervisor.
    pub(crate) fn are_rare(&self) -> bool {
        self.0 == Self::RARE
    }
}

impl Link {
    fn has_ended(&self) -> bool {
        if self.supervisor.as_ref().is_some_and(PidFd::has_ended) {
            return true;
        }
        // Nobody but the supervisor has the other end.
        let mut ends = [PollFd::new(self.control.as_fd(), PollFlags::empty())];
        let _ = poll(&mut ends, PollTimeout::ZERO);
        ends[0].revents().is_some_and(|events| events.contains(PollFlags::POLLHUP))
    }
}

/// The pid of the supervisor that this process launched and still uses; for tests that kill it.
pub fn supervisor_pid() -> Option<i32> {
    existing_link().filter(|link| link.supervisor.is_some()).map(|link| link.pid)
}

/// Executes the program once more, as a supervisor, and waits until it says that it is ready.
fn launch() -> Result<Link, SpawnError> {
    world()?;
    let Some(world) = descriptor() else { return Err(SpawnError::Lost) };
    let (line, line_receiver) = socket::message_pair()?;
    let (control, control_receiver) = socket::message_pair()?;
    socket::limit_patience(&line)?;
    socket::limit_patience(&control)?;
    let lifeline = family()?.descriptors()[0];
    let ends: [BorrowedFd<'_>; 6] = [
        world,
        line_receiver.as_fd(),
        line.as_fd(),
        control_receiver.as_fd(),
        control.as_fd(),
        lifeline,
    ];
    let environment =
        spawn::environment_with(VARIABLE, &format!("supervisor{}", preload::encode()));
    let execute = |program: &CStr| spawn::spawn(program, &environment, &ends, &SigSet::empty());
    let program = preload::executable();
    let pid = execute(&program).or_else(|error| {
        // It is closed to a process that has changed its user.
        let closed = *program == *preload::DEFAULT && error.raw_os_error() == Errno::EACCES as i32;
        image::executed_as().filter(|_| closed).map_or(Err(error), |path| execute(&path))
    })?;
    let pidfd = PidFd::open(pid)?;
    drop((line_receiver, control_receiver));
    hello(&control, &pidfd)?;
    Ok(Link {
        line,
        control,
        pid,
        supervisor: Some(pidfd),
        gone: AtomicBool::new(false),
        user: user(),
    })
}

/// Waits for the supervisor's first message, or its end.
fn hello(control: &OwnedFd, pidfd: &PidFd) -> Result<(), SpawnError> {
    let deadline = Deadline::after(PATIENCE);
    let failed = |reason: String| {
        let _ = pidfd.signal(nix::libc::SIGKILL);
        pidfd.wait(Deadline::after(Duration::from_secs(1)));
        pidfd.reap();
        Err(SpawnError::Supervisor { reason })
    };
    loop {
        let mut ends = [
            PollFd::new(control.as_fd(), PollFlags::POLLIN),
            PollFd::new(pidfd.as_fd(), PollFlags::POLLIN),
        ];
        let _ = poll(&mut ends, PollTimeout::from(1000_u16));
        let mut text = [0; 1024];
        match socket::try_receive(control, &mut text) {
            Ok(Some(received)) => match &text[..received.len] {
                [supervisor::READY] => return Ok(()),
                [_, reason @ ..] => return failed(String::from_utf8_lossy(reason).into_owned()),
                [] => return failed("it hung up".to_owned()),
            },
            Err(error) => return failed(error.to_string()),
            Ok(None) if pidfd.has_ended() => {
                let status =
                    pidfd.reap().map(super::status::to_word).map(super::ExitStatus::from_word);
                let status =
                    status.map_or_else(|| "unknown status".to_owned(), |status| status.to_string());
                return failed(format!(
                    "{} ended with {status} before it was ready",
                    preload::executable().to_string_lossy()
                ));
            }
            Ok(None) if deadline.is_over() => {
                return failed("it did not answer in time".to_owned());
            }
            Ok(None) => {}
        }
    }
}

/// Whether a failed send means that the supervisor is gone.
pub(crate) fn is_gone(error: &OsError) -> bool {
    [Errno::EPIPE, Errno::ECONNRESET, Errno::ECONNREFUSED, Errno::ENOTCONN]
        .iter()
        .any(|&errno| errno as i32 == error.raw_os_error())
}
