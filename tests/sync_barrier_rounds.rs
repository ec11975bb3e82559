//! A barrier that five processes cross a thousand times, with as many cores as there are and with one.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{a_cpu, stay_on, watchdog};
use psync::prelude::*;
use std::time::Instant;

const PARTIES: usize = 5;
const ROUNDS: u64 = 1_000;

#[shared]
struct Track {
    #[init(Barrier::new(PARTIES))]
    gate: Barrier,
    /// In which round each party is. Its own before it waits, and everybody's after that.
    #[init([const { Value::new(0) }; PARTIES])]
    laps: [Value<u64>; PARTIES],
}

/// How often the party was the first of a round.
#[process]
fn runs(track: &Track, party: usize, cpu: Option<usize>) -> u64 {
    if let Some(cpu) = cpu {
        stay_on(cpu);
    }
    let mut led = 0;
    for round in 1..=ROUNDS {
        track.laps[party].set(round);
        led += u64::from(track.gate.wait().expect("nobody dies").is_leader());
        for lap in &track.laps {
            // Whoever is quick has arrived for the next round already, but nobody is further.
            let lap = lap.get();
            assert!((round..=round + 1).contains(&lap), "{lap} in round {round}");
        }
    }
    led
}

fn race(cpu: Option<usize>) {
    let _watchdog = watchdog();
    let track = Shared::new(Track::default()).expect("shared memory");
    let begin = Instant::now();
    let led = parallel! { for party in 0..PARTIES => runs(&track, party, cpu) };
    let per_round = begin.elapsed() / u32::try_from(ROUNDS).expect("a thousand");
    println!("{per_round:?} per round");
    assert_eq!(led.expect("nobody fails").iter().sum::<u64>(), ROUNDS, "one leads each round");
    assert_eq!((track.gate.waiting(), track.gate.is_broken()), (0, false));
}

#[test]
fn five_processes_cross_it_a_thousand_times() {
    race(None);
}

#[test]
fn five_processes_cross_it_a_thousand_times_on_one_core() {
    race(Some(a_cpu()));
}
