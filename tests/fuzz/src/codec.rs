//! Arbitrary bytes as an encoded value, of one of many types.

use crate::{
    memory,
    values::{Handles, Mixed},
};
use core::{num::NonZeroU32, time::Duration};
use psync_runtime::{
    channel::{RecvError, fuzzing},
    shm::{Shared, Text},
};
use serde::de::DeserializeOwned;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    ffi::{CString, OsString},
    net::SocketAddr,
    path::PathBuf,
    time::SystemTime,
};

/// What a decode may take besides a multiple of its input: each collection begins with room for up to a mebibyte, if it says that it is that long.
const BASE: usize = 8 << 20;
/// In memory a byte of the input becomes at most so many, with what collections have in reserve.
const EACH: usize = 64;

/// The limit of the codec, of which there are but a few: a text that claims to be as long has as much asked for.
const fn limit(len: usize) -> usize {
    if len < 1 << 10 { 64 << 10 } else { 64 << 20 }
}

fn decode<T: DeserializeOwned>(message: bool, bytes: &[u8]) {
    memory::at_most(BASE + EACH * bytes.len() + limit(bytes.len()), || {
        let decoded: Result<T, String> =
            if message { fuzzing::decode_message(bytes) } else { fuzzing::decode(bytes) };
        if let Err(reason) = decoded {
            assert!(!reason.is_empty());
        }
    });
}

/// The first byte says what the others are.
pub fn run(data: &[u8]) {
    let Some((&kind, bytes)) = data.split_first() else { return };
    let message = kind & 1 == 0;
    match kind >> 1 {
        0 => decode::<Mixed>(message, bytes),
        1 => decode::<Handles>(message, bytes),
        2 => decode::<Vec<Mixed>>(message, bytes),
        3 => decode::<Vec<Vec<Vec<u64>>>>(message, bytes),
        4 => decode::<BTreeMap<u8, Vec<String>>>(message, bytes),
        5 => decode::<HashMap<String, HashMap<u64, [u64; 4]>>>(message, bytes),
        6 => decode::<(char, bool, f64, [u8; 3], i128, String)>(message, bytes),
        7 => decode::<Vec<Result<Option<String>, RecvError>>>(message, bytes),
        8 => decode::<VecDeque<(Duration, SystemTime, NonZeroU32)>>(message, bytes),
        9 => decode::<Vec<(PathBuf, OsString, CString)>>(message, bytes),
        10 => decode::<BTreeSet<SocketAddr>>(message, bytes),
        11 => decode::<Vec<(Shared<[u64]>, Text<9>)>>(message, bytes),
        12 => decode::<String>(message, bytes),
        13 => decode::<Vec<u8>>(message, bytes),
        _ => decode::<()>(message, bytes),
    }
}
