//! Workers of a `parallel!` are killed: each death costs the item that ran, and nothing is run twice or left.

mod killing;

use killing::{Random, Traces, Watchdog, poll_for, rounds, spin};
use psync::{ParallelError, prelude::*};
use std::{
    sync::{
        Mutex as StdMutex, PoisonError,
        atomic::{AtomicI32, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

/// There is one supervisor in this program.
static ALONE: StdMutex<()> = StdMutex::new(());

const ITEMS: usize = 24;

#[shared]
#[derive(Debug)]
struct Board {
    /// Who has begun with which item.
    pids: [AtomicI32; ITEMS],
    begun: [AtomicU32; ITEMS],
    ended: [AtomicU32; ITEMS],
    over: AtomicU32,
}

impl Board {
    fn pid(&self, item: usize) -> i32 {
        self.pids[item].load(SeqCst)
    }
}

#[process]
fn work(board: &Board, item: usize) -> usize {
    board.pids[item].store(psync::current().pid(), SeqCst);
    board.begun[item].fetch_add(1, SeqCst);
    spin(Duration::from_micros(100));
    board.ended[item].fetch_add(1, SeqCst);
    item
}

/// The same without anything that is lent, so that items share batches.
#[process]
fn work_alone(item: usize) -> (usize, i32) {
    spin(Duration::from_micros(100));
    (item, psync::current().pid())
}

/// Plays rounds of a `parallel!`, of which the workers are killed one after the other by `killer`; it is given the pids that have died.
fn play(
    name: &'static str,
    times: usize,
    run: fn(&Board) -> Result<Vec<usize>, ParallelError>,
    is_with_supervisor: bool,
    check: impl Fn(&Board, Result<Vec<usize>, ParallelError>, &[i32]),
) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new(name);
    psync::spawn(|()| (), ()).expect("starts").join().expect("ends");
    let traces = Traces::now();
    let mut random = Random::new();
    let mut lost = 0;
    for round in 0..times {
        watchdog.step(format!("round {round}, seed {}", random.seed));
        let board = Shared::new(Board::default()).expect("memory");
        let mut killer_random = random.clone();
        random.next();
        let (value, killed) = std::thread::scope(|scope| {
            let killer = scope.spawn(|| {
                let mut killed = Vec::new();
                for _ in 0..=killer_random.below(3) {
                    let item = usize::try_from(killer_random.below(ITEMS as u64)).expect("small");
                    let is_over = || board.over.load(SeqCst) != 0;
                    let begun = || board.pid(item) != 0 || is_over();
                    assert!(poll_for(killing::HANG / 2, begun), "it never began");
                    spin(killer_random.moment(round, times, Duration::from_micros(400)));
                    if is_over() {
                        break;
                    }
                    killed.push(board.pid(item));
                    killing::kill(board.pid(item));
                    if is_with_supervisor && let Some(pid) = psync::__private::supervisor_pid() {
                        killing::kill(pid);
                    }
                }
                killed
            });
            let value = run(&board);
            board.over.store(1, SeqCst);
            (value, killer.join().expect("it kills"))
        });
        lost += value.as_ref().map_or_else(|error| error.failures().len(), |_| 0);
        check(&board, value, &killed);
        assert!(board.begun.iter().all(|count| count.load(SeqCst) <= 1), "an item ran twice");
        assert!(psync::active_children().is_empty());
    }
    println!("{name}: {lost} items lost in {times} rounds");
    assert!(lost > 0, "nobody was ever hit");
    traces.check(0).expect("nothing is left");
}

fn finished(board: &Board) -> Result<Vec<usize>, ParallelError> {
    parallel! {
        with workers = 3, on_failure = finish;
        for item in 0..ITEMS => work(board, item)
    }
}

fn cancelled(board: &Board) -> Result<Vec<usize>, ParallelError> {
    parallel! {
        with workers = 3, grace = Duration::from_millis(5);
        for item in 0..ITEMS => work(board, item)
    }
}

/// Whether exactly what the error names is missing.
fn check_finished(
    board: &Board,
    value: Result<Vec<usize>, ParallelError>,
    killed: &[i32],
    is_known: bool,
) {
    match value {
        Ok(all) => assert_eq!(all, (0..ITEMS).collect::<Vec<_>>()),
        Err(error) => {
            for failure in error.failures() {
                let item = failure.index.expect("an item");
                assert!(killed.contains(&failure.error.pid()), "{error}");
                assert!(matches!(board.pid(item), 0) || failure.error.pid() == board.pid(item));
                match failure.error {
                    ProcessError::Signaled { signal: libc::SIGKILL, .. } => {}
                    ProcessError::Lost { .. } if !is_known => {}
                    _ => panic!("{error}"),
                }
            }
            let lost = |item| error.failures().iter().any(|failure| failure.index == Some(item));
            for item in (0..ITEMS).filter(|item| !lost(*item)) {
                assert_eq!(board.ended[item].load(SeqCst), 1, "item {item}: {error}");
            }
            assert!(error.failures().len() <= killed.len(), "{error}");
        }
    }
}

#[test]
fn a_dead_worker_costs_its_item() {
    let name = "a_dead_worker_costs_its_item";
    play(name, rounds(100), finished, false, |board, value, killed| {
        check_finished(board, value, killed, true);
    });
}

#[test]
fn a_dead_worker_is_replaced_without_a_supervisor() {
    let name = "a_dead_worker_is_replaced_without_a_supervisor";
    play(name, rounds(20), finished, true, |board, value, killed| {
        check_finished(board, value, killed, false);
    });
}

#[test]
fn a_dead_worker_cancels_the_other_items() {
    let name = "a_dead_worker_cancels_the_other_items";
    play(name, rounds(100), cancelled, false, |board, value, killed| match value {
        Ok(all) => assert_eq!(all, (0..ITEMS).collect::<Vec<_>>()),
        Err(error) => {
            let first = &error.failures()[0];
            assert!(killed.contains(&first.error.pid()), "{error}");
            assert!(
                matches!(first.error, ProcessError::Signaled { signal: libc::SIGKILL, .. }),
                "{error}"
            );
            let begun = board.begun.iter().filter(|count| count.load(SeqCst) > 0).count();
            let named = error.failures().iter().filter(|failure| failure.index.is_some()).count();
            let ended = board.ended.iter().filter(|count| count.load(SeqCst) > 0).count();
            assert!(named + ended >= begun, "of some that began nothing is known: {error}");
        }
    });
}

/// Of a batch, too, only the item that ran is lost.
#[test]
fn a_dead_worker_costs_one_item_of_its_batch() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("a_dead_worker_costs_one_item_of_its_batch");
    let mut random = Random::new();
    for round in 0..rounds(50) {
        watchdog.step(format!("round {round}, seed {}", random.seed));
        let victim = usize::try_from(random.below(ITEMS as u64)).expect("small");
        let error = parallel! {
            with workers = 2, chunk = 8, on_failure = finish;
            for item in 0..ITEMS => process(item, victim) {
                if item == victim {
                    killing::kill(killing::own_pid());
                }
                work_alone(item)
            }
        }
        .expect_err("one is killed");
        let [failure] = error.failures() else { panic!("{error}") };
        assert_eq!((failure.index, &*failure.name), (Some(victim), "process"), "{error}");
    }
}
