//! `Manager`: the server's beginning and end, and the makers of objects.

use super::{
    error::ManagerError,
    net::{Address, Door},
    remote::Remote,
    serve::{self, Opening, Socket},
    server::Server,
    wire::{Header, Operation, take_number},
};
use crate::{
    channel::channel,
    process::{Options, Process, Spec, spawn_spec},
    shm::world::{Identity, Wake, Watch, existing, me},
    sys::clock::Deadline,
};
use core::{fmt, time::Duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::{Arc, Mutex, PoisonError};

/// How many clients may knock at a time; further ones wait.
const KNOCKING: usize = 256;
/// How long the server has to end after it was asked to, and again after SIGTERM.
const GRACE: Duration = Duration::from_secs(1);

const SPEC: Spec = Spec { name: "manager", daemon: Some(true), start_method: None };

/// A server process that owns objects for all processes of the program. [`start`](Self::start) it, and make objects with it.
///
/// It is a handle: it can be cloned, and sent to other processes, which make objects with it as well. **The server ends** when the last handle in the process that started it is
/// dropped, when it is [shut down](Self::shutdown), and with that process, however that ends. From then on every operation of every handle, also one that is waiting,
/// ends with [`ManagerError::Lost`]. Handles that were sent to other processes do not keep it.
///
/// **When a client dies**, what it held is released within a moment: its handles, and the locks and permits it had. A call that it had begun is done
/// or is not, as a whole.
///
/// # Examples
/// ```
/// use psync::{Manager, spawn};
/// use psync::manager::ListProxy;
///
/// let manager = Manager::start()?;
/// let animals = manager.list::<String>()?;
/// let keepers = ["zebra", "lion"].map(|name| {
///     let args = (animals.clone(), name.to_owned());
///     spawn(|(animals, name): (ListProxy<String>, String)| animals.push(name).is_ok(), args)
/// });
/// for keeper in keepers {
///     assert!(keeper?.join()?);
/// }
/// animals.sort()?;
/// assert_eq!(animals.to_vec()?, ["lion", "zebra"]);
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Clone)]
pub struct Manager {
    server: Arc<Server>,
    /// Only in the process that started it.
    owner: Option<Arc<Owner>>,
}

/// Ends the server when it is dropped.
struct Owner {
    server: Arc<Server>,
    holder: Identity,
    process: Mutex<Option<Process<()>>>,
    /// Where other programs reach it.
    address: Option<Address>,
}

impl Manager {
    /// Starts a server process.
    ///
    /// # Errors
    /// [`ManagerError::NotStarted`] if it cannot be started, [`ManagerError::System`] if there is no memory or no descriptor for the way to it.
    pub fn start() -> crate::Result<Self> {
        Self::launch(None, None)
    }

    /// Starts a server process that other programs can [`connect`](Self::connect) to as well, with the same key.
    ///
    /// The address is as of [`Address`]; with port 0 the system chooses one, which [`addr`](Self::addr) tells. A key that is hard to guess has 32 random bytes. Clients of other programs
    /// have what needs no function of this program and no shared memory: lists, dicts, sets, deques, namespaces, values, counters and queues, but none of the calls that take a function. They find
    /// objects by [name](Self::publish). What is sent is authenticated, and not encrypted.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`ManagerError::Address`], [`ManagerError::System`] if somebody else listens there.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, manager::ListProxy};
    ///
    /// let manager = Manager::serve("127.0.0.1:0", b"open sesame")?;
    /// manager.publish("animals", &manager.list::<String>()?)?;
    ///
    /// // In another program, perhaps on another host:
    /// let address = manager.addr().expect("it listens").to_string();
    /// let there = Manager::connect(address, b"open sesame")?;
    /// let animals: ListProxy<String> = there.find("animals")?.expect("it was published");
    /// animals.push("zebra".to_owned())?;
    /// assert_eq!(animals.len()?, 1);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn serve(address: impl AsRef<str>, key: &[u8]) -> crate::Result<Self> {
        let (door, address) = Door::open(&address.as_ref().parse()?)?;
        let (is_tcp, socket) = door.into_socket();
        let opening = Opening { is_tcp, socket: Socket(Arc::new(socket?)), key: key.to_vec() };
        Self::launch(Some(opening), Some(address))
    }

    /// Connects to a manager of another program, see [`serve`](Self::serve). Handles of it stay in this process.
    ///
    /// When the other side hangs up or cannot be reached any more, all handles report [`ManagerError::Lost`]. When this process ends in any way, what it held is released.
    ///
    /// # Errors
    /// [`ManagerError::Refused`] if the keys differ; [`ManagerError::Crowded`] if 256 connections are there; [`ManagerError::Address`], [`ManagerError::TimedOut`], [`ManagerError::System`] if nobody listens there.
    pub fn connect(address: impl AsRef<str>, key: &[u8]) -> Result<Self, ManagerError> {
        let remote = Remote::connect(address.as_ref(), key)?;
        Ok(Self { server: Server::remote(remote), owner: None })
    }

    /// Where other programs can connect to it, if it [serves](Self::serve) them; known in the process that started it.
    pub fn addr(&self) -> Option<&Address> {
        self.owner.as_ref()?.address.as_ref()
    }

    fn launch(opening: Option<Opening>, address: Option<Address>) -> crate::Result<Self> {
        let (door, clients) = channel(KNOCKING)?;
        let process = spawn_spec(&SPEC, Options::new(), serve::serve, (clients, opening))
            .map_err(ManagerError::NotStarted)?;
        let server = Server::known(process.child().id, process.pid(), door);
        let process = Mutex::new(Some(process));
        let owner = Owner { server: Arc::clone(&server), holder: me().id, process, address };
        let manager = Self { server, owner: Some(Arc::new(owner)) };
        // Once it has answered it is known to work.
        manager.objects()?;
        Ok(manager)
    }

    /// The server's pid.
    pub fn pid(&self) -> i32 {
        self.server.pid()
    }

    /// How many objects the server has.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    ///
    /// # Examples
    /// ```
    /// use psync::Manager;
    ///
    /// let manager = Manager::start()?;
    /// let list = manager.list::<u32>()?;
    /// assert_eq!(manager.objects()?, 1);
    /// drop(list);
    /// assert_eq!(manager.objects()?, 0);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn objects(&self) -> Result<usize, ManagerError> {
        let count =
            self.server.ask(Header::new(Operation::Count, 0, 0), None, |_| Ok(()), take_number)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Ends the server, and waits until it has ended. Any process may do this that has a handle; calls that others have begun end with [`ManagerError::Lost`].
    ///
    /// # Errors
    /// [`ManagerError::Lost`] if it had ended already, or did not end by itself in time and was killed; [`ManagerError::Elsewhere`] if it is of another program.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, ManagerError};
    ///
    /// let manager = Manager::start()?;
    /// let hits = manager.counter()?;
    /// hits.add(1)?;
    /// manager.shutdown()?;
    /// assert!(matches!(hits.get(), Err(ManagerError::Lost { .. })));
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn shutdown(self) -> Result<(), ManagerError> {
        if self.server.is_remote() {
            return Err(ManagerError::Elsewhere);
        }
        if !self.server.is_alive() {
            return Err(self.server.lost());
        }
        self.server.close_door();
        let ended = match &self.owner {
            Some(owner) => owner.finish(),
            None => self.await_end(),
        };
        if ended { Ok(()) } else { Err(self.server.lost()) }
    }

    /// Waits for the end of another process's child.
    fn await_end(&self) -> bool {
        let Some(world) = existing() else { return true };
        let deadline = Deadline::after(2 * GRACE);
        loop {
            let watch = Watch::new();
            if !self.server.is_alive() {
                return true;
            }
            let slot = world.slot(self.server.id());
            if watch.wait(slot.word(), slot.state().low(), deadline) == Wake::TimedOut {
                return !self.server.is_alive();
            }
        }
    }

    pub(super) const fn server(&self) -> &Arc<Server> {
        &self.server
    }
}

impl Owner {
    /// Waits for the end of the server, which was asked to end; makes it end if it does not. Whether it has ended by itself, without an error.
    fn finish(&self) -> bool {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(process) = process else { return true };
        if let Some(Address::Path(path)) = &self.address {
            let _ = std::fs::remove_file(path);
        }
        if let Some(status) = process.wait_timeout(GRACE) {
            return status.success();
        }
        let _ = process.terminate();
        if process.wait_timeout(GRACE).is_none() {
            let _ = process.kill();
            process.wait();
        }
        false
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap_or_else(PoisonError::into_inner);
        // A forked copy is not the owner.
        if self.holder != me().id || process.is_none() {
            core::mem::forget(process.take());
            return;
        }
        self.server.close_door();
        self.finish();
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manager")
            .field("pid", &self.pid())
            .field("is_owner", &self.owner.is_some())
            .finish_non_exhaustive()
    }
}

impl Serialize for Manager {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.server.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Manager {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let server = Server::deserialize(deserializer)?;
        Ok(Self { server, owner: None })
    }
}
