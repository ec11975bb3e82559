//! Every example says what it said when its output was recorded. Where processes interleave, the order of the lines is free, and so
//! are the numbers that the kernel and the clock make up.

mod killing;
mod repo;

use killing::Watchdog;
use repo::examples::lines;
use std::path::Path;

/// The examples, and the arguments that they were recorded with.
const EXAMPLES: [(&str, &[&str]); 49] = [
    ("accidents", &[]),
    ("acorns", &[]),
    ("bank", &[]),
    ("blur", &[]),
    ("bounded", &[]),
    ("bowl", &[]),
    ("chunk_averages", &[]),
    ("condition", &[]),
    ("cubes", &[]),
    ("dictionary", &[]),
    ("dinner", &[]),
    ("dungeon", &[]),
    ("farm", &[]),
    ("farm_bell", &[]),
    ("half_a_million", &[]),
    ("hungry", &[]),
    ("increments", &[]),
    ("killed", &[]),
    ("launch", &[]),
    ("launch_action", &[]),
    ("launch_delays", &[]),
    ("lock_and_event", &[]),
    ("mandelbrot", &[]),
    ("nap_spots", &[]),
    ("nested_lock", &[]),
    ("one_and_three", &[]),
    ("pipeline", &["LICENSE-APACHE", "LICENSE-MIT"]),
    ("popcorn", &[]),
    ("primes", &[]),
    ("recipe", &[]),
    ("scheduler", &[]),
    ("sentinel", &[]),
    ("squares", &[]),
    ("start_signal", &[]),
    ("swings", &[]),
    ("three_tasks", &[]),
    ("three_words", &[]),
    ("thumbnails", &[]),
    ("timeout", &[]),
    ("timetable", &[]),
    ("two_at_a_time", &[]),
    ("two_orders", &[]),
    ("two_rounds", &[]),
    ("value_and_array", &[]),
    ("visitors", &[]),
    ("waiter", &[]),
    ("who_waits", &[]),
    ("wordcount", &["LICENSE-APACHE", "LICENSE-MIT"]),
    ("zoo_log", &[]),
];

/// A line with `N` for the ids of processes and threads and for measured times.
fn masked(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let mask = |(at, word): (usize, &&str)| {
        let before = at.checked_sub(1).map_or("", |before| words[before]);
        let is_id = matches!(before.trim_start_matches('('), "process" | "thread");
        let is_time = words.get(at + 1) == Some(&"ms");
        let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() < word.len() && (is_id || is_time) {
            format!("N{rest}")
        } else {
            (*word).to_owned()
        }
    };
    words.iter().enumerate().map(mask).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_example_says_what_was_recorded() {
    let watchdog = Watchdog::new("every_example_says_what_was_recorded");
    for (name, arguments) in EXAMPLES {
        watchdog.step(name);
        let mut said: Vec<String> = lines(name, arguments).iter().map(|l| masked(l)).collect();
        let recorded = repo::read(format!("examples/expected/{name}.out"));
        let mut recorded: Vec<String> = recorded.lines().map(masked).collect();
        said.sort_unstable();
        recorded.sort_unstable();
        assert_eq!(said, recorded, "{name}");
    }
}

#[test]
fn only_ids_and_times_are_masked() {
    let line = "`a` (process 12, thread 345) waits at x.rs:6:7, process 8 for 90 ms in worker 1";
    let free = "`a` (process N, thread N) waits at x.rs:6:7, process N for N ms in worker 1";
    assert_eq!(masked(line), free);
    assert_eq!(masked("100000 in all"), "100000 in all");
}

#[test]
fn every_example_is_recorded() {
    let stems = |below: &str, ending: &str| -> Vec<String> {
        let mut files = repo::files(below, &[ending]);
        files.retain(|path| path.parent() == Some(Path::new(below)));
        let stems = files.iter().filter_map(|path| path.file_stem());
        stems.map(|stem| stem.to_string_lossy().into_owned()).collect()
    };
    let names = EXAMPLES.map(|(name, _)| name);
    assert_eq!(stems("examples", ".rs"), names);
    assert_eq!(stems("examples/expected", ".out"), names);
}

/// What comes before what, where that is the point.
#[test]
fn the_animals_keep_their_order() {
    let watchdog = Watchdog::new("the_animals_keep_their_order");
    for round in 0..10 {
        watchdog.step(format!("round {round}"));
        let lines = lines("farm", &[]);
        let first =
            |what: &str| lines.iter().position(|line| line.contains(what)).expect("it is said");
        let last =
            |what: &str| lines.iter().rposition(|line| line.contains(what)).expect("it is said");
        assert_eq!(first("rings the bell"), 0, "nobody swings before: {lines:#?}");
        assert!(last("is at the gate") < first("the gate opens"), "all are there: {lines:#?}");
        assert!(last("the gate opens") < first("places at the gate"), "then it opens: {lines:#?}");
        assert_eq!(first("the gate opens"), last("the gate opens"), "it opens once: {lines:#?}");
    }
}
