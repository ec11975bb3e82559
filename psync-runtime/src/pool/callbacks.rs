//! The thread on which callbacks run, one after the other: made when the first one is due.

use super::signal::lock;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, mpsc},
    thread,
};

type Job = Box<dyn FnOnce() + Send>;

/// See the module. Its thread ends after it.
#[derive(Debug, Default)]
pub(super) struct Callbacks(Mutex<Option<mpsc::Sender<Job>>>);

impl Callbacks {
    /// Has `job` run. If there can be no thread, here.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        let mut sender = lock(&self.0);
        if sender.is_none() {
            *sender = start();
        }
        let job: Job = Box::new(job);
        let left = match &*sender {
            Some(sender) => sender.send(job).err().map(|mpsc::SendError(job)| job),
            None => Some(job),
        };
        drop(sender);
        if let Some(job) = left {
            job();
        }
    }
}

fn start() -> Option<mpsc::Sender<Job>> {
    let (sender, receiver) = mpsc::channel::<Job>();
    let run = move || receiver.into_iter().for_each(|job| job());
    thread::Builder::new().name("pool-callbacks".to_owned()).spawn(run).ok()?;
    Some(sender)
}

/// Calls what may panic; the panic is reported as any, and ends here.
pub(super) fn contain<R>(call: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}
