//! How a process ends: its finalizers, its children, its exit code.

use super::{family::existing_family, legacy, link, reaping};
use crate::{
    primitive::{AtomicU64, Ordering},
    shm::world::{Method, Slot, Wake, Watch, existing, me},
    sys::{clock::Deadline, pidfd::PidFd},
};
use core::{fmt, time::Duration};
use nix::libc;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

/// How long daemons have after SIGTERM before they are left to the lifeline.
const GRACE: Duration = Duration::from_secs(1);

/// Has [`at_exit`] called when this process exits in any orderly way.
pub(crate) fn arm() {
    static ONCE: Once = Once::new();
    extern "C" fn run() {
        // A panic here has nowhere to go.
        let _ = std::panic::catch_unwind(at_exit);
    }
    ONCE.call_once(|| {
        #[allow(unsafe_code, reason = "registers an exit handler")]
        // SAFETY: the handler does not unwind and may be called at any time.
        unsafe {
            libc::atexit(run);
        }
    });
}

/// Python's order: finalizers, then daemons are told to end, then everyone else is waited for.
fn at_exit() {
    run_finalizers();
    let Some(world) = existing() else { return };
    let own = me().id;
    if existing_family().is_none() {
        return;
    }
    for (id, slot) in world.children_of(own).filter(|(_, slot)| slot.is_daemon()) {
        // The pid is the child's as long as its slot says that it lives, so ask again once it can no longer be reused.
        if let Ok(pidfd) = PidFd::open(slot.pid())
            && slot.is_alive(id)
        {
            let _ = pidfd.signal(libc::SIGTERM);
        }
    }
    await_children(Deadline::NEVER, |slot| !slot.is_daemon());
    await_children(Deadline::after(GRACE), Slot::is_daemon);
    link::check();
}

/// Waits until no child of this process is left that `matters`.
fn await_children(deadline: Deadline, matters: impl Fn(&Slot) -> bool) {
    let Some(world) = existing() else { return };
    loop {
        let watch = Watch::new();
        if let Some(family) = existing_family() {
            drop(family.empty_inbox());
        }
        let Some((id, slot)) = world.children_of(me().id).find(|(_, slot)| matters(slot)) else {
            return;
        };
        if slot.method() == Method::Fork
            && let Ok(pidfd) = PidFd::open(slot.pid())
        {
            if !pidfd.wait(deadline) {
                return;
            }
            reaping::settle(world, id, &pidfd);
            continue;
        }
        match watch.wait(slot.word(), slot.state().low(), deadline) {
            Wake::Verify => reaping::verify(world, id),
            Wake::TimedOut => return,
            Wake::Look => {}
        }
    }
}

/// Ends a process that has run its function: finalizers and exit handlers run, standard output is flushed.
#[allow(clippy::disallowed_methods, reason = "this is where processes end")]
pub(crate) fn normally(code: i32) -> ! {
    std::process::exit(code)
}

/// Ends a forked copy of its starter: what the starter has registered to run at *its* exit does not run here.
pub(crate) fn of_fork(code: i32) -> ! {
    use std::io::Write;
    at_exit();
    legacy::leave();
    // A closed stream must not change the exit code.
    let _ = std::io::stdout().flush();
    at_once(code)
}

/// Ends this process without any ceremony.
pub(crate) fn at_once(code: i32) -> ! {
    #[allow(unsafe_code, reason = "std has no exit without handlers")]
    // SAFETY: ends the process.
    unsafe {
        libc::_exit(code)
    }
}

/// Something to be done once: when it is dropped, when it is called, or else when the process exits.
///
/// At exit, those with a priority run, the highest first, and the newest first among equals; one without a priority runs only
/// if it is called or dropped before. In a process that psync starts they run after its function, with every start method. They
/// do not run in a process that is killed.
///
/// # Examples
/// ```
/// use psync::Finalizer;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// static DONE: AtomicBool = AtomicBool::new(false);
///
/// let clean = Finalizer::new(None, || DONE.store(true, Ordering::Relaxed));
/// assert!(clean.is_pending());
/// clean.call();
/// assert!(DONE.load(Ordering::Relaxed));
/// ```
#[must_use = "a finalizer runs when it is dropped"]
pub struct Finalizer(Arc<Entry>);

type Action = Box<dyn FnOnce() + Send>;

struct Entry {
    priority: Option<i32>,
    order: u64,
    pid: i32,
    action: Mutex<Option<Action>>,
}

static FINALIZERS: Mutex<Vec<Arc<Entry>>> = Mutex::new(Vec::new());

impl Finalizer {
    /// Registers `action`.
    pub fn new(priority: Option<i32>, action: impl FnOnce() + Send + 'static) -> Self {
        static ORDER: AtomicU64 = AtomicU64::new(0);
        arm();
        let entry = Arc::new(Entry {
            priority,
            order: ORDER.fetch_add(1, Ordering::Relaxed),
            pid: me().pid,
            action: Mutex::new(Some(Box::new(action))),
        });
        lock(&FINALIZERS).push(Arc::clone(&entry));
        Self(entry)
    }

    /// Runs it now, unless it has run already.
    pub fn call(self) {
        drop(self);
    }

    /// Gives it up: it will not run.
    pub fn cancel(self) {
        drop(lock(&self.0.action).take());
    }

    /// Leaves it to the exit of the process.
    ///
    /// # Examples
    /// ```
    /// psync::Finalizer::new(Some(5), || println!("the last words")).leave();
    /// ```
    pub fn leave(self) {
        core::mem::forget(self);
    }

    /// Whether it has neither run nor been cancelled.
    pub fn is_pending(&self) -> bool {
        lock(&self.0.action).is_some()
    }
}

impl Entry {
    /// Runs the action, once, and not in another process than the one that registered it.
    fn run(&self) {
        let action = lock(&self.action).take();
        if let Some(action) = action.filter(|_| self.pid == me().pid) {
            action();
        }
    }
}

impl Drop for Finalizer {
    fn drop(&mut self) {
        lock(&FINALIZERS).retain(|entry| !Arc::ptr_eq(entry, &self.0));
        self.0.run();
    }
}

impl fmt::Debug for Finalizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finalizer")
            .field("priority", &self.0.priority)
            .field("pending", &self.is_pending())
            .finish()
    }
}

/// Runs what has a priority. An action may register further ones; they run as well.
fn run_finalizers() {
    while let Some(next) = take_highest() {
        next.run();
    }
}

fn take_highest() -> Option<Arc<Entry>> {
    let mut all = lock(&FINALIZERS);
    let ranked = all.iter().enumerate().filter(|(_, entry)| entry.priority.is_some());
    let index = ranked.max_by_key(|(_, entry)| (entry.priority, entry.order))?.0;
    Some(all.swap_remove(index))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
