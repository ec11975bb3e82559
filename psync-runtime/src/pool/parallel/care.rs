//! Looking after the processes of a `parallel!`: seeing failures, starting what has waited, cancelling, and the deadline.

use super::{
    OnFailure, Started,
    group::{Group, Pace, Verdict},
};
use crate::{
    process::{
        handle::{self, Child},
        link::Glances,
        wait_any::{self, Source},
    },
    shm::world::{Blocking, Wake, Watch, Whom},
    sys::clock::Deadline,
};
use core::time::Duration;
use nix::libc;
use std::sync::Arc;

/// Waits for all, and ends them if one fails or the time is up.
pub(super) fn look_after(started: &mut impl Started, group: &Group, blocking: &Blocking) {
    let deadline = blocking.deadline;
    let mut ending = false;
    let mut last_call = Deadline::NEVER;
    let mut glances = Glances::new();
    let mut glance = glances.next();
    loop {
        let watch = Watch::new();
        handle::make_room();
        // If the supervisor has died, nobody tells of what it would have told. What others tell does not put off the next look.
        let is_late = glance.is_over();
        if is_late {
            glance = glances.next();
        }
        group.collect(is_late);
        group.note_failures();
        started.settle(group);
        let late = deadline.is_over().then_some(Verdict::TimedOut);
        if let (false, Some(verdict)) = (ending, late.or_else(|| group.verdict())) {
            ending = true;
            last_call = Deadline::after(group.settings.grace);
            group.end(verdict, libc::SIGTERM);
            glances = Glances::new();
            glance = glances.next();
        }
        // Only now, so that every branch sees the room that any of them has left.
        started.refill(group);
        group.let_go();
        match group.pace() {
            Pace::Over => return,
            Pace::Changed => continue,
            Pace::Steady if !ending && group.verdict().is_some() => continue,
            Pace::Steady => {}
        }
        if last_call.is_over() {
            last_call = Deadline::NEVER;
            group.signal(libc::SIGKILL);
            glances = Glances::new();
            glance = glances.next();
        }
        let until = if ending { last_call } else { deadline };
        let until = until.min(glance);
        // Who is about to end the others does not wait for ever.
        let unseen = Blocking::from(until);
        sleep(group, watch, until, if ending { &unseen } else { blocking });
    }
}

/// Ends all because the caller has panicked: what they wait for may never be started.
pub(super) fn give_up(group: &Group) {
    if group.settings.on_failure == OnFailure::Finish {
        return;
    }
    group.end(Verdict::Cancelled, libc::SIGTERM);
    let last_call = Blocking::from(Deadline::after(group.settings.grace));
    let running: Vec<_> =
        group.watched.borrow().iter().map(|entry| Arc::clone(&entry.child)).collect();
    for child in running {
        child.wait(&last_call);
    }
    group.signal(libc::SIGKILL);
}

/// How long a forked child's end may stay unseen while workers are waited for: one sleeps for the one or for the other.
const FORKED: Duration = Duration::from_millis(5);

/// Until any process of the program ends, or a worker has told something. The ends of forked children are only seen by whoever asks for them.
fn sleep(group: &Group, watch: Watch, until: Deadline, blocking: &Blocking) {
    let watched = group.watched.borrow();
    let running: Vec<&Child> = watched.iter().map(|entry| &*entry.child).collect();
    let mut identities: Vec<_> = running.iter().map(|child| child.id).collect();
    if let Some(gang) = group.gang() {
        identities.extend(gang.living());
    }
    let whom = Whom::Processes(&identities);
    let has_forked = running.iter().any(|child| child.is_fork());
    if let Some(gang) = group.gang() {
        let limit = if has_forked { Deadline::after(FORKED) } else { Deadline::NEVER };
        blocking.rest(until.min(limit), whom, |until| gang.sleep(until));
    } else if has_forked {
        let sources: Vec<_> =
            running.iter().map(|child| Source::Descriptor(child.as_fd())).collect();
        blocking.rest(until, whom, |until| match wait_any::poll_until(&sources, until) {
            Ok(ready) if ready.is_empty() => Wake::TimedOut,
            // A failure, such as too many descriptors, leaves it to the next look.
            _ => Wake::Look,
        });
    } else {
        blocking.sleep_until(watch, &[], until, whom);
    }
}
