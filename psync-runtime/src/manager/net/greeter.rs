//! Takes clients in: each handshake on a thread of its own, and no more at a time than a limit, of which the oldest make room for new ones.

use super::{
    auth,
    client::Client,
    stream::{Door, Stream},
};
use crate::manager::ManagerError;
use core::time::Duration;
use std::{
    collections::VecDeque,
    io::ErrorKind,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::JoinHandle,
};

/// How many handshakes may be under way.
const HALF_OPEN: usize = 64;
/// How long to wait before the next attempt when there is no descriptor for a client.
const BREATH: Duration = Duration::from_millis(10);
/// How many clients may wait to be accepted.
const WAITING: usize = 128;
/// How many failures are told at most: strangers must not take the places of clients.
const FAILURES: usize = 32;

/// What comes of a handshake.
pub(in crate::manager) type Greeted = Result<Client, ManagerError>;

/// What has come of handshakes, until somebody asks.
#[derive(Debug, Default)]
pub(in crate::manager) struct Hall {
    greeted: Mutex<VecDeque<Greeted>>,
    changed: Condvar,
}

impl Hall {
    /// Takes in what came of a handshake. A client for whom there is no room finds itself hung up on, and of too many failures the first are forgotten.
    fn enter(&self, result: Greeted) {
        let mut greeted = self.greeted.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |of: bool| greeted.iter().filter(|one| one.is_ok() == of).count();
        if result.is_ok() && count(true) >= WAITING {
            return;
        }
        if result.is_err() && count(false) >= FAILURES {
            let first = greeted.iter().position(Result::is_err);
            first.and_then(|first| greeted.remove(first));
        }
        greeted.push_back(result);
        drop(greeted);
        self.changed.notify_one();
    }

    /// The next one, waiting for it.
    pub(in crate::manager) fn next(&self) -> Greeted {
        let mut greeted = self.greeted.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(next) = greeted.pop_front() {
                return next;
            }
            greeted = self.changed.wait(greeted).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(in crate::manager) struct Greeter {
    door: Arc<Door>,
    thread: Option<JoinHandle<()>>,
}

/// The handshakes that are under way, the oldest first.
#[derive(Default)]
struct Pending {
    streams: Mutex<VecDeque<(u64, Stream)>>,
}

impl Pending {
    /// Notes one; hangs up on the oldest if they are too many.
    fn enter(&self, number: u64, stream: Stream) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.push_back((number, stream));
        let is_too_many = streams.len() > HALF_OPEN;
        drop(streams);
        if is_too_many {
            self.evict();
        }
    }

    /// Hangs up on the oldest.
    fn evict(&self) {
        let oldest = self.streams.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some((_, oldest)) = oldest {
            oldest.close();
        }
    }

    fn leave(&self, number: u64) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.retain(|(other, _)| *other != number);
    }
}

impl Greeter {
    /// Starts to take clients in.
    pub(in crate::manager) fn start(
        door: Door,
        key: Vec<u8>,
    ) -> Result<(Self, Arc<Hall>), ManagerError> {
        let (door, hall) = (Arc::new(door), Arc::new(Hall::default()));
        let (at, to) = (Arc::clone(&door), Arc::clone(&hall));
        let thread = std::thread::Builder::new().name("psync listener".to_owned());
        let thread = thread.spawn(move || take_in(&at, &key.into(), &to));
        let thread = thread.map_err(|error| ManagerError::System { reason: error.to_string() })?;
        Ok((Self { door, thread: Some(thread) }, hall))
    }
}

fn take_in(door: &Door, key: &Arc<[u8]>, hall: &Arc<Hall>) {
    let pending = Arc::new(Pending::default());
    for number in 0.. {
        let stream = match door.accept() {
            Ok(stream) => stream,
            // The door is closed.
            Err(error) if error.kind() == ErrorKind::InvalidInput => return,
            Err(_) => {
                // A client that is gone already, or no descriptor: the oldest gives its up. Nobody tells when there are some again.
                pending.evict();
                std::thread::park_timeout(BREATH);
                continue;
            }
        };
        let Ok(copy) = stream.try_clone() else { continue };
        pending.enter(number, copy);
        let (key, hall, left) = (Arc::clone(key), Arc::clone(hall), Arc::clone(&pending));
        let thread = std::thread::Builder::new().name("psync handshake".to_owned());
        let started = thread.spawn(move || {
            let result = greet(stream, &key);
            left.leave(number);
            hall.enter(result);
        });
        if started.is_err() {
            pending.leave(number);
        }
    }
}

fn greet(mut stream: Stream, key: &[u8]) -> Greeted {
    let keys = auth::greet(&mut stream, key)?;
    Client::new(stream, keys)
}

impl Drop for Greeter {
    fn drop(&mut self) {
        self.door.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
