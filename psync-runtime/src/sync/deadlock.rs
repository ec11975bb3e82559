//! Who waits for whom: the report of a deadlock, and the present state of affairs.

use crate::{
    shm::world::{self, Blocking, Circle, Identity, Operation, Seen, Site, me},
    sys::thread,
};
use core::fmt::{self, Write as _};

/// Who waits for whom in a deadlock: a circle of threads, each of which waits for something that the next one holds.
///
/// A circle is reported to one of its threads, within a second if the machine is not overloaded; which one is not determined. That one's operation fails,
/// and the others go on as soon as it has let go of what they wait for. Threads of different processes are found as well as those of one.
///
/// A wait that *any* of several could end, for a message of a [`Queue`](crate::channel::Queue) or for room in it, belongs to a deadlock if nobody is left who could: all threads of all
/// processes that hold the queue wait without end, for each other. The report has a circle of them, and [names the others](Self::others).
///
/// What is reported *is* a deadlock: at one moment, all of these threads waited for each other. Not every standstill is reported:
///
/// * Waits with a timeout are never part of a circle, since they end by themselves.
/// * Neither are waits that anybody might end: for an [`Event`](super::Event), a permit, a [`Barrier`](super::Barrier), the notification of a
///   [`Condvar`](super::Condvar), a message of a [`Connection`](crate::channel::Connection), several things at once.
/// * Waits for the end of a process (`join`, a scope, `parallel!`) are, and so is the wait of a `Condvar` for its mutex; but they have no error for it, so another one
///   is told. If there is no other, nobody is.
/// * What psync does not know of is not seen: locks and threads of the standard library, pipes, files. A process with a thread that does not wait for
///   anything of psync may do anything at any time, with each queue that it holds. So may whoever gets a handle of the queue that is on its way in a message.
///
/// # Examples
/// Two processes that take two locks in two orders:
/// ```
/// use psync::{DeadlockReport, prelude::*};
///
/// #[shared]
/// struct Desk {
///     pen: Mutex<u8>,
///     paper: Mutex<u8>,
///     #[init(Barrier::new(2))]
///     each_has_one: Barrier,
/// }
///
/// #[process]
/// fn pen_first(desk: &Desk) -> Option<DeadlockReport> {
///     let _pen = desk.pen.lock().ok()?;
///     desk.each_has_one.wait().ok()?;
///     told(desk.paper.lock())
/// }
///
/// #[process]
/// fn paper_first(desk: &Desk) -> Option<DeadlockReport> {
///     let _paper = desk.paper.lock().ok()?;
///     desk.each_has_one.wait().ok()?;
///     told(desk.pen.lock())
/// }
///
/// fn told<G>(second: Result<G, LockError>) -> Option<DeadlockReport> {
///     match second {
///         Err(LockError::Deadlock(report)) => Some(report),
///         _ => None,
///     }
/// }
///
/// let desk = Shared::new(Desk::default())?;
/// let reports = parallel! { pen_first(&desk), paper_first(&desk) }?;
/// let report = reports.0.or(reports.1).expect("one of the two is told");
/// assert_eq!(report.waits().len(), 2);
/// println!("{report}");
/// # Ok::<(), psync::Error>(())
/// ```
///
/// A thread that waits for itself is told at once:
/// ```
/// use psync::{LockError, Mutex};
///
/// let mutex = Mutex::new(1_u32);
/// let held = mutex.lock()?;
/// let Err(LockError::Deadlock(report)) = mutex.lock() else { panic!("it waits for itself") };
/// assert_eq!(report.waits()[0].what(), "Mutex<u32>");
/// # Ok::<(), LockError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct DeadlockReport(Box<Waits>);

/// In a place of its own, since errors hold it that are most often others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
struct Waits {
    circle: Box<[DeadlockWait]>,
    others: Box<[DeadlockWait]>,
}

/// One thread of a deadlock, and what it waits for. The next one in the report holds that; the first one holds what the last one waits for.
///
/// `Display` says where it waits for what, without who it is.
///
/// # Examples
/// ```
/// use psync::{LockError, Mutex};
///
/// let lock = Mutex::new(0);
/// let _held = lock.lock()?;
/// let Err(LockError::Deadlock(report)) = lock.lock() else { panic!("it is held by this thread") };
/// let wait = &report.waits()[0];
/// assert!(wait.what().contains("Mutex"), "{wait}");
/// assert!(!wait.location().is_empty());
/// assert!(report.others().is_empty(), "nobody else has to do with it");
/// # Ok::<(), LockError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct DeadlockWait {
    process: String,
    pid: i32,
    thread: u32,
    verb: String,
    what: String,
    location: String,
}

impl DeadlockReport {
    /// What `blocking`, which was refused for a deadlock, was in.
    pub(crate) fn new(blocking: Blocking) -> Self {
        let site = blocking.site();
        let Circle { waits, others } = blocking.into_circle();
        // Nothing but ourselves: it was refused before it slept.
        let circle = if waits.is_empty() {
            vec![DeadlockWait::of_this_thread(site)]
        } else {
            waits.iter().map(DeadlockWait::from).collect()
        };
        let others: Vec<_> = others.iter().map(DeadlockWait::from).collect();
        Self(Box::new(Waits { circle: circle.into(), others: others.into() }))
    }

    /// The threads of the circle, from the one that was told.
    pub fn waits(&self) -> &[DeadlockWait] {
        &self.0.circle
    }

    /// The other threads that could have ended one of those waits, and wait themselves for somebody in the circle or among these. Empty unless
    /// somebody waits for whatever of several.
    pub fn others(&self) -> &[DeadlockWait] {
        &self.0.others
    }

    /// The process that was told.
    pub fn pid(&self) -> i32 {
        self.waits()[0].pid
    }

    /// The kernel's id of the thread that was told.
    pub fn thread(&self) -> u32 {
        self.waits()[0].thread
    }
}

impl DeadlockWait {
    fn of_this_thread(site: Option<Site>) -> Self {
        let me = me();
        Self {
            process: name(me.id),
            pid: me.pid,
            thread: thread::tid(),
            verb: verb(site.map_or(Operation::Other, |site| site.operation)).to_owned(),
            what: site.map_or_else(String::new, |site| without_paths(site.what)),
            location: site.map_or_else(String::new, |site| site.place.to_string()),
        }
    }

    /// The name of the process.
    pub fn process(&self) -> &str {
        &self.process
    }

    /// Its pid.
    pub const fn pid(&self) -> i32 {
        self.pid
    }

    /// The kernel's id of the thread.
    pub const fn thread(&self) -> u32 {
        self.thread
    }

    /// The type of what it waits for, such as `Mutex<u32>`.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Where in the program it waits: file, line and column of the call.
    pub fn location(&self) -> &str {
        &self.location
    }

    fn who(&self) -> String {
        who(&self.process, self.pid, self.thread)
    }
}

impl From<&Seen> for DeadlockWait {
    fn from(seen: &Seen) -> Self {
        Self {
            process: name(seen.process),
            pid: seen.pid,
            thread: seen.thread,
            verb: verb(seen.operation).to_owned(),
            what: without_paths(&seen.what),
            location: format!("{}:{}:{}", seen.file, seen.line, seen.column),
        }
    }
}

impl fmt::Display for DeadlockWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waits at {} {} {}", self.location, self.verb, self.what)
    }
}

impl fmt::Display for DeadlockReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, wait) in self.waits().iter().enumerate() {
            let link = if index == 0 { "" } else { ", held up by " };
            let which = if index == 0 { "" } else { ", which" };
            write!(f, "{link}{}{which} {wait}", wait.who())?;
        }
        match self.waits() {
            [_] => f.write_str(", held up by itself")?,
            waits => write!(f, ", held up by {}", waits[0].who())?,
        }
        for (index, other) in self.others().iter().enumerate() {
            let link = if index == 0 { "; nor can others go on: " } else { ", " };
            write!(f, "{link}{} {other}", other.who())?;
        }
        Ok(())
    }
}

/// Who of the program waits for what at this moment, a line for each thread: processes by name and pid, the type that they wait for, the line of the program
/// where they do, and who holds it, where that is known.
///
/// A look at a program that does not get on. A thread shows up as soon as it sleeps for a lock, a permit, an event, a notification, a [`Once`](super::Once), the
/// others at a [`Barrier`](super::Barrier), a message, room for one, or the end of a process; not in
/// `Connection::poll`, [`wait_any`](crate::process::wait_any), or at the end of a process that waits for those that it has started. It is not
/// a moment of all of them together: one may have gone on while another one was looked at. Waits with a timeout are marked `for some time`. In a program
/// without shared memory and processes, nobody shows up. The format of the lines may change.
///
/// # Examples
/// ```
/// use psync::{Event, Shared, dump_waits};
///
/// let ready = Shared::new(Event::new())?;
/// std::thread::scope(|scope| {
///     scope.spawn(|| ready.wait());
///     while !dump_waits().contains("for Event") {
///         std::thread::yield_now();
///     }
///     ready.set();
/// });
/// # Ok::<(), psync::Error>(())
/// ```
pub fn dump_waits() -> String {
    let mut text = String::new();
    let Some(world) = world::existing() else { return text };
    let mut all: Vec<Seen> = world.waiting().collect();
    all.sort_by_key(|seen| (seen.pid, seen.thread));
    for seen in all {
        let wait = DeadlockWait::from(&seen);
        let _ = write!(text, "{} {wait}", wait.who());
        if let Some((pid, thread)) = seen.owner {
            let holder = world.used().find(|(id, slot)| slot.is_alive(*id) && slot.pid() == pid);
            let process = holder.map_or_else(String::new, |(id, _)| name(id));
            let _ = write!(text, ", held up by {}", who(&process, pid, thread));
        }
        for (index, holder) in seen.holders.iter().enumerate() {
            let link = if index == 0 { ", to be ended by " } else { " or " };
            let _ = write!(text, "{link}{}", who(&name(*holder), world.slot(*holder).pid(), 0));
        }
        text.push_str(if seen.timed { ", for some time\n" } else { "\n" });
    }
    text
}

fn who(process: &str, pid: i32, thread: u32) -> String {
    match (process, thread) {
        ("", 0) => format!("process {pid}"),
        ("", _) => format!("thread {thread} of process {pid}"),
        (_, 0) => format!("`{process}` (process {pid})"),
        _ => format!("`{process}` (process {pid}, thread {thread})"),
    }
}

/// The name of a process, empty if it has ended.
fn name(process: Identity) -> String {
    let Some(world) = world::existing() else { return "main".to_owned() };
    if world.is_alive(process) { world.slot(process).name() } else { String::new() }
}

const fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "to read under",
        Operation::Write => "to write under",
        Operation::Join => "for the end of",
        Operation::Cross => "at",
        Operation::Send => "for room in",
        Operation::Receive => "for a message of",
        Operation::Finish => "for the jobs of",
        _ => "for",
    }
}

/// `a::b::C<d::E>` as `C<E>`.
fn without_paths(name: &str) -> String {
    let mut short = String::new();
    let mut word = 0;
    for part in name.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_')) {
        if part.ends_with(':') {
            short.truncate(word);
        } else {
            short.push_str(part);
            if !part.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                word = short.len();
            }
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_whose_name_is_gone_has_its_number() {
        assert_eq!(who("baker", 7, 0), "`baker` (process 7)");
        assert_eq!(who("baker", 7, 8), "`baker` (process 7, thread 8)");
        assert_eq!(who("", 7, 0), "process 7");
        assert_eq!(who("", 7, 8), "thread 8 of process 7");
    }

    #[test]
    fn names_of_types_lose_their_paths() {
        let name = "psync_runtime::sync::mutex::Mutex<alloc::vec::Vec<(u8, [my_app::Deep; 3])>>";
        assert_eq!(without_paths(name), "Mutex<Vec<(u8, [Deep; 3])>>");
        assert_eq!(without_paths("u32"), "u32");
        assert_eq!(without_paths(""), "");
    }
}
