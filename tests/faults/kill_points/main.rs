//! A SIGKILL at every point of every operation, in every role: survivors go on, and see what they must.
//!
//! A rehearsal in a process that lives finds the points that an operation passes; then a fresh process is killed at each of them.
//! `cargo test -p psync-faults --test kill_points -- --nocapture` prints the table, `PSYNC_CELL=text` plays only the scenarios whose names contain the text.

mod cast;
#[path = "../../killing/mod.rs"]
mod killing;
mod matrix;
mod play;
mod scenes;
#[path = "../../killing/stage.rs"]
#[allow(dead_code, reason = "shared with the matrix of random moments, which uses all of it")]
mod stage;
#[path = "../../killing/subjects.rs"]
mod subjects;
mod table;

use killing::{Traces, Watchdog};
use std::collections::BTreeSet;

#[test]
fn every_point() {
    let watchdog = Watchdog::new("every_point");
    let only = std::env::var("PSYNC_CELL").ok();
    let kept = table::kept();
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    let mut hit = BTreeSet::new();
    let mut traces = None;
    for (index, scenario) in scenes::all().iter().enumerate() {
        let name = scenario.name();
        if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let began = std::time::Instant::now();
        let usual = kept.get(&name).map(Vec::as_slice);
        match matrix::cells(scenario, index, usual, &watchdog) {
            Ok(cells) => {
                let millis = began.elapsed().as_millis();
                println!(
                    "{}{name}: {} cells, {millis} ms",
                    table::section(scenario, &cells),
                    cells.len()
                );
                hit.extend(cells.iter().map(|cell| cell.point.clone()));
                rows.push((index, cells));
            }
            Err(problem) => {
                println!("{name}: {problem}");
                problems.push(format!("{name}: {problem}"));
            }
        }
        watchdog.step(format!("{name}, what is left over"));
        // From the second scenario on, everything is there that is made once.
        let check = traces.get_or_insert_with(Traces::now).check(0);
        problems.extend(check.err().map(|left| format!("{name}: {left}")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    if only.is_none() {
        table::compare(&rows);
        table::all_points_are_hit(&hit);
    }
}
