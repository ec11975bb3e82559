//! The programs of the book that Python has as well: none is longer than its Python form, and what has to happen in order does.

mod killing;
mod repo;

use killing::Watchdog;
use repo::examples::lines;
use std::fmt::Write as _;

/// How many lines the Python form of each program has, without blank ones, comments and imports.
const PYTHON: [(&str, usize); 33] = [
    ("acorns", 17),
    ("bounded", 10),
    ("bowl", 15),
    ("chunk_averages", 8),
    ("condition", 16),
    ("cubes", 8),
    ("dictionary", 12),
    ("dungeon", 17),
    ("farm_bell", 31),
    ("half_a_million", 21),
    ("hungry", 9),
    ("increments", 12),
    ("launch", 15),
    ("launch_action", 17),
    ("launch_delays", 16),
    ("lock_and_event", 15),
    ("nap_spots", 24),
    ("nested_lock", 9),
    ("one_and_three", 8),
    ("popcorn", 23),
    ("scheduler", 14),
    ("sentinel", 15),
    ("squares", 7),
    ("start_signal", 28),
    ("swings", 17),
    ("three_tasks", 10),
    ("three_words", 12),
    ("timeout", 8),
    ("two_at_a_time", 10),
    ("two_rounds", 20),
    ("value_and_array", 10),
    ("waiter", 12),
    ("zoo_log", 21),
];

/// Lines of a Rust program by the same rule. Attributes do not count, and neither does a closing brace alone.
fn length(program: &str) -> usize {
    let counts = |line: &&str| {
        let line = line.trim();
        let is_attribute =
            (line.starts_with("#[") || line.starts_with("#![")) && line.ends_with(']');
        let is_import = line.starts_with("use ") && line.ends_with(';');
        !(line.is_empty() || line.starts_with("//") || line == "}" || is_attribute || is_import)
    };
    program.lines().filter(counts).count()
}

#[test]
fn no_program_is_longer_than_in_python() {
    let mut table = String::from("| program | here | Python |\n|---|---|---|\n");
    let mut longer = Vec::new();
    for (name, python) in PYTHON {
        let program = repo::read(format!("examples/{name}.rs"));
        for elsewhere in ["mod ", "include!", "macro_rules!"] {
            assert!(!program.contains(elsewhere), "{name}: a part of it is elsewhere");
        }
        let rust = length(&program);
        let _ = writeln!(table, "| `{name}` | {rust} | {python} |");
        if rust > python {
            longer.push(name);
        }
    }
    println!("{table}");
    let page = repo::read("book/src/lengths.md");
    assert!(page.contains(&table), "book/src/lengths.md has another table than\n{table}");
    assert!(longer.is_empty(), "longer than in Python: {longer:?}\n{table}");
}

#[test]
fn lines_are_counted_by_the_rule() {
    let program = "\
        //! What it does.
        use a::b;

        #[process(wait(c))] // counts: no attribute alone
        #[process(wait(c))]
        fn f() {
            g(); // counts
        }
        fn h() -> u8 { 1 }
        parallel! {
            f(),
        }?;
        ";
    assert_eq!(length(program), 7);
}

/// Every line with one text comes before every line with the other, in each of a few runs.
fn in_order(watchdog: &Watchdog, name: &str, texts: [&str; 2]) {
    for round in 0..5 {
        watchdog.step(format!("{name}, round {round}"));
        let lines = lines(name, &[]);
        let [first, then] = texts;
        let last_of_first = lines.iter().rposition(|line| line.contains(first));
        let first_of_then = lines.iter().position(|line| line.contains(then));
        assert!(last_of_first.is_some(), "{name}: nobody says `{first}`: {lines:#?}");
        assert!(last_of_first < first_of_then, "{name}: `{first}`, then `{then}`: {lines:#?}");
    }
}

#[test]
fn who_waits_comes_later() {
    let watchdog = Watchdog::new("who_waits_comes_later");
    in_order(&watchdog, "popcorn", ["it is ready", "eats popcorn"]);
    in_order(&watchdog, "lock_and_event", ["the site opens", "begins"]);
    in_order(&watchdog, "condition", ["brings a loaf", "takes a loaf"]);
    in_order(&watchdog, "launch", ["is ready", "starts"]);
    in_order(&watchdog, "launch_delays", ["is ready", "has waited"]);
    in_order(&watchdog, "launch_action", ["is ready", "three, two, one"]);
    in_order(&watchdog, "launch_action", ["three, two, one", "starts"]);
    in_order(&watchdog, "dinner", ["on the table", "hot noodles and"]);
    in_order(&watchdog, "dungeon", ["comes to the door", "goes in"]);
    in_order(&watchdog, "two_rounds", ["coat 1", "coat 2"]);
}

/// Between `begin` and `end` there are never more than two.
fn two_at_a_time(watchdog: &Watchdog, name: &str, [begin, end]: [&str; 2]) {
    for round in 0..5 {
        watchdog.step(format!("{name}, round {round}"));
        let lines = lines(name, &[]);
        let mut inside = 0_i32;
        for line in &lines {
            inside += i32::from(line.contains(begin)) - i32::from(line.contains(end));
            assert!((0..=2).contains(&inside), "{name}: {inside} at a time: {lines:#?}");
        }
    }
}

#[test]
fn two_permits_are_for_two() {
    let watchdog = Watchdog::new("two_permits_are_for_two");
    two_at_a_time(&watchdog, "swings", ["gets on", "gets off"]);
    two_at_a_time(&watchdog, "two_at_a_time", ["sits down", "gets up"]);
}
