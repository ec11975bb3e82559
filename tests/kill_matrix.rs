//! A SIGKILL at random moments of every blocking or guarding operation: survivors go on, invariants hold, and the next one is told
//! if and only if the dead one was inside.
//!
//! `cargo test --test kill_matrix -- --nocapture` prints the table; `PSYNC_LONG=1` plays ten times as many rounds, `PSYNC_SEED=n` repeats one
//! run's moments, `PSYNC_CELL=text` plays the rows whose name contains the text.

#[path = "killing/company.rs"]
mod company;
#[path = "killing/gates.rs"]
mod gates;
mod killing;
#[path = "killing/locks.rs"]
mod locks;
#[path = "killing/round.rs"]
mod round;
#[path = "killing/stage.rs"]
mod stage;
#[path = "killing/subjects.rs"]
mod subjects;
#[path = "killing/waits.rs"]
mod waits;

use killing::{HANG, Random, Traces, Watchdog, largest, median, micros, poll_for, rounds};
use psync::{Options, Process, spawn_with};
use round::{Cell, Expect, Round};
use stage::{OUT, Stage};
use std::{
    sync::atomic::Ordering::SeqCst,
    time::{Duration, Instant},
};

/// Over how long the moments of a row are spread: several times what one operation takes here, as measured at its start.
const OPERATIONS: u32 = 4;

fn cells() -> Vec<Cell> {
    [locks::cells(), company::cells(), waits::cells(), gates::cells()]
        .into_iter()
        .flatten()
        .collect()
}

fn play_victim((stage, cell): (Stage, usize)) {
    let victim = cells().swap_remove(cell).victim;
    let _ = stage::ACTOR.set(stage.clone());
    loop {
        victim(&stage);
        stage.beat();
    }
}

fn play_bystander((stage, cell): (Stage, usize)) {
    if let Some(bystander) = cells().swap_remove(cell).bystander {
        while !stage.stopped() {
            bystander(&stage);
        }
    }
}

/// A daemon, so that this program ends even if a test fails.
fn start(role: fn((Stage, usize)), stage: &Stage, cell: usize) -> Result<Process<()>, String> {
    let options = Options::new().daemon(true);
    spawn_with(options, role, (stage.clone(), cell)).map_err(|error| error.to_string())
}

fn start_victim(stage: &Stage, cell: usize) -> Result<Process<()>, String> {
    stage.mark(OUT);
    stage.arena.beats.store(0, SeqCst);
    stage.arena.told.store(0, SeqCst);
    start(play_victim, stage, cell)
}

/// How long one operation takes, with the company that it has in this row.
fn pace(stage: &Stage, cell: usize) -> Result<Duration, String> {
    const SAMPLE: u64 = 200;
    let victim = start_victim(stage, cell)?;
    let begin = Instant::now();
    while stage.arena.beats.load(SeqCst) < SAMPLE && begin.elapsed() < Duration::from_millis(20) {
        core::hint::spin_loop();
    }
    let (time, beats) = (begin.elapsed(), stage.arena.beats.load(SeqCst));
    killing::kill(victim.pid());
    victim.wait();
    match u32::try_from(beats) {
        // It waits for us.
        Ok(0) | Err(_) => Ok(Duration::from_micros(15)),
        Ok(beats) => Ok(time / beats),
    }
}

#[derive(Default)]
struct Tallies {
    told: usize,
    not_told: usize,
    recovery: Vec<Duration>,
}

fn play(
    cell: &Cell,
    index: usize,
    random: &mut Random,
    watchdog: &Watchdog,
) -> Result<Tallies, String> {
    let stage = Stage::new().map_err(|error| error.to_string())?;
    let count = rounds(100);
    let mut tallies = Tallies::default();
    let bystander = match cell.bystander {
        Some(_) => Some(start(play_bystander, &stage, index)?),
        None => None,
    };
    let span = pace(&stage, index)? * OPERATIONS;
    (cell.reset)(&stage)?;
    let traces = Traces::now();
    for number in 0..count {
        watchdog
            .step(format!("{} {} {}, round {number}", cell.primitive, cell.operation, cell.role));
        let delay = random.moment(number, count, span.max(Duration::from_micros(4)));
        let victim = start_victim(&stage, index)?;
        let round = Round::new(&stage, &victim, number, delay, random.below(2) == 0);
        let in_round = |problem| format!("round {number}, moment {delay:?}: {problem}");
        one_death(cell, &round, &mut tallies).map_err(in_round)?;
    }
    traces.check(usize::from(bystander.is_some()))?;
    stage.arena.stop.store(1, SeqCst);
    let Some(mut bystander) = bystander else { return Ok(tallies) };
    let mut result = None;
    poll_for(HANG / 2, || {
        (cell.nudge)(&stage);
        result = bystander.join_timeout(Duration::ZERO);
        result.is_some()
    });
    match result {
        Some(Ok(())) => Ok(tallies),
        Some(Err(error)) => Err(format!("the bystander: {error}")),
        None => Err("the bystander does not end".to_owned()),
    }
}

fn one_death(cell: &Cell, round: &Round<'_>, tallies: &mut Tallies) -> Result<(), String> {
    let mut told = (cell.act)(round)?;
    round.await_death()?;
    if cell.bystander.is_some() {
        round.bystander_goes_on(cell.nudge)?;
        let other = round.arena().told.load(SeqCst);
        told = told.or((other != 0).then_some(other));
    }
    // A take that repairs is not told whom it repairs after.
    if let Some(pid) = told.filter(|pid| ![0, 1, round.pid()].contains(pid)) {
        return Err(format!("told of process {pid} instead of {}", round.pid()));
    }
    match (round.expected(), told) {
        (Expect::Told, None) => return Err("it died inside, and nobody was told".to_owned()),
        (Expect::Nothing, Some(_)) => return Err("it died outside, and was reported".to_owned()),
        (_, Some(_)) => tallies.told += 1,
        (_, None) => tallies.not_told += 1,
    }
    (cell.audit)(round)?;
    (cell.reset)(round.stage)?;
    tallies.recovery.extend(round.recovery());
    Ok(())
}

#[test]
fn the_matrix() {
    let watchdog = Watchdog::new("the_matrix");
    let mut random = Random::new();
    let only = std::env::var("PSYNC_CELL").unwrap_or_default();
    println!("seed {}", random.seed);
    println!(
        "{:<20}{:<24}{:<14}{:>6}{:>7}{:>13}{:>15}",
        "primitive", "operation", "killed as", "told", "silent", "median", "worst"
    );
    let mut problems = Vec::new();
    for (index, cell) in cells().iter().enumerate() {
        let name = format!("{:<20}{:<24}{:<14}", cell.primitive, cell.operation, cell.role);
        if !name.contains(&only) {
            continue;
        }
        match play(cell, index, &mut random, &watchdog) {
            Ok(mut tallies) => println!(
                "{name}{:>6}{:>7} {} {}",
                tallies.told,
                tallies.not_told,
                micros(median(&mut tallies.recovery)),
                micros(largest(&tallies.recovery)),
            ),
            Err(problem) => {
                println!("{name}FAILED: {problem}");
                problems.push(format!("{}: {problem}", name.trim_end()));
            }
        }
    }
    assert!(problems.is_empty(), "seed {}:\n{}", random.seed, problems.join("\n"));
}
