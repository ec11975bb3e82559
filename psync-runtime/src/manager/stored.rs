//! A value that an object holds: its encoded bytes, or, if there are handles in it, the value itself.
//!
//! Most values are never looked at by the server: their bytes come with one call and go with another. A handle is more than its bytes, though: what
//! it names has to be kept, and counted, and each copy that leaves counts again. So a value with handles is decoded, lives in the server as what it
//! is, and is encoded afresh for everybody who asks for it.

use super::{error::Fault, item::Item, wire};
use crate::{
    channel::codec,
    shm::{self, transfer},
};
use core::{any::Any, fmt};
use std::sync::{Mutex, PoisonError};

/// See the module.
pub(super) enum Stored {
    Bytes(Box<[u8]>),
    Kept(Box<dyn Keeps>),
}

/// A value with handles.
pub(super) trait Keeps: Any + Send + Sync {
    fn encode(&self, bytes: &mut Vec<u8>) -> Result<(), codec::CodecError>;
}

/// The lock is never held while anything else is waited for.
impl<T: Item> Keeps for Mutex<T> {
    fn encode(&self, bytes: &mut Vec<u8>) -> Result<(), codec::CodecError> {
        codec::encode_message(&*self.lock().unwrap_or_else(PoisonError::into_inner), bytes)
    }
}

type KeepFn = fn(&[u8]) -> Result<Box<dyn Keeps>, Fault>;

/// How values of one type are kept: a function of the program, which the client names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep(KeepFn);

impl Keep {
    /// The place of that function for a `T`.
    pub(super) fn of<T: Item>() -> *const () {
        let keep: KeepFn = keep::<T>;
        keep as *const ()
    }

    #[allow(unsafe_code, reason = "turns an offset back into a function")]
    pub(super) fn at(offset: u64) -> Result<Self, Fault> {
        let function = wire::function_at(offset)?;
        // SAFETY: what a client names there is `Keep::of` of the same image (UNSAFE.md, P1).
        Ok(Self(unsafe { core::mem::transmute::<*const (), KeepFn>(function) }))
    }
}

fn keep<T: Item>(bytes: &[u8]) -> Result<Box<dyn Keeps>, Fault> {
    let value: T = codec::decode_message(bytes).map_err(|error| Fault::Decode(error.into()))?;
    Ok(Box::new(Mutex::new(value)))
}

impl Stored {
    /// A value that has come with a request.
    pub(super) fn take(bytes: &[u8], keep: Option<Keep>) -> Result<Self, Fault> {
        match keep {
            None => Ok(Self::Bytes(bytes.into())),
            Some(Keep(keep)) => keep(bytes).map(Self::Kept),
        }
    }

    /// A value that was made here.
    pub(super) fn of<T: Item>(value: T) -> Result<Self, Fault> {
        let mut bytes = Vec::new();
        let (encoded, luggage) = shm::collect(|| codec::encode_message(&value, &mut bytes));
        encoded.map_err(|error| Fault::Encode(error.into()))?;
        if luggage.carried().is_empty() {
            return Ok(Self::Bytes(bytes.into()));
        }
        Ok(Self::Kept(Box::new(Mutex::new(value))))
    }

    pub(super) const fn has_handles(&self) -> bool {
        matches!(self, Self::Kept(_))
    }

    /// Encodes it for whoever asks. Handles in it are noted by the `collect` around this.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        match self {
            Self::Bytes(own) => {
                bytes.extend_from_slice(own);
                Ok(())
            }
            Self::Kept(value) => value.encode(bytes).map_err(|error| Fault::Encode(error.into())),
        }
    }

    /// A copy of the value, for code of the user's.
    pub(super) fn value<T: Item>(&self) -> Result<T, Fault> {
        let decode = |bytes: &[u8]| {
            codec::decode_message(bytes).map_err(|error| Fault::Decode(error.into()))
        };
        let value = match self {
            Self::Bytes(bytes) => return decode(bytes),
            Self::Kept(value) => value,
        };
        let mut bytes = Vec::new();
        let (encoded, mut luggage) = shm::collect(|| value.encode(&mut bytes));
        encoded.map_err(|error| Fault::Encode(error.into()))?;
        let value = transfer::offer_carried(luggage.carried().to_vec(), || decode(&bytes))?;
        luggage.depart();
        Ok(value)
    }

    /// Whether both are encoded alike. Values with handles never are.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bytes(own), Self::Bytes(other)) => own == other,
            _ => false,
        }
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Kept(_) => f.write_str("Kept"),
        }
    }
}
