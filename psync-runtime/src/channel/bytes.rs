//! Channels of bytes, for layers that encode by themselves: one end sends, the other receives, and each learns when the other is gone.

use super::{
    core::{Core, Limit, Needs},
    error::{Reason, RecvError, SendError, SendErrorKind},
    hold::Hold,
    message,
    raw::Role,
};
use crate::shm::{Carried, Luggage};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const FINGERPRINT: u64 = u64::from_le_bytes(*b"psyncB01");

/// A channel without a bound.
pub(crate) fn bytes() -> crate::Result<(ByteSender, ByteReceiver)> {
    let core = Core::create(0, FINGERPRINT)?;
    let receiver = Hold::new(core.clone())?;
    Ok((ByteSender(Hold::new(core)?), ByteReceiver(receiver)))
}

/// The sending end.
#[derive(Debug)]
pub(crate) struct ByteSender(Hold<true, false>);

/// The receiving end.
#[derive(Debug)]
pub(crate) struct ByteReceiver(Hold<false, true>);

impl ByteSender {
    const NEEDS: Needs = Needs::anybody::<Self>(Role::Receiver);

    /// Sends bytes, and what has to go along with the handles in them. If that fails, nothing was sent.
    #[inline]
    #[track_caller]
    pub(crate) fn send(
        &self,
        bytes: &[u8],
        luggage: Luggage,
    ) -> Result<(), (SendErrorKind, String)> {
        let core = self.0.core();
        if !core.has_receivers() {
            return Err((SendErrorKind::Disconnected, String::new()));
        }
        message::send_encoded(core, bytes, luggage, Self::NEEDS, Limit::FOREVER).map_err(
            |(kind, reason)| match reason {
                Some(Reason::Text(reason)) => (kind, reason),
                _ => (kind, SendError::new((), kind).to_string()),
            },
        )
    }
}

impl ByteReceiver {
    const NEEDS: Needs = Needs::anybody::<Self>(Role::Sender);

    /// Receives the oldest message into `buffer`; what came along with the handles in it.
    #[inline]
    #[track_caller]
    pub(crate) fn receive(
        &self,
        buffer: &mut Vec<u8>,
        limit: Limit,
    ) -> Result<Vec<Carried>, RecvError> {
        message::receive_bytes(self.0.core(), buffer, Self::NEEDS, limit)
    }
}

macro_rules! handle {
    ($end:ident) => {
        impl Serialize for $end {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.as_serialize(FINGERPRINT).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $end {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Hold::arrive(deserializer, FINGERPRINT).map(Self)
            }
        }
    };
}
handle!(ByteSender);
handle!(ByteReceiver);
