//! The scenarios: which primitive, which operation, and in which role the victim dies.

mod barriers;
mod condvars;
mod events;
mod locks;
mod onces;
mod readers;
mod semaphores;
mod special;
mod statics;
mod values;

use super::cast::{Act, Saw};
use super::play::Play;

/// What the judge does; the verdict.
pub(crate) type Script = fn(&mut Play) -> Result<&'static str, String>;

/// One operation in one role.
pub(crate) struct Scenario {
    pub(crate) primitive: &'static str,
    pub(crate) operation: &'static str,
    /// What the victim is while it does it.
    pub(crate) role: &'static str,
    /// Its processes wait for seconds, so that its cells are played all at once.
    pub(crate) slow: bool,
    /// What processes do; the first is the victim.
    pub(crate) acts: Vec<Act>,
    pub(crate) script: Script,
    /// The verdicts in the order in which they follow each other along the operation.
    pub(crate) order: &'static [&'static str],
}

impl Scenario {
    pub(crate) fn name(&self) -> String {
        format!("{}: {}, {}", self.primitive, self.operation, self.role)
    }
}

pub(crate) fn all() -> Vec<Scenario> {
    [
        special::all(),
        locks::all(),
        readers::all(),
        values::all(),
        condvars::all(),
        onces::all(),
        statics::all(),
        semaphores::all(),
        events::all(),
        barriers::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What must have been fine.
pub(crate) fn fine(who: &str, saw: &Saw) -> Result<(), String> {
    if *saw == Saw::Fine { Ok(()) } else { Err(format!("{who} saw {saw:?}")) }
}
