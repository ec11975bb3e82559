//! The server process: takes in connections, and serves each on a thread of its own.
//!
//! Its main thread waits for clients, and returns, which ends the process, once their channel is closed. A thread called the keeper waits for deaths.

mod accounts;
mod connection;
mod dispatch;
#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing;
mod keeper;
mod remote;
mod table;

pub(super) use accounts::Charge;
pub(super) use connection::respond;
pub(super) use dispatch::{Entry, Maker, Served};
pub(super) use table::Table;

use super::{lane::Hello, net::Door};
use crate::{
    channel::{Receiver, RecvError},
    shm::{segment::Inode, transfer, world::me},
    sys::signal,
};
use dispatch::perform;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, OnceLock},
};

/// Where the server takes in clients of other programs.
#[derive(Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) is_tcp: bool,
    pub(super) socket: Socket,
    pub(super) key: Vec<u8>,
}

/// A socket that goes along with a start.
pub(super) struct Socket(pub(super) Arc<OwnedFd>);

impl Serialize for Socket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (inode, _) = transfer::inode_of(&self.0).map_err(serde::ser::Error::custom)?;
        transfer::record_socket(&self.0, inode);
        inode.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Socket {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let inode = Inode::deserialize(deserializer)?;
        let missing = || serde::de::Error::custom("the socket itself did not come along");
        transfer::take_socket(inode).map(Self).ok_or_else(missing)
    }
}

static TABLE: OnceLock<Arc<Table>> = OnceLock::new();

/// The objects of the server that this process is, if it is one.
pub(super) fn own() -> Option<&'static Arc<Table>> {
    TABLE.get().filter(|table| table.owner() == me().id)
}

/// What the server process runs.
#[allow(clippy::needless_pass_by_value, reason = "what a process is started with is its own")]
pub(super) fn serve((clients, opening): (Receiver<Hello>, Option<Opening>)) {
    // The keyboard's interrupt is for the program's own processes, which still need their objects when they clean up.
    signal::ignore_interrupts();
    let table = TABLE.get_or_init(|| Arc::new(Table::new(me().id)));
    keeper::start(table);
    if let Some(Opening { is_tcp, socket, key }) = opening
        && let Ok(socket) = socket.0.as_fd().try_clone_to_owned()
    {
        remote::start(table, Door::from_socket(is_tcp, socket), key);
    }
    loop {
        match clients.recv() {
            Ok(hello) => connection::start(table, hello),
            // Somebody said hello and died before it was heard.
            Err(RecvError::Decode(_)) => {}
            Err(_) => return,
        }
    }
}
