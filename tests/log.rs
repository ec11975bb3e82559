//! Lines of many processes on one stream are whole; levels are inherited, and what is below them is not even formatted.
#![allow(missing_docs, reason = "tests")]

mod killing;
mod repo;

use killing::Watchdog;
use psync::{
    log::{self, Level},
    prelude::*,
};
use std::{
    io::{PipeReader, Read as _},
    os::fd::OwnedFd,
    sync::atomic::{AtomicU32, Ordering},
    thread::JoinHandle,
};

/// Reads all that comes while the processes work: the pipe is full most of the time.
fn gather(mut reader: PipeReader) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("text");
        text
    })
}

/// `options` with the level, and its standard error in a pipe.
fn telling(level: &str, writer: &std::io::PipeWriter) -> Options {
    let stream = OwnedFd::from(writer.try_clone().expect("a descriptor"));
    Options::new().env("PSYNC_LOG", level).stderr(Stdio::from(stream))
}

/// From a few bytes to what is more than a pipe takes at once.
const LENGTHS: [usize; 5] = [0, 10, 500, 4000, 9000];

#[shared]
struct Room {
    #[init(Barrier::new(5))]
    begin: Barrier,
    #[init(AtomicU32::new(0))]
    told_by_cat: AtomicU32,
}

fn text(number: u32) -> String {
    format!("{number} {} end", "x".repeat(LENGTHS[number as usize % LENGTHS.len()]))
}

/// Where [`chatter`] tells something.
const PLACE: u32 = line!() + 6;

#[process]
fn chatter(room: &Room, lines: u32, is_cat: bool) {
    room.begin.wait().expect("all are there");
    for number in 0..lines {
        log::info(text(number));
        if is_cat {
            room.told_by_cat.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Head and body of a line, if it is whole.
fn parts(line: &str) -> Option<(&str, &str)> {
    let (head, body) = line.split_once("): ")?;
    let (time, rest) = head.split_once(' ')?;
    let is_time =
        time.len() == 12 && time.bytes().all(|b| b.is_ascii_digit() || b":.".contains(&b));
    let (level, who) = rest.split_at_checked(6)?;
    let (name, pid) = who.split_once(" (process ")?;
    let is_whole = is_time && level == "info  " && pid.parse::<i32>().is_ok();
    is_whole.then_some((name, body))
}

/// Two live, two are killed after so many lines of the one, at any instruction.
fn round(until: u32) {
    const LINES: u32 = 200;
    let room = Shared::new(Room::default()).expect("memory");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let said = gather(reader);
    let start = |name: &str| {
        let options = telling("info", &writer).name(name);
        chatter::spawn_with(options, &room, LINES, name == "cat").expect("a process")
    };
    let living = ["ant", "bee"].map(start);
    let dying = ["cat", "dog"].map(start);
    drop(writer);
    room.begin.wait().expect("all are there");
    while room.told_by_cat.load(Ordering::Relaxed) < until {
        std::thread::yield_now();
    }
    for process in dying {
        process.kill().expect("it is ours");
        process.wait();
    }
    for process in living {
        process.join().expect("it lives");
    }
    let said = said.join().expect("the reader");
    let mut bodies = [String::new(), String::new()];
    let mut lines_of_cat = 0;
    for line in said.lines() {
        let (name, body) = parts(line).unwrap_or_else(|| panic!("torn: {line}"));
        match name {
            "ant" => bodies[0].push_str(body),
            "bee" => bodies[1].push_str(body),
            "cat" => lines_of_cat += 1,
            other => assert_eq!(other, "dog"),
        }
    }
    let expected = |number| format!("{} [tests/log.rs:{PLACE}]", text(number));
    let expected: String = (0..LINES).map(expected).collect();
    assert!(bodies.iter().all(|body| *body == expected), "nothing is lost, in order");
    assert!(lines_of_cat >= until, "what it has told is there");
}

#[test]
fn lines_of_many_processes_are_whole_also_if_some_are_killed() {
    let watchdog = Watchdog::new("lines_of_many_processes_are_whole_also_if_some_are_killed");
    for number in 0..u32::try_from(killing::rounds(10)).expect("few") {
        watchdog.step(format!("round {number}"));
        round(number * 17 % 180);
    }
}

/// What a process of this level says at each.
fn said(level: &str) -> Vec<String> {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let text = gather(reader);
    let all = |()| {
        log::error("e");
        log::warn("w");
        log::info("i");
        log::debug("d");
        log::trace("t");
    };
    let process = psync::spawn_with(telling(level, &writer).name("speaker"), all, ());
    drop(writer);
    process.expect("a process").join().expect("it speaks");
    let text = text.join().expect("the reader");
    text.lines().map(|line| line.split(' ').nth(1).unwrap_or_default().to_owned()).collect()
}

/// `_TestLogging.test_enable_logging`
#[test]
fn what_is_below_the_level_is_not_told() {
    let _watchdog = Watchdog::new("what_is_below_the_level_is_not_told");
    assert_eq!(said("off"), [""; 0]);
    assert_eq!(said(""), [""; 0]);
    assert_eq!(said("loud"), [""; 0], "only the first process says that this is no level");
    assert_eq!(said("error"), ["error"]);
    assert_eq!(said("warn"), ["error", "warn"]);
    assert_eq!(said("Info"), ["error", "warn", "info"]);
    assert_eq!(said("debug"), ["error", "warn", "info", "debug"]);
    assert_eq!(said("trace"), ["error", "warn", "info", "debug", "trace"]);
}

/// Panics if it is formatted.
struct Never;

impl std::fmt::Display for Never {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("nobody asked for this")
    }
}

#[test]
fn what_is_not_told_is_not_formatted() {
    let quiet = |()| log::info(Never);
    let process = psync::spawn_with(Options::new().env("PSYNC_LOG", "warn"), quiet, ());
    process.expect("a process").join().expect("it says nothing");
}

const METHODS: [StartMethod; 3] = [StartMethod::ForkServer, StartMethod::Spawn, StartMethod::Fork];

/// The level of a process that was started with these options.
fn level_with(options: Options) -> Option<String> {
    let level = |()| log::level().map(|level| level.to_string());
    psync::spawn_with(options, level, ()).expect("a process").join().expect("it answers")
}

/// The level of a child that its starter has chosen none for, that it has chosen one for, that it has chosen silence for, and one with options.
fn inherited(method: usize) -> [Option<String>; 4] {
    let options = || Options::new().start_method(METHODS[method]);
    let from_environment = level_with(options());
    log::set_level(Level::Trace);
    let chosen = level_with(options());
    log::set_level(None);
    let silent = level_with(options());
    [from_environment, chosen, silent, level_with(options().env("PSYNC_LOG", "error"))]
}

/// `_TestLogging.test_level`
#[test]
fn levels_are_inherited_by_every_start_method() {
    let _watchdog = Watchdog::new("levels_are_inherited_by_every_start_method");
    for method in 0..METHODS.len() {
        // In a process of its own, which has one thread and so may fork, and whose level is nobody else's.
        let options = Options::new().env("PSYNC_LOG", "warn").stderr(Stdio::null());
        let starter = psync::spawn_with(options, inherited, method).expect("a process");
        let levels = starter.join().expect("it answers");
        let levels = levels.each_ref().map(Option::as_deref);
        assert_eq!(levels, [Some("warn"), Some("trace"), None, Some("error")], "{method}");
    }
}

/// `_TestLogging.test_filename`
#[test]
fn a_line_names_the_place_of_its_caller() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let text = gather(reader);
    let speak = |()| {
        log::info("first");
        line!()
    };
    let process = psync::spawn_with(telling("info", &writer).name("speaker"), speak, ());
    drop(writer);
    let line = process.expect("a process").join().expect("it speaks") - 1;
    let text = text.join().expect("the reader");
    assert!(text.ends_with(&format!(": first [tests/log.rs:{line}]\n")), "{text}");
}

#[test]
fn ends_that_are_no_good_are_told_of() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let text = gather(reader);
    let starter = |()| {
        let aborts: fn(()) = |()| std::process::abort();
        let child = psync::spawn_with(Options::new().name("child"), aborts, ());
        child.expect("a process").wait().signal()
    };
    let process = psync::spawn_with(telling("debug", &writer).name("starter"), starter, ());
    drop(writer);
    let signal = process.expect("a process").join().expect("it waits");
    assert_eq!(signal, Some(6));
    let text = text.join().expect("the reader");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].contains(" debug starter (process ")
            && lines[0].contains(": started `child` (process ")
    );
    assert!(
        lines[1].contains(" warn  starter (process ")
            && lines[1].contains(") has ended: signal 6 (SIGABRT)")
    );
}

#[test]
fn a_wrong_level_is_told_once() {
    let _watchdog = Watchdog::new("a_wrong_level_is_told_once");
    let output = repo::examples::example("bowl").env("PSYNC_LOG", "loud").output();
    let said = output.expect("it can be run").stderr;
    let said = String::from_utf8(said).expect("text");
    let wrong = ": PSYNC_LOG=loud is not a level: off, error, warn, info, debug or trace\n";
    assert!(said.ends_with(wrong) && said.lines().count() == 1, "{said}");
}
