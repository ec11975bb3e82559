//! The one place that knows how values are encoded: serde and bincode, with a limit on every decode.

use bincode::{
    config::{self, Config},
    error::{DecodeError, EncodeError},
    serde::{decode_from_slice, encode_into_slice, encode_into_std_write},
};
use core::fmt;
use serde::{Serialize, de::DeserializeOwned};
use std::io::Write;

/// Decodes with the limit that the length of `bytes` allows. The limit is part of bincode's type, so it comes in steps; each admits the most
/// generous honest encoding, one byte for a value of up to 16 bytes in memory.
macro_rules! with_limit {
    ($bytes:expr, $config:expr) => {
        match $bytes.len() {
            0..KIB => limited($bytes, $config.with_limit::<{ 64 * KIB }>()),
            KIB..MIB => limited($bytes, $config.with_limit::<{ 64 * MIB }>()),
            MIB..GIB => limited($bytes, $config.with_limit::<{ 64 * GIB }>()),
            _ => limited($bytes, $config.with_limit::<{ 64 * GIB * KIB }>()),
        }
    };
}
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const GIB: usize = 1 << 30;

/// Why a value could not be encoded or decoded, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodecError(String);

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<CodecError> for String {
    fn from(error: CodecError) -> Self {
        error.0
    }
}

/// Encodes a value into any writer.
pub(crate) fn encode_into<T: Serialize>(
    value: &T,
    writer: &mut impl Write,
) -> Result<(), CodecError> {
    encode_into_std_write(value, writer, config::standard())
        .map(drop)
        .map_err(|error| describe_encode(&error))
}

/// Encodes a message of a channel: numbers have their full width, which is faster and rarely longer.
pub(crate) fn encode_message<T: Serialize>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<(), CodecError> {
    encode_into_std_write(value, bytes, config::standard().with_fixed_int_encoding())
        .map(drop)
        .map_err(|error| describe_encode(&error))
}

/// The same into a place of fixed length: how long it is, or `None` if it does not fit.
#[inline]
pub(crate) fn encode_short<T: Serialize>(
    value: &T,
    bytes: &mut [u8],
) -> Result<Option<usize>, CodecError> {
    match encode_into_slice(value, bytes, config::standard().with_fixed_int_encoding()) {
        Ok(len) => Ok(Some(len)),
        Err(EncodeError::UnexpectedEnd) => Ok(None),
        Err(error) => Err(describe_encode(&error)),
    }
}

/// The counterpart of both; as careful as [`decode`].
#[inline]
pub(crate) fn decode_message<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    with_limit!(bytes, config::standard().with_fixed_int_encoding())
}

/// Encodes a value into bytes.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::new();
    encode_into(value, &mut bytes)?;
    Ok(bytes)
}

/// Decodes a value from all of `bytes`.
///
/// The bytes come from another process, which may have been wrong or half-way: they can make this fail, but not make it fill more memory than a
/// small multiple of their number. A length that lies has up to the limit asked for in one piece, which is given back untouched.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    with_limit!(bytes, config::standard())
}

fn limited<T: DeserializeOwned>(bytes: &[u8], config: impl Config) -> Result<T, CodecError> {
    let (value, used) =
        decode_from_slice(bytes, config).map_err(|error| describe_decode(&error))?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(CodecError(format!("{} bytes are left over", bytes.len() - used)))
    }
}

fn describe_encode(error: &EncodeError) -> CodecError {
    CodecError(match error {
        EncodeError::OtherString(message) => message.clone(),
        EncodeError::Other(message) => (*message).to_owned(),
        EncodeError::Io { inner, .. } => inner.to_string(),
        other => other.to_string(),
    })
}

fn describe_decode(error: &DecodeError) -> CodecError {
    CodecError(match error {
        DecodeError::OtherString(message) => message.clone(),
        DecodeError::Other(message) => (*message).to_owned(),
        DecodeError::UnexpectedEnd { additional } => format!("{additional} bytes are missing"),
        DecodeError::LimitExceeded => "a length in it is larger than all of it".to_owned(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_there_and_back() {
        let value = (7_u8, String::from("acorn"), vec![1_i64, -1], Some((2.5_f64, 'x')));
        let bytes = encode(&value).expect("encodes");
        assert_eq!(decode::<(u8, String, Vec<i64>, Option<(f64, char)>)>(&bytes), Ok(value));
    }

    #[test]
    fn missing_and_extra_bytes_are_errors() {
        let bytes = encode(&(1_u64 << 40, "walnut")).expect("encodes");
        assert!(decode::<(u64, String)>(&bytes[..bytes.len() - 1]).is_err());
        let more = [&bytes[..], &[0]].concat();
        assert_eq!(
            decode::<(u64, String)>(&more).map_err(String::from),
            Err("1 bytes are left over".to_owned())
        );
    }

    #[test]
    fn a_lying_length_does_not_allocate() {
        // A vector that claims 2^60 elements.
        let mut bytes = vec![253];
        bytes.extend_from_slice(&(1_u64 << 60).to_le_bytes());
        assert!(decode::<Vec<u8>>(&bytes).is_err());
        assert!(decode::<String>(&bytes).is_err());
        assert!(decode::<Vec<[u64; 4]>>(&bytes).is_err());
    }

    #[test]
    fn large_vectors_of_small_numbers_fit_the_limit() {
        for len in [1_000, 100_000, 3_000_000] {
            let value = vec![0_u64; len];
            assert_eq!(
                decode::<Vec<u64>>(&encode(&value).expect("encodes")).map(|v| v.len()),
                Ok(len)
            );
        }
    }
}
