//! What a process leaves for its starter: a result, or the reason why there is none.
//!
//! The bytes grow in the slot's page and move to the starter's store when they get too long for it. Nothing of it counts
//! until the slot's outcome word is stored: `1 + length`, and whether the bytes lie in the store and handles came along.
#![allow(unsafe_code, reason = "writes the slot's page and windows of the store")]

use super::family::{self, Family, Region};
use crate::{
    channel::codec,
    shm::{
        self, Luggage,
        world::{Identity, Outcome, PAGE, World},
    },
    sys::OsError,
};
use core::fmt;
use memmap2::MmapRaw;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

/// Why a process has no result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Fault {
    Panicked { message: String, location: Option<String>, backtrace: Option<String> },
    Decode(String),
    Encode(String),
}

/// What goes along with the handles in an encoded value.
pub(crate) type Handles = Luggage;

/// What is sent along for handles.
pub(crate) fn descriptors(handles: &Handles) -> Vec<BorrowedFd<'_>> {
    handles.carried().iter().map(AsFd::as_fd).collect()
}

/// Decodes with the handles' descriptors at hand.
pub(crate) fn offer<T>(
    handles: Vec<OwnedFd>,
    decode: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, Fault> {
    shm::offer(handles, decode).unwrap_or_else(|error| Err(Fault::Decode(error.to_string())))
}

/// The first byte of an outcome.
const RETURNED: u8 = 0;
const FAULT: u8 = 1;

const IN_STORE: u64 = 1 << 62;
const HANDLES: u64 = 1 << 61;
const LENGTH: u64 = HANDLES - 1;

/// Writes an outcome: into the page of this process's slot as long as it fits, else into the store of its starter.
pub(crate) struct Writer<'a> {
    world: &'static World,
    id: Identity,
    store: &'a OwnedFd,
    len: usize,
    window: Option<Window>,
}

/// The part of the store that is being written.
struct Window {
    map: MmapRaw,
    start: usize,
}

impl Window {
    const fn end(&self, len: usize) -> usize {
        self.start + len
    }
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("len", &self.len).finish_non_exhaustive()
    }
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(world: &'static World, id: Identity, store: &'a OwnedFd) -> Self {
        Self { world, id, store, len: 0, window: None }
    }

    /// Starts over.
    fn restart(&mut self, tag: u8) -> io::Result<()> {
        self.len = 0;
        self.window = None;
        self.write_all(&[tag])
    }

    /// Encodes a function's result. What handles it contains is returned, and has to live until the outcome is committed.
    pub(crate) fn returned<R: Serialize>(&mut self, result: &R) -> Result<Handles, Fault> {
        self.restart(RETURNED).map_err(|error| Fault::Encode(error.to_string()))?;
        // Whoever asks for the result decodes the handles in it; if nobody does, they are that process's to the end.
        let starter = self.world.slot(self.id).parent().0;
        let (encoded, handles) = shm::collect_for(starter, || codec::encode_into(result, self));
        encoded.map(|()| handles).map_err(|error| Fault::Encode(error.into()))
    }

    /// Makes what was written the outcome. Handles go ahead through the inbox.
    pub(crate) fn commit(&mut self, handles: &mut Handles, inbox: &OwnedFd) -> Result<(), OsError> {
        let carried = descriptors(handles);
        family::deliver(inbox, &carried)?;
        let flags = if carried.is_empty() { 0 } else { HANDLES }
            | if self.window.is_some() { IN_STORE } else { 0 };
        handles.depart();
        self.publish(flags);
        Ok(())
    }

    fn publish(&mut self, flags: u64) {
        let slot = self.world.slot(self.id);
        slot.commit(Outcome(flags | (self.len as u64 + 1)));
        if slot.state().is_detached() && self.window.is_some() {
            Region::outcome(self.id).clear(self.store, self.len as u64);
        }
    }

    /// Makes a fault the outcome.
    pub(crate) fn fault(&mut self, fault: &Fault) {
        let written = self.restart(FAULT).map(|()| codec::encode_into(fault, self));
        let flags = if self.window.is_some() { IN_STORE } else { 0 };
        if let Ok(Ok(())) = written {
            self.publish(flags);
        }
    }

    /// Room for at least one more byte.
    fn room(&mut self) -> Result<&mut [u8], OsError> {
        if self.window.is_none() && self.len < PAGE {
            let page = self.world.page(self.id);
            // SAFETY: the page belongs to this process until it has committed an outcome (UNSAFE.md, W3).
            let page = unsafe { &mut *page };
            return Ok(&mut page[self.len..]);
        }
        let full =
            self.window.as_ref().is_none_or(|window| window.end(window.map.len()) == self.len);
        if full {
            self.next_window()?;
        }
        let Some(window) = &self.window else { return Ok(&mut []) };
        let offset = self.len - window.start;
        // SAFETY: the window is mapped from its start for its length, and `offset` lies within.
        let at = unsafe { window.map.as_mut_ptr().add(offset) };
        // SAFETY: this process alone writes its part of the store, its pages are reserved, and the borrow of `self` keeps it mapped.
        Ok(unsafe { core::slice::from_raw_parts_mut(at, window.map.len() - offset) })
    }

    /// Maps the next part of the store, twice as long as the one before; the first takes over what the page holds.
    fn next_window(&mut self) -> Result<(), OsError> {
        const SMALLEST: usize = 64 << 10;
        const LARGEST: usize = 64 << 20;
        let region = Region::outcome(self.id);
        let len =
            self.window.as_ref().map_or(SMALLEST, |window| (window.map.len() * 2).min(LARGEST));
        let start = self.window.as_ref().map_or(0, |window| window.end(window.map.len()));
        let map = region.window(self.store, start as u64, len)?;
        if start == 0 {
            let page = self.world.page(self.id).cast::<u8>();
            // SAFETY: both are mapped and longer than `self.len`, which is at most a page here; they do not overlap.
            unsafe { core::ptr::copy_nonoverlapping(page, map.as_mut_ptr(), self.len) };
        }
        self.window = Some(Window { map, start });
        Ok(())
    }
}

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Whole, since the number alone would not name the call.
        let room = self.room().map_err(io::Error::other)?;
        let len = room.len().min(bytes.len());
        room[..len].copy_from_slice(&bytes[..len]);
        self.len += len;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a process has left a result.
pub(crate) fn has_result(world: &World, family: &Family, id: Identity) -> bool {
    with_bytes(world, family, id, |bytes| bytes.first() == Some(&RETURNED)).unwrap_or(false)
}

/// Takes what a process has left; `None` if it left nothing. Call it once.
pub(crate) fn take<R: DeserializeOwned>(
    world: &World,
    family: &Family,
    id: Identity,
) -> Option<Result<R, Fault>> {
    let word = world.slot(id).outcome().0;
    let handles = if word & HANDLES == 0 { Vec::new() } else { family.collect(id) };
    let taken = with_bytes(world, family, id, |bytes| match bytes {
        [RETURNED, bytes @ ..] => {
            offer(handles, || codec::decode(bytes).map_err(|e| Fault::Decode(e.into())))
        }
        [_, bytes @ ..] => Err(codec::decode(bytes).unwrap_or_else(|e| Fault::Decode(e.into()))),
        [] => Err(Fault::Decode("the outcome is empty".to_owned())),
    });
    clear(world, family, id);
    taken
}

/// Gives back the memory of an outcome that nobody will ask for any more.
pub(crate) fn clear(world: &World, family: &Family, id: Identity) {
    let word = world.slot(id).outcome().0;
    if word & IN_STORE != 0 {
        Region::outcome(id).clear(family.store(), word & LENGTH);
    }
}

fn with_bytes<T>(
    world: &World,
    family: &Family,
    id: Identity,
    read: impl FnOnce(&[u8]) -> T,
) -> Option<T> {
    let word = world.slot(id).outcome().0;
    let len = usize::try_from((word & LENGTH).checked_sub(1)?).ok()?;
    if word & IN_STORE == 0 {
        let page = world.page(id).cast::<u8>();
        // SAFETY: the outcome is committed, so its process writes the page no more (W3); `len` is at most a page.
        let bytes = unsafe { core::slice::from_raw_parts(page, len.min(PAGE)) };
        return Some(read(bytes));
    }
    let map = Region::outcome(id).map(family.store().as_fd(), len).ok()?;
    // SAFETY: mapped for `len` bytes, which the committed outcome has reserved and written; nobody writes them any more.
    Some(read(unsafe { core::slice::from_raw_parts(map.as_ptr(), len) }))
}
