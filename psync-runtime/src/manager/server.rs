//! A server as its clients see it: how to reach it, and the lanes that this process has to it.

use super::{
    error::{Fault, ManagerError},
    lane::{Hello, Lane},
    remote::Remote,
    serve::{self, Charge, Table},
    wire::{DONE, Header, Operation, Reach, cut_short, put_number, take_last},
};
use crate::{
    channel::{SendErrorKind, Sender},
    shm::{
        self, Carried, Luggage, transfer,
        world::{self, Identity, me},
    },
    sys::fork_lock::ForkCell,
};
use core::{cell::Cell, fmt};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};
use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

/// A buffer that grew longer than this is not kept for the next call.
const KEEP: usize = 1 << 20;

/// See the module.
pub(super) struct Server {
    id: Identity,
    pid: i32,
    way: Way,
    /// Lanes that no thread has at hand.
    #[allow(clippy::vec_box, reason = "lanes go from hand to hand and stay where they are")]
    spare: ForkCell<Vec<Box<Lane>>>,
}

/// How to reach a server.
enum Way {
    /// By shared memory: it takes in clients behind this door.
    Door(Sender<Hello>),
    /// By connections, since it is of another program.
    Net(Remote),
}

/// The servers that this process has handles of.
static SERVERS: ForkCell<BTreeMap<u32, Weak<Server>>> = ForkCell::new(BTreeMap::new());

thread_local! {
    /// The lane that this thread used last: most threads use one server, and then no lock is taken.
    static AT_HAND: Cell<Option<AtHand>> = const { Cell::new(None) };
    /// Where requests are put together and replies arrive.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

thread_local! {
    /// Whether this thread is putting a request together, and whether it was before.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// As long as it lives, this thread is putting a request together.
struct Asking(bool);

impl Asking {
    fn begin() -> Self {
        Self(ASKING.replace(true))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        ASKING.set(self.0);
    }
}

/// On whose account a handle goes that this thread serialises. What is not for anybody in particular may be received whenever the receiver likes.
pub(super) fn charge() -> Charge {
    let process = transfer::charged();
    Charge { process, lasts: process == me().id && !ASKING.get() }
}

/// A lane that a thread keeps. When the thread ends, others get it.
#[derive(Debug)]
struct AtHand {
    server: Weak<Server>,
    lane: Option<Box<Lane>>,
}

impl Drop for AtHand {
    fn drop(&mut self) {
        if let (Some(server), Some(lane)) = (self.server.upgrade(), self.lane.take()) {
            server.spare.with(|spare| spare.push(lane));
        }
    }
}

impl Server {
    /// The server process `id`, which takes in clients behind `door`. There is one of these for each server in a process.
    pub(super) fn known(id: Identity, pid: i32, door: Sender<Hello>) -> Arc<Self> {
        let way = Way::Door(door);
        let made = Arc::new(Self { id, pid, way, spare: ForkCell::new(Vec::new()) });
        SERVERS.with(|servers| {
            if let Some(known) = servers.get(&id.bits()).and_then(Weak::upgrade) {
                return known;
            }
            servers.retain(|_, server| server.strong_count() > 0);
            servers.insert(id.bits(), Arc::downgrade(&made));
            Arc::clone(&made)
        })
    }

    /// The server of another program.
    pub(super) fn remote(remote: Remote) -> Arc<Self> {
        let (id, pid, way) = (Identity::NOBODY, remote.pid(), Way::Net(remote));
        Arc::new(Self { id, pid, way, spare: ForkCell::new(Vec::new()) })
    }

    /// Whether it is of another program.
    pub(super) const fn is_remote(&self) -> bool {
        matches!(self.way, Way::Net(_))
    }

    pub(super) const fn id(&self) -> Identity {
        self.id
    }

    pub(super) const fn pid(&self) -> i32 {
        self.pid
    }

    /// The error of every operation after its end.
    pub(super) const fn lost(&self) -> ManagerError {
        ManagerError::Lost { pid: self.pid }
    }

    /// Whether it lives, by asking the kernel.
    pub(super) fn is_alive(&self) -> bool {
        if let Way::Net(remote) = &self.way {
            return !remote.is_lost();
        }
        world::existing().is_some_and(|world| world.verify(self.id))
    }

    /// Whether it lives, as far as is known.
    pub(super) fn seems_alive(&self) -> bool {
        if let Way::Net(remote) = &self.way {
            return !remote.is_lost();
        }
        world::existing().is_some_and(|world| world.is_alive(self.id))
    }

    pub(super) fn say_hello(&self, hello: Hello) -> Result<(), ManagerError> {
        let Way::Door(door) = &self.way else { return Err(ManagerError::Elsewhere) };
        door.send(hello).map_err(|error| match error.kind() {
            SendErrorKind::Disconnected | SendErrorKind::Closed => self.lost(),
            _ => ManagerError::System { reason: error.to_string() },
        })
    }

    /// Has it take in no more clients, and so end. Does not wait.
    pub(super) fn close_door(&self) {
        if let Way::Door(door) = &self.way {
            door.core().close();
        }
    }

    /// The objects themselves, in the server.
    fn table(&self) -> Option<&'static Table> {
        serve::own().filter(|table| table.owner() == self.id).map(AsRef::as_ref)
    }

    /// A lane that nobody else uses meanwhile.
    fn take_lane(self: &Arc<Self>) -> Result<AtHand, ManagerError> {
        let at_hand = AT_HAND.try_with(Cell::take).ok().flatten();
        if let Some(at_hand) = at_hand
            && core::ptr::eq(at_hand.server.as_ptr(), Arc::as_ptr(self))
            && at_hand.lane.as_ref().is_some_and(|lane| lane.is_ours())
        {
            return Ok(at_hand);
        }
        let spare = self.spare.with(Vec::pop).filter(|lane| lane.is_ours());
        let lane = match spare {
            Some(lane) => lane,
            None => Box::new(Lane::open(self)?),
        };
        Ok(AtHand { server: Arc::downgrade(self), lane: Some(lane) })
    }

    /// Keeps a lane for this thread's next call.
    fn keep(lane: AtHand) {
        let lane = Cell::new(Some(lane));
        let _ = AT_HAND.try_with(|at_hand| at_hand.swap(&lane));
    }

    /// Asks the server for something: `write` adds the arguments, `read` takes the result. What keeps values with handles is named by `keep`.
    #[inline]
    pub(super) fn ask<R>(
        self: &Arc<Self>,
        header: Header,
        keep: Option<fn() -> *const ()>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ManagerError>,
        read: impl FnOnce(&[u8]) -> Result<R, ManagerError>,
    ) -> Result<R, ManagerError> {
        let mut bytes = BUFFER.try_with(Cell::take).unwrap_or_default();
        bytes.clear();
        if self.is_remote() && !header.operation.is_for_all() {
            return Err(ManagerError::Elsewhere);
        }
        header.write(&mut bytes);
        let asking = Asking::begin();
        let (written, luggage) = shm::collect(|| write(&mut bytes));
        drop(asking);
        written?;
        if let Some(keep) = keep.filter(|_| !luggage.carried().is_empty()) {
            Header::set_keep(&mut bytes, super::wire::offset(keep())?);
        }
        let carried = self.exchange(&mut bytes, luggage)?;
        let read = || match bytes.split_first() {
            Some((&DONE, result)) => read(result),
            Some((_, fault)) => Err(take_last::<Fault>(fault)?.into()),
            None => Err(cut_short()),
        };
        let result =
            if carried.is_empty() { read() } else { transfer::offer_carried(carried, read) };
        if bytes.capacity() <= KEEP {
            let _ = BUFFER.try_with(|buffer| buffer.set(bytes));
        }
        result
    }

    fn exchange(
        self: &Arc<Self>,
        bytes: &mut Vec<u8>,
        luggage: Luggage,
    ) -> Result<Vec<Carried>, ManagerError> {
        if let Way::Net(remote) = &self.way {
            if !luggage.carried().is_empty() {
                return Err(ManagerError::Elsewhere);
            }
            return remote.ask(bytes).map(|()| Vec::new());
        }
        if let Some(table) = self.table() {
            return Ok(perform_here(table, bytes, luggage));
        }
        let mut lane = self.take_lane()?;
        let Some(way) = lane.lane.take() else { return Err(self.lost()) };
        // After an error it is dropped: whether it has a reply yet to come is not known.
        let carried = way.ask(self, bytes, luggage)?;
        lane.lane = Some(way);
        Self::keep(lane);
        Ok(carried)
    }

    /// Asks for something that has no arguments but a number, and no result.
    pub(super) fn ask_number(
        self: &Arc<Self>,
        operation: Operation,
        object: u64,
        number: u64,
    ) -> Result<(), ManagerError> {
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, number);
            Ok(())
        };
        self.ask(Header::new(operation, 0, object), None, write, |_| Ok(()))
    }

    /// Tells the server something, without waiting for it.
    pub(super) fn tell(self: &Arc<Self>, operation: Operation, object: u64, number: u64) {
        if let Some(table) = self.table() {
            match operation {
                Operation::Release => table.release(self.id, object),
                _ => table.land(Charge::from_bits(number), object),
            }
            return;
        }
        if let Way::Net(remote) = &self.way {
            let mut bytes = Vec::new();
            Header::new(operation, 0, object).write(&mut bytes);
            remote.tell(&bytes);
            return;
        }
        // Its own, since this may be in the middle of a call.
        let mut bytes = Vec::new();
        Header::new(operation, 0, object).write(&mut bytes);
        put_number(&mut bytes, number);
        if let Ok(lane) = self.take_lane()
            && let Some(way) = &lane.lane
        {
            way.tell(&bytes);
            Self::keep(lane);
        }
    }
}

/// A call in the server itself, by a function that it runs: there is nobody to wait for.
fn perform_here(table: &Table, bytes: &mut Vec<u8>, mut luggage: Luggage) -> Vec<Carried> {
    let request = core::mem::take(bytes);
    let carried = luggage.carried().to_vec();
    let (_, mut back) = serve::respond(table, table.owner(), &request, carried, bytes, Reach::Near);
    luggage.depart();
    let carried = back.carried().to_vec();
    back.depart();
    carried
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.pid)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // This thread may have a lane to it, which is of no use any more.
        let mine = AT_HAND.try_with(Cell::take).ok().flatten();
        if let Some(other) = mine.filter(|lane| !core::ptr::eq(lane.server.as_ptr(), self)) {
            Self::keep(other);
        }
    }
}

/// How a server is written down.
type Parts = (u32, i32, Sender<Hello>);

impl Server {
    pub(super) fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Way::Door(door) = &self.way else {
            return Err(S::Error::custom(
                "a handle of another program's manager stays in its process",
            ));
        };
        (self.id.bits(), self.pid, door).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Self>, D::Error> {
        let (id, pid, door) = Parts::deserialize(deserializer)?;
        Ok(Self::known(Identity::from_bits(id), pid, door))
    }
}
