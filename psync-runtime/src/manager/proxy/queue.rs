//! `QueueProxy`: a queue that a manager keeps.

use super::{
    nothing,
    outside::{Outside, outside},
    queue_calls,
};
use crate::{
    channel::{Queue, RecvError, SendErrorKind},
    manager::{
        Item, Manager, ManagerError, Proxy,
        held::Held,
        object::{
            Kind,
            queue::{Method, lend},
        },
        serve::Maker,
        wire::{offset, put_last, put_number, take_option},
    },
    sys::clock::Deadline,
};
use core::time::Duration;

outside! {
    /// A [`Queue`] that a manager's server keeps, for whoever has a handle. It is the queue itself, in shared memory: its messages do not go through the server.
    ///
    /// Since the server holds it, a receive at an empty queue waits also if no other process is left that could send. Close the queue, or wait with a timeout.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, manager::QueueProxy, spawn};
    ///
    /// let manager = Manager::start()?;
    /// let jobs = manager.queue()?;
    /// let worker = spawn(|jobs: QueueProxy<u32>| jobs.recv().expect("a job"), jobs.clone())?;
    /// jobs.send(7)?;
    /// assert_eq!(worker.join()?, 7);
    /// # Ok::<(), psync::Error>(())
    /// ```
    ///
    /// In another program, after [`Manager::connect`](crate::manager::Manager::connect), that memory is out of reach, and the server sends and receives there for its clients. So it does for all with a queue that was made from there.
    /// ```
    /// use psync::{Manager, manager::QueueProxy};
    ///
    /// let manager = Manager::serve("127.0.0.1:0", b"open sesame")?;
    /// let jobs = manager.queue::<String>()?;
    /// manager.publish("jobs", &jobs)?;
    ///
    /// let there = Manager::connect(manager.addr().expect("it listens").to_string(), b"open sesame")?;
    /// let same: QueueProxy<String> = there.find("jobs")?.expect("it was published");
    /// same.send("sweep".to_owned())?;
    /// assert_eq!(jobs.recv()?, "sweep");
    /// # Ok::<(), psync::Error>(())
    /// ```
    QueueProxy<T> holds Option<Queue<T>>
}

impl<T: Item> Proxy for QueueProxy<T> {
    fn held(&self) -> &Held {
        self.outside.held()
    }

    fn holding(held: Held) -> Self {
        // If it cannot be had, there are calls.
        let queue = if held.server().is_remote() {
            None
        } else {
            held.call::<T, _>(Method::Handle as u32, nothing, take_option).unwrap_or_default()
        };
        Self { outside: Outside::kept(held, queue) }
    }
}

impl Manager {
    /// A new queue for as many messages as there is memory for.
    ///
    /// # Errors
    /// [`ManagerError::System`] if there is no memory, [`ManagerError::Lost`].
    pub fn queue<T: Item>(&self) -> Result<QueueProxy<T>, ManagerError> {
        self.make_queue(None)
    }

    /// A new queue for up to `capacity` messages.
    ///
    /// # Errors
    /// [`ManagerError::System`] if there is no memory, or the capacity is 0; [`ManagerError::Lost`].
    ///
    /// # Examples
    /// ```
    /// use psync::Manager;
    ///
    /// let manager = Manager::start()?;
    /// let orders = manager.bounded_queue(1)?;
    /// orders.send("soup".to_owned())?;
    /// assert!(orders.try_send("tea".to_owned()).is_err(), "there is room for one");
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn bounded_queue<T: Item>(&self, capacity: usize) -> Result<QueueProxy<T>, ManagerError> {
        self.make_queue(Some(capacity))
    }

    fn make_queue<T: Item>(&self, capacity: Option<usize>) -> Result<QueueProxy<T>, ManagerError> {
        let system = |error| ManagerError::system(&error);
        if self.server().is_remote() {
            let write = |bytes: &mut Vec<u8>| {
                if let Some(capacity) = capacity {
                    put_number(bytes, capacity as u64);
                }
                Ok(())
            };
            if capacity == Some(0) {
                Queue::<T>::bounded(0).map_err(system)?;
            }
            let held = Held::make_with(self.server(), Kind::Queue as u32, write)?;
            return Ok(QueueProxy { outside: Outside::kept(held, None) });
        }
        let queue = capacity.map_or_else(Queue::unbounded, Queue::bounded).map_err(system)?;
        let maker: Maker = lend::<T>;
        let maker = offset(maker as *const ())?;
        let held = Held::make_by(self.server(), |bytes| {
            put_number(bytes, maker);
            put_last(bytes, &queue)
        })?;
        Ok(QueueProxy { outside: Outside::kept(held, Some(queue)) })
    }
}

impl<T: Item> QueueProxy<T> {
    /// The queue, if its memory is within reach.
    const fn near(&self) -> Option<&Queue<T>> {
        self.outside.thing().as_ref()
    }

    /// Works with it, as long as the server lives.
    #[inline]
    fn with<R, E>(&self, work: impl FnOnce() -> Result<R, E>) -> Result<R, ManagerError>
    where
        ManagerError: From<E>,
    {
        self.outside.with(|_| work())
    }

    /// Sends a value, waiting while there is no room.
    ///
    /// # Errors
    /// [`ManagerError::NotSent`] as of [`Queue::send`], [`ManagerError::Lost`]. The value is gone then: keep a clone if that matters, or send through [`queue`](Self::queue).
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), ManagerError> {
        match self.near() {
            Some(queue) => self.with(|| queue.send(value).map_err(|error| error.kind())),
            None => queue_calls::send(self.held(), &value, Deadline::NEVER),
        }
    }

    /// Sends a value if there is room for it.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), ManagerError> {
        match self.near() {
            Some(queue) => self.with(|| queue.try_send(value).map_err(|error| error.kind())),
            None => queue_calls::send(self.held(), &value, Deadline::after(Duration::ZERO)),
        }
    }

    /// Sends a value, waiting for room until `timeout` is over.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), ManagerError> {
        let Some(queue) = self.near() else {
            let sent = queue_calls::send(self.held(), &value, Deadline::after(timeout));
            return sent.map_err(|error| match error {
                ManagerError::NotSent(SendErrorKind::Full) => SendErrorKind::TimedOut.into(),
                error => error,
            });
        };
        self.with(|| queue.send_timeout(value, timeout).map_err(|error| error.kind()))
    }

    /// Receives the oldest message, waiting until there is one.
    ///
    /// # Errors
    /// [`ManagerError::NotReceived`] as of [`Queue::recv`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn recv(&self) -> Result<T, ManagerError> {
        match self.near() {
            Some(queue) => self.with(|| queue.recv()),
            None => queue_calls::receive(self.held(), Deadline::NEVER),
        }
    }

    /// Receives the oldest message if there is one.
    ///
    /// # Errors
    /// [`ManagerError::NotReceived`] as of [`Queue::try_recv`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, ManagerError> {
        match self.near() {
            Some(queue) => self.with(|| queue.try_recv()),
            None => queue_calls::receive(self.held(), Deadline::after(Duration::ZERO)),
        }
    }

    /// Receives the oldest message, waiting for one until `timeout` is over.
    ///
    /// # Errors
    /// [`ManagerError::NotReceived`] as of [`Queue::recv_timeout`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, ManagerError> {
        let Some(queue) = self.near() else {
            let received = queue_calls::receive(self.held(), Deadline::after(timeout));
            return received.map_err(|error| match error {
                ManagerError::NotReceived(RecvError::Empty) => RecvError::TimedOut.into(),
                error => error,
            });
        };
        self.with(|| queue.recv_timeout(timeout))
    }

    /// How many messages there are at this moment.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn len(&self) -> Result<usize, ManagerError> {
        match self.near() {
            Some(queue) => self.outside.look(|_| queue.len()),
            None => queue_calls::len::<T>(self.held()),
        }
    }

    /// Whether there are none at this moment.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_empty(&self) -> Result<bool, ManagerError> {
        self.len().map(|len| len == 0)
    }

    /// Whether there is no room for another message at this moment.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_full(&self) -> Result<bool, ManagerError> {
        match self.near() {
            Some(queue) => self.outside.look(|_| queue.is_full()),
            None => queue_calls::is_full::<T>(self.held()),
        }
    }

    /// Ends the queue, for all: nothing can be sent any more, and what is there can still be received.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn close(&self) -> Result<(), ManagerError> {
        match self.near() {
            Some(queue) => self.outside.look(|_| queue.close()),
            None => queue_calls::close::<T>(self.held()),
        }
    }

    /// The queue itself, for all that queues can do. Its waits do not end with the server. `None` if its memory is out of reach: it is, or was made by a client, in another program.
    pub const fn queue(&self) -> Option<&Queue<T>> {
        self.near()
    }
}
