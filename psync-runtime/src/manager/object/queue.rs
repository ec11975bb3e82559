//! A queue, as the server has it: for clients that cannot work in its memory.
//!
//! A queue that a process of this program has made lies in shared memory, and the server does there for others what they ask for ([`Lent`]). One that a client of another program has
//! made is here ([`Queue`]). Nobody waits here for long, since a client may die meanwhile: it asks again. And what is taken is taken by a call that does not wait, so that a
//! client that is killed while it waits takes nothing with it.

use super::numbered;
use crate::{
    channel::{self, RecvError, SendErrorKind},
    manager::{
        error::Fault,
        item::Item,
        serve::Served,
        stored::Stored,
        wire::{Arguments, Reply},
    },
    process::wait_any,
    sys::clock::Deadline,
};
use core::time::Duration;
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// How long the server waits for a client at most. Whoever asks for more is no client of ours, and waits not at all.
pub(in crate::manager) const PATIENCE: Duration = Duration::from_millis(500);

numbered! {
    /// What can be asked of a queue.
    Method { Send Receive Await Len IsFull Close Handle }
}

/// See the module.
#[derive(Debug, Default)]
pub(in crate::manager) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Stored>,
    capacity: Option<usize>,
    is_closed: bool,
}

impl State {
    fn is_full(&self) -> bool {
        self.capacity.is_some_and(|capacity| self.messages.len() >= capacity)
    }
}

impl Queue {
    /// With room for so many messages.
    pub(super) fn with_capacity(capacity: Option<usize>) -> Self {
        let state = State { capacity, ..State::default() };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state once it is not so any more, or the time is up.
    fn while_so(
        &self,
        patience: Duration,
        is_so: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_timeout_while(self.state(), patience, is_so);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn send(&self, patience: Duration, value: Stored) -> Result<(), SendErrorKind> {
        let mut state = self.while_so(patience, |state| state.is_full() && !state.is_closed);
        if state.is_closed {
            return Err(SendErrorKind::Closed);
        }
        if state.is_full() {
            return Err(SendErrorKind::Full);
        }
        state.messages.push_back(value);
        self.changed.notify_all();
        Ok(())
    }

    fn receive(&self, reply: &mut Reply<'_>) -> Result<(), Fault> {
        let mut state = self.state();
        let Some(first) = state.messages.front() else {
            return refuse(
                reply,
                if state.is_closed { &RecvError::Closed } else { &RecvError::Empty },
            );
        };
        reply.flag(true);
        reply.last(first)?;
        let first = state.messages.pop_front();
        drop(state);
        self.changed.notify_all();
        drop(first);
        Ok(())
    }
}

impl Served for Queue {
    fn call(
        &self,
        method: u32,
        arguments: &mut Arguments<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Fault> {
        match Method::of(method)? {
            Method::Send => {
                let (patience, value) = (patience(arguments)?, arguments.last_stored()?);
                reply.value(&self.send(patience, value))?;
            }
            Method::Receive => self.receive(reply)?,
            Method::Await => {
                let is_idle = |state: &mut State| state.messages.is_empty() && !state.is_closed;
                drop(self.while_so(patience(arguments)?, is_idle));
            }
            Method::Len => reply.len(self.state().messages.len()),
            Method::IsFull => reply.flag(self.state().is_full()),
            Method::Close => {
                self.state().is_closed = true;
                self.changed.notify_all();
            }
            // It lies in no memory that another process could have.
            Method::Handle => {}
        }
        Ok(())
    }
}

/// A queue in shared memory. See the module.
pub(in crate::manager) struct Lent<T> {
    queue: channel::Queue<T>,
    /// What is done here for others: the queue itself takes a process for alone that is the only one to have it.
    done: Mutex<()>,
    changed: Condvar,
}

impl<T> Lent<T> {
    fn note(&self) {
        drop(self.done.lock());
        self.changed.notify_all();
    }

    /// Waits until somebody has done something through the server.
    fn pause(&self, until: Deadline) {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until.remaining().unwrap_or(PATIENCE);
        drop(self.changed.wait_timeout(done, left));
    }
}

impl<T: Item> Lent<T> {
    fn send(&self, patience: Duration, value: T) -> Result<(), SendErrorKind> {
        let until = Deadline::after(patience);
        let sent = if patience.is_zero() {
            self.queue.try_send(value)
        } else {
            self.queue.send_timeout(value, patience)
        };
        let Err(error) = sent else {
            self.note();
            return Ok(());
        };
        match error.kind() {
            // Those that are told so here are not the only ones.
            SendErrorKind::Disconnected => {
                self.pause(until);
                Err(SendErrorKind::Full)
            }
            SendErrorKind::TimedOut => Err(SendErrorKind::Full),
            kind => Err(kind),
        }
    }

    fn receive(&self, reply: &mut Reply<'_>) -> Result<(), Fault> {
        let value = match self.queue.try_recv() {
            Ok(value) => value,
            Err(RecvError::Disconnected) => return refuse(reply, &RecvError::Empty),
            Err(error) => return refuse(reply, &error),
        };
        reply.flag(true);
        let written = reply.fresh(&value);
        if written.is_err() {
            // Not where it was, but there.
            let _ = self.queue.try_send(value);
        }
        self.note();
        written
    }

    fn wait(&self, patience: Duration) {
        let until = Deadline::after(patience);
        let _ = wait_any(&[&self.queue], Some(patience));
        // It says so at once if this is the only process that has it.
        if self.queue.is_empty() && !self.queue.is_closed() {
            self.pause(until);
        }
    }
}

impl<T: Item> Served for Lent<T> {
    fn call(
        &self,
        method: u32,
        arguments: &mut Arguments<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Fault> {
        match Method::of(method)? {
            Method::Send => {
                let (patience, value) = (patience(arguments)?, arguments.last_value()?);
                reply.value(&self.send(patience, value))?;
            }
            Method::Receive => self.receive(reply)?,
            Method::Await => self.wait(patience(arguments)?),
            Method::Len => reply.len(self.queue.len()),
            Method::IsFull => reply.flag(self.queue.is_full()),
            Method::Close => self.queue.close(),
            Method::Handle => {
                reply.flag(true);
                reply.fresh(&self.queue)?;
            }
        }
        Ok(())
    }
}

/// Takes a queue of the program's into the server's care.
pub(in crate::manager) fn lend<T: Item>(
    arguments: &mut Arguments<'_>,
    _: &mut Reply<'_>,
) -> Result<Arc<dyn Served>, Fault> {
    let queue: channel::Queue<T> = arguments.last_value()?;
    Ok(Arc::new(Lent { queue, done: Mutex::default(), changed: Condvar::new() }))
}

fn refuse(reply: &mut Reply<'_>, error: &RecvError) -> Result<(), Fault> {
    reply.flag(false);
    reply.value(error)
}

fn patience(arguments: &mut Arguments<'_>) -> Result<Duration, Fault> {
    let asked = Duration::from_millis(arguments.number()?);
    Ok(if asked <= PATIENCE { asked } else { Duration::ZERO })
}
