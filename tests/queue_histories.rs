//! Recorded histories of a queue, checked: was there an order of the operations, within the time that each took, in which a plain queue would have answered
//! the same? And crowds: eight against eight, on all processors and on one.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::cast_possible_truncation, reason = "small numbers")]

mod common;

use common::watchdog;
use psync::prelude::*;
use std::{
    collections::{HashSet, VecDeque},
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

const MOST: usize = 4;
const OPERATIONS: usize = 10;
const ROUNDS: u64 = 400;
const CAPACITY: usize = 3;

/// What an operation was, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Did {
    Sent(u64),
    FoundFull,
    Received(u64),
    FoundEmpty,
}

/// One operation of a history, and the moments between which it took place.
#[derive(Clone, Copy, Debug)]
struct Operation {
    did: Did,
    start: u64,
    end: u64,
}

#[shared]
struct Board {
    clock: AtomicU64,
    /// Kind, value, start, end of each operation of each process.
    cells: [[[AtomicU64; 4]; OPERATIONS]; MOST],
}

fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

#[process]
fn act(queue: Queue<u64>, board: &Board, gate: &Barrier, me: usize) {
    let mut seed = 0x9e37_79b9_7f4a_7c15 ^ (me as u64 + 1);
    for round in 0..ROUNDS {
        gate.wait().expect("nobody dies");
        for (number, cell) in board.cells[me].iter().enumerate() {
            let value = round << 16 | (me << 8 | number) as u64;
            let sends = random(&mut seed).is_multiple_of(2);
            let start = board.clock.fetch_add(1, SeqCst);
            let (kind, value) = if sends {
                (u64::from(queue.try_send(value).is_err()), value)
            } else {
                queue.try_recv().map_or((3, 0), |value| (2, value))
            };
            let end = board.clock.fetch_add(1, SeqCst);
            for (cell, number) in cell.iter().zip([kind, value, start, end]) {
                cell.store(number, SeqCst);
            }
        }
        gate.wait().expect("nobody dies");
    }
}

fn history(board: &Board, processes: usize) -> Vec<Vec<Operation>> {
    let operation = |cell: &[AtomicU64; 4]| {
        let [kind, value, start, end] = cell.each_ref().map(|cell| cell.load(SeqCst));
        let did = match kind {
            0 => Did::Sent(value),
            1 => Did::FoundFull,
            2 => Did::Received(value),
            _ => Did::FoundEmpty,
        };
        Operation { did, start, end }
    };
    board.cells[..processes].iter().map(|all| all.iter().map(operation).collect()).collect()
}

/// What a plain queue holds after `did`; `None` if it would have answered otherwise.
fn after(queue: &VecDeque<u64>, did: Did) -> Option<VecDeque<u64>> {
    let mut queue = queue.clone();
    let agrees = match did {
        Did::Sent(value) => {
            queue.push_back(value);
            queue.len() <= CAPACITY
        }
        Did::FoundFull => queue.len() == CAPACITY,
        Did::Received(value) => queue.pop_front() == Some(value),
        Did::FoundEmpty => queue.is_empty(),
    };
    agrees.then_some(queue)
}

/// Every content that the queue may have after the history, one of them at least if there is an order that explains it.
fn explanations(history: &[Vec<Operation>], before: &VecDeque<u64>) -> HashSet<VecDeque<u64>> {
    let mut open = vec![(vec![0; history.len()], before.clone())];
    let mut seen = HashSet::new();
    let mut found = HashSet::new();
    while let Some((at, queue)) = open.pop() {
        if !seen.insert((at.clone(), queue.clone())) {
            continue;
        }
        let next = |process: usize| history[process].get(at[process]);
        let Some(first_end) = (0..history.len()).filter_map(next).map(|one| one.end).min() else {
            found.insert(queue);
            continue;
        };
        for process in 0..history.len() {
            // Whatever began after something else had ended comes behind it.
            let Some(one) = next(process).filter(|one| one.start <= first_end) else { continue };
            if let Some(queue) = after(&queue, one.did) {
                let mut at = at.clone();
                at[process] += 1;
                open.push((at, queue));
            }
        }
    }
    found
}

#[test]
fn the_checker_knows_right_from_wrong() {
    let operation = |did, start, end| Operation { did, start, end };
    let nothing = VecDeque::new();
    let right = [
        vec![operation(Did::Sent(1), 0, 5), operation(Did::Sent(2), 6, 7)],
        vec![operation(Did::FoundEmpty, 1, 2), operation(Did::Received(1), 3, 8)],
    ];
    assert_eq!(explanations(&right, &nothing), HashSet::from([VecDeque::from([2])]));
    let overtaken = [
        vec![operation(Did::Sent(1), 0, 1), operation(Did::Sent(2), 2, 3)],
        vec![operation(Did::Received(2), 4, 5), operation(Did::Received(1), 6, 7)],
    ];
    let late = [vec![operation(Did::Sent(1), 0, 1)], vec![operation(Did::FoundEmpty, 2, 3)]];
    let doubled = [
        vec![operation(Did::Sent(1), 0, 1)],
        vec![operation(Did::Received(1), 2, 3), operation(Did::Received(1), 4, 5)],
    ];
    for wrong in [&overtaken[..], &late[..], &doubled[..]] {
        assert!(explanations(wrong, &nothing).is_empty(), "{wrong:?}");
    }
}

#[test]
fn every_history_has_an_explanation() {
    let _watchdog = watchdog();
    for processes in 2..=MOST {
        let board = Shared::new(Board::default()).expect("memory");
        let gate = Shared::new(Barrier::new(processes + 1)).expect("memory");
        let queue = Queue::bounded(CAPACITY).expect("memory");
        let children: Vec<_> = (0..processes)
            .map(|me| act::spawn(queue.clone(), &board, &gate, me).expect("starts"))
            .collect();
        let mut content = HashSet::from([VecDeque::new()]);
        for round in 0..ROUNDS {
            gate.wait().expect("nobody dies");
            gate.wait().expect("nobody dies");
            let history = history(&board, processes);
            content = content.iter().flat_map(|one| explanations(&history, one)).collect();
            assert!(!content.is_empty(), "round {round} of {processes}: {history:#?}");
        }
        for child in children {
            child.join().expect("ends");
        }
        assert!(content.iter().any(|content| content.len() == queue.len()));
    }
}

/// Stays on the first processor that this process may use.
fn stay_on_the_first_processor() {
    // SAFETY: zeros are the empty set.
    let mut set: libc::cpu_set_t = unsafe { core::mem::zeroed() };
    // SAFETY: asks about this thread.
    unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    // SAFETY: looks into the set.
    let first = (0..1024).find(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) }).expect("one");
    // SAFETY: changes the set.
    unsafe { libc::CPU_ZERO(&mut set) };
    // SAFETY: as above.
    unsafe { libc::CPU_SET(first, &mut set) };
    // SAFETY: for this thread.
    assert_eq!(unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) }, 0);
}

const EACH: u64 = 1_000;

#[process]
fn produce(queue: Queue<(u64, u64, String)>, me: u64, alone: bool) {
    if alone {
        stay_on_the_first_processor();
    }
    for number in 0..EACH {
        queue.send((me, number, "x".repeat((number % 50) as usize))).expect("received");
    }
}

/// How many of each producer's messages came here, in their order.
#[process]
fn consume(queue: Queue<(u64, u64, String)>, alone: bool) -> [u64; 8] {
    if alone {
        stay_on_the_first_processor();
    }
    let (mut counts, mut next) = ([0; 8], [0; 8]);
    for (producer, number, text) in &queue {
        let producer = producer as usize;
        assert!(number >= next[producer] && text.len() == (number % 50) as usize);
        next[producer] = number + 1;
        counts[producer] += 1;
    }
    counts
}

#[test]
fn eight_send_to_eight_on_all_processors_and_on_one() {
    let _watchdog = watchdog();
    for alone in [false, true] {
        let queue = Queue::bounded(16).expect("memory");
        let consumers: Vec<_> =
            (0..8).map(|_| consume::spawn(queue.clone(), alone).expect("starts")).collect();
        let producers: Vec<_> =
            (0..8).map(|me| produce::spawn(queue.clone(), me, alone).expect("starts")).collect();
        for producer in producers {
            producer.join().expect("ends");
        }
        queue.close();
        let mut all = [0; 8];
        for consumer in consumers {
            let counts = consumer.join().expect("ends");
            all.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
        }
        assert_eq!(all, [EACH; 8]);
    }
}
