//! How long it takes to start a process and to have its result, beside a bare `fork`, and that it does not grow with the parent.

mod measure;

use measure::{Contestant, Goal, Pace, Row, Tail};
use psync::prelude::*;

#[process]
fn trivial(number: u32) -> u32 {
    number + 1
}

/// Starts `trivial` and waits for what it returns.
fn run(method: StartMethod) {
    let process = trivial::spawn_with(Options::new().start_method(method), 1);
    let result = process.expect("a process").join();
    assert_eq!(result.expect("a result"), 2);
}

/// A child that ends at once.
fn bare_fork() {
    let mut status = 0;
    // SAFETY: this process has one thread, and the child does nothing but end.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "no process");
    if pid == 0 {
        // SAFETY: ends the process without running anything of it.
        unsafe { libc::_exit(0) };
    }
    // SAFETY: `status` lives as long as the call.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert_eq!((waited, status), (pid, 0), "the child has ended");
}

fn command() {
    let status = std::process::Command::new("/bin/true").status();
    assert!(status.expect("a process").success());
}

/// One row per start method, each beside the same rounds of the peers.
fn compare(rounds: usize) -> Vec<Row> {
    let figures = measure::contest_of_singles(
        rounds,
        vec![
            Contestant::calls("fork", bare_fork),
            Contestant::calls("Command", command),
            Contestant::calls("ForkServer", || run(StartMethod::ForkServer)),
            Contestant::calls("Spawn", || run(StartMethod::Spawn)),
            Contestant::calls("Fork", || run(StartMethod::Fork)),
        ],
    );
    let (peers, ours) = figures.split_at(2);
    ours.iter()
        .map(|method| Row {
            work: method.name,
            figures: [std::slice::from_ref(method), peers].concat(),
            goal: if method.name == "ForkServer" { Goal::Times(1.2, "fork") } else { Goal::None },
        })
        .collect()
}

/// The median of one method by itself: a large fork in turn with it would leave it nothing in the caches.
fn alone(rounds: usize, method: StartMethod) -> f64 {
    let contestant = Contestant::calls("alone", || run(method));
    measure::contest_of_singles(rounds, vec![contestant])[0].median()
}

const PAGE: usize = 4096;
const LARGE: usize = 256 << 20;

fn main() {
    let pace = Pace::from_caller();
    let small = compare(pace.rounds(600));
    measure::print("Start and result of a trivial function", &small, Tail::P90);
    let small = alone(pace.rounds(600), StartMethod::ForkServer);

    let memory: Vec<u8> = (0..LARGE).map(|at| u8::from(at % PAGE == 0)).collect();
    let large = compare(pace.rounds(200));
    measure::print("The same from a parent that has touched 256 MiB", &large, Tail::P90);
    let large = alone(pace.rounds(600), StartMethod::ForkServer);
    std::hint::black_box(memory);
    println!(
        "\nForkServer by itself takes {:.2} times as long from the large parent.",
        large / small
    );
}
