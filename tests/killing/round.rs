//! How a round of the kill matrix of random moments is played: one death, and what it is judged by.

use super::killing::{self, HANG, poll_for, spin};
use super::stage::{Arena, IN, OUT, Stage};
use psync::Process;
use std::{
    cell::Cell as Slot,
    sync::atomic::Ordering::SeqCst,
    time::{Duration, Instant},
};

/// What survivors learnt of the death: the pid, if they were told one.
pub(crate) type Told = Option<i32>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Told,
    Nothing,
    Either,
}

/// One death.
pub(crate) struct Round<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) victim: &'a Process<()>,
    pub(crate) number: usize,
    pub(crate) delay: Duration,
    pub(crate) coin: bool,
    /// Whether the victim was seen where its death must be told, beyond what it says itself.
    pub(crate) certain: Slot<Option<Expect>>,
    killed: Slot<Option<Instant>>,
    recovery: Slot<Option<Duration>>,
}

impl<'a> Round<'a> {
    pub(crate) fn new(
        stage: &'a Stage,
        victim: &'a Process<()>,
        number: usize,
        delay: Duration,
        coin: bool,
    ) -> Self {
        let (certain, killed, recovery) = (Slot::new(None), Slot::new(None), Slot::new(None));
        Self { stage, victim, number, delay, coin, certain, killed, recovery }
    }

    pub(crate) fn arena(&self) -> &Arena {
        &self.stage.arena
    }

    pub(crate) fn pid(&self) -> i32 {
        self.victim.pid()
    }

    /// Waits until the victim has begun.
    pub(crate) fn until_begun(&self) {
        while self.arena().beats.load(SeqCst) == 0 && self.victim.is_alive() {
            core::hint::spin_loop();
        }
    }

    /// The random moment.
    pub(crate) fn pass(&self) {
        spin(self.delay);
    }

    pub(crate) fn kill(&self) {
        self.killed.set(Some(Instant::now()));
        killing::kill(self.pid());
    }

    /// The next one is through.
    pub(crate) fn recovered(&self) {
        if let (Some(killed), None) = (self.killed.get(), self.recovery.get()) {
            self.recovery.set(Some(killed.elapsed()));
        }
    }

    pub(crate) fn recovery(&self) -> Option<Duration> {
        self.recovery.get()
    }

    pub(crate) fn await_death(&self) -> Result<(), String> {
        let status = self.victim.wait();
        if status.signal() == Some(libc::SIGKILL) {
            Ok(())
        } else {
            Err(format!("victim: {status:?}"))
        }
    }

    /// What survivors must have learnt.
    pub(crate) fn expected(&self) -> Expect {
        self.certain.get().unwrap_or_else(|| match self.arena().phase.load(SeqCst) {
            IN => Expect::Told,
            OUT => Expect::Nothing,
            _ => Expect::Either,
        })
    }

    /// Holds if the bystander, wherever it was, goes on.
    pub(crate) fn bystander_goes_on(&self, nudge: fn(&Stage)) -> Result<(), String> {
        let before = self.arena().other_beats.load(SeqCst);
        let goes_on = || {
            nudge(self.stage);
            self.arena().other_beats.load(SeqCst) >= before + 2
        };
        if poll_for(HANG / 2, goes_on) {
            Ok(())
        } else {
            Err("the bystander is blocked".to_owned())
        }
    }
}

/// One row of the matrix: a primitive, what the victim does with it, and as what.
pub(crate) struct Cell {
    pub(crate) primitive: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) role: &'static str,
    /// What the victim repeats.
    pub(crate) victim: fn(&Stage),
    /// What another process repeats meanwhile.
    pub(crate) bystander: Option<fn(&Stage)>,
    /// Kills the victim, and is the next to use the primitive.
    pub(crate) act: fn(&Round<'_>) -> Result<Told, String>,
    /// What must hold once the victim is dead.
    pub(crate) audit: fn(&Round<'_>) -> Result<(), String>,
    /// Makes the primitive good for the next round.
    pub(crate) reset: fn(&Stage) -> Result<(), String>,
    /// Gives the bystander what it waits for.
    pub(crate) nudge: fn(&Stage),
}
