//! The thread on which callbacks run, one after the other: made when the first one is due.

use super::signal::lock;
use crate::shm::world;
use core::{any::Any, cell::RefCell};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, mpsc},
    thread,
};

type Job = Box<dyn FnOnce() + Send>;
type Jobs = Arc<Mutex<mpsc::Receiver<Job>>>;

std::thread_local! {
    /// The jobs of which this thread runs one, as long as the next is its own as well; and of which process that goes.
    static MINE: RefCell<Option<(Jobs, Threads, i32)>> = const { RefCell::new(None) };
}

/// All that have run jobs of a pool; the last one still does.
type Threads = Arc<Mutex<Vec<thread::JoinHandle<()>>>>;

/// See the module. Its threads end after it.
#[derive(Debug, Default)]
pub(super) struct Callbacks(Mutex<Option<Desk>>);

#[derive(Debug)]
struct Desk {
    sender: mpsc::Sender<Job>,
    threads: Threads,
}

impl Callbacks {
    /// Has `job` run. If there can be no thread, here.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        let mut desk = lock(&self.0);
        if desk.is_none() {
            *desk = Desk::new();
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
        let Some(Desk { sender, threads }) = lock(&self.0).take() else { return };
        drop(sender);
        // One that steps aside has put its successor there before it ends.
        while let Some(thread) = { lock(&threads).pop() } {
            if thread.thread().id() != thread::current().id() {
                // It has nothing to tell.
                let _ = thread.join();
            }
        }
    }
}

impl Desk {
    fn new() -> Option<Self> {
        let (sender, jobs) = mpsc::channel();
        let (jobs, threads) = (Arc::new(Mutex::new(jobs)), Threads::default());
        start(&jobs, &threads).then_some(Self { sender, threads })
    }
}

/// Whether there is a thread now that runs the jobs.
fn start(jobs: &Jobs, threads: &Threads) -> bool {
    let mine = (Arc::clone(jobs), Arc::clone(threads), world::me().pid);
    let run = move || {
        let jobs = Arc::clone(&mine.0);
        MINE.set(Some(mine));
        while MINE.with_borrow(Option::is_some) {
            let next = lock(&jobs).recv();
            let Ok(job) = next else { return };
            job();
        }
    };
    let started = thread::Builder::new().name("pool-callbacks".to_owned()).spawn(run);
    let Ok(thread) = started else { return false };
    let mut all = lock(threads);
    all.retain(|thread| !thread.is_finished());
    all.push(thread);
    true
}

/// Before a wait for tasks. In a callback, those may be over only after callbacks that are due behind it: another thread runs them.
pub(super) fn step_aside() {
    MINE.with_borrow_mut(|mine| {
        // If there can be no other thread, it stays what it was. A forked copy has copies of the jobs, which are not its to run.
        let is_ours = |pid: i32| pid == world::me().pid;
        if mine.as_ref().is_some_and(|(jobs, threads, pid)| is_ours(*pid) && start(jobs, threads)) {
            *mine = None;
        }
    });
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
