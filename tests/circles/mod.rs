//! What the tests of deadlocks share: what comes of a lock that somebody in a circle waits for.
#![allow(dead_code, reason = "each test program uses some of it")]

use psync::{LockError, PoisonCause};
use std::time::Instant;

/// What came of the second of two locks.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Outcome {
    Taken,
    /// Who waits for whom, as the one who was told sees it; and after how many milliseconds.
    Told(String, u128),
    Poisoned(i32),
}

pub(crate) fn outcome<G>(second: Result<G, LockError>, since: Instant) -> Outcome {
    match second {
        Ok(_) => Outcome::Taken,
        Err(LockError::Deadlock(report)) => {
            assert_eq!(report.pid(), psync::current().pid());
            let after = since.elapsed().as_millis();
            // A second on an idle machine.
            assert!(after < 10_000, "after {after} ms: {report}");
            Outcome::Told(report.to_string(), after)
        }
        Err(LockError::Poisoned { pid, cause: PoisonCause::Died }) => Outcome::Poisoned(pid),
        Err(error) => panic!("{error}"),
    }
}

impl Outcome {
    /// The report, if there is one.
    pub(crate) fn report(&self) -> Option<&str> {
        match self {
            Self::Told(report, _) => Some(report),
            _ => None,
        }
    }
}

/// The report of the only one that was told; the others got what they waited for.
pub(crate) fn only_report(outcomes: &[Outcome]) -> &str {
    let mut reports = outcomes.iter().filter_map(Outcome::report);
    let (Some(report), None) = (reports.next(), reports.next()) else {
        panic!("one is told: {outcomes:?}")
    };
    assert!(outcomes.iter().all(|o| *o == Outcome::Taken || o.report().is_some()), "{outcomes:?}");
    println!("{report}");
    report
}
