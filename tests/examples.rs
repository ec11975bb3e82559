//! Every example says what it said when its output was recorded. Where processes interleave, the order of the lines is free, and so
//! are the numbers that the kernel and the clock make up.

mod killing;
mod repo;

use killing::Watchdog;
use repo::examples::lines;
use std::{collections::BTreeSet, io::Read as _, path::Path};

/// The examples, and the arguments that they were recorded with.
const EXAMPLES: [(&str, &[&str]); 54] = [
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
    ("dishes", &[]),
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
    ("parrot", &[]),
    ("pipeline", &["LICENSE-APACHE", "LICENSE-MIT"]),
    ("popcorn", &[]),
    ("porter", &[]),
    ("primes", &[]),
    ("recipe", &[]),
    ("scheduler", &[]),
    ("sentinel", &[]),
    ("squares", &[]),
    ("start_signal", &[]),
    ("sums", &[]),
    ("swings", &[]),
    ("tellers", &[]),
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

/// Runs that are about what goes wrong: what a terminal shows, that is both streams, and how they end. The record has the case in its name.
const TROUBLE: [(&str, &str, i32); 7] = [
    ("diary", "", 0),
    ("kitchen", "", 0),
    ("trouble", "deadlock", 1),
    ("trouble", "killed", 1),
    ("trouble", "left", 1),
    ("trouble", "panic", 1),
    ("trouble", "refused", 1),
];

/// The name of a record of [`TROUBLE`].
fn record(name: &str, case: &str) -> String {
    if case.is_empty() { name.to_owned() } else { format!("{name}_{case}") }
}

/// A line with `N` for the ids of processes and threads, for measured times, and for the time of day.
fn masked(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let mask = |(at, word): (usize, &&str)| {
        let before = at.checked_sub(1).map_or("", |before| words[before]);
        let is_id = matches!(before.trim_start_matches('('), "process" | "thread" | "pid" | "pid:");
        let is_time = words.get(at + 1) == Some(&"ms");
        let bracket = word.len() - word.trim_start_matches('(').len();
        let rest = word[bracket..].trim_start_matches(|c: char| c.is_ascii_digit());
        if is_time_of_day(word) {
            "N".to_owned()
        } else if rest.len() + bracket < word.len() && (is_id || is_time) {
            format!("{}N{rest}", &word[..bracket])
        } else {
            (*word).to_owned()
        }
    };
    words.iter().enumerate().map(mask).collect::<Vec<_>>().join(" ")
}

fn is_time_of_day(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.len() == 12 && digits == 9 && word.matches(':').count() == 2
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
fn what_goes_wrong_is_seen_as_recorded() {
    let watchdog = Watchdog::new("what_goes_wrong_is_seen_as_recorded");
    for (name, case, code) in TROUBLE {
        let record = record(name, case);
        watchdog.step(record.as_str());
        let mut said = seen(name, case, code);
        let recorded = repo::read(format!("examples/expected/{record}.out"));
        let mut recorded: Vec<String> = recorded.lines().map(masked).collect();
        said.sort_unstable();
        recorded.sort_unstable();
        assert_eq!(said, recorded, "{record}");
    }
}

/// What a terminal would show of a run, which has to end with `code`.
fn seen(name: &str, case: &str, code: i32) -> Vec<String> {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = repo::examples::example(name);
    command.args((!case.is_empty()).then_some(case)).env("RUST_BACKTRACE", "0");
    if name == "diary" {
        command.env("PSYNC_LOG", "debug");
    }
    let second = writer.try_clone().expect("a descriptor");
    let mut program = command.stdout(second).stderr(writer).spawn().expect("it can be run");
    // It has our ends of the pipe.
    drop(command);
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("text");
    assert_eq!(program.wait().expect("it is ours").code(), Some(code), "{name} {case}: {text}");
    text.lines().map(masked).collect()
}

#[test]
fn only_ids_and_times_are_masked() {
    let line = "`a` (process 12, thread 345) waits at x.rs:6:7, process 8 for 90 ms in worker 1";
    let free = "`a` (process N, thread N) waits at x.rs:6:7, process N for N ms in worker 1";
    assert_eq!(masked(line), free);
    assert_eq!(masked("100000 in all"), "100000 in all");
    assert_eq!(
        masked("process `a` (pid 12) panicked at x.rs:1:2:"),
        "process `a` (pid N) panicked at x.rs:1:2:"
    );
    assert_eq!(masked("12:34:56.789 info"), "N info");
    assert_eq!(
        masked("12:34:56 and (7) are kept, pid: 8 }"),
        "12:34:56 and (7) are kept, pid: N }"
    );
}

#[test]
fn every_example_is_recorded() {
    let stems = |below: &str, ending: &str| -> BTreeSet<String> {
        let mut files = repo::files(below, &[ending]);
        files.retain(|path| path.parent() == Some(Path::new(below)));
        let stems = files.iter().filter_map(|path| path.file_stem());
        stems.map(|stem| stem.to_string_lossy().into_owned()).collect()
    };
    let alone = EXAMPLES.map(|(name, _)| name.to_owned());
    let sorted =
        |more: Vec<String>| -> BTreeSet<String> { alone.iter().cloned().chain(more).collect() };
    let names = sorted(TROUBLE.map(|(name, ..)| name.to_owned()).to_vec());
    let records = sorted(TROUBLE.map(|(name, case, _)| record(name, case)).to_vec());
    assert_eq!(stems("examples", ".rs"), names);
    assert_eq!(stems("examples/expected", ".out"), records);
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
