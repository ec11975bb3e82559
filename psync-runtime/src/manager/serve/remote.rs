//! Clients of other programs: each connection on a thread of its own, which does only what needs no function and no memory of this program.

use super::{Table, connection::write_fault, respond};
use crate::{
    manager::{
        error::Fault,
        net::{Client, Door, Greeter},
        remote::ClientId,
        wire::{DONE, Header, Reach, put_number},
    },
    primitive::{AtomicUsize, Ordering},
    shm::world::{Identity, SLOTS, me},
};
use core::time::Duration;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How many connections there may be.
const CONNECTIONS: usize = 256;
/// How many more may be told at a time that there are as many.
const REFUSED: usize = 16;
/// How long a client has to say which one it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// The clients that have connections, and under which number each is in the accounts.
#[derive(Debug, Default)]
pub(super) struct Guests {
    known: Mutex<HashMap<ClientId, (Identity, usize)>>,
    connections: AtomicUsize,
}

impl Guests {
    /// A connection of this client. The numbers are those of processes of a generation that no process has.
    fn enter(&self, id: ClientId) -> Option<Identity> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((identity, count)) = known.get_mut(&id) {
            *count += 1;
            return Some(*identity);
        }
        let is_free = |identity: &Identity| known.values().all(|(other, _)| other != identity);
        let identity = (1..SLOTS).map(|slot| Identity::new(slot, 0)).find(is_free)?;
        known.insert(id, (identity, 1));
        Some(identity)
    }

    fn leave(&self, id: ClientId) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = known.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                known.remove(&id);
            }
        }
    }
}

/// Takes in clients behind a door, as long as the process runs.
pub(super) fn start(table: &Arc<Table>, door: Door, key: Vec<u8>) {
    let Ok((greeter, hall)) = Greeter::start(door, key) else { return };
    let table = Arc::clone(table);
    let thread = std::thread::Builder::new().name("manager door".to_owned());
    let _ = thread.spawn(move || {
        let _greeter = greeter;
        let guests = Arc::new(Guests::default());
        loop {
            let Ok(client) = hall.next() else { continue };
            if guests.connections.load(Ordering::Relaxed) >= CONNECTIONS + REFUSED {
                // It finds itself hung up on.
                continue;
            }
            let is_crowded = guests.connections.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS;
            let (guests, table) = (Arc::clone(&guests), Arc::clone(&table));
            let guest = Guest::new(guests, table);
            let thread = std::thread::Builder::new().name("manager guest".to_owned());
            let _ = thread.spawn(move || guest.serve(&client, is_crowded));
        }
    });
}

/// One connection.
#[derive(Debug)]
pub(super) struct Guest {
    guests: Arc<Guests>,
    table: Arc<Table>,
}

impl Guest {
    /// One of those that are counted already.
    pub(super) const fn new(guests: Arc<Guests>, table: Arc<Table>) -> Self {
        Self { guests, table }
    }

    #[cfg(feature = "fuzzing")]
    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// The client has said which one it is: under which number its account is.
    pub(super) fn enter(&self, id: ClientId) -> Option<Identity> {
        let identity = self.guests.enter(id)?;
        self.table.connect(identity);
        Some(identity)
    }

    /// The account goes with the last connection, before the number is another's.
    pub(super) fn leave(&self, id: ClientId, identity: Identity) {
        self.table.disconnect(identity);
        self.guests.leave(id);
    }

    fn serve(&self, client: &Client, is_crowded: bool) {
        let Ok(id) = client.recv_bytes_timeout(PATIENCE) else { return };
        if is_crowded {
            let mut reply = Vec::new();
            write_fault(&Fault::Crowded, &mut reply);
            let _ = client.send_bytes(&reply);
            return;
        }
        let Ok(id) = ClientId::try_from(&id[..]) else { return };
        let Some(identity) = self.enter(id) else { return };
        let mut reply = vec![DONE];
        put_number(&mut reply, u64::from(me().pid.unsigned_abs()));
        let mut has_reply = true;
        while !has_reply || client.send_bytes(&reply).is_ok() {
            let Ok(request) = client.recv_bytes() else { break };
            has_reply = self.answer(identity, &request, &mut reply);
        }
        self.leave(id, identity);
    }

    /// Does what is asked for; whether there is a reply.
    pub(super) fn answer(&self, identity: Identity, request: &[u8], reply: &mut Vec<u8>) -> bool {
        if Header::read(request).is_some_and(|(header, _)| !header.is_for_all()) {
            write_fault(&Fault::Elsewhere, reply);
            return true;
        }
        // What is far has no luggage.
        respond(&self.table, identity, request, Vec::new(), reply, Reach::Far).0
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.guests.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
