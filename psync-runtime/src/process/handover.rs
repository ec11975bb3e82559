//! Handing a start over to a child, and waiting until one has claimed it.

use super::{
    SpawnError,
    link::{self, Glances, Link},
    message::{Descriptors, Header},
};
use crate::{
    shm::world::{Phase, Slot, State, Wake, Watch, World},
    sys::{OsError, clock::Deadline, pidfd::PidFd, socket},
};
use core::time::Duration;
use nix::errno::Errno;
use std::{os::fd::OwnedFd, sync::Arc};

/// How long no child may take on a start before it is given up.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long no child may take on a start before its message is sent again.
const DOUBT: Duration = Duration::from_secs(1);
/// How often to see meanwhile whether the supervisor lives.
const GLANCE: Duration = Duration::from_millis(10);
/// As long as a child that is waited for may take before its starter waits in its handle, where others can see it.
const BRIEF: Duration = Duration::from_millis(50);
/// How many children may die with one and the same start in their hands.
const ATTEMPTS: u32 = 20;

/// Sends the message until a child has claimed the start; the state of its slot then.
pub(crate) fn hand_over(
    world: &World,
    header: &Header,
    bytes: &[u8],
    descriptors: &Descriptors<'_>,
    end: fn(&Link) -> &OwnedFd,
) -> Result<(State, Option<Arc<Link>>), SpawnError> {
    let deadline = Deadline::after(PATIENCE);
    let (mut lost, mut launches) = (0, 0);
    while lost < ATTEMPTS && launches < ATTEMPTS {
        let link = link::link()?;
        let before = world.lost_children();
        match descriptors.pack(|all| socket::send(end(&link), &[bytes], all))? {
            Ok(()) => {}
            Err(error) if link::is_gone(&error) => {
                link::discard(&link);
                launches += 1;
                continue;
            }
            Err(error) if error.raw_os_error() == Errno::EAGAIN as i32 && !deadline.is_over() => {
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        match await_claim(world, header, before, &link, deadline)? {
            Some(state) => {
                let reports = link::reports_on(&link, world.slot(header.id()));
                return Ok((state, reports.then_some(link)));
            }
            None if link::serves(Some(&link)) => lost += 1,
            None => launches += 1,
        }
    }
    Err(SpawnError::Lost)
}

/// Waits until a child has claimed the start. `None` if the message may have been lost.
///
/// If the starter waits for the end anyway, so does this, and wakes once instead of twice.
fn await_claim(
    world: &World,
    header: &Header,
    lost_before: u32,
    link: &Link,
    deadline: Deadline,
) -> Result<Option<State>, SpawnError> {
    let slot = world.slot(header.id());
    let mut until_end = header.until_end;
    let (doubt, brief) = (Deadline::after(DOUBT), Deadline::after(BRIEF));
    let mut glances = Glances::new();
    loop {
        let watch = Watch::new();
        let state = slot.state();
        match state.phase() {
            Phase::Starting if world.lost_children() != lost_before => return Ok(None),
            Phase::Starting => {}
            Phase::Refused => {
                let errno = Errno::from_raw(slot.status().0.cast_signed());
                return Err(OsError::new("starting the process", errno).into());
            }
            Phase::Running if until_end && link::reports_on(link, slot) => {}
            _ => return Ok(Some(state)),
        }
        if state.phase() == Phase::Running {
            watch.wait(slot.word(), state.low(), glances.next().min(brief));
            // If it takes longer, the handle knows how to wait so that others can see it, and whom to ask.
            until_end = !brief.is_over();
            // It may be the supervisor that has died.
            link::check();
        } else if watch.wait(slot.word(), state.low(), Deadline::after(GLANCE)) == Wake::TimedOut {
            // What was in the line of a supervisor is gone with it.
            link::check();
            if deadline.is_over() {
                return Err(SpawnError::TimedOut);
            }
            if doubt.is_over() || !link::serves(Some(link)) {
                return Ok(None);
            }
        }
    }
}

/// The process that has claimed a start. Its pid is its own as long as the table says that it lives.
pub(crate) fn open_claimed(slot: &Slot, state: State) -> Result<PidFd, SpawnError> {
    if state.phase() == Phase::Running
        && let Ok(pidfd) = PidFd::open(state.pid())
        && slot.state().phase() == Phase::Running
    {
        return Ok(pidfd);
    }
    Ok(PidFd::ended()?)
}
