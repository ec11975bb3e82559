//! The same bodies on threads over the heap, on threads over mapped memory, and on processes: every primitive does the same everywhere.
#![allow(missing_docs, reason = "tests")]

mod killing;
mod stages;

use killing::{Watchdog, rounds};
use psync::{AcquireError, prelude::*};
use stages::{ALL, PLAYERS, Scene, State, play};
use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

/// All scenes, by number; each has a test.
const SCENES: &[Scene] = &[
    Scene { body: exclude_by_mutex, audit: mutex_adds_up },
    Scene { body: exclude_by_lock, audit: lock_adds_up },
    Scene { body: exclude_at_two_levels, audit: again_adds_up },
    Scene { body: read_and_write, audit: table_adds_up },
    Scene { body: read_together, audit: all_were_inside },
    Scene { body: update_values, audit: values_add_up },
    Scene { body: two_at_a_time, audit: two_at_most },
    Scene { body: hand_over_permits, audit: no_permit_is_left },
    Scene { body: ping_pong_by_events, audit: every_ball_came_back },
    Scene { body: cross_together, audit: nobody_waits },
    Scene { body: pass_the_turn, audit: all_had_their_turns },
    Scene { body: make_once, audit: made_once },
    Scene { body: run_out_of_time, audit: nobody_waits },
    Scene { body: ping_pong_by_condition, audit: all_throws_were_caught },
];

macro_rules! scenes {
    ($($name:ident = $number:literal;)+) => {$(
        #[test]
        fn $name() {
            play($number, &Watchdog::new(stringify!($name)));
        }
    )+};
}

scenes! {
    a_mutex_lets_one_in_at_a_time = 0;
    a_lock_lets_one_in_at_a_time = 1;
    a_reentrant_mutex_lets_one_in_as_often_as_it_wants = 2;
    readers_see_whole_data_and_writers_lose_nothing = 3;
    readers_are_inside_together = 4;
    values_are_whole_and_no_update_is_lost = 5;
    a_semaphore_lets_so_many_in = 6;
    permits_that_some_make_are_for_others = 7;
    no_event_is_missed = 8;
    a_barrier_lets_all_go_at_once = 9;
    a_condition_is_for_whoever_waits_for_it = 10;
    what_is_made_once_is_made_once = 11;
    time_runs_out_for_everything = 12;
    no_notification_is_missed = 13;
}

fn turns() -> u64 {
    rounds(1_000) as u64
}

const EVERYBODYS_TURNS: fn() -> u64 = || turns() * PLAYERS as u64;

/// Changes a pair in two steps, between which others may have a chance.
fn change(pair: &mut [u64; 2], turn: u64) {
    assert_eq!(pair[0], pair[1], "nobody is at it");
    pair[0] += 1;
    if turn.is_multiple_of(64) {
        std::thread::yield_now();
    }
    pair[1] += 1;
}

fn exclude_by_mutex(state: &State, player: usize) {
    for turn in 0..turns() {
        let mut pair = match (turn + player as u64) % 4 {
            0 => state.mutex.lock_timeout(Duration::MAX).expect("sound"),
            1 => loop {
                match state.mutex.try_lock() {
                    Ok(pair) => break pair,
                    Err(error) => assert_eq!(error, LockError::WouldBlock),
                }
                std::thread::yield_now();
            },
            _ => state.mutex.lock().expect("sound"),
        };
        change(&mut pair, turn);
    }
}

fn mutex_adds_up(state: &State) {
    assert_eq!(*state.mutex.lock().expect("sound"), [EVERYBODYS_TURNS(); 2]);
    assert!(!state.mutex.is_locked());
}

fn exclude_by_lock(state: &State, _: usize) {
    for turn in 0..turns() {
        change(&mut state.lock_lock().expect("sound").guarded, turn);
    }
}

fn lock_adds_up(state: &State) {
    assert_eq!(*state.lock_lock().expect("sound").guarded, [EVERYBODYS_TURNS(); 2]);
}

fn exclude_at_two_levels(state: &State, _: usize) {
    for turn in 0..turns() {
        let outer = state.again.lock().expect("sound");
        let before = outer.get();
        let inner = state.again.lock().expect("ours");
        if turn.is_multiple_of(64) {
            drop(outer);
            std::thread::yield_now();
        }
        inner.set(before + 1);
    }
}

fn again_adds_up(state: &State) {
    assert_eq!(state.again.lock().expect("sound").get(), EVERYBODYS_TURNS());
}

/// Half of them write.
fn read_and_write(state: &State, player: usize) {
    for turn in 0..turns() {
        if player.is_multiple_of(2) {
            change(&mut state.table.write().expect("sound"), turn);
        } else {
            let pair = state.table.read().expect("sound");
            assert_eq!(pair[0], pair[1]);
            let again = state.table.read().expect("this thread reads");
            assert_eq!(*again, *pair);
        }
    }
}

fn table_adds_up(state: &State) {
    assert_eq!(*state.table.read().expect("sound"), [EVERYBODYS_TURNS() / 2; 2]);
    assert!(state.table.try_write().is_ok());
}

fn read_together(state: &State, _: usize) {
    let _reading = state.table.read().expect("sound");
    state.gate.wait().expect("all come, with the lock");
    assert_eq!(state.table.try_write().err(), Some(LockError::WouldBlock));
    state.inside.fetch_add(1, Relaxed);
    state.gate.wait().expect("all come");
}

fn all_were_inside(state: &State) {
    assert_eq!(state.inside.load(Relaxed), ALL);
    assert!(state.table.try_write().is_ok());
}

fn update_values(state: &State, player: usize) {
    for turn in 0..turns() {
        let [a, b, c] = state.value.get();
        assert!(b == 2 * a && c == 3 * a, "whole");
        if (turn + player as u64).is_multiple_of(3) {
            let mut value = state.value.lock().expect("no deadlock");
            value[0] += 1;
            value[1] += 2;
            value[2] += 3;
        } else {
            state.value.update(|[a, b, c]| [a + 1, b + 2, c + 3]);
        }
    }
}

fn values_add_up(state: &State) {
    assert_eq!(state.value.get()[0], EVERYBODYS_TURNS());
}

fn two_at_a_time(state: &State, _: usize) {
    for turn in 0..turns() {
        let _permit = state.permits.acquire().expect("room");
        let inside = state.inside.fetch_add(1, Relaxed) + 1;
        state.most.fetch_max(inside, Relaxed);
        if turn.is_multiple_of(16) {
            std::thread::yield_now();
        }
        state.inside.fetch_sub(1, Relaxed);
    }
}

fn two_at_most(state: &State) {
    assert!((1..=2).contains(&state.most.load(Relaxed)));
    assert_eq!((state.permits.available(), state.inside.load(Relaxed)), (2, 0));
}

/// Half of them make permits, which the others use up.
fn hand_over_permits(state: &State, player: usize) {
    for turn in 0..turns() {
        if player.is_multiple_of(2) {
            state.none.release(1).expect("no bound");
        } else if turn.is_multiple_of(2) {
            state.none.acquire().expect("somebody makes one").forget();
        } else {
            state.none.acquire_timeout(Duration::MAX).expect("somebody makes one").forget();
        }
    }
}

fn no_permit_is_left(state: &State) {
    assert_eq!(state.none.available(), 0);
}

/// Two of them play; each of their steps waits for the other's.
fn ping_pong_by_events(state: &State, player: usize) {
    let (mine, other) = match player {
        0 => (&state.ping, &state.pong),
        1 => (&state.pong, &state.ping),
        _ => return,
    };
    for turn in 0..turns() {
        if player == 0 {
            other.set();
        }
        match turn % 2 {
            0 => mine.wait(),
            _ => assert!(mine.wait_timeout(Duration::MAX)),
        }
        mine.clear();
        if player == 1 {
            state.sum.fetch_add(1, Relaxed);
            other.set();
        }
    }
}

fn every_ball_came_back(state: &State) {
    assert_eq!(u64::from(state.sum.load(Relaxed)), turns());
}

fn cross_together(state: &State, _: usize) {
    for turn in 0..turns() {
        let before = u32::try_from(turn).expect("a few") * ALL;
        state.sum.fetch_add(1, Relaxed);
        let index = state.gate.wait().expect("all come").index();
        assert!(index < PLAYERS);
        // All of this round have arrived, and nobody has for the one after the next.
        let sum = state.sum.load(Relaxed) - before;
        assert!((ALL..2 * ALL).contains(&sum), "{sum}");
        state.made.fetch_add(u32::from(index == 0), Relaxed);
    }
}

fn nobody_waits(state: &State) {
    assert_eq!((state.gate.waiting(), state.gate.is_broken()), (0, false));
    assert!(format!("{:?}", state.passed).contains("(0 waiting"));
    let made = u64::from(state.made.load(Relaxed));
    assert!(made == 0 || made == turns());
}

/// One after the other, again and again.
fn pass_the_turn(state: &State, player: usize) {
    for turn in 0..turns() / 4 {
        let wanted = turn * PLAYERS as u64 + player as u64;
        let guard = state.turn.lock().expect("sound");
        let mut guard = state.passed.wait_while(guard, |turn| *turn != wanted).expect("sound");
        *guard += 1;
        state.passed.notify_all();
    }
}

fn all_had_their_turns(state: &State) {
    assert_eq!(*state.turn.lock().expect("sound"), turns() / 4 * PLAYERS as u64);
}

/// Two players of a game in which each throw wakes one: whoever waits was there before the throw.
fn ping_pong_by_condition(state: &State, player: usize) {
    if player > 1 {
        return;
    }
    let mut turn = state.turn.lock().expect("sound");
    for _ in 0..turns() {
        while *turn % 2 != player as u64 {
            turn = state.passed.wait(turn).expect("sound");
        }
        *turn += 1;
        state.passed.notify_one();
    }
}

fn all_throws_were_caught(state: &State) {
    assert_eq!(*state.turn.lock().expect("sound"), 2 * turns());
}

fn make_once(state: &State, player: usize) {
    state.gate.wait().expect("all come");
    let made = state.once.get_or_init(|| {
        assert_eq!(state.made.fetch_add(1, Relaxed), 0);
        std::thread::yield_now();
        player as u64 + 100
    });
    assert_eq!(state.once.get(), Some(made));
    state.value.update(|[a, b, c]| [a + made, b + 1, c]);
}

fn made_once(state: &State) {
    let ([sum, count, _], made) = (state.value.get(), *state.once.get().expect("made"));
    assert_eq!((sum, count), (made * PLAYERS as u64, PLAYERS as u64));
    assert_eq!(state.made.load(Relaxed), 1);
}

/// The first holds everything; for the others the time runs out, be it none at all.
fn run_out_of_time(state: &State, player: usize) {
    if player == 0 {
        let _held = (
            state.mutex.lock().expect("free"),
            state.lock_lock().expect("free"),
            state.again.lock().expect("free"),
            state.table.write().expect("free"),
            state.value.lock().expect("free"),
            [(); 2].map(|()| state.permits.acquire().expect("free")),
        );
        state.gate.wait().expect("all come");
        state.gate.wait().expect("all come");
        return;
    }
    state.gate.wait().expect("all come");
    let own = Mutex::new(());
    for time in [Duration::ZERO, Duration::from_millis(5)] {
        let begin = Instant::now();
        let errors = [
            state.mutex.lock_timeout(time).err(),
            state.lock_lock_timeout(time).err(),
            state.again.lock_timeout(time).err(),
            state.table.read_timeout(time).err(),
            state.table.write_timeout(time).err(),
            state.value.lock_timeout(time).err(),
        ];
        assert!(errors.iter().all(|error| *error == Some(LockError::TimedOut)), "{errors:?}");
        assert_eq!(state.permits.acquire_timeout(time).err(), Some(AcquireError::TimedOut));
        assert!(!state.ping.wait_timeout(time));
        let guard = own.lock().expect("free");
        assert!(state.passed.wait_timeout(guard, time).expect("sound").1.timed_out());
        assert!(begin.elapsed() >= 9 * time);
    }
    state.gate.wait().expect("all come");
}
