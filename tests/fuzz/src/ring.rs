//! Arbitrary words in the memory of a queue, between the operations of a handle.
//!
//! The input is a program: send, receive, look, write a word somewhere. What is left alone are the words that say who is inside a side (a lock and
//! its bias): like every lock they are taken at their word, and whoever writes that somebody is inside has others wait for him.

use crate::{
    input::Input,
    memory,
    subjects::{Ends, LONGEST, Subject, Work},
    values::Mixed,
};
use core::time::Duration;
use nix::sys::{
    stat::fstat,
    uio::{pread, pwrite},
};
use psync_runtime::{
    channel::{
        Queue, WorkQueue, channel,
        fuzzing::{CHUNK_LEN, DOORS, EXTENTS_AT, HANDS_TABLE, HEAD_AT, LOG_AT, PRESENCE_AT, SEATS},
    },
    process::wait_any,
};
use std::os::fd::BorrowedFd;

/// What an operation may take besides what it is given: a message that is damaged, but within the memory of its queue, is decoded.
const BASE: usize = 32 << 20;
/// How many operations one input has.
const MOST: u32 = 200;
/// What the operations on a damaged queue may reserve each, and what the head takes.
const EACH: u64 = (700 << 10) + LONGEST as u64;
const AT_FIRST: u64 = 2 << 20;

/// Plays the program.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.byte();
    let capacity = usize::from(kind >> 4);
    match kind & 7 {
        0 => play(queue::<Vec<u64>>(capacity), input),
        1 => play(queue::<u64>(capacity), input),
        2 => play(queue::<String>(capacity), input),
        3 => play(queue::<Mixed>(capacity), input),
        4 => play(work::<Mixed>(capacity), input),
        5 => play(work::<Vec<u64>>(capacity), input),
        6 => play(ends::<Mixed>(capacity), input),
        _ => play(ends::<String>(capacity), input),
    }
}

fn queue<T>(capacity: usize) -> Queue<T> {
    if capacity == 0 { Queue::unbounded() } else { Queue::bounded(capacity) }.expect("memory")
}

fn work<T>(capacity: usize) -> Work<T> {
    let jobs = WorkQueue::unbounded().expect("memory");
    Work(if capacity == 0 { jobs } else { jobs.with_max_attempts(2) }, Vec::new())
}

fn ends<T>(capacity: usize) -> Ends<T> {
    let (sender, receiver) = channel(capacity.max(1)).expect("memory");
    Ends(sender, receiver)
}

fn play(mut subject: impl Subject, mut input: Input<'_>) {
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        memory::at_most(BASE, || step(&mut subject, &mut input));
    }
    let held = fstat(subject.file()).expect("a file").st_blocks.unsigned_abs() * 512;
    // Somebody who is written to be there would have what was sent kept for him.
    pwrite(subject.file(), [[0; 8]; PLACES].as_flattened(), PRESENCE_AT.start.cast_signed())
        .expect("writes");
    assert!(held <= AT_FIRST + EACH * u64::from(MOST), "the queue has {held} bytes");
}

fn step(subject: &mut impl Subject, input: &mut Input<'_>) {
    match input.byte() % 16 {
        0..=2 => drop(subject.send(input)),
        3..=5 => drop(subject.receive()),
        6 => subject.receive_many(),
        7 => drop(subject.look()),
        8 => drop(wait_any(&[subject.waitable()], Some(Duration::ZERO))),
        9 => subject.close(),
        10 => subject.other(0),
        11 => subject.other(1),
        _ => scribble(subject.file(), input),
    }
}

/// How many words of the hands and of the table of presence are written to.
const PLACES: usize = 512;

/// Writes a word somewhere.
fn scribble(file: BorrowedFd<'_>, input: &mut Input<'_>) {
    let place = place(input);
    if is_door(place) {
        return;
    }
    let offset = i64::try_from(place).expect("inside of the file");
    let mut before = [0; 8];
    pread(file, &mut before, offset).expect("reads");
    let word = word(u64::from_le_bytes(before), input);
    pwrite(file, &word.to_le_bytes(), offset).expect("writes");
}

/// Mostly where something lies.
fn place(input: &mut Input<'_>) -> u64 {
    let within = |part: &core::ops::Range<u64>, at: u64| part.start + at % (part.end - part.start);
    match input.byte() % 8 {
        0..=2 => within(&HEAD_AT, input.short() * 8),
        3 | 4 => LOG_AT + input.short() * 8 % CHUNK_LEN,
        5 => LOG_AT + u64::from(input.byte() % 4) * CHUNK_LEN - 8 * u64::from(input.byte()),
        6 => within(&HANDS_TABLE, input.short() % PLACES as u64 * 8),
        _ => within(&PRESENCE_AT, input.short() % PLACES as u64 * 8),
    }
}

/// A number that means something, near one, or any.
fn word(before: u64, input: &mut Input<'_>) -> u64 {
    let near = u64::from(input.byte() % 32).wrapping_sub(16);
    match input.byte() % 10 {
        0 => near.wrapping_add(16),
        1 => before.wrapping_add(near),
        2 => before.wrapping_add(near.wrapping_mul(8)),
        3 => before ^ (1 << (input.byte() % 64)),
        4 => LOG_AT.wrapping_add(near.wrapping_mul(8)),
        5 => LOG_AT.wrapping_add(near.wrapping_mul(CHUNK_LEN)),
        6 => near.wrapping_add(LOG_AT / CHUNK_LEN),
        7 => EXTENTS_AT.start.wrapping_add(near.wrapping_mul(4096)),
        8 => EXTENTS_AT.end.wrapping_add(near.wrapping_mul(8)),
        _ => input.word(),
    }
}

fn is_door(place: u64) -> bool {
    let (entry, seats) = SEATS;
    DOORS.iter().any(|door| door.contains(&place) || door.contains(&(place + 7)))
        || PRESENCE_AT.contains(&place) && {
            let at = (place - PRESENCE_AT.start) % entry;
            seats.contains(&at) || seats.contains(&(at + 7))
        }
}
