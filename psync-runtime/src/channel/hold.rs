//! One handle's share of a queue: counted by process, so that others learn when nobody is left.

use super::{core::Core, outbox, raw::Role};
use crate::{
    primitive::Ordering,
    shm::{
        ShmError, registry, transfer,
        world::{self, Identity},
    },
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::sync::Arc;

/// What a handle holds. `SENDS` and `RECEIVES` say what it is good for.
#[derive(Debug)]
pub(super) struct Hold<const SENDS: bool, const RECEIVES: bool> {
    core: Arc<Core>,
    /// The process on whose account it is; another one has it only as a copy of that one's memory.
    holder: Identity,
}

impl<const SENDS: bool, const RECEIVES: bool> Hold<SENDS, RECEIVES> {
    /// Books a handle on this process.
    pub(super) fn new(core: Arc<Core>) -> Result<Self, ShmError> {
        let holder = world::me().id;
        core.make_entry(holder)?;
        Self::roles().for_each(|role| core.presence().join(holder, role));
        core.head().changes.note_move();
        Ok(Self { core, holder })
    }

    fn roles() -> impl Iterator<Item = Role> {
        let sends = SENDS.then_some(Role::Sender);
        sends.into_iter().chain(RECEIVES.then_some(Role::Receiver))
    }

    #[inline]
    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Writes the handle down for another process, on the account of whoever is charged with the message.
    fn depart(&self, fingerprint: u64) -> Result<Parts, ShmError> {
        let charged = transfer::charged();
        if charged == Identity::NOBODY {
            // Nobody knows when it is decoded.
            self.core.head().changes.note_stray();
        } else {
            self.core.make_entry(charged)?;
            // It may be decoded by any process.
            self.core.head().was_shared.store(1, Ordering::Relaxed);
            let core = Arc::clone(&self.core);
            for role in Self::roles() {
                if !core.presence().take_off(charged, role) {
                    core.head().changes.note_stray();
                }
            }
            core.head().changes.note_move();
            transfer::or_else(move || core.land(charged, Self::roles()));
        }
        transfer::record(self.core.segment());
        Ok((self.core.segment().id(), transfer::taken_off().bits(), fingerprint))
    }

    /// The handle as it is written down.
    pub(super) fn as_serialize(&self, fingerprint: u64) -> impl Serialize + '_ {
        Departing { hold: self, fingerprint }
    }

    /// A handle that came from another process.
    pub(super) fn from_parts(
        (segment, charged, made_for): Parts,
        fingerprint: u64,
    ) -> Result<Self, ShmError> {
        if made_for != fingerprint {
            return Err(ShmError::Foreign("it is a queue of messages of another type"));
        }
        let segment = registry::find(segment).ok_or(ShmError::NotFound { segment })?;
        // First here, then no longer under way.
        let hold = Self::new(Core::attach(&segment, fingerprint)?)?;
        let charged = Identity::from_bits(charged);
        if charged != Identity::NOBODY {
            let core = Arc::clone(&hold.core);
            transfer::land(move || core.land(charged, Self::roles()));
        }
        Ok(hold)
    }

    pub(super) fn arrive<'de, D: Deserializer<'de>>(
        deserializer: D,
        fingerprint: u64,
    ) -> Result<Self, D::Error> {
        let parts = Parts::deserialize(deserializer)?;
        Self::from_parts(parts, fingerprint).map_err(D::Error::custom)
    }
}

/// A handle in a message: the number of the segment, who is charged with the message, and what the queue carries.
pub(super) type Parts = (u64, u32, u64);

struct Departing<'a, const SENDS: bool, const RECEIVES: bool> {
    hold: &'a Hold<SENDS, RECEIVES>,
    fingerprint: u64,
}

impl<const SENDS: bool, const RECEIVES: bool> Serialize for Departing<'_, SENDS, RECEIVES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = self.hold.depart(self.fingerprint).map_err(serde::ser::Error::custom)?;
        parts.serialize(serializer)
    }
}

impl<const SENDS: bool, const RECEIVES: bool> Clone for Hold<SENDS, RECEIVES> {
    fn clone(&self) -> Self {
        let holder = world::me().id;
        // If its page cannot be had now, it counts as soon as anybody else of this process makes it.
        if self.core.make_entry(holder).is_ok() {
            Self::roles().for_each(|role| self.core.presence().join(holder, role));
            self.core.head().changes.note_move();
        }
        Self { core: Arc::clone(&self.core), holder }
    }
}

impl<const SENDS: bool, const RECEIVES: bool> Drop for Hold<SENDS, RECEIVES> {
    fn drop(&mut self) {
        if self.holder != world::me().id {
            return;
        }
        if self.core.leave(self.holder, Self::roles()) {
            self.core.announce_leave();
            // What was sent through it may have lost its last receiver, and a process that never waits would keep it.
            outbox::prune();
        }
    }
}
