//! `#[shared]` statics, which every process finds however it was started.

use super::{
    super::signal,
    life::{Gate, gate, with},
};
use psync::{ProcessError, prelude::*};
use std::sync::atomic::{AtomicU32, Ordering};

#[shared]
static HITS: Value<u64> = Value::new(0);

/// A herd, and who counts it.
#[shared]
#[derive(Debug)]
struct Herd {
    #[init(Semaphore::new(2))]
    gates: Semaphore,
    pen: Lock,
    #[guarded_by(pen)]
    sheep: u32,
    names: Mutex<List<Text<16>, 64>>,
}

#[shared]
static HERD: Herd = Herd::default();

#[shared]
static COUNTERS: [AtomicU32; 4] = [const { AtomicU32::new(7) }; 4];

#[shared]
static BELL: Event = Event::new();

mod hill {
    use super::*;
    #[shared]
    pub static HITS: Value<u64> = Value::new(1000);
}

/// One static for all, whatever it is called with.
fn in_a_function<T>(by: u64) -> u64 {
    #[shared]
    static CALLS: Value<u64> = Value::new(500);
    let _ = size_of::<T>();
    CALLS.update(|calls| calls + by)
}

#[process]
fn hit(times: u64, depth: u32, method: u32) -> (u64, u64, u64) {
    if depth > 0 {
        let options = with(StartMethod::ALL[method as usize]);
        hit::spawn_with(options, times, depth - 1, method).unwrap().join().unwrap();
    }
    for _ in 0..times {
        HITS.update(|hits| hits + 1);
        hill::HITS.update(|hits| hits + 2);
    }
    (HITS.get(), hill::HITS.get(), in_a_function::<u8>(times))
}

fn number(method: StartMethod) -> u32 {
    let at = StartMethod::ALL.iter().position(|one| *one == method);
    u32::try_from(at.unwrap()).unwrap()
}

pub fn are_one_for_all(method: StartMethod) {
    let before = (HITS.get(), hill::HITS.get(), in_a_function::<u64>(0));
    let start = || hit::spawn_with(with(method), 10, 2, number(method)).unwrap();
    let processes = [start(), start()];
    for process in processes {
        process.join().unwrap();
    }
    assert_eq!(HITS.get(), before.0 + 60);
    assert_eq!(hill::HITS.get(), before.1 + 120);
    assert_eq!(in_a_function::<String>(0), before.2 + 60);
}

#[process]
fn tend(name: String) -> u32 {
    let _gate = HERD.gates.acquire().unwrap();
    let mut pen = HERD.lock_pen().unwrap();
    *pen.sheep += 1;
    HERD.names.lock().unwrap().push(name.parse().unwrap()).unwrap();
    BELL.set();
    COUNTERS[2].fetch_add(1, Ordering::Relaxed)
}

pub fn are_of_any_type(method: StartMethod) {
    let before = (*HERD.lock_pen().unwrap().sheep, COUNTERS[2].load(Ordering::Relaxed));
    HERD.names.lock().unwrap().clear();
    BELL.clear();
    let name = |index| format!("sheep {index}");
    let start = |index| tend::spawn_with(with(method), name(index)).unwrap();
    let processes: Vec<_> = (0..4).map(start).collect();
    BELL.wait();
    for process in processes {
        process.join().unwrap();
    }
    let names = HERD.names.lock().unwrap();
    assert!((0..4).all(|index| names.iter().any(|given| given.as_str() == name(index))));
    assert_eq!(*HERD.lock_pen().unwrap().sheep, before.0 + 4);
    assert_eq!(COUNTERS[2].load(Ordering::Relaxed), before.1 + 4);
    assert_eq!((COUNTERS[1].load(Ordering::Relaxed), HERD.gates.available()), (7, 2));
}

/// A static for each method that no process has used yet.
macro_rules! one_for_each_method {
    ($use:ident: $type:ty = $init:expr) => {
        fn $use(method: u32) -> &'static $type {
            #[shared]
            static FIRST: $type = $init;
            #[shared]
            static SECOND: $type = $init;
            #[shared]
            static THIRD: $type = $init;
            match method {
                0 => &FIRST,
                1 => &SECOND,
                _ => &THIRD,
            }
        }
    };
}

one_for_each_method!(maker: u32 = std::process::id());

#[process]
fn who_made_it(gate: &Gate, method: u32) -> u32 {
    gate.here.set();
    gate.open.wait();
    *maker(method)
}

/// One that was started before it was made finds it as well as one that comes later, also when its maker is gone.
pub fn outlive_whoever_made_them(method: StartMethod) {
    let (early, first) = (gate(), gate());
    let start = |gate| who_made_it::spawn_with(with(method), gate, number(method)).unwrap();
    let waits = start(&early);
    early.here.wait();
    first.open.set();
    let makes = start(&first);
    let pid = makes.pid().cast_unsigned();
    assert_eq!(makes.join().unwrap(), pid);
    assert_eq!(start(&first).join().unwrap(), pid);
    early.open.set();
    assert_eq!(waits.join().unwrap(), pid);
    assert_eq!(*maker(number(method)), pid);
}

/// How often a maker has begun.
#[shared]
static ATTEMPTS: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

fn fails_at_first(method: u32) -> u64 {
    let attempt = ATTEMPTS[method as usize].fetch_add(1, Ordering::Relaxed);
    match attempt {
        0 => panic!("no acorns yet"),
        1 => {
            signal(psync::current().pid(), libc::SIGKILL);
            loop {
                std::thread::yield_now();
            }
        }
        _ => u64::from(attempt),
    }
}

one_for_each_method!(late: u64 = fails_at_first(METHOD.load(Ordering::Relaxed)));

/// Of this process: the initializer of a static has no arguments.
static METHOD: AtomicU32 = AtomicU32::new(0);

#[process]
fn try_it(method: u32) -> u64 {
    METHOD.store(method, Ordering::Relaxed);
    *late(method)
}

pub fn are_made_afresh_after_a_panic_and_a_kill(method: StartMethod) {
    let quiet = || with(method).stderr(Stdio::null());
    let run = || try_it::spawn_with(quiet(), number(method)).unwrap().join();
    match run() {
        Err(ProcessError::Panicked { message, .. }) => assert_eq!(message, "no acorns yet"),
        other => panic!("{other:?}"),
    }
    match run() {
        Err(ProcessError::Signaled { signal: libc::SIGKILL, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!((run().unwrap(), run().unwrap()), (2, 2));
    METHOD.store(number(method), Ordering::Relaxed);
    assert_eq!(*late(number(method)), 2);
}

#[process]
fn count(herd: &Herd, counters: &[AtomicU32], hits: &Value<u64>) -> u32 {
    // What was lent is the static itself.
    assert!(std::ptr::eq(herd, &raw const *HERD));
    assert!(std::ptr::eq(counters, &raw const COUNTERS[1..]));
    hits.update(|hits| hits + 1);
    *herd.lock_pen().unwrap().sheep
}

#[process]
fn count_all(herd: &Herd) -> u32 {
    *herd.lock_pen().unwrap().sheep
}

pub fn are_lent_like_other_shared_data(method: StartMethod) {
    let sheep = *HERD.lock_pen().unwrap().sheep;
    let hits = HITS.get();
    let seen = parallel! { with start_method = method; for _ in 0..2 => count(&HERD, &COUNTERS[1..], &HITS) };
    assert_eq!(seen.unwrap(), [sheep; 2]);
    assert_eq!(HITS.get(), hits + 2);
    assert_eq!(count_all::spawn_with(with(method), &HERD).unwrap().join().unwrap(), sheep);
}
