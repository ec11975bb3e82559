//! Clients of a manager that are killed at any moment: what they held is released, what they had begun is done or not, and nobody else notices.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{eventually, watchdog_for};
use psync::{
    manager::{CounterProxy, DictProxy, ListProxy},
    prelude::*,
};
use std::time::{Duration, Instant};

const ACCOUNTS: u64 = 8;
const EACH: i64 = 1000;

/// A step of the transfers: who gives to whom is in the key, so that the function captures nothing.
type Bank = DictProxy<String, Vec<i64>>;

/// Moves one coin round in one step.
fn turn(accounts: Option<Vec<i64>>) -> Option<Vec<i64>> {
    let mut accounts = accounts?;
    let richest = (0..accounts.len()).max_by_key(|at| accounts[*at])?;
    let poorest = (0..accounts.len()).min_by_key(|at| accounts[*at])?;
    accounts[richest] -= 7;
    accounts[poorest] += 7;
    Some(accounts)
}

#[process]
fn work(
    manager: Manager,
    bank: Bank,
    log: ListProxy<CounterProxy>,
    calls: CounterProxy,
    at_work: &Semaphore,
) {
    for round in 0.. {
        bank.fetch_update("bank".to_owned(), turn).expect("there");
        // Handles in every state: made, stored, fetched, dropped.
        let own = manager.counter().expect("one");
        log.push(own.clone()).expect("there");
        own.add(1).expect("there");
        drop(log.pop().expect("there"));
        calls.add(1).expect("there");
        if round == 0 {
            at_work.release(1).expect("no bound");
        }
    }
}

/// A number that looks random, the same in every run.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

const CLIENTS: usize = 64;

/// Sixty-four clients live at the same time. The first sixty-four that are killed are replaced at once, so that the server takes in clients while it lets go of others.
#[test]
fn sixty_four_clients_are_killed_at_any_moment() {
    let _watchdog = watchdog_for(Duration::from_mins(10));
    let manager = Manager::start().expect("starts");
    let bank: Bank = manager.dict().expect("a dict");
    let accounts = vec![EACH; usize::try_from(ACCOUNTS).expect("few")];
    bank.insert("bank".to_owned(), accounts).expect("there");
    let log = manager.list().expect("a list");
    let calls = manager.counter().expect("one");
    let at_work = Shared::new(Semaphore::new(0)).expect("memory");
    let start = || {
        let (manager, bank, log, calls) =
            (manager.clone(), bank.clone(), log.clone(), calls.clone());
        work::spawn(manager, bank, log, calls, &at_work).expect("starts")
    };
    let mut clients: Vec<Process<()>> = (0..CLIENTS).map(|_| start()).collect();
    for _ in 0..CLIENTS {
        at_work.acquire().expect("each has done a round").forget();
    }
    assert!(clients.iter().all(Process::is_alive));
    let mut state = 12345;
    for killed in 0.. {
        // After so many further steps of all of them together.
        let (now, more) = (calls.get().expect("there"), random(&mut state) % 50);
        let more = i64::try_from(more).expect("few");
        while calls.get().expect("there") < now + more {
            std::thread::yield_now();
        }
        let index = usize::try_from(random(&mut state)).expect("small") % clients.len();
        let client = clients.swap_remove(index);
        client.kill().expect("signals");
        client.wait();
        let accounts = bank.get("bank").expect("there").expect("one");
        assert_eq!(accounts.iter().sum::<i64>(), EACH * i64::try_from(ACCOUNTS).expect("few"));
        if killed < CLIENTS {
            clients.push(start());
        }
        if clients.is_empty() {
            break;
        }
    }
    log.clear().expect("there");
    assert!(eventually(|| manager.objects().expect("there") == 3), "{:?}", manager.objects());
    manager.shutdown().expect("it ends by itself");
}

#[process]
fn hold_one(manager: Manager, ready: &Semaphore) {
    let _list = manager.list::<u8>().expect("a list");
    ready.release(1).expect("no bound");
    common::sleep_for_ever()
}

/// A10: "client death releases its locks and references within 1 s".
#[test]
fn what_a_client_held_is_released_within_a_second_of_its_death() {
    let _watchdog = watchdog_for(Duration::from_mins(2));
    let manager = Manager::start().expect("starts");
    let ready = Shared::new(Semaphore::new(0)).expect("memory");
    for _ in 0..10 {
        let client = hold_one::spawn(manager.clone(), &ready).expect("starts");
        ready.acquire().expect("it holds").forget();
        assert_eq!(manager.objects().expect("there"), 1);
        client.kill().expect("signals");
        client.wait();
        let dead = Instant::now();
        assert!(eventually(|| manager.objects().expect("there") == 0));
        assert!(dead.elapsed() < Duration::from_secs(1), "{:?}", dead.elapsed());
    }
}
