//! One handle's share of a queue: counted by process, so that others learn when nobody is left.

use super::{core::Core, raw::Role};
use crate::shm::{
    ShmError, registry, transfer,
    world::{self, Identity},
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
    pub(super) fn depart<S: Serializer>(
        &self,
        serializer: S,
        fingerprint: u64,
    ) -> Result<S::Ok, S::Error> {
        let charged = transfer::charged();
        if charged != Identity::NOBODY {
            self.core.make_entry(charged).map_err(serde::ser::Error::custom)?;
            // It may be decoded by any process.
            self.core.head().was_shared.store(1, crate::primitive::Ordering::Relaxed);
            let core = Arc::clone(&self.core);
            Self::roles().for_each(|role| core.presence().take_off(charged, role));
            transfer::or_else(move || Self::land(&core, charged));
        }
        transfer::record(self.core.segment());
        (self.core.segment().id(), charged.bits(), fingerprint).serialize(serializer)
    }

    /// Reads a handle that came from another process.
    pub(super) fn arrive<'de, D: Deserializer<'de>>(
        deserializer: D,
        fingerprint: u64,
    ) -> Result<Self, D::Error> {
        let (segment, charged, made_for) = <(u64, u32, u64)>::deserialize(deserializer)?;
        if made_for != fingerprint {
            return Err(D::Error::custom("it is a handle to messages of another type"));
        }
        let segment = registry::find(segment)
            .ok_or_else(|| D::Error::custom(ShmError::NotFound { segment }))?;
        let core = Core::attach(&segment, fingerprint).map_err(D::Error::custom)?;
        // First here, then no longer under way.
        let hold = Self::new(core).map_err(D::Error::custom)?;
        let charged = Identity::from_bits(charged);
        if charged != Identity::NOBODY {
            Self::land(&hold.core, charged);
        }
        Ok(hold)
    }

    fn land(core: &Core, charged: Identity) {
        Self::roles().for_each(|role| core.presence().land(charged, role));
        core.announce_leave();
    }
}

impl<const SENDS: bool, const RECEIVES: bool> Clone for Hold<SENDS, RECEIVES> {
    fn clone(&self) -> Self {
        let holder = world::me().id;
        // If its page cannot be had now, it counts as soon as anybody else of this process makes it.
        if self.core.make_entry(holder).is_ok() {
            Self::roles().for_each(|role| self.core.presence().join(holder, role));
        }
        Self { core: Arc::clone(&self.core), holder }
    }
}

impl<const SENDS: bool, const RECEIVES: bool> Drop for Hold<SENDS, RECEIVES> {
    fn drop(&mut self) {
        if self.holder != world::me().id {
            return;
        }
        let mut last = false;
        Self::roles().for_each(|role| last |= self.core.presence().leave(self.holder, role));
        if last {
            self.core.announce_leave();
        }
    }
}
