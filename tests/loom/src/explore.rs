//! Exploring a model: every order of its threads' steps, up to a number of preemptions, and every moment of a death.

use crate::machine::{self, Death, Rules, Sabotage};
use std::sync::Arc;

/// A run of one model.
#[derive(Debug)]
pub(crate) struct Explorer {
    /// How often a thread that could go on is interrupted in one execution.
    preemptions: usize,
    sabotage: Option<Sabotage>,
    pub(crate) executions: u64,
    pub(crate) deaths: u64,
}

/// The longest execution, in steps of the checker: an algorithm that spins exceeds it.
const LONGEST: usize = 4000;

impl Explorer {
    pub(crate) fn new(preemptions: usize, sabotage: Option<Sabotage>) -> Self {
        Self { preemptions, sabotage, executions: 0, deaths: 0 }
    }

    /// Nobody is killed.
    pub(crate) fn explore(&mut self, body: impl Fn() + Send + Sync + 'static) {
        self.run(None, Death::Marked, &Arc::new(body));
    }

    /// The model's victim is killed: in turn, before each step that it makes in any execution.
    pub(crate) fn kill(&mut self, death: Death, body: impl Fn() + Send + Sync + 'static) {
        let body = Arc::new(body);
        for fatal in 1.. {
            let before = self.deaths;
            self.run(Some(fatal), death, &body);
            if self.deaths == before {
                return;
            }
        }
    }

    fn run<F>(&mut self, fatal: Option<u32>, death: Death, body: &Arc<F>)
    where
        F: Fn() + Send + Sync + 'static,
    {
        let rules = Rules { fatal, death, sabotage: self.sabotage };
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(self.preemptions);
        builder.max_branches = LONGEST;
        let body = Arc::clone(body);
        builder.check(move || {
            machine::boot(rules);
            body();
            machine::shut_down();
        });
        self.count();
    }

    /// Adds what has been explored since the last time.
    pub(crate) fn count(&mut self) {
        let (executions, deaths) = machine::take_counts();
        self.executions += executions;
        self.deaths += deaths;
    }
}
