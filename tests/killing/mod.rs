//! What the kill, limit and scale tests share: a watchdog, random moments, and a look at what is left over.
#![allow(dead_code, reason = "each test program uses some of it")]
#![allow(unsafe_code, reason = "signals and waits for processes by number")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Nothing in these tests takes this long unless it hangs, even on a machine that is busy with other things.
pub(crate) const HANG: Duration = Duration::from_mins(1);

/// How often to repeat something: ten times as often in a long run.
pub(crate) fn rounds(usual: usize) -> usize {
    if std::env::var_os("PSYNC_LONG").is_some_and(|value| value != "0") {
        usual * 10
    } else {
        usual
    }
}

/// Ends the test program, and says where, when a step takes longer than [`HANG`].
pub(crate) struct Watchdog {
    shared: Arc<(Mutex<(String, Instant)>, AtomicBool)>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    pub(crate) fn new(name: &'static str) -> Self {
        let shared =
            Arc::new((Mutex::new((String::new(), Instant::now())), AtomicBool::new(false)));
        let watched = Arc::clone(&shared);
        let watch = move || {
            while !watched.1.load(Ordering::Acquire) {
                std::thread::park_timeout(Duration::from_secs(1));
                let (step, since) =
                    watched.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if since.elapsed() > HANG {
                    // Not what `eprintln` writes to, which is kept back until the test is over.
                    let tree = tree_of(own_pid());
                    let _ = writeln!(std::io::stderr(), "`{name}` hangs at: {step}\n{tree}");
                    std::process::abort();
                }
            }
        };
        let thread = std::thread::Builder::new().name("watchdog".to_owned()).spawn(watch);
        Self { shared, thread: Some(thread.expect("a thread")) }
    }

    /// A new step begins.
    pub(crate) fn step(&self, name: impl Into<String>) {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner) =
            (name.into(), Instant::now());
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.1.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Random numbers that a seed repeats: `PSYNC_SEED`, else the clock. Printed with every failure.
#[derive(Clone)]
pub(crate) struct Random {
    pub(crate) seed: u64,
    state: u64,
}

impl Random {
    pub(crate) fn new() -> Self {
        let given = std::env::var("PSYNC_SEED").ok().and_then(|seed| seed.parse().ok());
        let clock = || {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            u64::from(now.map_or(1, |now| now.subsec_nanos()))
        };
        Self::from_seed(given.unwrap_or_else(clock))
    }

    pub(crate) fn from_seed(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// One of some things.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = self.below(of.len() as u64);
        &of[usize::try_from(at).unwrap_or(0)]
    }

    /// A moment of the sweep: round `round` of `rounds` over `span`, and a random bit on top.
    pub(crate) fn moment(&mut self, round: usize, rounds: usize, span: Duration) -> Duration {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let step = nanos / rounds.max(1) as u64;
        Duration::from_nanos(step * round as u64 + self.below(step.max(1)))
    }
}

/// Passes the time without giving the processor away.
pub(crate) fn spin(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        core::hint::spin_loop();
    }
}

/// Waits for something that nobody announces; false after `limit`.
pub(crate) fn poll_for(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while !done() {
        if begin.elapsed() > limit {
            return false;
        }
        std::thread::park_timeout(Duration::from_micros(200));
    }
    true
}

pub(crate) fn kill(pid: i32) {
    signal(pid, libc::SIGKILL);
}

pub(crate) fn signal(pid: i32, signal: i32) {
    assert!(pid > 1, "a pid of one process");
    // SAFETY: takes numbers.
    unsafe { libc::kill(pid, signal) };
}

pub(crate) fn own_pid() -> i32 {
    std::process::id().cast_signed()
}

/// One process, as `/proc` shows it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) session: i32,
    pub(crate) zombie: bool,
    /// As the kernel puts it: `S` sleeps, `T` is stopped, and so on.
    pub(crate) state: char,
    pub(crate) name: String,
}

/// All processes of the machine.
pub(crate) fn processes() -> Vec<Seen> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(look_at).collect()
}

pub(crate) fn look_at(pid: i32) -> Option<Seen> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
    Some(Seen {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        zombie: matches!(fields.first(), Some(&"Z" | &"X")),
        state: fields.first()?.chars().next()?,
        name: head.split_once('(')?.1.to_owned(),
    })
}

/// The children of a process, and theirs.
pub(crate) fn descendants(root: i32) -> Vec<Seen> {
    let all = processes();
    let mut found: Vec<Seen> = Vec::new();
    let mut parents = BTreeSet::from([root]);
    loop {
        let more: Vec<Seen> = all
            .iter()
            .filter(|seen| parents.contains(&seen.parent) && !parents.contains(&seen.pid))
            .cloned()
            .collect();
        if more.is_empty() {
            return found;
        }
        parents.extend(more.iter().map(|seen| seen.pid));
        found.extend(more);
    }
}

fn tree_of(root: i32) -> String {
    let mut text = String::new();
    for seen in descendants(root) {
        let state = if seen.zombie { " (zombie)" } else { "" };
        let read = |what| {
            std::fs::read_to_string(format!("/proc/{}/{what}", seen.pid)).unwrap_or_default()
        };
        let place = read("wchan");
        let _ =
            writeln!(text, "  {} of {}: {}{state} in {place}", seen.pid, seen.parent, seen.name);
    }
    text
}

/// The open descriptors of this process, and what each is.
pub(crate) fn descriptors() -> BTreeMap<i32, String> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return BTreeMap::new() };
    let open = entries.flatten().filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        let target = std::fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned();
        // The directory that is being read.
        (!target.starts_with("/proc/")).then_some((number, target))
    });
    open.collect()
}

fn shared_memory_names() -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir("/dev/shm") else { return BTreeSet::new() };
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// What must be as before when a test is over.
pub(crate) struct Traces {
    descriptors: BTreeMap<i32, String>,
    names: BTreeSet<String>,
}

impl Traces {
    /// Take it when everything that is made once has been made: world, supervisor, segments.
    pub(crate) fn now() -> Self {
        Self { descriptors: descriptors(), names: shared_memory_names() }
    }

    /// Fails if there are more descriptors, a zombie, a name in `/dev/shm` or a process beyond a supervisor and what it keeps
    /// ready. `others` counts processes that the test itself still has.
    pub(crate) fn check(&self, others: usize) -> Result<(), String> {
        let left = || -> Option<String> {
            let now = descriptors();
            if now.len() > self.descriptors.len() {
                return Some(format!("descriptors were {:?} and are {now:?}", self.descriptors));
            }
            // Other programs may use the directory; psync must not.
            let names = shared_memory_names();
            let new: Vec<_> = names.difference(&self.names).collect();
            if new.iter().any(|name| name.contains("psync")) {
                return Some(format!("new in /dev/shm: {new:?}"));
            }
            let all = descendants(own_pid());
            let (zombies, alive): (Vec<_>, Vec<_>) = all.into_iter().partition(|seen| seen.zombie);
            if !zombies.is_empty() {
                return Some(format!("zombies: {zombies:?}"));
            }
            (alive.len() > others + 1 + READY).then(|| format!("still alive: {alive:?}"))
        };
        let mut last = None;
        poll_for(Duration::from_secs(20), || {
            last = left();
            last.is_none()
        });
        last.map_or(Ok(()), Err)
    }
}

/// How many children a supervisor keeps ready at most.
const READY: usize = 4;

/// The middle one of some times.
pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

pub(crate) fn largest(times: &[Duration]) -> Duration {
    times.iter().copied().max().unwrap_or_default()
}

/// A time as text of even width.
pub(crate) fn micros(time: Duration) -> String {
    format!("{:9.1} µs", time.as_secs_f64() * 1e6)
}
