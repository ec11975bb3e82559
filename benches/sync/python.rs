//! What Python's `multiprocessing` has, run by a Python of its own that takes its turns with the others.

use super::measure::Contestant;
use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

const PROGRAM: &str = include_str!("primitives.py");

/// A Python that waits to be told what to do, if there is one.
#[derive(Debug)]
pub(crate) struct Python(Option<RefCell<Running>>);

#[derive(Debug)]
struct Running {
    child: Child,
    answers: BufReader<ChildStdout>,
    version: String,
}

impl Python {
    pub(crate) fn start() -> Self {
        Self(Running::start().map(RefCell::new))
    }

    /// What to say about it.
    pub(crate) fn report(&self) -> String {
        match &self.0 {
            Some(running) => format!("Python is {}.", running.borrow().version),
            None => "There is no python3 here, so its primitives are not measured.".to_owned(),
        }
    }

    /// `peers`, and Python with what it calls `work`.
    pub(crate) fn join<'a>(
        &'a self,
        work: &'static str,
        peers: Vec<Contestant<'a>>,
    ) -> Vec<Contestant<'a>> {
        self.join_two(work, 1, peers)
    }

    /// The same, where `shares` operations are done while Python counts one.
    pub(crate) fn join_two<'a>(
        &'a self,
        work: &'static str,
        shares: u32,
        mut peers: Vec<Contestant<'a>>,
    ) -> Vec<Contestant<'a>> {
        peers.extend(self.0.as_ref().map(|running| {
            Contestant::new("Python", move |count| running.borrow_mut().run(work, count) / shares)
        }));
        peers
    }
}

impl Running {
    fn start() -> Option<Self> {
        let mut child = Command::new("python3")
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let answers = BufReader::new(child.stdout.take()?);
        let mut running = Self { child, answers, version: String::new() };
        running.version = running.answer();
        (!running.version.is_empty()).then_some(running)
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        line.trim().to_owned()
    }

    fn run(&mut self, work: &str, count: u64) -> Duration {
        let requests = self.child.stdin.as_mut().expect("a pipe");
        writeln!(requests, "{work} {count}").expect("it listens");
        Duration::from_nanos(self.answer().parse().expect("a number of nanoseconds"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Closes its input first: it ends, with the processes that it has started.
        let _ = self.child.wait();
    }
}
