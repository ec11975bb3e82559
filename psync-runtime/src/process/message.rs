//! The message that makes a ready child a process: what is in it and in which order.
//!
//! Bytes: a header of fixed encoding, then the environment, then the arguments. If these are long, the last two lie in the starter's store.
//! Descriptors: lifeline, inbox, store, working directory, those standard streams that are open, segments of handles. If there are more of
//! these than a message can carry, they wait in a socket of their own, whose receiving end is the last descriptor.

use super::family::{Family, Region};
use crate::{
    channel::codec,
    shm::world::Identity,
    sys::{OsError, memory, socket},
};
use memmap2::MmapMut;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What does not go into a message of a socket goes into the store.
const INLINE: usize = 48 << 10;
/// The length of no message is more.
const LARGEST: usize = 256 << 10;
/// How many handles go along with the message itself.
const MOST_HANDLES: usize = socket::MAX_DESCRIPTORS - 8;

/// Room for any message. Only those pages are touched that a message fills: a child that has just been forked would pay for each of them, and whoever
/// waits for a death while the supervisor looks for messages.
pub(crate) fn room() -> Result<MmapMut, OsError> {
    memory::untouched(LARGEST)
}

/// The fixed part.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    /// The slot that the starter has taken for the process.
    pub(crate) identity: u32,
    pub(crate) starter: i32,
    /// Offset of the entry function in the image.
    pub(crate) entry: u64,
    pub(crate) umask: u32,
    pub(crate) mask: u64,
    pub(crate) limits: [(u64, u64); super::surroundings::LIMITS],
    /// Which standard streams come along; the others are closed in the starter.
    pub(crate) streams: [bool; 3],
    pub(crate) environment: usize,
    pub(crate) arguments: usize,
    pub(crate) in_store: bool,
    /// The starter sleeps until the process ends.
    pub(crate) until_end: bool,
    /// Whether the handles wait in a socket of their own.
    pub(crate) overflow: bool,
}

impl Header {
    pub(crate) fn id(&self) -> Identity {
        Identity::from_bits(self.identity)
    }
}

/// The bytes of the message for a start; long parts go into the store.
pub(crate) fn compose(
    header: &mut Header,
    environment: &[u8],
    arguments: &[u8],
    family: &Family,
) -> Result<Vec<u8>, OsError> {
    let len = environment.len() + arguments.len();
    header.environment = environment.len();
    header.arguments = arguments.len();
    header.in_store = len > INLINE;
    let mut bytes = vec![0; 4];
    // Encoding plain numbers into memory does not fail.
    let _ = codec::encode_into(header, &mut bytes);
    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&size.to_ne_bytes());
    if header.in_store {
        write_to_store(header.id(), family, &[environment, arguments], len)?;
    } else {
        bytes.extend_from_slice(environment);
        bytes.extend_from_slice(arguments);
    }
    Ok(bytes)
}

/// What goes along with a message.
#[derive(Debug)]
pub(crate) struct Descriptors<'a> {
    /// Everything but the handles.
    pub(crate) fixed: Vec<BorrowedFd<'a>>,
    pub(crate) handles: Vec<BorrowedFd<'a>>,
}

impl Descriptors<'_> {
    pub(crate) fn overflow(&self) -> bool {
        self.handles.len() > MOST_HANDLES
    }

    /// Puts them together for one sending. Whoever receives it empties the socket, so the next sending needs another.
    pub(crate) fn pack<T>(&self, send: impl FnOnce(&[BorrowedFd<'_>]) -> T) -> Result<T, OsError> {
        if !self.overflow() {
            return Ok(send(&[&self.fixed[..], &self.handles[..]].concat()));
        }
        let (sender, receiver) = socket::message_pair()?;
        socket::limit_patience(&sender)?;
        for part in self.handles.chunks(socket::MAX_DESCRIPTORS) {
            socket::send(&sender, &[&[0]], part)?;
        }
        Ok(send(&[&self.fixed[..], &[receiver.as_fd()]].concat()))
    }
}

#[allow(unsafe_code, reason = "fills a window of the store")]
fn write_to_store(
    id: Identity,
    family: &Family,
    parts: &[&[u8]],
    len: usize,
) -> Result<(), OsError> {
    let window = Region::arguments(id).window(family.store(), 0, len)?;
    let mut at = window.as_mut_ptr();
    for part in parts {
        // SAFETY: the window is as long as all parts together, and nobody else writes the arguments of this slot.
        unsafe { core::ptr::copy_nonoverlapping(part.as_ptr(), at, part.len()) };
        // SAFETY: as above.
        at = unsafe { at.add(part.len()) };
    }
    Ok(())
}

/// A received message, taken apart.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) header: Header,
    pub(crate) lifeline: OwnedFd,
    pub(crate) inbox: OwnedFd,
    pub(crate) store: OwnedFd,
    pub(crate) directory: OwnedFd,
    pub(crate) streams: [Option<OwnedFd>; 3],
    pub(crate) handles: Vec<OwnedFd>,
    /// Environment and arguments, one behind the other.
    body: Vec<u8>,
}

/// The header alone, for whoever only passes the message on.
pub(crate) fn peek(bytes: &[u8]) -> Option<(Header, &[u8])> {
    let size = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
    let header = codec::decode::<Header>(bytes.get(4..size)?).ok()?;
    Some((header, &bytes[size..]))
}

impl Start {
    /// `None` if it is not a whole message of ours.
    pub(crate) fn parse(bytes: &[u8], descriptors: Vec<OwnedFd>) -> Option<Self> {
        let (header, body) = peek(bytes)?;
        let mut descriptors = descriptors.into_iter();
        let (lifeline, inbox, store, directory) =
            (descriptors.next()?, descriptors.next()?, descriptors.next()?, descriptors.next()?);
        let mut streams = [const { None }; 3];
        for (stream, open) in streams.iter_mut().zip(header.streams) {
            *stream = if open { Some(descriptors.next()?) } else { None };
        }
        let body = body.to_vec();
        Some(Self {
            header,
            lifeline,
            inbox,
            store,
            directory,
            streams,
            handles: descriptors.collect(),
            body,
        })
    }

    /// Fetches what did not come with the message itself.
    pub(crate) fn fetch(&mut self) -> Result<(), OsError> {
        if self.header.overflow
            && let Some(line) = self.handles.pop()
        {
            while let Some(received) = socket::try_receive(&line, &mut [0])? {
                if received.truncated {
                    return Err(OsError::new("recvmsg", Errno::EMFILE));
                }
                self.handles.extend(received.descriptors);
            }
        }
        let len = self.header.environment + self.header.arguments;
        if self.header.in_store {
            self.body = self.read_store(len)?;
            Region::arguments(self.header.id()).clear(&self.store, len as u64);
        }
        if self.body.len() == len { Ok(()) } else { Err(OsError::new("recvmsg", Errno::EBADMSG)) }
    }

    /// The environment of a start that is passed on: its place in the store is left as it is.
    pub(crate) fn environment_block(&self) -> Result<Vec<u8>, OsError> {
        let len = self.header.environment;
        if self.header.in_store { self.read_store(len) } else { Ok(self.environment().to_vec()) }
    }

    #[allow(unsafe_code, reason = "reads a window of the store")]
    fn read_store(&self, len: usize) -> Result<Vec<u8>, OsError> {
        if len == 0 {
            return Ok(Vec::new());
        }
        let map = Region::arguments(self.header.id()).map(self.store.as_fd(), len)?;
        // SAFETY: the starter has reserved and written at least this many bytes before it sent the message, and writes them
        // no more.
        Ok(unsafe { core::slice::from_raw_parts(map.as_ptr(), len) }.to_vec())
    }

    pub(crate) fn environment(&self) -> &[u8] {
        &self.body[..self.header.environment]
    }

    pub(crate) fn arguments(&self) -> &[u8] {
        &self.body[self.header.environment..]
    }
}
