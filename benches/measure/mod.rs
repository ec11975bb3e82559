//! A small measuring harness: contestants take turns in many short rounds, and what counts is the median.
//!
//! Turns make a disturbance hit all of them alike, so ratios are formed round by round: they move less than the times do.
#![allow(dead_code, reason = "each bench uses its part")]

pub(crate) mod python;
mod table;

pub(crate) use table::{Goal, Row, Tail, print};

use std::time::{Duration, Instant};

/// What a bench is to measure, and how long that may take.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    quick: bool,
    only: Vec<String>,
}

impl Pace {
    /// From the command line (`--quick`, and parts of the names of rows) or the environment (`PSYNC_BENCH_QUICK=1`). Whatever else Cargo passes is not
    /// for us.
    pub(crate) fn from_caller() -> Self {
        let asked = std::env::args().any(|argument| argument == "--quick");
        let set = std::env::var_os("PSYNC_BENCH_QUICK").is_some_and(|value| value == "1");
        let only = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
        Self { quick: asked || set, only: only.collect() }
    }

    /// `rounds`, or a few if only the working of the bench is to be seen.
    pub(crate) fn rounds(&self, rounds: usize) -> usize {
        if self.quick { (rounds / 20).max(3) } else { rounds }
    }

    /// Whether this row is asked for.
    pub(crate) fn wants(&self, work: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| work.contains(part.as_str()))
    }
}

/// What is measured: runs `count` operations and tells how long that took.
type Work<'a> = Box<dyn FnMut(u64) -> Duration + 'a>;

/// One way to do the work.
pub(crate) struct Contestant<'a> {
    name: &'static str,
    work: Work<'a>,
}

impl<'a> Contestant<'a> {
    /// Measured as `work` does.
    pub(crate) fn new(name: &'static str, work: impl FnMut(u64) -> Duration + 'a) -> Self {
        Self { name, work: Box::new(work) }
    }

    /// Measured by calling `operation` over and over.
    pub(crate) fn calls(name: &'static str, mut operation: impl FnMut() + 'a) -> Self {
        Self::new(name, move |count| {
            let start = Instant::now();
            for _ in 0..count {
                operation();
            }
            start.elapsed()
        })
    }

    /// How many operations take about as long as a round should. Also warms up.
    ///
    /// The shortest of several attempts decides: a disturbance makes one longer, never shorter.
    fn count(&mut self, round: Duration) -> u64 {
        let mut count = 1;
        while count < 1 << 30 && (0..5).any(|_| (self.work)(count) < round / 2) {
            count *= 2;
        }
        count
    }
}

/// What the rounds of one contestant gave, in nanoseconds per operation.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    rounds: Vec<f64>,
}

impl Figures {
    pub(crate) fn median(&self) -> f64 {
        quantile(self.rounds.clone(), 0.5)
    }

    /// The time that this share of the rounds did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        quantile(self.rounds.clone(), share)
    }

    /// How many rounds there were.
    pub(crate) fn samples(&self) -> usize {
        self.rounds.len()
    }

    /// How many times as long as `other` it took.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        quantile(self.rounds.iter().zip(&other.rounds).map(|(a, b)| a / b).collect(), 0.5)
    }
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "picks a place among some hundred"
)]
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

/// Rounds of about `round` each in which all take their turns.
pub(crate) fn contest(
    rounds: usize,
    round: Duration,
    mut contestants: Vec<Contestant<'_>>,
) -> Vec<Figures> {
    let counts: Vec<u64> = contestants.iter_mut().map(|one| one.count(round)).collect();
    run(rounds, &counts, contestants)
}

/// Rounds of one operation each.
pub(crate) fn contest_of_singles(rounds: usize, contestants: Vec<Contestant<'_>>) -> Vec<Figures> {
    contest_of(1, rounds, contestants)
}

/// Rounds of `count` operations each.
pub(crate) fn contest_of(
    count: u64,
    rounds: usize,
    mut contestants: Vec<Contestant<'_>>,
) -> Vec<Figures> {
    for one in &mut contestants {
        (one.work)(count);
    }
    run(rounds, &vec![count; contestants.len()], contestants)
}

#[allow(clippy::cast_precision_loss, reason = "counts and nanoseconds of a short round")]
fn run(rounds: usize, counts: &[u64], mut contestants: Vec<Contestant<'_>>) -> Vec<Figures> {
    let mut figures: Vec<_> =
        contestants.iter().map(|one| Figures { name: one.name, rounds: Vec::new() }).collect();
    for _ in 0..rounds {
        for ((one, count), figures) in contestants.iter_mut().zip(counts).zip(&mut figures) {
            let nanos = (one.work)(*count).as_nanos();
            figures.rounds.push(nanos as f64 / *count as f64);
        }
    }
    figures
}
