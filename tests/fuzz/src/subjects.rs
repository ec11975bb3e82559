//! The kinds of queues, as what a program of the target `ring` can do with any of them.

use crate::{
    input::Input,
    values::{Handles, Mixed},
};
use core::time::Duration;
use psync_runtime::{
    channel::{
        Job, Queue, Receiver, RecvError, SendErrorKind, Sender, WorkQueue, fuzzing::HasFile,
    },
    process::Waitable,
    shm::{List, Shared, Text},
};
use std::os::fd::BorrowedFd;

/// The longest message that is sent.
pub(crate) const LONGEST: usize = 80 << 10;

/// A queue of any kind, with values of any type.
pub(crate) trait Subject {
    fn file(&self) -> BorrowedFd<'_>;
    fn waitable(&self) -> &dyn Waitable;
    fn send(&mut self, input: &mut Input<'_>) -> Result<(), SendErrorKind>;
    fn receive(&mut self) -> Result<(), RecvError>;
    fn receive_many(&mut self) {}
    /// How many it says are there.
    fn look(&self) -> usize;
    fn close(&mut self) {}
    /// Something else that it can do.
    fn other(&mut self, _what: u8) {}
}

/// How a type of messages is made of the input.
pub(crate) trait Message: serde::Serialize + serde::de::DeserializeOwned + 'static {
    fn make(input: &mut Input<'_>) -> Self;
}

fn length(input: &mut Input<'_>) -> usize {
    match input.byte() {
        255 => LONGEST,
        254 => 9_000,
        short => usize::from(short),
    }
}

impl Message for Vec<u64> {
    fn make(input: &mut Input<'_>) -> Self {
        vec![input.word(); length(input) / 8]
    }
}

impl Message for u64 {
    fn make(input: &mut Input<'_>) -> Self {
        input.word()
    }
}

impl Message for String {
    fn make(input: &mut Input<'_>) -> Self {
        "x".repeat(length(input))
    }
}

impl Message for Mixed {
    fn make(input: &mut Input<'_>) -> Self {
        match input.byte() % 5 {
            0 => Self::Nothing,
            1 => Self::Text(String::make(input)),
            2 => Self::Outcome(Ok(vec![String::make(input); 3])),
            3 => Self::Nested(Some(Box::new(('x', true, vec![vec![Some(1), None]; 2])))),
            _ => Self::Handles(Handles {
                number: None,
                numbers: vec![Shared::<[u64]>::zeroed(600).expect("memory")],
                queue: Some(Queue::unbounded().expect("memory")),
                jobs: None,
                ends: (Vec::new(), Vec::new()),
                connection: None,
                text: Text::default(),
                list: List::default(),
            }),
        }
    }
}

impl<T: Message> Subject for Queue<T> {
    fn file(&self) -> BorrowedFd<'_> {
        HasFile::file(self)
    }

    fn waitable(&self) -> &dyn Waitable {
        self
    }

    fn send(&mut self, input: &mut Input<'_>) -> Result<(), SendErrorKind> {
        self.try_send(T::make(input)).map_err(|error| error.kind())
    }

    fn receive(&mut self) -> Result<(), RecvError> {
        self.try_recv().map(drop)
    }

    fn receive_many(&mut self) {
        // It waits for the first one.
        if !self.is_empty() {
            drop(self.recv_many(3));
        }
    }

    fn look(&self) -> usize {
        let _ = (self.is_full(), self.capacity(), self.is_empty(), format!("{self:?}"));
        self.len()
    }

    fn close(&mut self) {
        Self::close(self);
    }

    fn other(&mut self, what: u8) {
        if what == 0 {
            drop(self.clone());
        } else {
            let _ = self.recv_timeout(Duration::from_micros(10));
        }
    }
}

/// A work queue, and the jobs in hands.
pub(crate) struct Work<T>(pub(crate) WorkQueue<T>, pub(crate) Vec<Job<T>>);

impl<T: Message> Subject for Work<T> {
    fn file(&self) -> BorrowedFd<'_> {
        self.0.file()
    }

    fn waitable(&self) -> &dyn Waitable {
        &self.0
    }

    fn send(&mut self, input: &mut Input<'_>) -> Result<(), SendErrorKind> {
        self.0.try_send(T::make(input)).map_err(|error| error.kind())
    }

    fn receive(&mut self) -> Result<(), RecvError> {
        // Never as many as there are hands.
        self.1.truncate(50);
        self.1.push(self.0.try_recv()?);
        Ok(())
    }

    fn look(&self) -> usize {
        let _ = (self.0.len(), self.0.is_empty(), self.0.join_timeout(Duration::ZERO));
        self.0.unfinished()
    }

    fn close(&mut self) {
        self.0.close();
    }

    fn other(&mut self, what: u8) {
        match (what, self.1.pop()) {
            (0, Some(job)) => drop(job),
            (_, Some(job)) => job.done(),
            (_, None) => drop(self.0.dead_letters().try_recv()),
        }
    }
}

/// Both ends of a channel.
pub(crate) struct Ends<T>(pub(crate) Sender<T>, pub(crate) Receiver<T>);

impl<T: Message> Subject for Ends<T> {
    fn file(&self) -> BorrowedFd<'_> {
        self.1.file()
    }

    fn waitable(&self) -> &dyn Waitable {
        &self.1
    }

    fn send(&mut self, input: &mut Input<'_>) -> Result<(), SendErrorKind> {
        self.0.try_send(T::make(input)).map_err(|error| error.kind())
    }

    fn receive(&mut self) -> Result<(), RecvError> {
        self.1.try_recv().map(drop)
    }

    fn receive_many(&mut self) {
        if !self.1.is_empty() {
            drop(self.1.recv_many(3));
        }
    }

    fn look(&self) -> usize {
        let _ = (self.0.is_full(), self.0.len(), self.0.is_empty());
        self.1.len()
    }

    fn other(&mut self, what: u8) {
        if what == 0 {
            drop((self.0.clone(), self.1.clone()));
        } else {
            let _ = self.1.recv_timeout(Duration::from_micros(10));
        }
    }
}
