//! What tasks cost in a pool of two workers, beside pools of threads, another crate's pool of processes, and Python's.

#[path = "../measure/mod.rs"]
mod measure;

mod ours;
mod processes;
mod threads;
mod work;

use measure::{Contestant, Figures, Goal, Pace, Row, Tail, python::Python};
use std::time::{Duration, Instant};

/// How many workers each pool has.
const WORKERS: usize = 2;

/// A million, about.
const MANY: u64 = 1 << 20;

/// Starts pools, and adds up how long that takes; their ends are not counted.
fn starts<P>(count: u64, start: impl Fn() -> P) -> Duration {
    let one = |_| {
        let begin = Instant::now();
        let _pool = start();
        begin.elapsed()
    };
    (0..count).map(one).sum()
}

/// Python's pools, at what its program calls the work.
fn pythons<'a>(python: &'a Python, works: [&'static str; 3]) -> Vec<Contestant<'a>> {
    let names = ["mp.Pool", "ProcessPoolExecutor", "loky"].into_iter().zip(works);
    let there = names.filter(|(name, _)| *name != "loky" || python.has("with loky"));
    there.filter_map(|(name, work)| python.contestant(name, work)).collect()
}

/// Measures one kind of work.
type Kind = fn(&Pace, &Python) -> Vec<Row>;

fn one_by_one(pace: &Pace, python: &Python) -> Vec<Row> {
    let mut contestants =
        vec![ours::imap(Some(1)), ours::imap(None), ours::submit(), processes::one_by_one()];
    contestants.extend(threads::one_by_one());
    contestants.extend(pythons(python, ["pool-one", "executor-one", "loky-one"]));
    let figures = measure::contest(pace.rounds(30), Duration::from_millis(25), contestants);
    let (ours, peers) = figures.split_at(3);
    let row = |work, ours: &Figures| Row {
        work,
        figures: [std::slice::from_ref(ours), peers].concat(),
        goal: Goal::Nanos(1e9 / 1e6),
    };
    vec![
        row("tiny tasks, one by one: imap, chunk 1", &ours[0]),
        row("tiny tasks, one by one: imap", &ours[1]),
        row("tiny tasks, one by one: submit", &ours[2]),
    ]
}

fn in_chunks(pace: &Pace, python: &Python) -> Vec<Row> {
    let mut contestants = vec![ours::map(), processes::in_chunks()];
    contestants.extend(threads::in_chunks());
    contestants.extend(pythons(python, ["pool-chunks", "executor-chunks", "loky-chunks"]));
    let figures = measure::contest_of(MANY, pace.rounds(20), contestants);
    vec![Row { work: "2^20 tiny tasks, in chunks", figures, goal: Goal::Nanos(1e9 / 60e6) }]
}

#[allow(clippy::cast_precision_loss, reason = "a small number")]
fn long(pace: &Pace, python: &Python) -> Vec<Row> {
    let mut contestants = vec![ours::long(), processes::long()];
    contestants.extend(threads::long());
    contestants.extend(pythons(python, ["pool-long", "executor-long", "loky-long"]));
    let figures = measure::contest_of_singles(pace.rounds(20), contestants);
    let goal = Goal::Nanos(1e9 * work::LONG as f64 / 390.0);
    vec![Row { work: "64 tasks of 5 ms", figures, goal }]
}

fn start(pace: &Pace, python: &Python) -> Vec<Row> {
    let mut contestants = vec![ours::start(), processes::start()];
    contestants.extend(threads::start());
    contestants.extend(pythons(python, ["pool-start", "executor-start", "loky-start"]));
    let figures = measure::contest_of_singles(pace.rounds(40), contestants);
    vec![Row { work: "start, and the first results", figures, goal: Goal::Nanos(1e6) }]
}

fn run(pace: &Pace, python: &Python) -> Vec<Row> {
    let mut contestants = vec![ours::run(), processes::run()];
    contestants.extend(threads::run());
    contestants.extend(pythons(python, ["pool-run", "executor-run", "loky-run"]));
    let figures = measure::contest(pace.rounds(40), Duration::from_millis(5), contestants);
    vec![Row { work: "a tiny task, there and back", figures, goal: Goal::Nanos(3e3) }]
}

/// Nothing but work for the processor, which has one more for the second worker.
fn scaling(pace: &Pace, _: &Python) -> Vec<Row> {
    let contestants = vec![ours::crunching("2 workers", 2), ours::crunching("1 worker", 1)];
    let figures = measure::contest_of_singles(pace.rounds(20), contestants);
    // Which is 1.9 times as fast.
    let goal = Goal::Times(0.526, "1 worker");
    vec![Row { work: "2 workers for 1", figures, goal }]
}

/// Tasks per second, where an operation is so many of them.
fn print_rates(row: &Row, tasks: f64) {
    let rate =
        |figures: &Figures| format!("{} {:.0}", figures.name, tasks * 1e9 / figures.median());
    let rates: Vec<String> = row.figures.iter().map(rate).collect();
    println!("Tasks per second, {}: {}.", row.work, rates.join(", "));
}

fn main() {
    processes::init();
    let (pace, python) = (Pace::from_caller(), Python::start(include_str!("pools.py")));
    println!("{}", python.report());
    let kinds: [(&str, Kind, Option<f64>); 6] = [
        ("one by one", one_by_one, Some(1.0)),
        ("in chunks", in_chunks, Some(1.0)),
        ("long", long, Some(64.0)),
        ("run", run, Some(1.0)),
        ("start", start, None),
        ("scaling", scaling, None),
    ];
    let mut all = Vec::new();
    for (_, kind, tasks) in kinds.into_iter().filter(|(name, ..)| pace.wants(name)) {
        let rows = kind(&pace, &python);
        all.extend(rows.into_iter().map(|row| (row, tasks)));
    }
    for (row, tasks) in &all {
        if let Some(tasks) = tasks {
            print_rates(row, *tasks);
        }
    }
    let rows: Vec<Row> = all.into_iter().map(|(row, _)| row).collect();
    measure::print("Tasks in a pool of two workers", &rows, Tail::None);
}
