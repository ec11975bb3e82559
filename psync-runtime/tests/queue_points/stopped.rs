//! A process that is stopped by SIGSTOP inside a side, or while the bias of both is its, is not taken for dead: who needs the side waits as long as
//! he said, and when the stopped one goes on, nothing is lost.

use crate::{Before, PATIENCE, message, process, warm};
use core::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    time::Duration,
};
use nix::sys::signal::{Signal, raise};
use psync_runtime::{
    channel::{Queue, RecvError, SendErrorKind},
    sync::testing::faults::{self, Event},
};
use std::{sync::OnceLock, time::Instant};

/// Longer than it takes until a waiter asks the kernel whether those that it waits for are alive.
const LONG: Duration = Duration::from_millis(2500);
const SHORT: Duration = Duration::from_millis(100);
const MESSAGES: u64 = 20;

/// In the process that stops: where, and whether it has.
static STOP_AT: OnceLock<&str> = OnceLock::new();
static HAS_STOPPED: AtomicBool = AtomicBool::new(false);

fn stop(event: Event) {
    let is_there = matches!(event, Event::At(name) if Some(&name) == STOP_AT.get());
    if is_there && !HAS_STOPPED.swap(true, SeqCst) {
        raise(Signal::SIGSTOP).expect("it is our own");
    }
}

fn is_stopped(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
}

/// A child that stops at the point, or once it is warm, and then plays.
fn start(
    queue: &Queue<Vec<u64>>,
    before: Before,
    point: Option<&'static str>,
    play: impl FnOnce(),
) -> process::Child {
    process::alarm(120);
    let child = process::start(|| {
        if before == Before::Alone {
            warm(queue);
        }
        if let Some(point) = point {
            STOP_AT.set(point).expect("one point");
            faults::observe(stop);
            faults::record();
        } else {
            raise(Signal::SIGSTOP).expect("it is our own");
        }
        play();
    });
    process::until(|| is_stopped(child.pid()));
    child
}

/// Stopped inside the producers' side.
fn sender(before: Before, point: &'static str, patience: Duration) {
    let queue = Queue::bounded(64).expect("memory");
    let send = || {
        for number in 0..MESSAGES {
            queue.send_timeout(message(number), PATIENCE).expect("room");
        }
    };
    let mut child = start(&queue, before, Some(point), send);
    let began = Instant::now();
    let error = queue.send_timeout(message(100), patience).expect_err("nobody else is let in");
    assert_eq!(error.kind(), SendErrorKind::TimedOut, "{point}");
    assert!(began.elapsed() >= patience);
    assert_eq!(queue.try_send(message(100)).expect_err("likewise").kind(), SendErrorKind::Full);
    // The other side is free.
    let first = queue.recv_timeout(SHORT);
    let sent = point == "queue: message sent";
    assert_eq!(first, if sent { Ok(message(0)) } else { Err(RecvError::TimedOut) }, "{point}");
    child.signal(Signal::SIGCONT);
    queue.send_timeout(message(100), PATIENCE).expect("it goes on");
    assert!(child.join(), "{point}: the stopped one fails");
    let mut all = Vec::new();
    while let Ok(next) = queue.try_recv() {
        all.push(next);
    }
    all.retain(|one| *one != message(100));
    assert!(all.into_iter().eq((u64::from(sent)..MESSAGES).map(message)), "{point}");
}

/// Stopped inside the consumers' side.
fn receiver(before: Before, point: &'static str, patience: Duration) {
    let queue = Queue::bounded(64).expect("memory");
    let (seen, others) = (process::share(AtomicU64::new(0)), MESSAGES / 2);
    let take = || {
        for number in 0..MESSAGES {
            queue.send_timeout(message(number), PATIENCE).expect("room");
        }
        while seen.load(SeqCst) < others {
            assert!(queue.recv_timeout(PATIENCE).is_ok());
            seen.fetch_add(1, SeqCst);
        }
    };
    let mut child = start(&queue, before, Some(point), take);
    let began = Instant::now();
    assert_eq!(queue.recv_timeout(patience), Err(RecvError::TimedOut), "{point}");
    assert!(began.elapsed() >= patience);
    assert_eq!(queue.try_recv(), Err(RecvError::Empty), "{point}");
    queue.send_timeout(message(100), PATIENCE).expect("the other side is free");
    child.signal(Signal::SIGCONT);
    assert!(child.join(), "{point}: the stopped one fails");
    for number in others..MESSAGES {
        assert_eq!(queue.recv_timeout(PATIENCE), Ok(message(number)), "{point}");
    }
    assert_eq!(queue.recv_timeout(PATIENCE), Ok(message(100)));
    assert_eq!(queue.try_recv(), Err(RecvError::Empty));
}

/// Stopped outside, with the bias of both sides: others take it away without waiting.
fn owner() {
    let queue = Queue::bounded(64).expect("memory");
    let send = || queue.send_timeout(message(1), PATIENCE).expect("room");
    let mut child = start(&queue, Before::Alone, None, send);
    let began = Instant::now();
    queue.try_send(message(0)).expect("room");
    assert_eq!(queue.try_recv(), Ok(message(0)));
    assert!(began.elapsed() < LONG);
    child.signal(Signal::SIGCONT);
    assert!(child.join());
    assert_eq!(queue.try_recv(), Ok(message(1)));
}

pub(crate) fn play() {
    sender(Before::Nothing, "queue: inside by lock", LONG);
    sender(Before::Alone, "queue: inside by bias", LONG);
    sender(Before::Alone, "queue: message written", SHORT);
    sender(Before::Nothing, "queue: message sent", SHORT);
    receiver(Before::Nothing, "queue: message copied", LONG);
    receiver(Before::Alone, "queue: message copied", LONG);
    owner();
}
