//! Both ends of a connection with nothing but bytes between them.
#![allow(missing_docs, reason = "for the fuzz targets of this repository only")]

use super::{
    auth, frame,
    frame::{Receiving, Sending},
    stream::Stream,
};
use crate::{manager::ManagerError, sys::clock::Deadline};
use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
};

const KEY: &[u8] = b"of the fuzz targets";

fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().expect("descriptors")
}

/// The sending end: makes authentic frames, one after the other.
pub struct Frames {
    sending: Sending,
    out: UnixStream,
}

impl core::fmt::Debug for Frames {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Frames")
    }
}

impl Default for Frames {
    fn default() -> Self {
        let (at, out) = pair();
        Self { sending: Sending::new(Stream::Unix(at), frame::key(KEY)), out }
    }
}

impl Frames {
    /// The bytes of the next frame. Few enough for a socket.
    ///
    /// # Panics
    /// If the other end is closed.
    pub fn next(&mut self, payload: &[u8]) -> Vec<u8> {
        self.sending.send(payload).expect("the other end is open");
        let mut bytes = vec![0; 4 + payload.len() + size_of::<frame::Tag>()];
        self.out.read_exact(&mut bytes).expect("it was sent");
        bytes
    }
}

/// A stream that has these bytes to read, and then its end; with the other end.
fn holding(bytes: &[u8]) -> (Stream, UnixStream) {
    let (at, mut from) = pair();
    from.write_all(bytes).expect("room");
    from.shutdown(std::net::Shutdown::Write).expect("it is open");
    (Stream::Unix(at), from)
}

/// What the receiving end takes for messages, up to an error.
pub fn arrive(bytes: &[u8]) -> (Vec<Vec<u8>>, ManagerError) {
    let (stream, _from) = holding(bytes);
    let mut receiving = Receiving::new(stream, frame::key(KEY));
    let mut all = Vec::new();
    loop {
        let mut payload = Vec::new();
        match receiving.receive(&mut payload, Deadline::NEVER) {
            Ok(()) => all.push(payload),
            Err(error) => return (all, error),
        }
    }
}

/// Whether these bytes are a handshake of a client that knows the key.
pub fn greet(bytes: &[u8]) -> Result<(), ManagerError> {
    let (mut stream, _from) = holding(bytes);
    auth::greet(&mut stream, KEY).map(drop)
}

/// Whether they are one of a server.
pub fn knock(bytes: &[u8]) -> Result<(), ManagerError> {
    let (mut stream, _from) = holding(bytes);
    auth::knock(&mut stream, KEY).map(drop)
}
