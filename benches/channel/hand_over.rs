//! Large data that is not copied: written in shared memory, handed over by its handle, and read there.

use super::measure::{Contestant, Goal, Pace, Row, contest_of_singles};
use psync::prelude::*;
use std::{sync::mpsc, time::Duration};

const LARGE: usize = (64 << 20) / 8;
const SMALL: usize = (4 << 10) / 8;

/// Sums what it is handed, and says the sum.
#[process]
fn sum_up(arrays: Queue<Array<u64>>, sums: Queue<u64>) {
    for array in &arrays {
        sums.send(sum(&array.lock().expect("nobody died"))).expect("somebody waits");
    }
}

/// Takes what it is handed, looks at one number, and says it.
#[process]
fn look(arrays: Queue<Array<u64>>, sums: Queue<u64>) {
    for array in &arrays {
        sums.send(array.lock().expect("nobody died")[0]).expect("somebody waits");
    }
}

fn fill(numbers: &mut [u64], with: u64) {
    numbers.fill(with);
}

fn sum(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |sum, number| sum.wrapping_add(*number))
}

type Start = fn(Queue<Array<u64>>, Queue<u64>) -> Result<Process<()>, SpawnError>;

/// The same memory again and again, as a program would use it: the first time, its pages have to be made.
fn ours<'a>(len: usize, start: Start, fills: bool) -> Contestant<'a> {
    let array = Array::zeroed(len).expect("memory");
    let (arrays, sums) = (Queue::bounded(8).expect("memory"), Queue::bounded(8).expect("memory"));
    start(arrays.clone(), sums.clone()).expect("starts");
    let mut round = 0;
    Contestant::calls("psync", move || {
        round += 1;
        if fills {
            fill(&mut array.lock().expect("nobody died"), round);
        }
        arrays.send(array.clone()).expect("room");
        sums.recv().expect("an answer");
    })
}

/// A vector that goes to a thread and back.
fn threads<'a>(len: usize) -> Contestant<'a> {
    let (there, take) = mpsc::channel::<Vec<u64>>();
    let (give, back) = mpsc::channel();
    std::thread::spawn(move || {
        for numbers in take {
            let sum = sum(&numbers);
            if give.send((numbers, sum)).is_err() {
                break;
            }
        }
    });
    let mut kept = Some(vec![0; len]);
    let mut round = 0;
    Contestant::calls("std mpsc", move || {
        round += 1;
        let mut numbers = kept.take().expect("it came back");
        fill(&mut numbers, round);
        there.send(numbers).expect("the partner");
        kept = Some(back.recv().expect("an answer").0);
    })
}

/// One that is written and read where it is: what it costs at least.
fn alone<'a>(len: usize) -> Contestant<'a> {
    let mut numbers = vec![0; len];
    let mut round = 0;
    Contestant::calls("fill and sum alone", move || {
        round += 1;
        fill(&mut numbers, round);
        std::hint::black_box(sum(std::hint::black_box(&numbers)));
    })
}

pub(crate) fn rows(pace: &Pace) -> Vec<Row> {
    let millis = |millis| Goal::Nanos(Duration::from_millis(millis).as_secs_f64() * 1e9);
    let whole = vec![ours(LARGE, sum_up::spawn, true), threads(LARGE), alone(LARGE)];
    let only = |len| vec![ours(len, look::spawn, false)];
    let row = |work, figures, goal| Row { work, figures, goal };
    vec![
        row("64 MiB: fill, hand over, sum", contest_of_singles(pace.rounds(60), whole), millis(2)),
        row(
            "64 MiB: hand over, answer",
            contest_of_singles(pace.rounds(2_000), only(LARGE)),
            Goal::Nanos(50_000.0),
        ),
        row(
            "4 KiB: hand over, answer",
            contest_of_singles(pace.rounds(2_000), only(SMALL)),
            Goal::Nanos(50_000.0),
        ),
    ]
}
