//! The cells of one scenario: found by a rehearsal, played one by one, and judged together.

use super::cast::{Passing, Plan, path};
use super::killing::Watchdog;
use super::play::{Problem, play};
use super::scenes::Scenario;
use std::cmp::Reverse;

/// Up to which time of passing a point there is a cell for it.
const TURNS: u32 = 3;
/// How often the victim may fail to come to where it is to die on the way that it has rehearsed, since others were faster or slower than usual.
const TRIES: usize = 100;
/// How many rehearsals there are until one is as usual, and where it is not known what is usual.
const REHEARSALS: usize = 20;
const FIRST_REHEARSALS: usize = 7;

/// One death.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) point: String,
    pub(crate) turn: u32,
    pub(crate) asleep: bool,
    pub(crate) verdict: &'static str,
    /// How the victim comes there: see [`path`].
    path: u64,
}

/// Plays a scenario with a death at each of its points.
pub(crate) fn cells(
    scenario: &Scenario,
    index: usize,
    usual: Option<&[String]>,
    watchdog: &Watchdog,
) -> Result<Vec<Cell>, String> {
    let name = scenario.name();
    watchdog.step(format!("{name}, rehearsal"));
    let trace = rehearse(scenario, index, usual).map_err(|error| format!("rehearsal: {error}"))?;
    let mut cells = places(&trace);
    let size = if scenario.slow { 1 } else { cells.len() };
    let judge = |cells: &mut [Cell]| {
        for cell in cells {
            let place = cell.place();
            watchdog.step(format!("{name}, {place}"));
            cell.verdict =
                kill(scenario, index, cell).map_err(|problem| format!("{place}: {problem}"))?;
        }
        Ok::<(), String>(())
    };
    std::thread::scope(|scope| {
        let judges: Vec<_> =
            cells.chunks_mut(size).map(|cells| scope.spawn(|| judge(cells))).collect();
        judges.into_iter().try_for_each(|judge| match judge.join() {
            Ok(end) => end,
            Err(_) => Err("the judge panicked".to_owned()),
        })
    })?;
    in_order(scenario, &cells)?;
    Ok(cells)
}

impl Cell {
    pub(crate) fn place(&self) -> String {
        let turn = match self.turn {
            1 => String::new(),
            turn => format!(", time {turn}"),
        };
        let asleep = if self.asleep { ", asleep" } else { "" };
        format!("{}{turn}{asleep}", self.point)
    }

    fn plan(&self) -> Plan {
        let point = self.point.clone();
        if self.asleep { Plan::DieAsleep(point, self.turn) } else { Plan::Die(point, self.turn) }
    }
}

/// What the victim passes if it lives. Chance may add another round of a loop, or have a deadline come before a sleep; so the way counts that leads by
/// the `usual` places, or else the most frequent one.
fn rehearse(
    scenario: &Scenario,
    index: usize,
    usual: Option<&[String]>,
) -> Result<Vec<Passing>, String> {
    let mut traces: Vec<(usize, Vec<Passing>)> = Vec::new();
    for number in 1.. {
        let trace = match play(scenario, index, &Plan::Live) {
            Ok(shown) => shown.passed,
            Err(Problem::Missed) => return Err("the victim has died".to_owned()),
            Err(Problem::Wrong(problem)) => return Err(problem),
        };
        let places: Vec<String> = places(&trace).iter().map(Cell::place).collect();
        if usual.is_some_and(|usual| places == usual) {
            return Ok(trace);
        }
        match traces.iter_mut().find(|(_, seen)| *seen == trace) {
            Some((times, _)) => *times += 1,
            None => traces.push((1, trace)),
        }
        if number >= if usual.is_some() { REHEARSALS } else { FIRST_REHEARSALS } {
            break;
        }
    }
    let most = traces.into_iter().max_by_key(|(times, trace)| (*times, Reverse(trace.len())));
    most.map(|(_, trace)| trace).ok_or_else(|| "no rehearsal".to_owned())
}

fn places(trace: &[Passing]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (at, passing) in trace.iter().enumerate() {
        let earlier = trace[..at].iter().filter(|before| before.name == passing.name).count();
        let turn = u32::try_from(earlier).unwrap_or(u32::MAX).saturating_add(1);
        if turn > TURNS {
            continue;
        }
        let path = path(&trace[..=at]);
        let cell = |asleep| Cell { point: passing.name.clone(), turn, asleep, verdict: "", path };
        cells.push(cell(false));
        if passing.slept {
            cells.push(cell(true));
        }
    }
    cells
}

fn kill(scenario: &Scenario, index: usize, cell: &Cell) -> Result<&'static str, String> {
    for _ in 0..TRIES {
        match play(scenario, index, &cell.plan()) {
            // Whoever waits for a second is woken by all deaths meanwhile.
            Ok(shown) if shown.path == cell.path || scenario.slow => return Ok(shown.verdict),
            Ok(_) | Err(Problem::Missed) => {}
            Err(Problem::Wrong(problem)) => return Err(problem),
        }
    }
    Err("the victim does not come there".to_owned())
}

/// What survivors see changes only where the operation takes effect, so the verdicts along its points follow the scenario's order.
fn in_order(scenario: &Scenario, cells: &[Cell]) -> Result<(), String> {
    let order = scenario.order;
    let mut at = 0;
    for cell in cells {
        if cell.verdict != order[at] {
            at += 1;
        }
        if order.get(at) != Some(&cell.verdict) {
            let seen: Vec<String> =
                cells.iter().map(|cell| format!("{}: {}", cell.place(), cell.verdict)).collect();
            return Err(format!(
                "at `{}`: `{}`, out of order {order:?}\n  {}",
                cell.place(),
                cell.verdict,
                seen.join("\n  ")
            ));
        }
    }
    if at + 1 == order.len() {
        return Ok(());
    }
    Err(format!("no cell comes to {:?}", &order[at + 1..]))
}
