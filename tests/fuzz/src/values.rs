//! Values such as programs send: what has a length, a choice or a handle in it, one inside the other.

use psync_runtime::{
    channel::{Connection, Queue, Receiver, Sender, WorkQueue},
    shm::{List, Shared, Text},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Mixed {
    Nothing,
    Text(String),
    Numbers(Vec<u32>),
    Map(BTreeMap<String, Vec<i8>>),
    Hashed { map: HashMap<u16, (bool, char)>, set: HashSet<String> },
    Nested(Option<Box<Deep>>),
    Outcome(Result<Vec<String>, Option<f64>>),
    Handles(Handles),
}

pub(crate) type Deep = (char, bool, Vec<Vec<Option<u16>>>);

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Handles {
    pub(crate) number: Option<Shared<Cell>>,
    pub(crate) numbers: Vec<Shared<[u64]>>,
    pub(crate) queue: Option<Queue<u64>>,
    pub(crate) jobs: Option<WorkQueue<String>>,
    pub(crate) ends: (Vec<Sender<u8>>, Vec<Receiver<u8>>),
    pub(crate) connection: Option<Connection<u8, u8>>,
    pub(crate) text: Text<12>,
    pub(crate) list: List<u32, 5>,
}

/// What lies behind a handle.
pub(crate) type Cell = psync_runtime::sync::Value<u64>;
