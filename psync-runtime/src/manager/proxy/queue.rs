//! `QueueProxy`: a queue that a manager keeps.

use super::outside::{Outside, outside};
use crate::{
    channel::Queue,
    manager::{Item, Manager, ManagerError},
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
    QueueProxy<T> holds Queue<T>
}

impl Manager {
    /// A new queue for as many messages as there is memory for.
    ///
    /// # Errors
    /// [`ManagerError::System`] if there is no memory, [`ManagerError::Lost`].
    pub fn queue<T: Item>(&self) -> Result<QueueProxy<T>, ManagerError> {
        self.keep_queue(Queue::unbounded())
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
        self.keep_queue(Queue::bounded(capacity))
    }

    fn keep_queue<T: Item>(
        &self,
        queue: crate::Result<Queue<T>>,
    ) -> Result<QueueProxy<T>, ManagerError> {
        let queue = queue.map_err(|error| ManagerError::system(&error))?;
        Ok(QueueProxy { outside: Outside::new(self, queue)? })
    }
}

impl<T: Item> QueueProxy<T> {
    /// Sends a value, waiting while there is no room.
    ///
    /// # Errors
    /// [`ManagerError::NotSent`] as of [`Queue::send`], [`ManagerError::Lost`]. The value is gone then: keep a clone if that matters, or send through [`queue`](Self::queue).
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), ManagerError> {
        self.outside.with(|queue| queue.send(value).map_err(|error| error.kind()))
    }

    /// Sends a value if there is room for it.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), ManagerError> {
        self.outside.with(|queue| queue.try_send(value).map_err(|error| error.kind()))
    }

    /// Sends a value, waiting for room until `timeout` is over.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), ManagerError> {
        self.outside.with(|queue| queue.send_timeout(value, timeout).map_err(|error| error.kind()))
    }

    /// Receives the oldest message, waiting until there is one.
    ///
    /// # Errors
    /// [`ManagerError::NotReceived`] as of [`Queue::recv`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn recv(&self) -> Result<T, ManagerError> {
        self.outside.with(|queue| queue.recv())
    }

    /// Receives the oldest message if there is one.
    ///
    /// # Errors
    /// [`ManagerError::NotReceived`] as of [`Queue::try_recv`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, ManagerError> {
        self.outside.with(|queue| queue.try_recv())
    }

    /// Receives the oldest message, waiting for one until `timeout` is over.
    ///
    /// # Errors
    /// [`ManagerError::NotReceived`] as of [`Queue::recv_timeout`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, ManagerError> {
        self.outside.with(|queue| queue.recv_timeout(timeout))
    }

    /// How many messages there are at this moment.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn len(&self) -> Result<usize, ManagerError> {
        self.outside.look(Queue::len)
    }

    /// Whether there are none at this moment.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_empty(&self) -> Result<bool, ManagerError> {
        self.outside.look(Queue::is_empty)
    }

    /// Whether there is no room for another message at this moment.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_full(&self) -> Result<bool, ManagerError> {
        self.outside.look(Queue::is_full)
    }

    /// Ends the queue, for all: nothing can be sent any more, and what is there can still be received.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn close(&self) -> Result<(), ManagerError> {
        self.outside.look(Queue::close)
    }

    /// The queue itself, for all that queues can do. Its waits do not end with the server.
    pub const fn queue(&self) -> &Queue<T> {
        self.outside.thing()
    }
}
