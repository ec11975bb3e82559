//! Handles in messages of a queue: what the message says about them, and how the receiver gets at what they name.

use super::{core::Core, outbox};
use crate::{
    shm::{
        Carried, registry,
        segment::Inode,
        transfer,
        world::{self, Identity},
    },
    sys::{self, pidfd::PidFd},
};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// One descriptor that goes along: all that another process needs to get it from the sender.
#[derive(Clone, Copy, Debug)]
struct Ticket {
    /// The number of the segment; 0 for a socket.
    segment: u64,
    inode: Inode,
    sender: Identity,
    pid: i32,
    /// The sender's number for it.
    descriptor: i32,
}

const TICKET: usize = 40;

impl Ticket {
    fn of(carried: &Carried) -> Option<Self> {
        let me = world::me();
        let segment = match carried {
            Carried::Segment(segment) => segment.id(),
            Carried::Socket(_) => 0,
        };
        let (inode, _) = transfer::inode_of(carried).ok()?;
        let descriptor = carried.as_fd().as_raw_fd();
        Some(Self { segment, inode, sender: me.id, pid: me.pid, descriptor })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.segment.to_ne_bytes());
        bytes.extend_from_slice(&self.inode.0.to_ne_bytes());
        bytes.extend_from_slice(&self.inode.1.to_ne_bytes());
        bytes.extend_from_slice(&self.sender.bits().to_ne_bytes());
        bytes.extend_from_slice(&self.pid.to_ne_bytes());
        bytes.extend_from_slice(&self.descriptor.to_ne_bytes());
        bytes.extend_from_slice(&[0; 4]);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let long = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u64::from_ne_bytes);
        let short = |at: usize| bytes.get(at..)?.first_chunk().copied().map(i32::from_ne_bytes);
        Some(Self {
            segment: long(0)?,
            inode: (long(8)?, long(16)?),
            sender: Identity::from_bits(short(24)?.cast_unsigned()),
            pid: short(28)?,
            descriptor: short(32)?,
        })
    }

    /// What it names, in this process.
    fn redeem(&self) -> Option<Carried> {
        if self.segment != 0
            && let Some(known) = registry::find(self.segment)
        {
            return Some(Carried::Segment(known));
        }
        let file = self.fetch().or_else(|| outbox::legacy(self.inode, self.sender))?;
        transfer::unpack(file).ok()
    }

    /// The sender's descriptor, if it lives and has it still.
    fn fetch(&self) -> Option<OwnedFd> {
        let is_it =
            |file: &OwnedFd| transfer::inode_of(file).is_ok_and(|(inode, _)| inode == self.inode);
        sys::procfs::open_descriptor(self.pid, self.descriptor)
            .ok()
            .filter(is_it)
            .or_else(|| PidFd::open(self.pid).ok()?.copy(self.descriptor).ok().filter(is_it))
    }
}

/// What goes in front of a message with handles: how many tickets, and these.
pub(super) fn announce(carried: &[Carried]) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    let mut count = 0_u64;
    for ticket in carried.iter().filter_map(Ticket::of) {
        if ticket.segment == 0 {
            sys::pidfd::allow_copies();
        }
        ticket.write(&mut bytes);
        count += 1;
    }
    bytes[..8].copy_from_slice(&count.to_ne_bytes());
    bytes
}

/// A message with handles, taken apart: what came along, and the encoded value. The error says what is missing.
pub(super) fn redeem(message: &[u8]) -> (Result<Vec<Carried>, String>, &[u8]) {
    let Some((tickets, value)) = split(message) else {
        return (Err("its list of handles is damaged".to_owned()), &[]);
    };
    let carried = tickets.chunks_exact(TICKET).map(|ticket| {
        let ticket = Ticket::read(ticket)?;
        Some(ticket.redeem().ok_or(ticket))
    });
    let mut all = Vec::new();
    for one in carried {
        match one {
            Some(Ok(carried)) => all.push(carried),
            Some(Err(Ticket { pid, .. })) => {
                let reason =
                    format!("process {pid} has ended, and what it sent a handle of went with it");
                return (Err(reason), value);
            }
            None => return (Err("its list of handles is damaged".to_owned()), value),
        }
    }
    (Ok(all), value)
}

/// What is behind the list of handles.
pub(super) fn value_of(message: &[u8]) -> &[u8] {
    split(message).map_or(&[], |(_, value)| value)
}

/// Where that begins, by the first 8 bytes of the message.
pub(super) fn value_at(start: &[u8]) -> u64 {
    let count = start.first_chunk().map_or(0, |count| u64::from_ne_bytes(*count));
    count.saturating_mul(TICKET as u64).saturating_add(8)
}

fn split(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = message.split_first_chunk()?;
    let count = usize::try_from(u64::from_ne_bytes(*count)).ok()?;
    rest.split_at_checked(count.checked_mul(TICKET)?)
}

/// Keeps what a message that was just sent takes along until it has been received.
pub(super) fn keep(core: &std::sync::Arc<Core>, carried: &[Carried]) {
    outbox::keep(core, carried);
}
