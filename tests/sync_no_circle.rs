//! Nobody is told of a deadlock that there is not: however long locks are held, in whatever order they are tried, and whoever is stopped.
#![allow(missing_docs, reason = "a test")]

mod killing;

use killing::{HANG, Random, Watchdog, kill, look_at, poll_for, rounds, signal};
use psync::{
    MutexGuard, PoisonCause, ReadGuard, ReentrantGuard, ValueGuard, WriteGuard, prelude::*,
};
use std::time::{Duration, Instant};

#[shared]
struct Things {
    #[init([const { Mutex::new(0) }; 2])]
    mutexes: [Mutex<u64>; 2],
    #[init([const { RwLock::new(0) }; 2])]
    tables: [RwLock<u64>; 2],
    #[init(ReentrantMutex::new(0))]
    salt: ReentrantMutex<u64>,
    #[init(Value::new(0))]
    price: Value<u64>,
    never: Event,
    held: Event,
    leave: Event,
}

/// How many there are.
const THINGS: u64 = 6;

fn things() -> Shared<Things> {
    Shared::new(Things::default()).expect("shared memory")
}

/// Some thing, held.
#[allow(dead_code, reason = "kept to be dropped")]
enum Held<'a> {
    Mutex(MutexGuard<'a, u64>),
    Read(ReadGuard<'a, u64>),
    Write(WriteGuard<'a, u64>),
    Salt(ReentrantGuard<'a, u64>, ReentrantGuard<'a, u64>),
    Price(ValueGuard<'a, u64>),
}

/// Takes the thing with this number, for some time or without end.
fn take(
    things: &Things,
    number: u64,
    write: bool,
    limit: Option<Duration>,
) -> Result<Held<'_>, LockError> {
    let index = usize::from(number % 2 == 1);
    let (mutex, table) = (&things.mutexes[index], &things.tables[index]);
    Ok(match number / 2 {
        0 => Held::Mutex(limit.map_or_else(|| mutex.lock(), |limit| mutex.lock_timeout(limit))?),
        1 if write => {
            Held::Write(limit.map_or_else(|| table.write(), |limit| table.write_timeout(limit))?)
        }
        1 => Held::Read(limit.map_or_else(|| table.read(), |limit| table.read_timeout(limit))?),
        _ if index == 0 => {
            let salt = &things.salt;
            let outer = limit.map_or_else(|| salt.lock(), |limit| salt.lock_timeout(limit))?;
            Held::Salt(outer, salt.lock()?)
        }
        _ => {
            let price = &things.price;
            Held::Price(limit.map_or_else(|| price.lock(), |limit| price.lock_timeout(limit))?)
        }
    })
}

/// Holds several things at a time: in the order of their numbers, without end; or in any order, where it waits for the first without end and gives up soon on
/// the others. Now and then for longer than it takes to become suspicious, and now and then until a process has ended that needs things of higher numbers.
#[process]
fn juggles(things: &Things, seed: u64, time: Duration) -> u64 {
    let mut random = Random::from_seed(seed);
    let (begin, mut turns) = (Instant::now(), 0);
    while begin.elapsed() < time {
        let mut held = Vec::new();
        if random.below(2) == 0 {
            for number in 0..THINGS {
                if random.below(2) == 0 {
                    held.push(
                        take(things, number, random.below(3) == 0, None).expect("no deadlock"),
                    );
                }
                if random.below(400) == 0 {
                    parallel! { needs(things, number + 1, random.next()) }.expect("nobody fails");
                }
            }
        } else {
            let first = random.below(THINGS);
            held.push(take(things, first, random.below(3) == 0, None).expect("no deadlock"));
            for _ in 0..random.below(4) {
                // Other than those that it has.
                let number = (first + 1 + random.below(THINGS - 1)) % THINGS;
                let limit = Duration::from_millis(random.below(3) * 15);
                match take(things, number, random.below(3) == 0, Some(limit)) {
                    Ok(more) => held.push(more),
                    Err(LockError::TimedOut) => break,
                    Err(LockError::Deadlock(report)) if report.waits().len() == 1 => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        if random.below(64) == 0 {
            things.never.wait_timeout(Duration::from_millis(150 + random.below(200)));
        }
        turns += 1;
        // In any order.
        while !held.is_empty() {
            held.swap_remove(usize::try_from(random.below(held.len() as u64)).expect("a few"));
        }
    }
    turns
}

#[process]
fn needs(things: &Things, from: u64, seed: u64) {
    let mut random = Random::from_seed(seed);
    let held = (from..THINGS).map(|number| take(things, number, random.below(2) == 0, None));
    held.collect::<Result<Vec<_>, _>>().expect("no deadlock");
}

/// Some seconds of it, while one after the other is stopped for a while.
#[test]
fn holders_that_sleep_or_are_stopped_make_no_circle() {
    let watchdog = Watchdog::new("holders_that_sleep_or_are_stopped");
    let mut random = Random::new();
    let seed = random.seed;
    for round in 0..rounds(1) {
        watchdog.step(format!("round {round}, seed {seed}"));
        let (things, time) = (things(), Duration::from_secs(6));
        let start = |_| juggles::spawn(&things, random.next(), time).expect("started");
        let jugglers: Vec<_> = (0..6).map(start).collect();
        let begin = Instant::now();
        while begin.elapsed() < time {
            let index = usize::try_from(random.below(6)).expect("a few");
            signal(jugglers[index].pid(), libc::SIGSTOP);
            let stopped = Duration::from_millis(random.below(500));
            things.never.wait_timeout(stopped);
            signal(jugglers[index].pid(), libc::SIGCONT);
            things.never.wait_timeout(Duration::from_millis(random.below(100)));
        }
        let turns: Vec<u64> = jugglers
            .into_iter()
            .map(|juggler| juggler.join().unwrap_or_else(|error| panic!("seed {seed}: {error}")))
            .collect();
        println!("turns: {turns:?}");
    }
}

#[process(daemon)]
fn holds(things: &Things) {
    let _first = things.mutexes[0].lock().expect("free");
    things.held.set();
    things.leave.wait();
    drop(things.mutexes[1].lock());
}

/// A holder that is stopped holds others up, and is no deadlock; not even if it waits for what they hold, as soon as it can go on.
#[test]
fn a_stopped_holder_is_waited_for() {
    let watchdog = Watchdog::new("a_stopped_holder_is_waited_for");
    for dies in [false, true] {
        watchdog.step(format!("it dies: {dies}"));
        let things = things();
        let holder = holds::spawn(&things).expect("started");
        things.held.wait();
        signal(holder.pid(), libc::SIGSTOP);
        assert!(poll_for(HANG / 2, || look_at(holder.pid()).is_some_and(|seen| seen.state == 'T')));
        let second = things.mutexes[1].lock().expect("free");
        things.leave.set();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| things.mutexes[0].lock().map(drop));
            // Long enough to look round some times.
            things.never.wait_timeout(Duration::from_millis(1500));
            assert!(!waiter.is_finished());
            if dies {
                kill(holder.pid());
            } else {
                drop(second);
                signal(holder.pid(), libc::SIGCONT);
            }
            let told = waiter.join().expect("no panic");
            let died = LockError::Poisoned { pid: holder.pid(), cause: PoisonCause::Died };
            assert_eq!(told.err(), dies.then_some(died));
        });
    }
}
