//! The thread on which callbacks run, one after the other: made when the first one is due.

use super::signal::lock;
use core::any::Any;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, mpsc},
    thread,
};

type Job = Box<dyn FnOnce() + Send>;

/// See the module. Its thread ends after it.
#[derive(Debug, Default)]
pub(super) struct Callbacks(Mutex<Option<Desk>>);

#[derive(Debug)]
struct Desk {
    sender: mpsc::Sender<Job>,
    thread: thread::JoinHandle<()>,
}

impl Callbacks {
    /// Has `job` run. If there can be no thread, here.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        let mut desk = lock(&self.0);
        if desk.is_none() {
            *desk = start();
        }
        let job: Job = Box::new(job);
        let left = match &*desk {
            Some(desk) => desk.sender.send(job).err().map(|mpsc::SendError(job)| job),
            None => Some(job),
        };
        drop(desk);
        if let Some(job) = left {
            job();
        }
    }

    /// Waits until all that were due have run; but for a callback that asks for this itself.
    pub(super) fn finish(&self) {
        let Some(Desk { sender, thread }) = lock(&self.0).take() else { return };
        drop(sender);
        if thread.thread().id() != thread::current().id() {
            // It has nothing to tell.
            let _ = thread.join();
        }
    }
}

fn start() -> Option<Desk> {
    let (sender, receiver) = mpsc::channel::<Job>();
    let run = move || receiver.into_iter().for_each(|job| job());
    let thread = thread::Builder::new().name("pool-callbacks".to_owned()).spawn(run).ok()?;
    Some(Desk { sender, thread })
}

/// Calls what may panic; the panic is reported as any, and ends here.
pub(super) fn contain<R>(call: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(call)).map_err(discard).ok()
}

/// Drops what a panic has carried, which may panic as well; then that one's is leaked.
pub(super) fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        core::mem::forget(again);
    }
}
