//! A call that is not given a process of its own: its arguments as bytes, and the code that will know what they mean, for a process that is there already.
#![allow(unsafe_code, reason = "turns a pointer back into a function")]

use super::Fault;
use crate::{
    channel::{codec, message},
    shm::{self, Luggage},
};
use serde::{Serialize, de::DeserializeOwned};

/// Decodes what a function is called with, calls it, and encodes what it returns behind what is in the buffer.
pub(crate) type Runner = fn(*const (), &[u8], &mut Vec<u8>) -> Result<Luggage, Fault>;

/// The runner for a call, where its types are still known.
#[allow(missing_debug_implementations, unnameable_types, reason = "a step on the way to a call")]
pub struct RunBy(pub(super) Runner);

/// Encodes what a function has returned; if that fails, the reason.
#[inline]
pub(crate) fn answer<R: Serialize + 'static>(
    value: &R,
    buffer: &mut Vec<u8>,
) -> Result<Luggage, String> {
    let (encoded, luggage) = if message::is_plain::<R>() {
        (message::encode(value, buffer), Luggage::default())
    } else {
        shm::collect(|| message::encode(value, buffer))
    };
    encoded.map(|()| luggage).map_err(String::from)
}

/// The counterpart of [`answer`].
pub(super) fn answered<R: DeserializeOwned + 'static>(bytes: &[u8]) -> Result<R, String> {
    message::decode(bytes).map_err(|error| error.to_string())
}

/// Puts arguments behind what is in the buffer, as the runners below take them; if that fails, the reason.
pub(super) fn pack<E: Serialize>(arguments: &E, buffer: &mut Vec<u8>) -> Result<(), String> {
    codec::encode_into(arguments, buffer).map_err(String::from)
}

fn unpack<A: DeserializeOwned>(arguments: &[u8]) -> Result<A, Fault> {
    codec::decode(arguments).map_err(|error| Fault::Decode(error.into()))
}

/// The runner for functions from `A` to `R`.
pub(super) fn runner<A: DeserializeOwned, R: Serialize + 'static>(
    function: *const (),
    arguments: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<Luggage, Fault> {
    let arguments = unpack::<A>(arguments)?;
    // SAFETY: `Call` has given this runner together with a function of this type, and both were found by their offsets in the same image (UNSAFE.md, P1).
    let function = unsafe { core::mem::transmute::<*const (), fn(A) -> R>(function) };
    answer(&function(arguments), buffer).map_err(Fault::Encode)
}

/// The runner for functions that take `A` and never return.
pub(super) fn diverging<A: DeserializeOwned>(
    function: *const (),
    arguments: &[u8],
    _: &mut Vec<u8>,
) -> Result<Luggage, Fault> {
    let arguments = unpack::<A>(arguments)?;
    // SAFETY: as above.
    let function = unsafe { core::mem::transmute::<*const (), fn(A) -> !>(function) };
    function(arguments)
}
