//! The server process: takes in connections, and serves each on a thread of its own.
//!
//! Its main thread waits for clients, and returns, which ends the process, once their channel is closed. A thread called the keeper waits for deaths.

mod accounts;
mod connection;
mod dispatch;
mod keeper;
mod table;

pub(super) use accounts::Charge;
pub(super) use connection::respond;
pub(super) use dispatch::{Entry, Maker, Served};
pub(super) use table::Table;

use super::lane::Hello;
use crate::{
    channel::{Receiver, RecvError},
    shm::world::me,
    sys::signal,
};
use dispatch::perform;
use std::sync::{Arc, OnceLock};

static TABLE: OnceLock<Arc<Table>> = OnceLock::new();

/// The objects of the server that this process is, if it is one.
pub(super) fn own() -> Option<&'static Arc<Table>> {
    TABLE.get().filter(|table| table.owner() == me().id)
}

/// What the server process runs.
#[allow(clippy::needless_pass_by_value, reason = "what a process is started with is its own")]
pub(super) fn serve(clients: Receiver<Hello>) {
    // The keyboard's interrupt is for the program's own processes, which still need their objects when they clean up.
    signal::ignore_interrupts();
    let table = TABLE.get_or_init(|| Arc::new(Table::new(me().id)));
    keeper::start(table);
    loop {
        match clients.recv() {
            Ok(hello) => connection::start(table, hello),
            // Somebody said hello and died before it was heard.
            Err(RecvError::Decode(_)) => {}
            Err(_) => return,
        }
    }
}
