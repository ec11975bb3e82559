//! A server's objects, and a client of another program that asks whatever it likes.
#![allow(missing_docs, reason = "for the fuzz targets of this repository only")]

use super::{
    Table,
    remote::{Guest, Guests},
    respond,
};
use crate::{
    manager::{
        ManagerError,
        error::Fault,
        object::{self, deque, dict, list, set, value},
        remote::ClientId,
        stored::Keep,
        wire::{DONE, FAILED, Header, Operation, offset, put, put_last, take_last},
    },
    shm::{
        self, Shared,
        world::{self, Identity, me},
    },
};
use std::sync::{Arc, OnceLock};

/// The objects that are there before the client: one of each kind, in the order of their kinds.
pub const OWN: usize = 6;
const CLIENT: ClientId = [7; 16];

type Numbers = Shared<[u64]>;

/// A value with a handle in it. One for all, since memory is dear.
fn numbers() -> &'static Numbers {
    static NUMBERS: OnceLock<Numbers> = OnceLock::new();
    NUMBERS.get_or_init(|| Numbers::zeroed(3).expect("memory"))
}

/// A client that is connected to a server which has objects already, with plain values and with handles in them.
#[derive(Debug)]
pub struct Visit {
    guest: Guest,
    client: Identity,
    reply: Vec<u8>,
}

impl Default for Visit {
    fn default() -> Self {
        world::world().expect("memory");
        let guest = Guest::new(Arc::new(Guests::default()), Arc::new(Table::new(me().id)));
        let client = guest.enter(CLIENT).expect("a number");
        let visit = Self { guest, client, reply: Vec::new() };
        visit.fill();
        visit
    }
}

impl Visit {
    fn table(&self) -> &Table {
        self.guest.table()
    }

    fn fill(&self) {
        let own = (0..).map_while(|kind| object::make(kind).ok());
        let own: Vec<u64> =
            own.map(|object| self.table().insert(self.table().owner(), object)).collect();
        assert_eq!(own.len(), OWN, "there is a kind that nobody asks");
        let [list, dict, set, deque, value, _counter] = own[..] else { return };
        for with_handle in [true, false] {
            let last = |bytes: &mut Vec<u8>| {
                if with_handle { put_last(bytes, numbers()) } else { put_last(bytes, &5_u64) }
            };
            self.prepare(list, list::Method::Push as u32, last);
            self.prepare(deque, deque::Method::PushBack as u32, last);
            self.prepare(value, value::Method::Set as u32, last);
            self.prepare(dict, dict::Method::Insert as u32, |bytes| {
                put(bytes, &u8::from(with_handle))?;
                last(bytes)
            });
            self.prepare(set, set::Method::Insert as u32, |bytes| {
                put_last(bytes, &u8::from(with_handle))
            });
        }
    }

    /// A call of the server's own program.
    fn prepare(
        &self,
        object: u64,
        method: u32,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ManagerError>,
    ) {
        let mut request = Vec::new();
        Header::new(Operation::Call, method, object).write(&mut request);
        let (written, mut luggage) = shm::collect(|| write(&mut request));
        written.expect("it can be encoded");
        if !luggage.carried().is_empty() {
            let keep = offset(Keep::of::<Numbers>()).expect("a function of this program");
            Header::set_keep(&mut request, keep);
        }
        let (table, mut reply) = (self.table(), Vec::new());
        let carried = luggage.carried().to_vec();
        let (_, mut back) = respond(table, table.owner(), &request, carried, &mut reply);
        luggage.depart();
        back.depart();
        assert_eq!(reply.first(), Some(&DONE), "it can be kept");
    }

    /// Asks for something: the result, if there is a reply.
    ///
    /// # Panics
    /// If what comes back is no reply.
    pub fn ask(&mut self, request: &[u8]) -> Option<Result<&[u8], ManagerError>> {
        if !self.guest.answer(self.client, request, &mut self.reply) {
            return None;
        }
        match self.reply.split_first() {
            Some((&DONE, result)) => Some(Ok(result)),
            Some((&FAILED, fault)) => {
                let fault: Fault = take_last(fault).expect("a fault");
                Some(Err(fault.into()))
            }
            _ => panic!("it is no reply"),
        }
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.table().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The client hangs up: which of the objects are left that were there before it, and how many others.
    pub fn leave(self) -> (usize, usize) {
        self.guest.leave(CLIENT, self.client);
        let table = self.guest.table();
        let own = (1..=OWN as u64).filter(|object| table.get(*object).is_some()).count();
        (own, table.len() - own)
    }
}
