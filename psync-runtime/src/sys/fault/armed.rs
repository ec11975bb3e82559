//! What a point does in a thread that a test has told to note its points, or to die at one of them.

use crate::{
    primitive::{AtomicU32, Ordering},
    sys::procfs,
};
use nix::{
    sys::{
        resource::{UsageWho, getrusage},
        signal::{Signal, kill},
    },
    unistd::{getpid, gettid},
};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// What the points of a thread are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Note every point that is passed.
    Record,
    /// Have the process killed when a point is passed for the n-th time, counted from 1.
    Die(String, u32),
    /// Have it killed asleep, in the sleep that follows the n-th time.
    DieAsleep(String, u32),
}

/// A point was passed, or the thread sleeps at one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// At this point.
    At(&'static str),
    /// About to sleep, behind this point; and whether it is to be killed meanwhile.
    Sleeps(&'static str, bool),
    /// It has slept there, or did not have to.
    Wakes(&'static str),
}

/// One passing of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The point.
    pub name: &'static str,
    /// Whether the thread slept between this point and the next.
    pub slept: bool,
}

struct State {
    plan: Plan,
    hits: Vec<Hit>,
}

/// The id of the thread whose points do something; 0 if there is none.
static ARMED: AtomicU32 = AtomicU32::new(0);
static STATE: Mutex<State> = Mutex::new(State { plan: Plan::Record, hits: Vec::new() });
static OBSERVER: OnceLock<fn(Event)> = OnceLock::new();

/// How far it is with a death asleep. Whoever moves it on from `DOZING` decides.
static DOZE: AtomicU32 = AtomicU32::new(AWAKE);
const AWAKE: u32 = 0;
const DOZING: u32 = 1;
const FATAL: u32 = 2;

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on the points of this thread serve `plan`, counted afresh. One thread of a process at a time.
pub(crate) fn arm(plan: Plan) {
    *state() = State { plan, hits: Vec::new() };
    ARMED.store(own_id(), Ordering::Relaxed);
}

/// From here on they do nothing; what was passed meanwhile.
pub(crate) fn disarm() -> Vec<Hit> {
    wake_up();
    ARMED.store(0, Ordering::Relaxed);
    core::mem::take(&mut state().hits)
}

/// Has `observer` told of every point of the thread that is armed.
pub(crate) fn observe(observer: fn(Event)) {
    let _ = OBSERVER.set(observer);
}

fn own_id() -> u32 {
    gettid().as_raw().cast_unsigned()
}

#[inline]
fn is_armed() -> bool {
    let armed = ARMED.load(Ordering::Relaxed);
    armed != 0 && armed == own_id()
}

fn tell(event: Event) {
    if let Some(observer) = OBSERVER.get() {
        observer(event);
    }
}

/// The process may be killed here as well as anywhere else; a test can see to it that it is.
#[inline(always)]
#[allow(clippy::inline_always, reason = "so that it costs a look at one word")]
pub(crate) fn point(name: &'static str) {
    if ARMED.load(Ordering::Relaxed) != 0 {
        pass(name);
    }
}

#[cold]
fn pass(name: &'static str) {
    if !is_armed() {
        return;
    }
    wake_up();
    let dies = {
        let mut state = state();
        state.hits.push(Hit { name, slept: false });
        matches!(&state.plan, Plan::Die(place, turn) if state.is_at(place, *turn))
    };
    tell(Event::At(name));
    if dies {
        die();
    }
}

impl State {
    /// Whether the point that was passed last is `place`, for the `turn`-th time.
    fn is_at(&self, place: &str, turn: u32) -> bool {
        let turns = || self.hits.iter().filter(|hit| hit.name == place).count();
        self.hits.last().is_some_and(|hit| hit.name == place) && turns() == turn as usize
    }
}

fn die() -> ! {
    let _ = kill(getpid(), Signal::SIGKILL);
    loop {
        std::thread::park();
    }
}

/// Sleeps by `how`; a test can have the process killed meanwhile.
#[inline]
pub(crate) fn sleep<R>(how: impl FnOnce() -> R) -> R {
    if is_armed() { watched_sleep(how) } else { how() }
}

#[cold]
fn watched_sleep<R>(how: impl FnOnce() -> R) -> R {
    let (name, dies) = {
        let state = state();
        let dies = matches!(&state.plan, Plan::DieAsleep(place, turn) if state.is_at(place, *turn));
        (state.hits.last().map(|hit| hit.name), dies)
    };
    if let Some(name) = name {
        tell(Event::Sleeps(name, dies));
    }
    if dies {
        let sleeper = gettid().as_raw();
        DOZE.store(DOZING, Ordering::SeqCst);
        std::thread::spawn(move || kill_asleep(sleeper));
    }
    let before = switches();
    let result = how();
    let slept = switches() != before;
    wake_up();
    if let Some(name) = name {
        tell(Event::Wakes(name));
    }
    if let Some(hit) = state().hits.last_mut() {
        hit.slept |= slept;
    }
    result
}

/// How often this thread has given its processor away because it had to wait.
fn switches() -> i64 {
    getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| usage.voluntary_context_switches())
}

/// Kills the process once the thread `sleeper` is asleep, unless it has woken up before that was seen.
fn kill_asleep(sleeper: i32) {
    while DOZE.load(Ordering::SeqCst) == DOZING {
        if procfs::is_thread_asleep(getpid().as_raw(), sleeper) {
            let seen = DOZE.compare_exchange(DOZING, FATAL, Ordering::SeqCst, Ordering::SeqCst);
            if seen.is_ok() {
                die();
            }
        }
        std::thread::yield_now();
    }
}

/// Whoever goes on after a sleep that was to be fatal is not seen asleep any more, or waits for its end.
fn wake_up() {
    if DOZE.load(Ordering::Relaxed) == AWAKE {
        return;
    }
    let awake = DOZE.compare_exchange(DOZING, AWAKE, Ordering::SeqCst, Ordering::SeqCst);
    if awake == Err(FATAL) {
        die();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, since one thread of a process is armed at a time.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "it is about sleeping")]
    fn what_is_passed_is_noted_and_what_sleeps_as_well() {
        point("before it is armed");
        arm(Plan::Record);
        point("one");
        sleep(|| std::thread::sleep(core::time::Duration::from_millis(2)));
        point("two");
        sleep(|| ());
        std::thread::scope(|scope| scope.spawn(|| point("in another thread")).join())
            .expect("no panic");
        let hit = |name, slept| Hit { name, slept };
        assert_eq!(disarm(), [hit("one", true), hit("two", false)]);
        point("after it was disarmed");
        assert_eq!(disarm(), []);
    }
}
