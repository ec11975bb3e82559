//! A message there and another back: while both sides are awake, and after both have slept.

use super::{
    measure::{Contestant, Goal, Pace, Row, contest, contest_of_singles},
    peers::{self, Peer},
};
use psync::prelude::*;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

#[process]
fn answer(there: Queue<u64>, back: Queue<u64>) {
    for number in &there {
        back.send(number + 1).expect("somebody waits");
    }
}

#[process]
fn answer_on_a_pipe(line: Connection<u64, u64>) {
    while let Ok(number) = line.recv() {
        line.send(&(number + 1)).expect("somebody waits");
    }
}

fn queues<'a>() -> Contestant<'a> {
    let (there, back) = (Queue::bounded(8).expect("memory"), Queue::bounded(8).expect("memory"));
    answer::spawn(there.clone(), back.clone()).expect("starts");
    Contestant::calls("psync", move || {
        there.send(1).expect("room");
        back.recv().expect("an answer");
    })
}

fn pipes<'a>() -> Contestant<'a> {
    let (ours, theirs) = pipe().expect("descriptors");
    answer_on_a_pipe::spawn(theirs).expect("starts");
    Contestant::calls("psync pipe", move || {
        ours.send(&1).expect("room");
        ours.recv().expect("an answer");
    })
}

/// The least that threads which sleep can do: a word each, and the kernel.
fn words<'a>() -> Contestant<'a> {
    let words = Arc::new([const { AtomicU32::new(0) }; 2]);
    let theirs = Arc::clone(&words);
    std::thread::spawn(move || {
        for turn in 1.. {
            wait_for(&theirs[0], turn);
            store(&theirs[1], turn);
        }
    });
    let mut turn = 0;
    Contestant::calls("futex", move || {
        turn += 1;
        store(&words[0], turn);
        wait_for(&words[1], turn);
    })
}

fn store(word: &AtomicU32, turn: u32) {
    word.store(turn, Ordering::Release);
    // SAFETY: wakes whoever sleeps on a live word.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
}

fn wait_for(word: &AtomicU32, turn: u32) {
    while word.load(Ordering::Acquire) != turn {
        let none = std::ptr::null::<libc::timespec>();
        // SAFETY: sleeps on a live word, as long as it is what the other has not stored yet.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, turn - 1, none) };
    }
}

fn threads<'a>((name, make): Peer<u64>) -> Contestant<'a> {
    let ((mut there, mut take), (mut give, mut back)) = (make(), make());
    std::thread::spawn(move || {
        while let Some(number) = take() {
            give(number + 1);
        }
    });
    Contestant::calls(name, move || {
        there(1);
        back().expect("an answer");
    })
}

fn all<'a>() -> Vec<Contestant<'a>> {
    let peers = peers::threads().into_iter().chain(peers::processes());
    // One that never sleeps would keep a processor from the others.
    let peers = peers.filter(|(name, _)| *name != "rtrb");
    [queues(), pipes()].into_iter().chain(peers.map(threads)).chain([words()]).collect()
}

pub(crate) fn rows(pace: &Pace) -> Vec<Row> {
    let awake = contest(pace.rounds(40), Duration::from_millis(5), all());
    let asleep = contest_of_singles(pace.rounds(2_000), all());
    vec![
        Row { work: "8 B, awake", figures: awake, goal: Goal::Nanos(400.0) },
        Row { work: "8 B, asleep", figures: asleep, goal: Goal::Ahead(&["ipc-channel", "pipe"]) },
    ]
}
