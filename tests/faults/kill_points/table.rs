//! The table of all cells, as it is printed and kept, and the points that it has to have.

use super::matrix::Cell;
use super::scenes::{self, Scenario};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

const HEAD: &str = "\
# What survivors see

Each row is one process that was killed with SIGKILL behind a point inside an algorithm, and what the processes saw that lived on. Points are found by a
rehearsal, verdicts computed from what the survivors report; `cargo test -p psync-faults --test kill_points` plays all of it again and compares.
`PSYNC_GOLDEN=write` accepts what has changed.
";

const HEADING: &str = "killed behind";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn section(scenario: &Scenario, cells: &[Cell]) -> String {
    let mut text =
        format!("\n## {}\n\n| killed behind | survivors |\n|---|---|\n", scenario.name());
    for cell in cells {
        let _ = writeln!(text, "| {} | {} |", cell.place(), cell.verdict);
    }
    text
}

fn path() -> PathBuf {
    root().join("tests/KILL_MATRIX.md")
}

/// Whether locks bear the kernel's marks. Without them, they are taken over on another way.
fn is_usual_mode() -> bool {
    std::env::var_os("PSYNC_ROBUST").is_none()
}

fn is_to_be_written() -> bool {
    std::env::var_os("PSYNC_GOLDEN").is_some_and(|mode| mode == "write")
}

/// The places of each scenario in the table that is kept, unless a new one is written.
pub(crate) fn kept() -> BTreeMap<String, Vec<String>> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if is_to_be_written() || !is_usual_mode() {
        return places;
    }
    let mut scenario = String::new();
    for line in std::fs::read_to_string(path()).unwrap_or_default().lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.clone_into(&mut scenario);
        } else if let Some((place, _)) =
            line.strip_prefix("| ").and_then(|row| row.split_once(" | "))
            && place != HEADING
        {
            places.entry(scenario.clone()).or_default().push(place.to_owned());
        }
    }
    places
}

/// Compares the table with the one that is kept.
pub(crate) fn compare(rows: &[(usize, Vec<Cell>)]) {
    if !is_usual_mode() {
        return;
    }
    let all = scenes::all();
    let mut text = HEAD.to_owned();
    for (index, cells) in rows {
        text.push_str(&section(&all[*index], cells));
    }
    if is_to_be_written() {
        std::fs::write(path(), text).expect("the table can be written");
        return;
    }
    let kept = std::fs::read_to_string(path()).unwrap_or_default();
    let differs = kept.lines().zip(text.lines()).find(|(kept, new)| kept != new);
    assert!(
        kept == text,
        "tests/KILL_MATRIX.md has changed, first at {differs:?}; PSYNC_GOLDEN=write accepts it"
    );
}

/// Fails if a point of the sources has no cell, or two places have the same name.
pub(crate) fn all_points_are_hit(hit: &BTreeSet<String>) {
    if !is_usual_mode() {
        return;
    }
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    collect(&root().join("psync-runtime/src"), &mut places);
    assert!(places.len() > 50, "{} points only", places.len());
    let twice: Vec<_> = places.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(twice.is_empty(), "points with the same name: {twice:?}");
    let never: Vec<_> = places.keys().filter(|name| !hit.contains(*name)).collect();
    assert!(never.is_empty(), "points without a cell: {never:?}");
}

fn collect(path: &Path, places: &mut BTreeMap<String, Vec<PathBuf>>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a directory of the sources") {
            collect(&entry.expect("an entry").path(), places);
        }
        return;
    }
    let source = std::fs::read_to_string(path).expect("a source");
    for after in source.split("fault::point(").skip(1) {
        let name = after.trim_start().strip_prefix('"').and_then(|name| name.split('"').next());
        if let Some(name) = name {
            places.entry(name.to_owned()).or_default().push(path.to_owned());
        }
    }
}
