//! Frames: what is sent over an authenticated connection, each with its place in the order.

use super::stream::{Stream, failed};
use crate::{manager::ManagerError, sys::clock::Deadline};
use core::time::Duration;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

pub(super) type Key = Hmac<Sha256>;
pub(super) type Tag = [u8; 32];

/// The longest payload.
pub(in crate::manager) const LIMIT: usize = 64 << 20;
/// Memory for a payload is asked for in such steps, as it comes: a length that lies costs nothing.
const STEP: usize = 64 << 10;
/// How long each step of a frame that has begun may take, for whoever sends it and for whoever receives it.
const PATIENCE: Duration = Duration::from_secs(10);
/// A buffer that grew longer than this is not kept.
const KEEP: usize = 1 << 20;

/// A key of any length, also none.
pub(super) fn key(bytes: &[u8]) -> Key {
    match Key::new_from_slice(bytes) {
        Ok(key) => key,
        Err(_) => unreachable!("HMAC has no wrong length of a key"),
    }
}

fn tag_of(key: &Key, number: u64, payload: &[u8]) -> Key {
    let mut mac = key.clone();
    mac.update(&number.to_le_bytes());
    mac.update(&(payload.len() as u64).to_le_bytes());
    mac.update(payload);
    mac
}

/// The sending half of a connection.
pub(super) struct Sending {
    stream: Stream,
    key: Key,
    number: u64,
    buffer: Vec<u8>,
}

/// The receiving half of a connection.
pub(super) struct Receiving {
    stream: Stream,
    key: Key,
    number: u64,
}

impl Sending {
    pub(super) const fn new(stream: Stream, key: Key) -> Self {
        Self { stream, key, number: 0, buffer: Vec::new() }
    }

    pub(super) const fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Sends one frame. After an error nothing more can be sent.
    pub(super) fn send(&mut self, payload: &[u8]) -> Result<(), ManagerError> {
        let len = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= LIMIT);
        let len = len.ok_or(ManagerError::protocol("the message is too long"))?;
        let tag = tag_of(&self.key, self.number, payload).finalize().into_bytes();
        self.number += 1;
        self.buffer.clear();
        self.buffer.extend_from_slice(&len.to_le_bytes());
        self.buffer.extend_from_slice(payload);
        self.buffer.extend_from_slice(&tag);
        let mut steps = self.buffer.chunks(STEP);
        let sent =
            steps.try_for_each(|step| self.stream.write_all(step, Deadline::after(PATIENCE)));
        if self.buffer.capacity() > KEEP {
            self.buffer = Vec::new();
        }
        sent.map_err(|error| {
            self.stream.close();
            failed("cannot send", &error)
        })
    }
}

impl Receiving {
    pub(super) const fn new(stream: Stream, key: Key) -> Self {
        Self { stream, key, number: 0 }
    }

    /// Receives one frame into `payload`, waiting for its first byte until `first`. After an error, but that the time was up before the first byte, nothing more can be
    /// received.
    pub(super) fn receive(
        &mut self,
        payload: &mut Vec<u8>,
        first: Deadline,
    ) -> Result<(), ManagerError> {
        let mut len = [0; 4];
        let read = self.stream.read_some(&mut len, first);
        let read = read.map_err(|error| failed("cannot receive", &error))?;
        self.finish(len, read, payload).inspect_err(|_| self.stream.close())
    }

    fn finish(
        &mut self,
        mut len: [u8; 4],
        read: usize,
        payload: &mut Vec<u8>,
    ) -> Result<(), ManagerError> {
        let cut = |error: std::io::Error| failed("cannot receive", &error);
        self.read(&mut len[read..]).map_err(cut)?;
        let len = u32::from_le_bytes(len) as usize;
        if len > LIMIT {
            return Err(ManagerError::protocol("a message is too long"));
        }
        payload.clear();
        while payload.len() < len {
            let start = payload.len();
            payload.resize(len.min(start + STEP), 0);
            self.read(&mut payload[start..]).map_err(cut)?;
        }
        let mut tag: Tag = [0; 32];
        self.read(&mut tag).map_err(cut)?;
        // In constant time.
        let verified = tag_of(&self.key, self.number, payload).verify_slice(&tag);
        verified.map_err(|_| ManagerError::protocol("a message is not authentic"))?;
        self.number += 1;
        Ok(())
    }

    fn read(&mut self, place: &mut [u8]) -> std::io::Result<()> {
        self.stream.read_all(place, Deadline::after(PATIENCE))
    }
}
