//! A queue whose memory is out of reach, as its proxy sees it: the server does there what it is asked for. It never waits for long, so whoever waits asks again.

use crate::{
    channel::{RecvError, SendErrorKind},
    manager::{
        Item, ManagerError,
        held::Held,
        object::queue::{Method, PATIENCE},
        wire::{cut_short, put_last, put_number, take_flag, take_last, take_nothing},
    },
    sys::clock::Deadline,
};

use super::{nothing, take_len};

/// How long one call may wait.
fn patience(until: Deadline) -> u64 {
    let left = until.remaining().map_or(PATIENCE, |left| left.min(PATIENCE));
    // Less than the clock of a call can tell is no reason to ask without waiting.
    u64::try_from(left.as_micros().div_ceil(1000)).unwrap_or(0)
}

/// Sends a value, waiting for room until then.
pub(super) fn send<T: Item>(held: &Held, value: &T, until: Deadline) -> Result<(), ManagerError> {
    loop {
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, patience(until));
            put_last(bytes, value)
        };
        let sent: Result<(), SendErrorKind> =
            held.call::<T, _>(Method::Send as u32, write, take_last)?;
        match sent {
            Err(SendErrorKind::Full) if !until.is_over() => {}
            sent => return Ok(sent?),
        }
    }
}

/// Receives a message, waiting for one until then.
pub(super) fn receive<T: Item>(held: &Held, until: Deadline) -> Result<T, ManagerError> {
    let read = |bytes: &[u8]| match bytes.split_first() {
        Some((0, error)) => Err(take_last::<RecvError>(error)?.into()),
        Some((_, value)) => take_last(value),
        None => Err(cut_short()),
    };
    loop {
        match held.call::<T, _>(Method::Receive as u32, nothing, read) {
            Err(ManagerError::NotReceived(RecvError::Empty)) if !until.is_over() => {}
            received => return received,
        }
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, patience(until));
            Ok(())
        };
        held.call::<T, _>(Method::Await as u32, write, take_nothing)?;
    }
}

pub(super) fn len<T: Item>(held: &Held) -> Result<usize, ManagerError> {
    held.call::<T, _>(Method::Len as u32, nothing, take_len)
}

pub(super) fn is_full<T: Item>(held: &Held) -> Result<bool, ManagerError> {
    held.call::<T, _>(Method::IsFull as u32, nothing, take_flag)
}

pub(super) fn close<T: Item>(held: &Held) -> Result<(), ManagerError> {
    held.call::<T, _>(Method::Close as u32, nothing, take_nothing)
}
