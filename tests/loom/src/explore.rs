//! Exploring a model: every order of its threads' steps, up to a number of preemptions, and every moment of a death.

use crate::machine::{self, Death, Rules, Sabotage};
use std::sync::Arc;

/// How a model is explored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Explorer {
    /// How often a thread that could go on is interrupted in one execution.
    preemptions: usize,
    is_strong: bool,
    sabotage: Option<Sabotage>,
}

/// The longest execution, in steps of the checker: an algorithm that spins exceeds it.
const LONGEST: usize = 4000;

impl Explorer {
    pub(crate) fn new(preemptions: usize, sabotage: Option<Sabotage>) -> Self {
        Self { preemptions, is_strong: false, sabotage }
    }

    /// For a large model: one preemption less.
    pub(crate) fn coarse(self) -> Self {
        Self { preemptions: self.preemptions.saturating_sub(1), ..self }
    }

    /// For a small model: one preemption more.
    pub(crate) fn fine(self) -> Self {
        Self { preemptions: self.preemptions + 1, ..self }
    }

    /// For a large model: on a machine with sequential consistency, where it is the order of steps alone that matters.
    pub(crate) fn strong(self) -> Self {
        Self { is_strong: true, ..self }
    }

    /// Nobody is killed.
    pub(crate) fn explore(self, body: impl Fn() + Send + Sync + 'static) {
        self.run(None, Death::Marked, &Arc::new(body));
    }

    /// Nobody is killed: with weak memory, and with strong memory and one preemption more.
    pub(crate) fn thoroughly(self, body: impl Fn() + Send + Sync + 'static) {
        let body = Arc::new(body);
        self.run(None, Death::Marked, &body);
        self.strong().fine().run(None, Death::Marked, &body);
    }

    /// A process of the model is doomed.
    pub(crate) fn die(self, death: Death, body: impl Fn() + Send + Sync + 'static) {
        self.run(None, death, &Arc::new(body));
    }

    /// The model's victim is killed: in turn, before each step that it makes in any execution.
    pub(crate) fn kill(self, death: Death, body: impl Fn() + Send + Sync + 'static) {
        let body = Arc::new(body);
        for fatal in 1.. {
            let before = machine::counts().deaths;
            self.run(Some(fatal), death, &body);
            if machine::counts().deaths == before {
                return;
            }
        }
    }

    fn run<F>(self, fatal: Option<u32>, death: Death, body: &Arc<F>)
    where
        F: Fn() + Send + Sync + 'static,
    {
        let rules = Rules { fatal, death, is_strong: self.is_strong, sabotage: self.sabotage };
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(self.preemptions);
        builder.max_branches = LONGEST;
        let body = Arc::clone(body);
        builder.check(move || {
            machine::boot(rules);
            body();
            machine::shut_down();
        });
    }
}
