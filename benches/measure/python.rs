//! What Python has, run by a Python of its own that takes its turns with the others.

use super::Contestant;
use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

/// A Python that waits to be told what to do, if there is one.
///
/// Its program first says which Python it is. Then each line that it is sent has what to do and how often, and each of its answers is the nanoseconds that this took.
#[derive(Debug)]
pub(crate) struct Python(Option<RefCell<Running>>);

#[derive(Debug)]
struct Running {
    child: Child,
    answers: BufReader<ChildStdout>,
    /// What it has said first.
    version: String,
}

impl Python {
    pub(crate) fn start(program: &str) -> Self {
        Self(Running::start(program).map(RefCell::new))
    }

    /// What to say about it.
    pub(crate) fn report(&self) -> String {
        match &self.0 {
            Some(running) => format!("Python is {}.", running.borrow().version),
            None => "There is no python3 here, so it is not measured.".to_owned(),
        }
    }

    /// One that does what the program calls `work`, if there is a Python.
    pub(crate) fn contestant<'a>(
        &'a self,
        name: &'static str,
        work: &'static str,
    ) -> Option<Contestant<'a>> {
        let running = self.0.as_ref()?;
        Some(Contestant::new(name, move |count| running.borrow_mut().run(work, count)))
    }

    /// Whether it says that it has this.
    pub(crate) fn has(&self, what: &str) -> bool {
        self.0.as_ref().is_some_and(|running| running.borrow().version.contains(what))
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
    fn start(program: &str) -> Option<Self> {
        let mut child = Command::new("python3")
            .args(["-c", program])
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
