//! What a request and a reply look like.
//!
//! | request | bytes |
//! |---|---|
//! | operation | 1 |
//! | unused | 3 |
//! | method of the object | 4 |
//! | object | 8 |
//! | how values with handles are kept: a function, 0 if there are none | 8 |
//! | arguments | the rest |
//!
//! A reply is one byte, [`DONE`] or [`FAILED`], and a value or an encoded [`Fault`]. Among arguments and results a value that is not the last
//! has its length in front, so that an object can keep it without knowing its type.

use super::{
    error::{Fault, ManagerError},
    net::LIMIT,
    stored::{Keep, Stored},
};
use crate::{channel::codec, process, shm};
use serde::{Serialize, de::DeserializeOwned};

pub(super) const DONE: u8 = 0;
pub(super) const FAILED: u8 = 1;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Operation {
    /// A method of a built-in object, by its number.
    Call = 1,
    /// A function of the program, on an object.
    Enter = 2,
    /// A new built-in object, of the kind that the method field says.
    Make = 3,
    /// A new object, made by a function of the program.
    MakeBy = 4,
    /// A handle was dropped. There is no reply.
    Release = 5,
    /// A handle goes into a message.
    Depart = 6,
    /// A handle has come out of a message.
    Arrive = 7,
    /// A handle will never come out of its message. There is no reply.
    Land = 8,
    /// How many objects there are.
    Count = 9,
    /// The object shall be found under a name.
    Publish = 10,
    /// The object of a name.
    Find = 11,
}

impl Operation {
    const ALL: [Self; 11] = [
        Self::Call,
        Self::Enter,
        Self::Make,
        Self::MakeBy,
        Self::Release,
        Self::Depart,
        Self::Arrive,
        Self::Land,
        Self::Count,
        Self::Publish,
        Self::Find,
    ];

    /// Whether another program may ask for it: what needs no function of this program, and no shared memory.
    pub(super) const fn is_for_all(self) -> bool {
        matches!(
            self,
            Self::Call | Self::Make | Self::Release | Self::Count | Self::Publish | Self::Find
        )
    }

    pub(super) const fn has_reply(self) -> bool {
        !matches!(self, Self::Release | Self::Land)
    }
}

const KEEP_AT: usize = 16;
const HEADER: usize = 24;

/// The head of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) operation: Operation,
    pub(super) method: u32,
    pub(super) object: u64,
    keep: u64,
}

impl Header {
    pub(super) const fn new(operation: Operation, method: u32, object: u64) -> Self {
        Self { operation, method, object, keep: 0 }
    }

    pub(super) fn write(self, bytes: &mut Vec<u8>) {
        let mut header = [0; HEADER];
        header[0] = self.operation as u8;
        header[4..8].copy_from_slice(&self.method.to_le_bytes());
        header[8..16].copy_from_slice(&self.object.to_le_bytes());
        header[16..].copy_from_slice(&self.keep.to_le_bytes());
        bytes.extend_from_slice(&header);
    }

    /// Takes a request apart; `None` if it is none.
    pub(super) fn read(request: &[u8]) -> Option<(Self, &[u8])> {
        let (header, arguments) = request.split_first_chunk::<HEADER>()?;
        let operation = *Operation::ALL.iter().find(|known| **known as u8 == header[0])?;
        let long = |at: usize| header.get(at..)?.first_chunk().copied().map(u64::from_le_bytes);
        let method = u32::from_le_bytes(*header[4..].first_chunk()?);
        Some((Self { operation, method, object: long(8)?, keep: long(KEEP_AT)? }, arguments))
    }

    /// Whether another program may send it.
    pub(super) const fn is_for_all(&self) -> bool {
        self.operation.is_for_all() && self.keep == 0
    }

    /// Notes in a request that its values have handles, and how they are kept.
    pub(super) fn set_keep(request: &mut [u8], keep: u64) {
        if let Some(place) = request.get_mut(KEEP_AT..HEADER) {
            place.copy_from_slice(&keep.to_le_bytes());
        }
    }

    pub(super) fn arguments<'a>(&self, rest: &'a [u8]) -> Arguments<'a> {
        Arguments { rest, keep: self.keep }
    }
}

/// The offset of a function of this program.
pub(super) fn offset(function: *const ()) -> Result<u64, ManagerError> {
    process::offset_of_function(function).ok_or(ManagerError::UnknownFunction)
}

/// The function of this program at an offset.
pub(super) fn function_at(offset: u64) -> Result<*const (), Fault> {
    process::function_at(offset).ok_or(Fault::UnknownFunction)
}

/// Adds a number.
pub(super) fn put_number(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

/// Adds a value that is the last.
#[inline]
pub(super) fn put_last<T: Serialize + ?Sized>(
    bytes: &mut Vec<u8>,
    value: &T,
) -> Result<(), ManagerError> {
    codec::encode_message(&value, bytes).map_err(|e| ManagerError::Encode { reason: e.into() })
}

/// Adds a value with its length in front.
#[inline]
pub(super) fn put<T: Serialize + ?Sized>(
    bytes: &mut Vec<u8>,
    value: &T,
) -> Result<(), ManagerError> {
    let start = begin_item(bytes);
    put_last(bytes, value)?;
    end_item(bytes, start);
    Ok(())
}

/// Adds a key that is the last. A key is what it is encoded as, so it cannot have handles in it.
pub(super) fn put_last_key<K: Serialize + ?Sized>(
    bytes: &mut Vec<u8>,
    key: &K,
) -> Result<(), ManagerError> {
    let (put, luggage) = shm::collect(|| put_last(bytes, key));
    if luggage.carried().is_empty() {
        return put;
    }
    Err(ManagerError::Encode { reason: "a key cannot have handles in it".to_owned() })
}

/// The same with its length in front.
pub(super) fn put_key<K: Serialize + ?Sized>(
    bytes: &mut Vec<u8>,
    key: &K,
) -> Result<(), ManagerError> {
    let start = begin_item(bytes);
    put_last_key(bytes, key)?;
    end_item(bytes, start);
    Ok(())
}

/// Leaves room for the length of what comes next.
pub(super) fn begin_item(bytes: &mut Vec<u8>) -> usize {
    put_number(bytes, 0);
    bytes.len()
}

/// Writes down the length of what has been added since.
pub(super) fn end_item(bytes: &mut [u8], start: usize) {
    let len = (bytes.len() - start) as u64;
    bytes[start - 8..start].copy_from_slice(&len.to_le_bytes());
}

/// A value that is the last.
#[inline]
pub(super) fn take_last<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ManagerError> {
    codec::decode_message(bytes).map_err(|e| ManagerError::Decode { reason: e.into() })
}

/// Takes bytes apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces<'a>(pub(super) &'a [u8]);

impl<'a> Pieces<'a> {
    pub(super) fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    pub(super) fn item(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (item, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(item)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Results that are values, one after the other.
pub(super) fn take_all<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, ManagerError> {
    let mut pieces = Pieces(bytes);
    let mut all = Vec::new();
    while !pieces.is_empty() {
        all.push(take_last(pieces.item().ok_or_else(cut_short)?)?);
    }
    Ok(all)
}

/// A result that may be none: nothing, or a byte and the value.
#[inline]
pub(super) fn take_option<T: DeserializeOwned>(bytes: &[u8]) -> Result<Option<T>, ManagerError> {
    match bytes {
        [] => Ok(None),
        [_, value @ ..] => take_last(value).map(Some),
    }
}

/// A result that is a number.
pub(super) fn take_number(bytes: &[u8]) -> Result<u64, ManagerError> {
    Pieces(bytes).number().ok_or_else(cut_short)
}

/// A result that is yes or no.
pub(super) fn take_flag(bytes: &[u8]) -> Result<bool, ManagerError> {
    bytes.first().map(|flag| *flag != 0).ok_or_else(cut_short)
}

/// A result that says no more than that it was done.
#[allow(clippy::unnecessary_wraps, reason = "it is one of the readers of results")]
pub(super) fn take_nothing(_: &[u8]) -> Result<(), ManagerError> {
    Ok(())
}

pub(super) fn cut_short() -> ManagerError {
    ManagerError::Decode { reason: "it is cut short".to_owned() }
}

/// The arguments of a request, as the server sees them.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    rest: &'a [u8],
    keep: u64,
}

impl<'a> Arguments<'a> {
    pub(super) fn number(&mut self) -> Result<u64, Fault> {
        self.pieces(Pieces::number)
    }

    pub(super) fn index(&mut self) -> Result<usize, Fault> {
        self.number().map(|number| usize::try_from(number).unwrap_or(usize::MAX))
    }

    /// The bytes of a value with its length in front.
    pub(super) fn item(&mut self) -> Result<&'a [u8], Fault> {
        self.pieces(Pieces::item)
    }

    fn pieces<T>(&mut self, take: impl FnOnce(&mut Pieces<'a>) -> Option<T>) -> Result<T, Fault> {
        let mut pieces = Pieces(self.rest);
        let taken = take(&mut pieces);
        self.rest = pieces.0;
        taken.ok_or_else(|| Fault::Decode("the request is cut short".to_owned()))
    }

    /// Everything that is left.
    pub(super) fn last(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Decodes everything that is left.
    pub(super) fn last_value<T: DeserializeOwned>(&mut self) -> Result<T, Fault> {
        codec::decode_message(self.last()).map_err(|error| Fault::Decode(error.into()))
    }

    /// The value that is left, to be kept.
    pub(super) fn last_stored(&mut self) -> Result<Stored, Fault> {
        Stored::take(self.last(), self.keep()?)
    }

    /// A value with its length in front, to be kept.
    pub(super) fn stored(&mut self) -> Result<Stored, Fault> {
        Stored::take(self.item()?, self.keep()?)
    }

    /// All that is left are values to be kept.
    pub(super) fn all_stored(&mut self) -> Result<Vec<Stored>, Fault> {
        let mut all = Vec::new();
        while !self.is_empty() {
            all.push(self.stored()?);
        }
        Ok(all)
    }

    fn keep(&self) -> Result<Option<Keep>, Fault> {
        if self.keep == 0 { Ok(None) } else { Keep::at(self.keep).map(Some) }
    }

    /// A function of the program.
    ///
    /// # Safety
    /// `F` is the type of function pointers whose offset the client has put here.
    #[allow(unsafe_code, reason = "turns an offset back into a function")]
    pub(super) unsafe fn function<F: Copy>(&mut self) -> Result<F, Fault> {
        const { assert!(size_of::<F>() == size_of::<*const ()>()) };
        let function = function_at(self.number()?)?;
        // SAFETY: `F` is a function pointer, whose address this is, as the caller promises (UNSAFE.md, P1).
        Ok(unsafe { core::mem::transmute_copy::<*const (), F>(&function) })
    }
}

/// Where a reply goes, and so what can be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// To a process of this program.
    Near,
    /// To another program: no handles, and no more bytes than a connection takes.
    Far,
}

/// Where a reply grows. What is taken out of an object is added first, and taken after that: what cannot be in the reply stays where it is.
#[derive(Debug)]
pub(super) struct Reply<'a> {
    pub(super) bytes: &'a mut Vec<u8>,
    pub(super) reach: Reach,
}

impl Reply<'_> {
    pub(super) fn number(&mut self, number: u64) {
        put_number(self.bytes, number);
    }

    pub(super) fn len(&mut self, len: usize) {
        self.number(len as u64);
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.bytes.push(u8::from(flag));
    }

    /// A value that is the last.
    pub(super) fn value<T: Serialize>(&mut self, value: &T) -> Result<(), Fault> {
        codec::encode_message(value, self.bytes).map_err(|error| Fault::Encode(error.into()))
    }

    /// A kept value that is the last.
    pub(super) fn last(&mut self, value: &Stored) -> Result<(), Fault> {
        if self.reach == Reach::Far && value.has_handles() {
            return Err(Fault::Elsewhere);
        }
        value.write(self.bytes)?;
        self.fits()
    }

    /// A value that is the last, and may have handles in it.
    pub(super) fn fresh<T: Serialize>(&mut self, value: &T) -> Result<(), Fault> {
        if self.reach == Reach::Near {
            return self.value(value);
        }
        let (written, luggage) = shm::collect(|| self.value(value));
        written?;
        if luggage.carried().is_empty() { self.fits() } else { Err(Fault::Elsewhere) }
    }

    /// Whether the reply can be sent.
    pub(super) fn fits(&self) -> Result<(), Fault> {
        if self.reach == Reach::Near || self.bytes.len() <= LIMIT {
            return Ok(());
        }
        // Its client would take a connection that ends for the end of the server.
        Err(Fault::System("the result is too long for a connection".to_owned()))
    }

    /// A kept value, or that there is none.
    pub(super) fn option(&mut self, value: Option<&Stored>) -> Result<(), Fault> {
        let Some(value) = value else { return Ok(()) };
        self.bytes.push(1);
        self.last(value)
    }

    /// One kept value of several.
    pub(super) fn item(&mut self, value: &Stored) -> Result<(), Fault> {
        let start = begin_item(self.bytes);
        self.last(value)?;
        end_item(self.bytes, start);
        Ok(())
    }

    /// One of several, as bytes.
    pub(super) fn raw_item(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.len(bytes.len());
        self.bytes.extend_from_slice(bytes);
        self.fits()
    }
}
