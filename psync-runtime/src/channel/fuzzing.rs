//! What the fuzz targets need of the inside: the codec by itself, and where things lie in the memory of a queue.
#![allow(missing_docs, reason = "for the fuzz targets of this repository only")]

use super::{
    Queue, Receiver, WorkQueue, codec,
    core::{Core, HANDS_AT, HEAD, PRESENCE},
    raw::{CHUNK, EXTENTS, HANDS, Hand, Head, LOG, Presence, Side},
};
use core::ops::Range;
use serde::{Serialize, de::DeserializeOwned};
use std::os::fd::{AsFd, BorrowedFd};

pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    codec::encode(value).map_err(String::from)
}

/// As arguments and results are decoded.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    codec::decode(bytes).map_err(String::from)
}

/// As messages are decoded.
pub fn decode_message<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    codec::decode_message(bytes).map_err(String::from)
}

/// Where the parts of a queue's file lie.
pub const HEAD_AT: Range<u64> = range(HEAD, size_of::<Head>());
/// In it, who is inside: taken at its word, like any lock.
pub const DOORS: [Range<u64>; 2] = [
    range(HEAD + core::mem::offset_of!(Head, producers), size_of::<Side>()),
    range(HEAD + core::mem::offset_of!(Head, consumers), size_of::<Side>()),
];
pub const PRESENCE_AT: Range<u64> = range(PRESENCE, size_of::<Presence>());
/// In an entry of that, which is as long: the seats, which belong to the doors.
pub const SEATS: (u64, Range<u64>) = (Presence::ENTRY as u64, Presence::SEATS.0..Presence::SEATS.1);
pub const HANDS_TABLE: Range<u64> = range(HANDS_AT, size_of::<Hand>() * HANDS);
pub const LOG_AT: u64 = LOG;
pub const CHUNK_LEN: u64 = CHUNK;
pub const EXTENTS_AT: Range<u64> = EXTENTS;

const fn range(start: usize, len: usize) -> Range<u64> {
    start as u64..(start + len) as u64
}

/// Something with a queue's file behind it.
pub trait HasFile {
    fn file(&self) -> BorrowedFd<'_>;
}

fn file_of(core: &Core) -> BorrowedFd<'_> {
    core.segment().as_fd()
}

impl<T> HasFile for Queue<T> {
    fn file(&self) -> BorrowedFd<'_> {
        file_of(self.core())
    }
}

impl<T> HasFile for Receiver<T> {
    fn file(&self) -> BorrowedFd<'_> {
        file_of(self.core())
    }
}

impl<T> HasFile for WorkQueue<T> {
    fn file(&self) -> BorrowedFd<'_> {
        file_of(self.core())
    }
}
