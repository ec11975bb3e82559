//! Values on their way in and out of a queue.

use super::{
    codec,
    core::{Core, Lack, Limit, Needs, Refusal},
    error::{Reason, RecvError, SendErrorKind},
    handles, plain,
    raw::Bytes,
};
use crate::{
    shm::{self, Carried, transfer},
    sys::OsError,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{cell::Cell, sync::Arc};

/// Messages up to this length need no memory of their own on the way.
const SHORT: usize = 128;
/// A buffer that was longer than this is not kept for the next message.
const KEEP: usize = 1 << 20;

thread_local! {
    /// Where long messages are encoded.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Why a value was not sent.
pub(super) type Unsent = (SendErrorKind, Option<Reason>);

/// Encodes a value and sends it.
#[inline]
#[track_caller]
pub(super) fn send<T: Serialize + 'static>(
    core: &Arc<Core>,
    value: &T,
    needs: Needs,
    limit: Limit,
) -> Result<(), Unsent> {
    if plain::is_plain::<T>() {
        let sent = core.send(&[plain::as_bytes(value)], false, needs, limit);
        return sent.map_err(|refusal| explain(&refusal, limit));
    }
    let mut short = [0; SHORT];
    let (encoded, luggage) = shm::collect(|| codec::encode_short(value, &mut short));
    if let Some(len) = encoded.map_err(unencodable)? {
        return send_encoded(core, &short[..len], luggage, needs, limit);
    }
    drop(luggage);
    send_long(core, value, needs, limit)
}

#[track_caller]
fn send_long<T: Serialize>(
    core: &Arc<Core>,
    value: &T,
    needs: Needs,
    limit: Limit,
) -> Result<(), Unsent> {
    let mut buffer = BUFFER.take();
    buffer.clear();
    let (encoded, luggage) = shm::collect(|| codec::encode_message(value, &mut buffer));
    let sent = encoded
        .map_err(unencodable)
        .and_then(|()| send_encoded(core, &buffer, luggage, needs, limit));
    if buffer.capacity() <= KEEP {
        BUFFER.set(buffer);
    }
    sent
}

fn unencodable(error: codec::CodecError) -> Unsent {
    (SendErrorKind::Encode, Some(String::from(error).into()))
}

/// Sends bytes, and what has to go along with the handles in them.
#[inline]
#[track_caller]
pub(super) fn send_encoded(
    core: &Arc<Core>,
    bytes: &[u8],
    mut luggage: shm::Luggage,
    needs: Needs,
    limit: Limit,
) -> Result<(), Unsent> {
    if luggage.carried().is_empty() {
        core.send(&[bytes], false, needs, limit).map_err(|refusal| explain(&refusal, limit))?;
    } else {
        let tickets = handles::announce(luggage.carried());
        core.send(&[&tickets, bytes], true, needs, limit)
            .map_err(|refusal| explain(&refusal, limit))?;
        handles::keep(core, luggage.carried());
    }
    luggage.depart();
    Ok(())
}

/// Sends bytes that are encoded already, and what goes along with them. There is no limit to how many may be sent.
#[track_caller]
pub(super) fn send_parts(
    core: &Arc<Core>,
    [head, body]: [&[u8]; 2],
    carried: &[Carried],
    needs: Needs,
) -> Result<(), Unsent> {
    let limit = Limit::FOREVER;
    if carried.is_empty() {
        let sent = core.send(&[head, body], false, needs, limit);
        return sent.map_err(|refusal| explain(&refusal, limit));
    }
    let tickets = handles::announce(carried);
    core.send(&[&tickets, head, body], true, needs, limit)
        .map_err(|refusal| explain(&refusal, limit))?;
    handles::keep(core, carried);
    Ok(())
}

/// Encodes a value behind what is in `bytes`, as messages have it.
#[inline]
pub(crate) fn encode<T: Serialize + 'static>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<(), codec::CodecError> {
    if plain::is_plain::<T>() {
        bytes.extend_from_slice(plain::as_bytes(value));
        return Ok(());
    }
    codec::encode_message(value, bytes)
}

/// Whether values of a type are numbers, in which there can be no handles.
#[inline]
pub(crate) fn is_plain<T: 'static>() -> bool {
    plain::is_plain::<T>()
}

/// The counterpart of [`encode`].
#[inline]
pub(crate) fn decode<T: DeserializeOwned + 'static>(bytes: &[u8]) -> Result<T, RecvError> {
    decode_whole(bytes, false)
}

fn explain(refusal: &Refusal, limit: Limit) -> Unsent {
    match refusal {
        Refusal::Full if limit.waits() => (SendErrorKind::TimedOut, None),
        Refusal::Full => (SendErrorKind::Full, None),
        Refusal::Closed => (SendErrorKind::Closed, None),
        Refusal::Disconnected => (SendErrorKind::Disconnected, None),
        Refusal::Damaged => (SendErrorKind::Damaged, None),
        Refusal::System(error) => (SendErrorKind::System, Some(error.to_string().into())),
        Refusal::Deadlock(report) => {
            (SendErrorKind::Deadlock, Some(Reason::Deadlock(report.clone())))
        }
    }
}

/// A message as it was taken out.
enum Taken {
    /// So many bytes in the receiver's own place.
    Short(usize),
    Long(Vec<u8>),
    WithHandles(Vec<Carried>, Vec<u8>),
    Wrong(String),
}

/// Receives a value.
#[inline]
#[track_caller]
pub(super) fn receive<T: DeserializeOwned + 'static>(
    core: &Core,
    needs: Needs,
    limit: Limit,
) -> Result<T, RecvError> {
    if plain::is_plain::<T>() {
        return receive_plain(core, needs, limit);
    }
    let mut short = [0; SHORT];
    let mut taken = Taken::Short(0);
    let take = |bytes: Bytes<'_>, note: bool| {
        taken = take(core, bytes, note, &mut short)?;
        Ok(())
    };
    core.receive(take, needs, limit).map_err(|lack| lacking(&lack, limit))?;
    match taken {
        Taken::Short(len) => decode_one(&short[..len]),
        Taken::Long(bytes) => decode_one(&bytes),
        Taken::WithHandles(carried, bytes) => {
            transfer::offer_carried(carried, || decode_one(&bytes))
        }
        Taken::Wrong(reason) => Err(RecvError::Decode(reason)),
    }
}

/// Receives a value that is copied as it is.
#[inline]
#[track_caller]
fn receive_plain<T: 'static>(core: &Core, needs: Needs, limit: Limit) -> Result<T, RecvError> {
    let mut value = None;
    let take = |bytes: Bytes<'_>, _: bool| {
        value = match bytes {
            Bytes::Log(bytes) => plain::from_bytes(bytes),
            Bytes::Extent(place, len) => plain::from_owned(core.read(place, len)?),
        };
        Ok(())
    };
    core.receive(take, needs, limit).map_err(|lack| lacking(&lack, limit))?;
    value.ok_or_else(|| RecvError::Decode("its bytes are not those of one".to_owned()))
}

/// Copies a message while it is still there for others. No code of the user's runs here.
#[inline]
fn take(core: &Core, bytes: Bytes<'_>, note: bool, short: &mut [u8]) -> Result<Taken, OsError> {
    let bytes = match bytes {
        Bytes::Log(bytes) if note => return Ok(take_with_handles(bytes)),
        Bytes::Log(bytes) => bytes,
        Bytes::Extent(place, len) => return take_long(core, place, len, note),
    };
    Ok(match short.get_mut(..bytes.len()) {
        Some(short) => {
            short.copy_from_slice(bytes);
            Taken::Short(bytes.len())
        }
        None => Taken::Long(bytes.to_vec()),
    })
}

/// If there is no memory for it, it stays where it is.
#[cold]
fn take_long(core: &Core, place: u64, len: u64, note: bool) -> Result<Taken, OsError> {
    let bytes = core.read(place, len)?;
    Ok(if note { take_with_handles(&bytes) } else { Taken::Long(bytes) })
}

#[cold]
fn take_with_handles(message: &[u8]) -> Taken {
    match handles::redeem(message) {
        (Ok(carried), value) => Taken::WithHandles(carried, value.to_vec()),
        (Err(reason), _) => Taken::Wrong(reason),
    }
}

/// Receives the bytes of a message into a buffer; what came along with the handles in them.
#[inline]
#[track_caller]
pub(super) fn receive_bytes(
    core: &Core,
    buffer: &mut Vec<u8>,
    needs: Needs,
    limit: Limit,
) -> Result<Vec<Carried>, RecvError> {
    let mut carried = Ok(Vec::new());
    let take = |bytes: Bytes<'_>, note: bool| {
        let owned;
        let bytes = match bytes {
            Bytes::Log(bytes) => bytes,
            Bytes::Extent(place, len) => {
                owned = core.read(place, len)?;
                &owned[..]
            }
        };
        let bytes = if note { unpack(bytes, &mut carried) } else { bytes };
        buffer.clear();
        buffer.extend_from_slice(bytes);
        Ok(())
    };
    core.receive(take, needs, limit).map_err(|lack| lacking(&lack, limit))?;
    carried.map_err(RecvError::Decode)
}

#[cold]
fn unpack<'a>(message: &'a [u8], carried: &mut Result<Vec<Carried>, String>) -> &'a [u8] {
    let (redeemed, value) = handles::redeem(message);
    *carried = redeemed;
    value
}

/// Decodes a message that is at hand as a whole.
pub(super) fn decode_whole<T: DeserializeOwned + 'static>(
    bytes: &[u8],
    note: bool,
) -> Result<T, RecvError> {
    if note {
        let (carried, value) = handles::redeem(bytes);
        let carried = carried.map_err(RecvError::Decode)?;
        return transfer::offer_carried(carried, || decode_one(value));
    }
    if plain::is_plain::<T>() {
        return plain::from_bytes(bytes)
            .ok_or_else(|| RecvError::Decode("its bytes are not those of one".to_owned()));
    }
    decode_one(bytes)
}

#[inline]
fn decode_one<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RecvError> {
    codec::decode_message(bytes).map_err(|error| RecvError::Decode(error.into()))
}

pub(super) fn lacking(lack: &Lack, limit: Limit) -> RecvError {
    match lack {
        Lack::Empty if limit.waits() => RecvError::TimedOut,
        Lack::Empty => RecvError::Empty,
        Lack::Closed => RecvError::Closed,
        Lack::Disconnected => RecvError::Disconnected,
        Lack::Damaged => RecvError::Damaged,
        Lack::System(error) => RecvError::Decode(error.to_string()),
        Lack::Deadlock(report) => RecvError::Deadlock(report.clone()),
    }
}
