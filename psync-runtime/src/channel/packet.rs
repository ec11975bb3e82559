//! Packets of a socket: messages of any length with any number of descriptors, each there whole or not at all.
//!
//! | first byte | what follows |
//! |---|---|
//! | [`HERE`] | the message |
//! | [`IN_FILE`] | its length; the first descriptor is a file that holds it |
//!
//! If more descriptors go along than a packet carries, they wait in a socket of their own, which is the last one; [`MANY`] says so.

use crate::{
    shm::{Carried, transfer},
    sys::{
        OsError,
        clock::Deadline,
        memory,
        socket::{self, MAX_DESCRIPTORS},
    },
};
use core::time::Duration;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use std::{
    cell::Cell,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

const HERE: u8 = 0;
const IN_FILE: u8 = 1;
const MANY: u8 = 2;

/// The longest message that goes through the socket itself.
const LONGEST: usize = 64 << 10;
/// How many descriptors go along with the packet itself, besides a file and a socket for the others.
const MOST: usize = MAX_DESCRIPTORS - 8;

/// Why a packet was not sent or received.
#[derive(Debug)]
pub(super) enum Ended {
    Disconnected,
    System(OsError),
}

impl From<OsError> for Ended {
    fn from(error: OsError) -> Self {
        match error.raw_os_error() {
            code if code == Errno::EPIPE as i32 || code == Errno::ECONNRESET as i32 => {
                Self::Disconnected
            }
            _ => Self::System(error),
        }
    }
}

/// A message that was received.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) bytes: Vec<u8>,
    pub(super) carried: Vec<Carried>,
}

/// Sends a message; while the socket is full, calls `wait`.
pub(super) fn send(
    socket: &OwnedFd,
    bytes: &[u8],
    carried: &[Carried],
    wait: impl Fn(),
) -> Result<(), Ended> {
    let length = (bytes.len() as u64).to_ne_bytes();
    let file = if bytes.len() > LONGEST { Some(to_file(bytes)?) } else { None };
    let many = if carried.len() > MOST { Some(queue_up(carried)?) } else { None };
    let kind = if file.is_some() { IN_FILE } else { HERE } | if many.is_some() { MANY } else { 0 };
    let direct = if many.is_some() { &[] } else { carried };
    let descriptors: Vec<BorrowedFd<'_>> = file
        .iter()
        .map(AsFd::as_fd)
        .chain(direct.iter().map(AsFd::as_fd))
        .chain(many.iter().map(AsFd::as_fd))
        .collect();
    let content = if file.is_some() { &length[..] } else { bytes };
    loop {
        match socket::try_send(socket, &[&[kind], content], &descriptors) {
            Err(error) if error.raw_os_error() == Errno::EAGAIN as i32 => {
                wait();
            }
            sent => return Ok(sent?),
        }
    }
}

fn to_file(bytes: &[u8]) -> Result<OwnedFd, OsError> {
    let file = memory::anonymous_file("psync-message")?;
    memory::set_size(&file, bytes.len() as u64)?;
    memory::write_at(&file, 0, bytes)?;
    Ok(file)
}

/// A socket from which the descriptors can be received.
fn queue_up(carried: &[Carried]) -> Result<OwnedFd, OsError> {
    let (sender, receiver) = socket::message_pair()?;
    socket::limit_patience(&sender)?;
    for part in carried.chunks(MAX_DESCRIPTORS) {
        let part: Vec<BorrowedFd<'_>> = part.iter().map(AsFd::as_fd).collect();
        socket::send(&sender, &[&[0]], &part)?;
    }
    Ok(receiver)
}

thread_local! {
    /// Where packets are received.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Receives a message if there is one.
pub(super) fn try_receive(socket: &OwnedFd) -> Result<Option<Arrived>, Ended> {
    let mut buffer = BUFFER.take();
    buffer.resize(LONGEST + 1, 0);
    let arrived = receive_in(socket, &mut buffer);
    BUFFER.set(buffer);
    arrived
}

fn receive_in(socket: &OwnedFd, buffer: &mut [u8]) -> Result<Option<Arrived>, Ended> {
    let received = loop {
        match socket::receive_at_once(socket, buffer) {
            Err(error) if error.raw_os_error() == Errno::EAGAIN as i32 => return Ok(None),
            // Told once, ahead of what the other side has sent before it went with unread messages.
            Err(error) if error.raw_os_error() == Errno::ECONNRESET as i32 => {}
            Err(error) => return Err(error.into()),
            Ok(None) => return Err(Ended::Disconnected),
            Ok(Some(received)) => break received,
        }
    };
    if received.truncated {
        return Err(OsError::new("recvmsg", Errno::EMFILE).into());
    }
    let bad = || Ended::System(OsError::new("recvmsg", Errno::EBADMSG));
    let (kind, content) = buffer[..received.len].split_first().ok_or_else(bad)?;
    let mut descriptors = received.descriptors;
    if kind & MANY != 0 {
        let line = descriptors.pop().ok_or_else(bad)?;
        while let Some(more) = socket::try_receive(&line, &mut [0])? {
            if more.truncated {
                return Err(OsError::new("recvmsg", Errno::EMFILE).into());
            }
            descriptors.extend(more.descriptors);
        }
    }
    let bytes = if kind & IN_FILE == 0 {
        content.to_vec()
    } else {
        let length = content.first_chunk().ok_or_else(bad)?;
        let length = u64::from_ne_bytes(*length);
        if descriptors.is_empty() {
            return Err(bad());
        }
        memory::read_claimed(descriptors.remove(0), 0, length)?
    };
    let carried = descriptors.into_iter().map(transfer::unpack).collect::<Result<_, _>>();
    Ok(Some(Arrived { bytes, carried: carried.map_err(|_| bad())? }))
}

/// Waits until the socket can be read or has hung up; false if the deadline comes first.
pub(super) fn is_readable(socket: &OwnedFd, deadline: Deadline) -> bool {
    await_event(socket, PollFlags::POLLIN, deadline)
}

/// Waits until the socket has room or has hung up.
pub(super) fn is_writable(socket: &OwnedFd, deadline: Deadline) -> bool {
    await_event(socket, PollFlags::POLLOUT, deadline)
}

fn await_event(socket: &OwnedFd, event: PollFlags, deadline: Deadline) -> bool {
    loop {
        let left = deadline.remaining().map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX)
        });
        let left = if deadline.is_over() { PollTimeout::ZERO } else { left };
        match poll(&mut [PollFd::new(socket.as_fd(), event)], left) {
            Ok(0) if deadline.is_over() => return false,
            Ok(0) | Err(Errno::EINTR) => {}
            _ => return true,
        }
    }
}
