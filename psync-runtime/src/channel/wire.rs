//! A queue of bytes for the layers above, which know themselves what the bytes mean and when they are to be decoded.

use super::{
    core::{Core, Limit, Needs},
    error::{RecvError, SendError},
    handles,
    hold::Hold,
    message,
    raw::Bytes,
};
use crate::{
    shm::{Carried, ShmError},
    sys::clock::Deadline,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// Not that of any queue of values.
const FINGERPRINT: u64 = u64::from_le_bytes(*b"psyncW1r");

/// See the module. Unbounded; a handle like `Queue`.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Hold<true, true>);

/// What was received: its bytes are in the receiver's buffer.
#[derive(Debug)]
pub(crate) enum Arrived {
    Plain,
    /// With what came along.
    WithHandles(Vec<Carried>),
    /// What came along with it cannot be had any more, or there is no memory for what follows the head; why.
    Broken(String),
}

impl Arrived {
    fn of(message: &[u8], note: bool) -> Self {
        match note.then(|| handles::redeem(message).0) {
            None => Self::Plain,
            Some(Ok(carried)) => Self::WithHandles(carried),
            Some(Err(reason)) => Self::Broken(reason),
        }
    }
}

impl Wire {
    const NEEDS: Needs = Needs::other_process::<Self>();

    pub(crate) fn new() -> Result<Self, ShmError> {
        Ok(Self(Hold::new(Core::create(0, FINGERPRINT)?)?))
    }

    fn core(&self) -> &Arc<Core> {
        self.0.core()
    }

    /// How many messages are there.
    pub(crate) fn len(&self) -> u64 {
        self.core().head().len()
    }

    /// Sends a message of a head and what follows it; never waits for room. If not, the reason.
    pub(crate) fn send(&self, parts: [&[u8]; 2], carried: &[Carried]) -> Result<(), String> {
        message::send_parts(self.core(), parts, carried, Self::NEEDS.nobody())
            .map_err(|(kind, reason)| SendError::explained((), kind, reason).to_string())
    }

    /// Receives a message into `buffer`. Before it is gone for others, `claim` sees its head, and says whether what follows is wanted; if not, the
    /// head is all that arrives.
    pub(crate) fn receive<const HEAD: usize>(
        &self,
        buffer: &mut Vec<u8>,
        limit: Limit,
        mut claim: impl FnMut(&[u8; HEAD]) -> bool,
    ) -> Result<Arrived, RecvError> {
        let core = self.core();
        let mut arrived = Arrived::Plain;
        let take = |bytes: Bytes<'_>, note: bool| {
            buffer.clear();
            match bytes {
                Bytes::Log(bytes) => {
                    let value = if note { handles::value_of(bytes) } else { bytes };
                    if value.first_chunk().is_some_and(&mut claim) {
                        buffer.extend_from_slice(value);
                        arrived = Arrived::of(bytes, note);
                    } else {
                        buffer.extend(value.iter().take(HEAD));
                    }
                }
                Bytes::Extent(place, len) => {
                    // Before there is memory for all of it: who ends for want of that has claimed it.
                    let start = if note { handles::value_at(&core.read(place, 8)?) } else { 0 };
                    let start = start.min(len);
                    let head = core.read(place + start, (HEAD as u64).min(len - start))?;
                    let is_wanted = head.first_chunk().is_some_and(&mut claim);
                    buffer.extend_from_slice(&head);
                    match is_wanted.then(|| core.read(place, len)) {
                        None => {}
                        Some(Ok(whole)) if note => {
                            arrived = Arrived::of(&whole, note);
                            buffer.clear();
                            buffer.extend_from_slice(handles::value_of(&whole));
                        }
                        Some(Ok(whole)) => *buffer = whole,
                        // Left where it is, it would be in the way of all that follow.
                        Some(Err(error)) => arrived = Arrived::Broken(error.to_string()),
                    }
                }
            }
            Ok(())
        };
        core.receive(take, Self::NEEDS, limit).map_err(|lack| message::lacking(&lack, limit))?;
        Ok(arrived)
    }

    /// Waits until `ready`, which is asked whenever a message has come, somebody has died, or [`nudge`](Self::nudge) was called. False if the
    /// deadline comes first.
    pub(crate) fn wait(&self, ready: impl Fn() -> bool, deadline: Deadline) -> bool {
        self.core().await_bell(ready, Self::NEEDS.nobody(), Limit::Until(deadline))
    }

    /// Has all who wait look again.
    pub(crate) fn nudge(&self) {
        self.core().head().items.ring(u32::MAX);
    }

    /// No message is sent any more; who waits for one is woken.
    pub(crate) fn close(&self) {
        self.core().close();
    }
}

impl Serialize for Wire {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_serialize(FINGERPRINT).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Wire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Hold::arrive(deserializer, FINGERPRINT).map(Self)
    }
}
