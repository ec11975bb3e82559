//! The supervisor, its ready children and children that are just starting are killed: nobody else dies, results arrive, and every start
//! has an end.

mod killing;

use killing::{
    HANG, Random, Traces, Watchdog, descendants, largest, median, micros, own_pid, poll_for, rounds,
};
use psync::{Process, ProcessError, Shared, SpawnError, prelude::*};
use std::{
    collections::HashSet,
    sync::{
        Mutex as StdMutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

/// There is one supervisor in this program.
static ALONE: StdMutex<()> = StdMutex::new(());

#[shared]
struct Gate {
    open: Event,
}

#[process]
fn double(n: u64) -> u64 {
    2 * n
}

#[process]
fn double_later(gate: &Gate, n: u64) -> u64 {
    gate.open.wait();
    2 * n
}

/// Large enough to go through the store.
#[process]
fn fill(gate: &Gate, n: u8) -> Vec<u8> {
    gate.open.wait();
    vec![n; 100_000]
}

fn supervisor() -> Option<i32> {
    psync::__private::supervisor_pid()
}

/// The supervisor's children that wait for a start.
fn ready_children() -> Vec<i32> {
    let Some(supervisor) = supervisor() else { return Vec::new() };
    let children = descendants(supervisor).into_iter();
    children
        .filter(|seen| seen.name == "psync-super" && !seen.zombie)
        .map(|seen| seen.pid)
        .collect()
}

#[test]
fn running_work_survives_the_supervisor() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("running_work_survives_the_supervisor");
    double::run(1).expect("a first start");
    let traces = Traces::now();
    let count = rounds(100);
    let mut random = Random::new();
    let mut times = Vec::new();
    for round in 0..count {
        watchdog.step(format!("round {round}, seed {}", random.seed));
        let gate = Shared::new(Gate::default()).expect("memory");
        let small: Vec<_> =
            (0..3).map(|n| double_later::spawn(&gate, n).expect("starts")).collect();
        let large = fill::spawn(&gate, 7).expect("starts");
        killing::spin(random.moment(round, count, Duration::from_millis(2)));
        if random.below(2) == 0 {
            gate.open.set();
        }
        let victim = supervisor().expect("it was launched");
        let begin = Instant::now();
        killing::kill(victim);
        assert_eq!(double::run(21).expect("the next start works"), 42);
        times.push(begin.elapsed());
        gate.open.set();
        for (n, process) in small.into_iter().enumerate() {
            assert_eq!(process.join().expect("it goes on"), 2 * n as u64);
        }
        assert_eq!(large.join().expect("it goes on"), vec![7; 100_000]);
        assert_ne!(supervisor(), Some(victim));
    }
    println!(
        "next start done after the supervisor's death: {} (worst {})",
        micros(median(&mut times)),
        micros(largest(&times))
    );
    traces.check(0).expect("nothing is left");
}

/// Four threads start processes until told to stop; returns how many ended well.
///
/// A process may have been killed only if its pid is in `killed`; that its start failed is never excused.
fn while_four_start(
    watchdog: &Watchdog,
    killed: &StdMutex<HashSet<i32>>,
    mut harm: impl FnMut(usize),
    times: usize,
) -> usize {
    let (stop, ended) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let starters: Vec<_> = (0..4_u64)
            .map(|thread| {
                let (stop, ended) = (&stop, &ended);
                scope.spawn(move || {
                    let mut n = thread << 32;
                    while !stop.load(SeqCst) {
                        n += 1;
                        let process = double::spawn(n).expect("every start succeeds");
                        let was_killed = |pid| {
                            killed.lock().unwrap_or_else(PoisonError::into_inner).contains(pid)
                        };
                        match process.join() {
                            Ok(result) => assert_eq!(result, 2 * n),
                            Err(ProcessError::Signaled { pid, .. }) if was_killed(&pid) => {}
                            Err(error) => panic!("{error}"),
                        }
                        ended.fetch_add(1, SeqCst);
                    }
                })
            })
            .collect();
        for round in 0..times {
            watchdog.step(format!("round {round}"));
            let before = ended.load(SeqCst);
            harm(round);
            let goes_on = || {
                ended.load(SeqCst) >= before + 4
                    || starters.iter().any(std::thread::ScopedJoinHandle::is_finished)
            };
            assert!(poll_for(HANG / 2, goes_on), "starts are blocked");
        }
        stop.store(true, SeqCst);
        for starter in starters {
            starter.join().expect("all starts succeeded");
        }
    });
    ended.load(SeqCst)
}

#[test]
fn starts_survive_the_supervisor() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("starts_survive_the_supervisor");
    double::run(1).expect("a first start");
    let traces = Traces::now();
    let mut random = Random::new();
    println!("seed {}", random.seed);
    let count = rounds(100);
    let harm = |round| {
        killing::spin(random.moment(round, count, Duration::from_millis(2)));
        if let Some(pid) = supervisor() {
            killing::kill(pid);
        }
    };
    let ended = while_four_start(&watchdog, &StdMutex::default(), harm, count);
    println!("{count} dead supervisors, {ended} starts");
    traces.check(0).expect("nothing is left");
}

#[test]
fn starts_survive_ready_children() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("starts_survive_ready_children");
    double::run(1).expect("a first start");
    let traces = Traces::now();
    let mut killed = 0;
    // Alone, ready children are surely still waiting when they are killed; what follows must find others.
    for _ in 0..rounds(100) {
        watchdog.step("a start after the death of all ready children");
        let ready = ready_children();
        killed += ready.len();
        ready.into_iter().for_each(killing::kill);
        assert_eq!(double::run(4).expect("the start succeeds"), 8);
    }
    // While starts go on, some of them are just taking one on.
    let mut random = Random::new();
    let deaths = StdMutex::new(HashSet::new());
    let count = rounds(100);
    let harm = |round| {
        killing::spin(random.moment(round, count, Duration::from_millis(2)));
        for pid in ready_children() {
            deaths.lock().unwrap_or_else(PoisonError::into_inner).insert(pid);
            killing::kill(pid);
        }
    };
    let ended = while_four_start(&watchdog, &deaths, harm, count);
    killed += deaths.lock().unwrap_or_else(PoisonError::into_inner).len();
    println!("{killed} dead ready children, {ended} starts, seed {}", random.seed);
    traces.check(0).expect("nothing is left");
}

#[test]
fn a_child_that_dies_while_it_starts_is_reported() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("a_child_that_dies_while_it_starts_is_reported");
    double::run(1).expect("a first start");
    let traces = Traces::now();
    let mut random = Random::new();
    println!("seed {}", random.seed);
    let (mut results, mut signaled, mut refused) = (0, 0, 0);
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let begin = Instant::now();
        let start = || double::spawn_with(Options::new().start_method(method), 4);
        let count = rounds(100);
        assert_eq!(start().expect("starts").join().expect("ends"), 8);
        let span = begin.elapsed() * 2;
        for round in 0..count {
            watchdog.step(format!("{method:?}, round {round}"));
            let (done, moment) = (AtomicBool::new(false), random.moment(round, count, span));
            let outcome = std::thread::scope(|scope| {
                scope.spawn(|| {
                    killing::spin(moment);
                    kill_any_child(&done);
                });
                let outcome = start().map(Process::join);
                done.store(true, SeqCst);
                outcome
            });
            match outcome {
                Ok(Ok(8)) => results += 1,
                Ok(Err(ProcessError::Signaled { signal: libc::SIGKILL, .. })) => signaled += 1,
                Err(SpawnError::Lost) => refused += 1,
                other => panic!("round {round}: {other:?}"),
            }
        }
    }
    println!("{results} results, {signaled} reported deaths, {refused} refused starts");
    traces.check(0).expect("nothing is left");
}

/// Kills children of the supervisor, whatever they are doing, but not the supervisor.
fn kill_any_child(done: &AtomicBool) {
    let Some(supervisor) = supervisor() else { return };
    for child in descendants(own_pid()) {
        if child.parent == supervisor && !child.zombie && !done.load(SeqCst) {
            killing::kill(child.pid);
        }
    }
}
