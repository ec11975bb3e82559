//! Who this process is, and whom it has started.

use super::{StartMethod, link, reaping};
use crate::{
    primitive::{AtomicPtr, Ordering},
    shm::world::{Identity, Method, Wake, Watch, existing, me},
    sys::{clock::Deadline, pidfd::PidFd, thread},
};
use core::{fmt, time::Duration};
use std::{ffi::CString, num::NonZero};

/// This process, as psync knows it. See [`current`].
///
/// # Examples
/// ```
/// let (daemon, method) = psync::spawn(
///     |()| {
///         let me = psync::current();
///         (me.is_daemon(), me.start_method() == Some(psync::StartMethod::ForkServer))
///     },
///     (),
/// )?
/// .join()?;
/// assert_eq!((daemon, method), (false, true));
/// # Ok::<(), psync::Error>(())
/// ```
pub struct CurrentProcess {
    pid: i32,
    name: String,
    daemon: bool,
    index: usize,
    method: Option<StartMethod>,
    parent: Option<ParentProcess>,
}

/// The process that started this one. See [`CurrentProcess::parent`].
///
/// # Examples
/// ```
/// let parent = psync::spawn(
///     |()| {
///         let parent = psync::current().parent().expect("it was started");
///         (parent.pid(), parent.name().to_owned(), parent.is_alive())
///     },
///     (),
/// )?;
/// assert_eq!(parent.join()?, (psync::current().pid(), "main".to_owned(), true));
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ParentProcess {
    id: Identity,
    pid: i32,
    name: String,
}

/// A live process that this one has started. See [`active_children`].
///
/// # Examples
/// ```
/// for child in psync::active_children() {
///     println!("{} is process {}", child.name(), child.pid());
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildInfo {
    pid: i32,
    name: String,
}

static CURRENT: AtomicPtr<CurrentProcess> = AtomicPtr::new(core::ptr::null_mut());

/// This process.
///
/// In the program's first process the name is `main` and there is no parent.
///
/// # Examples
/// ```
/// use psync::current;
///
/// assert_eq!(current().pid(), std::process::id() as i32);
/// assert!(current().parent().is_none());
/// ```
#[allow(unsafe_code, reason = "the pointer is to a value that is never freed")]
pub fn current() -> &'static CurrentProcess {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // SAFETY: `CURRENT` is null or came from `Box::leak`.
    if let Some(current) = unsafe { CURRENT.load(Ordering::Acquire).as_ref() } {
        return current;
    }
    ONCE.call_once(|| thread::at_fork(|| CURRENT.store(core::ptr::null_mut(), Ordering::Relaxed)));
    let current: &'static CurrentProcess = Box::leak(Box::new(CurrentProcess::look_up()));
    CURRENT.store(core::ptr::from_ref(current).cast_mut(), Ordering::Release);
    current
}

impl CurrentProcess {
    fn look_up() -> Self {
        let me = me();
        let Some(slot) =
            existing().filter(|_| me.id != Identity::NOBODY).map(|world| world.slot(me.id))
        else {
            return Self {
                pid: me.pid,
                name: "main".to_owned(),
                daemon: false,
                index: 0,
                method: None,
                parent: None,
            };
        };
        let (id, pid) = slot.parent();
        let method = match slot.method() {
            Method::Root | Method::Foreign => None,
            Method::ForkServer => Some(StartMethod::ForkServer),
            Method::Spawn => Some(StartMethod::Spawn),
            Method::Fork => Some(StartMethod::Fork),
        };
        let parent_name = || existing().map(|world| world.slot(id).name()).unwrap_or_default();
        let parent =
            (id != Identity::NOBODY).then(|| ParentProcess { id, pid, name: parent_name() });
        Self {
            pid: me.pid,
            name: slot.name(),
            daemon: slot.is_daemon(),
            index: slot.index() as usize,
            method,
            parent,
        }
    }

    /// Its pid.
    pub const fn pid(&self) -> i32 {
        self.pid
    }

    /// Its name: as chosen at its start, else that of its `#[process]` function, else a number.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is ended, rather than waited for, when its starter exits.
    pub const fn is_daemon(&self) -> bool {
        self.daemon
    }

    /// How many processes its starter had started before it. Tells siblings apart, and can seed their random numbers.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// How it was started; `None` if psync did not start it.
    pub const fn start_method(&self) -> Option<StartMethod> {
        self.method
    }

    /// The process that started it; `None` in the program's first process.
    pub fn parent(&self) -> Option<ParentProcess> {
        self.parent.clone()
    }
}

impl fmt::Debug for CurrentProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentProcess")
            .field("pid", &self.pid)
            .field("name", &self.name)
            .field("daemon", &self.daemon)
            .field("index", &self.index)
            .field("start_method", &self.method)
            .field("parent", &self.parent)
            .finish()
    }
}

impl ParentProcess {
    /// Its pid.
    pub const fn pid(&self) -> i32 {
        self.pid
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it lives. It practically always does: when it ends, the kernel ends this process too.
    pub fn is_alive(&self) -> bool {
        existing().is_some_and(|world| world.verify(self.id))
    }

    /// Waits until it has ended; false if that takes longer than `timeout`.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        let deadline = Deadline::after(timeout);
        let Some(world) = existing() else { return false };
        while self.is_alive() {
            let watch = Watch::new();
            let slot = world.slot(self.id);
            if watch.wait(slot.word(), slot.state().low(), deadline) == Wake::TimedOut {
                return !self.is_alive();
            }
        }
        true
    }
}

impl ChildInfo {
    /// Its pid.
    pub const fn pid(&self) -> i32 {
        self.pid
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The live processes that this one has started, in no particular order, whether or not their handles are still held.
///
/// # Examples
/// ```
/// use psync::{Event, Shared, active_children, process};
///
/// #[process(wait(done))]
/// fn linger(done: &Event) {}
///
/// let done = Shared::new(Event::new())?;
/// let lingering = linger::spawn(&done)?;
/// assert_eq!(active_children()[0].name(), "linger");
/// done.set();
/// lingering.join()?;
/// # Ok::<(), psync::Error>(())
/// ```
pub fn active_children() -> Vec<ChildInfo> {
    link::check();
    reaping::settle_all();
    let Some(world) = existing() else { return Vec::new() };
    let children = world.children_of(me().id);
    let alive =
        children.filter(|(_, slot)| PidFd::open(slot.pid()).is_ok_and(|pidfd| !pidfd.has_ended()));
    alive.map(|(_, slot)| ChildInfo { pid: slot.pid(), name: slot.name() }).collect()
}

/// How many CPUs this process may use: its affinity, and its cgroup's quota if there is one. At least 1.
///
/// # Examples
/// ```
/// assert!(psync::cpu_count() >= 1);
/// ```
pub fn cpu_count() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Shows the process's name to the system: on its main thread, which is what process lists print, and on this one.
pub(crate) fn show_name(name: &str) {
    let short = &name[..name.floor_char_boundary(15)];
    // Only for show: without /proc, or with a NUL in the name, the program's own name stays.
    if nix::unistd::gettid() != nix::unistd::getpid() {
        let _ = std::fs::write("/proc/self/comm", short);
    }
    if let Ok(name) = CString::new(short) {
        let _ = nix::sys::prctl::set_name(&name);
    }
}
