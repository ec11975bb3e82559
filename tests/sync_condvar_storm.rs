//! Condition variables whose waiters are killed: notifying never blocks, and no notification is lost.
#![allow(missing_docs, reason = "tests")]

mod killing;

use killing::{HANG, Random, Watchdog, kill, poll_for, rounds, spin};
use psync::{MutexGuard, PoisonCause, prelude::*};
use std::time::{Duration, Instant};

/// How many processes wait.
const WAITERS: usize = 5;

#[shared]
#[derive(Clone, Copy, Debug, Default)]
struct Till {
    put: u64,
    tokens: u64,
    taken: u64,
    closed: bool,
}

#[shared]
struct Shop {
    #[init(Mutex::new(Till::default()))]
    till: Mutex<Till>,
    more: Condvar,
}

/// A token may be in the hands of somebody who died: it counts as taken.
fn recount(till: &mut Till) {
    till.taken = till.put - till.tokens;
}

fn open(shop: &Shop) -> MutexGuard<'_, Till> {
    shop.till.lock_or_repair(recount).expect("no deadlock")
}

#[process]
fn takes(shop: &Shop) {
    let mut till = open(shop);
    while !till.closed {
        if till.tokens == 0 {
            till = shop.more.wait(till).unwrap_or_else(|_| open(shop));
            continue;
        }
        till.tokens -= 1;
        spin(Duration::from_micros(5));
        till.taken += 1;
        drop(till);
        till = open(shop);
    }
}

/// As many notifications as tokens, with and without the mutex.
fn put(shop: &Shop, count: u32, held: bool) {
    let mut till = open(shop);
    till.tokens += u64::from(count);
    till.put += u64::from(count);
    let till = if held { Some(till) } else { None };
    match count {
        1 => shop.more.notify_one(),
        _ => drop(shop.more.notify(count)),
    }
    drop(till);
}

/// Whether nothing is left. Looks without repairing, which would be to say that the waiters need not be told.
fn is_sold_out(shop: &Shop) -> bool {
    shop.till.try_lock().is_ok_and(|till| till.tokens == 0)
}

/// Tokens are put one by one, each with one notification, while those who wait for them are killed and replaced: whoever is left takes them all.
#[test]
fn no_token_is_left_lying_while_somebody_waits_for_one() {
    let watchdog = Watchdog::new("no_token_is_left_lying");
    let mut random = Random::new();
    let shop = Shared::new(Shop::default()).expect("shared memory");
    // Not waited for at the exit of a test that has failed.
    let start = || takes::spawn_with(Options::new().daemon(true), &shop).expect("started");
    let mut waiters: Vec<_> = (0..WAITERS).map(|_| start()).collect();
    for round in 0..rounds(300) {
        watchdog.step(format!("round {round}, seed {}", random.seed));
        for _ in 0..=random.below(3) {
            put(&shop, 1 + u32::from(random.below(3) == 0), random.below(2) == 0);
        }
        spin(Duration::from_nanos(random.below(60_000)));
        // All but one at most.
        for _ in 0..random.below(WAITERS as u64) {
            let victim = waiters.remove(0);
            kill(victim.pid());
            drop(victim);
            spin(Duration::from_nanos(random.below(20_000)));
        }
        assert!(poll_for(HANG / 2, || is_sold_out(&shop)), "seed {}: {:?}", random.seed, shop.more);
        waiters.resize_with(WAITERS, start);
    }
    open(&shop).closed = true;
    shop.more.notify_all();
    for waiter in waiters {
        waiter.join().expect("ends");
    }
    let till = open(&shop);
    assert_eq!((till.tokens, till.taken), (0, till.put));
}

#[shared]
struct Hall {
    /// How many have been woken.
    #[init(Mutex::new(0))]
    awake: Mutex<u64>,
    bell: Condvar,
    /// How often somebody has begun to wait.
    #[init(Value::new(0))]
    asleep: Value<u64>,
    dozing: Event,
}

fn hall() -> Shared<Hall> {
    Shared::new(Hall::default()).expect("shared memory")
}

#[process]
fn dozes(hall: &Hall) {
    let awake = hall.awake.lock().expect("sound");
    hall.asleep.update(|n| n + 1);
    let mut awake = hall.bell.wait(awake).expect("nobody dies with the mutex");
    *awake += 1;
}

/// Starts them one after the other, so that they wait in this order.
fn sleepers(hall: &Shared<Hall>, count: usize) -> Vec<Process<()>> {
    let start = |number| {
        let process = dozes::spawn_with(Options::new().daemon(true), hall).expect("started");
        // Who is counted has the mutex, and lets go of it when it waits.
        let is_asleep = || hall.asleep.get() >= number && hall.awake.try_lock().is_ok();
        assert!(poll_for(HANG / 2, is_asleep), "{number}: {:?}", hall.bell);
        process
    };
    let before = hall.asleep.get();
    (before + 1..=before + count as u64).map(start).collect()
}

fn awake(hall: &Hall) -> u64 {
    *hall.awake.lock().expect("sound")
}

/// Some of those that sleep are killed; then as many of the others wake up as there are notifications, at once, and nobody else.
#[test]
fn notifications_go_to_those_who_are_alive() {
    let watchdog = Watchdog::new("notifications_go_to_those_who_are_alive");
    let mut random = Random::new();
    let mut longest = Duration::ZERO;
    for round in 0..rounds(25) {
        let count = [3, 6, 12, 20][round % 4];
        let (dead, hall) = (1 + random.below(count - 2), hall());
        let notified = 1 + random.below(count - dead);
        let step = format!("{notified} of {count}, {dead} dead, seed {}", random.seed);
        watchdog.step(&*step);
        let mut waiters = sleepers(&hall, usize::try_from(count).expect("a few"));
        for _ in 0..dead {
            let victim =
                waiters.remove(usize::try_from(random.below(3)).expect("a few") % waiters.len());
            kill(victim.pid());
        }
        for _ in 0..notified {
            hall.bell.notify_one();
        }
        let since = Instant::now();
        assert!(poll_for(HANG / 2, || awake(&hall) == notified), "{step}: {:?}", hall.bell);
        longest = longest.max(since.elapsed());
        let others = count - dead - notified;
        if others != 0 {
            // They strike out the dead.
            let left = format!("Condvar({others} waiting)");
            assert!(poll_for(HANG / 2, || format!("{:?}", hall.bell) == left), "{step}");
        }
        assert_eq!(awake(&hall), notified, "{step}");
        hall.bell.notify_all();
        for waiter in waiters {
            waiter.join().expect("ends");
        }
        assert_eq!(awake(&hall), notified + others, "{step}");
    }
    println!("all who were to were awake after {longest:?} at most");
}

/// Those who are notified are killed before they have their mutex back: their notifications are for the next two, and for nobody else.
#[test]
fn a_notification_outlives_who_was_to_be_woken() {
    let watchdog = Watchdog::new("a_notification_outlives_who_was_to_be_woken");
    for round in 0..rounds(20) {
        watchdog.step(format!("round {round}"));
        let hall = hall();
        let mut waiters = sleepers(&hall, 3 + round % 3 * 6);
        let others = waiters.split_off(2);
        let mutex = hall.awake.lock().expect("free");
        match round % 2 {
            0 => assert_eq!(hall.bell.notify(2), 2),
            _ => (0..2).for_each(|_| hall.bell.notify_one()),
        }
        spin(Duration::from_micros(round as u64 * 20));
        for victim in &waiters {
            kill(victim.pid());
        }
        drop(mutex);
        let expected = 2.min(others.len() as u64);
        let all = poll_for(HANG / 2, || hall.awake.lock().is_ok_and(|awake| *awake == expected));
        assert!(all, "{:?} {:?}", hall.bell, hall.awake);
        let left = others.len() as u64 - expected;
        if left != 0 {
            let left = format!("Condvar({left} waiting)");
            assert!(poll_for(HANG / 2, || format!("{:?}", hall.bell) == left), "{:?}", hall.bell);
        }
        hall.bell.notify_all();
        for waiter in others {
            waiter.join().expect("ends");
        }
    }
}

#[process]
fn keeps_the_mutex(hall: &Hall) {
    let awake = hall.awake.lock().expect("sound");
    hall.asleep.update(|n| n + 1);
    let _awake = hall.bell.wait(awake).expect("sound");
    hall.dozing.set();
    loop {
        std::thread::park();
    }
}

#[process]
fn is_told(hall: &Hall) -> LockError {
    let awake = hall.awake.lock().expect("sound");
    hall.asleep.update(|n| n + 1);
    hall.bell.wait(awake).map(drop).expect_err("somebody dies with the mutex")
}

/// Whoever was woken dies with the mutex in hand, and perhaps with what it was woken for: the others are told.
#[test]
fn a_death_with_the_mutex_ends_the_waits_of_the_others() {
    let _watchdog = Watchdog::new("a_death_with_the_mutex_ends_the_waits");
    let hall = hall();
    let daemon = || Options::new().daemon(true);
    let await_asleep = |number| {
        let is_asleep = || hall.asleep.get() == number && hall.awake.try_lock().is_ok();
        assert!(poll_for(HANG / 2, is_asleep), "{:?}", hall.bell);
    };
    let first = keeps_the_mutex::spawn_with(daemon(), &hall).expect("started");
    await_asleep(1);
    let others: Vec<_> = (2..=4)
        .map(|number| {
            let other = is_told::spawn_with(daemon(), &hall).expect("started");
            await_asleep(number);
            other
        })
        .collect();
    hall.bell.notify_one();
    hall.dozing.wait();
    kill(first.pid());
    let died = LockError::Poisoned { pid: first.pid(), cause: PoisonCause::Died };
    for other in others {
        assert_eq!(other.join().expect("ends"), died);
    }
    assert_eq!(format!("{:?}", hall.bell), "Condvar(0 waiting)");
}
