//! Arbitrary bytes from another program where a manager's server expects a handshake, frames and requests.
//!
//! Besides errors and values it checks that a client takes away nothing that others hold, that nothing is left of one that has gone but what has a
//! name, and that of frames those arrive that were sent, in order, up to the first byte that is another.

use crate::{input::Input, memory};
use psync_runtime::manager::{
    ManagerError,
    fuzzing::{Frames, OWN, Visit, arrive, greet, knock},
};

/// What all may take besides what the input is worth: the objects of the server, and tables that grow.
const BASE: usize = 1 << 20;
/// A request for a new object needs four bytes of the input.
const EACH: usize = 512;
/// How many requests one input has, and how many frames.
const MOST: usize = 400;
const FRAMES: usize = 20;

/// The first byte says where the others arrive.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.byte();
    memory::at_most(BASE + EACH * data.len(), || match kind % 8 {
        0 => refused(greet(input.bytes(data.len()))),
        1 => refused(knock(input.bytes(data.len()))),
        2 | 3 => frames(&mut input),
        _ => requests(&mut input),
    });
}

fn refused(outcome: Result<(), ManagerError>) {
    let error = outcome.expect_err("nobody guesses what a random number was answered with");
    assert!(!error.to_string().is_empty());
}

/// Frames, some of which are not as they were sent.
fn frames(input: &mut Input<'_>) {
    let (mut sender, mut payloads) = (Frames::default(), Vec::new());
    let (mut sent, mut there) = (Vec::new(), Vec::new());
    for _ in 0..FRAMES {
        if input.is_empty() {
            break;
        }
        let (change, len) = (input.byte(), usize::from(input.byte()));
        let payload = input.bytes(len);
        if change % 8 == 0 {
            there.extend_from_slice(payload);
            continue;
        }
        let mut frame = sender.next(payload);
        sent.extend_from_slice(&frame);
        payloads.push((sent.len(), payload));
        let at = usize::from(input.byte()) % frame.len();
        match change % 8 {
            1 => frame[at] ^= 1 << (input.byte() % 8),
            2 => frame.truncate(at),
            3 => frame.extend_from_within(..),
            4 => frame.extend_from_within(at..),
            _ => {}
        }
        there.extend_from_slice(&frame);
    }
    let (arrived, error) = arrive(&there);
    assert!(!error.to_string().is_empty());
    let same = sent.iter().zip(&there).take_while(|(sent, there)| sent == there).count();
    let whole = payloads.iter().filter(|(end, _)| *end <= same).map(|(_, payload)| *payload);
    assert!(arrived.iter().map(Vec::as_slice).eq(whole), "{} frames arrived", arrived.len());
}

/// Requests of a client that knows the key.
fn requests(input: &mut Input<'_>) {
    let (mut visit, mut published, mut request) = (Visit::default(), 0, Vec::new());
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        request.clear();
        compose(input, &mut request);
        match visit.ask(&request) {
            Some(Ok(_)) => published += usize::from(request.first() == Some(&PUBLISH)),
            Some(Err(error)) => assert!(!error.to_string().is_empty()),
            None => {}
        }
        assert!(visit.len() >= OWN, "objects of others are gone");
    }
    let (own, others) = visit.leave();
    assert_eq!(own, OWN, "objects of others are gone");
    assert!(others <= published, "{others} objects are left, of which {published} were published");
}

const PUBLISH: u8 = 10;

/// Mostly what could be a request; or any bytes.
fn compose(input: &mut Input<'_>, request: &mut Vec<u8>) {
    let operation = input.byte();
    if operation >= 224 {
        let len = usize::from(input.byte());
        request.extend_from_slice(input.bytes(len));
        return;
    }
    request.extend_from_slice(&[operation % 13, 0, 0, 0]);
    request.extend_from_slice(&u32::from(input.byte() % 32).to_le_bytes());
    request.extend_from_slice(&number(input).to_le_bytes());
    let keep = if input.byte() == 255 { input.word() } else { 0 };
    request.extend_from_slice(&keep.to_le_bytes());
    for _ in 0..input.byte() % 8 {
        argument(input, request);
    }
}

/// A small one, or any.
fn number(input: &mut Input<'_>) -> u64 {
    match input.byte() {
        255 => input.word(),
        254 => u64::MAX - u64::from(input.byte()),
        small => u64::from(small % 24),
    }
}

/// A number, a value with its length in front, which may lie, or without.
fn argument(input: &mut Input<'_>, request: &mut Vec<u8>) {
    let kind = input.byte() % 8;
    if kind < 3 {
        request.extend_from_slice(&number(input).to_le_bytes());
        return;
    }
    let len = usize::from(input.byte() % 64);
    let bytes = input.bytes(len);
    match kind {
        3..=5 => request.extend_from_slice(&(bytes.len() as u64).to_le_bytes()),
        6 => request.extend_from_slice(&number(input).to_le_bytes()),
        _ => {}
    }
    request.extend_from_slice(bytes);
}
