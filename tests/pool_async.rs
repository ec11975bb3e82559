//! Tasks as futures, with nothing but the standard library: a thread that parks.
#![allow(missing_docs, reason = "tests")]

mod killing;
mod pooling;

use killing::{Watchdog, poll_for};
use pooling::{
    LONG, SOON, held, hold, hold_and_panic, panic_of, pool, recovers, square, stage, stay,
};
use psync::{
    pool::{Task, TaskError},
    prelude::*,
};
use serde::de::DeserializeOwned;
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// Wakes a thread, and counts how often.
struct Alarm {
    thread: Thread,
    rings: AtomicUsize,
}

impl Alarm {
    fn new() -> Arc<Self> {
        Arc::new(Self { thread: thread::current(), rings: AtomicUsize::new(0) })
    }

    fn rings(&self) -> usize {
        self.rings.load(SeqCst)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rings.fetch_add(1, SeqCst);
        self.thread.unpark();
    }
}

/// Runs a future to its end in this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Alarm::new());
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn poll<R: DeserializeOwned + Send + 'static>(
    task: &mut Task<R>,
    waker: &Waker,
) -> Poll<Result<R, TaskError>> {
    Pin::new(task).poll(&mut Context::from_waker(waker))
}

/// The first of two to end, and which it was. Whatever it gives up it has only borrowed.
async fn first_of<A: Future + Unpin, B: Future<Output = A::Output> + Unpin>(
    one: &mut A,
    other: &mut B,
) -> (usize, A::Output) {
    poll_fn(|context| {
        if let Poll::Ready(output) = Pin::new(&mut *one).poll(context) {
            return Poll::Ready((0, output));
        }
        Pin::new(&mut *other).poll(context).map(|output| (1, output))
    })
    .await
}

#[test]
fn a_task_is_awaited() {
    let _watchdog = Watchdog::new("a_task_is_awaited");
    let pool = pool(2);
    for n in 0..200 {
        assert_eq!(block_on(pool.submit(square, n).expect("open")).expect("a result"), n * n);
    }
    let chain = async {
        let squared = pool.submit(square, 3).expect("open").await?;
        pool.submit(square, squared).expect("open").await
    };
    assert_eq!(block_on(chain).expect("a result"), 81);
}

#[test]
fn an_end_rings_once_and_what_is_done_not_at_all() {
    let _watchdog = Watchdog::new("an_end_rings_once_and_what_is_done_not_at_all");
    let (pool, stage) = (pool(1), stage());
    let mut task = held(&pool, &stage, 0);
    let (alarm, other) = (Alarm::new(), Alarm::new());
    // Whoever has polled last is rung.
    assert!(poll(&mut task, &Waker::from(Arc::clone(&other))).is_pending());
    let waker = Waker::from(Arc::clone(&alarm));
    assert!(poll(&mut task, &waker).is_pending());
    stage.cue[0].set();
    assert!(poll_for(LONG, || alarm.rings() == 1));
    assert!(matches!(poll(&mut task, &waker), Poll::Ready(Ok(0))));
    assert_eq!((alarm.rings(), other.rings()), (1, 0));
    let mut done = pool.submit(square, 5).expect("open");
    assert!(poll_for(LONG, || done.is_done()));
    assert!(matches!(poll(&mut done, &waker), Poll::Ready(Ok(25))));
    assert_eq!(alarm.rings(), 1);
}

/// `FutureTests.test_result_with_success`
#[test]
fn errors_come_the_same_way() {
    let _watchdog = Watchdog::new("errors_come_the_same_way");
    let (pool, stage) = (pool(1), stage());
    let failing = pool.submit(hold_and_panic, (stage.clone(), 0)).expect("open");
    stage.cue[0].set();
    assert_eq!(panic_of(&block_on(failing)), Some("from place 0"));
    let running = held(&pool, &stage, 1);
    let cancelled = pool.submit(square, 1).expect("open");
    assert!(cancelled.cancel());
    assert!(matches!(block_on(cancelled), Err(TaskError::Cancelled)));
    running.kill();
    assert!(matches!(block_on(running), Err(TaskError::Killed)));
    let endless = pool.submit(stay, (stage.clone(), 2)).expect("open");
    stage.here[2].wait();
    pool.terminate();
    assert!(matches!(block_on(endless), Err(TaskError::Closed)));
}

#[test]
fn a_future_that_is_given_up_half_way_loses_nothing() {
    let watchdog = Watchdog::new("a_future_that_is_given_up_half_way_loses_nothing");
    let (pool, stage) = (pool(2), stage());
    let (mut slow, mut fast) = (held(&pool, &stage, 0), held(&pool, &stage, 1));
    stage.cue[1].set();
    let (which, result) = block_on(first_of(&mut slow, &mut fast));
    assert_eq!((which, result.expect("a result")), (1, 1));
    for n in 0..100 {
        watchdog.step(format!("beside {n} others"));
        let mut quick = pool.submit(square, n).expect("open");
        let result = block_on(async {
            poll_fn(|context| {
                let _ = Pin::new(&mut slow).poll(context).map(|_| panic!("it has not ended"));
                Pin::new(&mut quick).poll(context)
            })
            .await
        });
        assert_eq!(result.expect("a result"), n * n);
    }
    assert!(slow.wait_timeout(SOON).is_none(), "waited for in another way");
    stage.cue[0].set();
    assert_eq!(block_on(&mut slow).expect("a result"), 0);
}

#[test]
fn a_future_that_was_polled_can_be_waited_for_and_the_other_way_round() {
    let _watchdog = Watchdog::new("a_future_that_was_polled_can_be_waited_for");
    let (pool, stage) = (pool(2), stage());
    let alarm = Alarm::new();
    let waker = Waker::from(Arc::clone(&alarm));
    let mut task = held(&pool, &stage, 0);
    assert!(poll(&mut task, &waker).is_pending());
    stage.cue[0].set();
    assert_eq!(task.wait().expect("a result"), 0);
    let mut task = held(&pool, &stage, 1);
    assert!(task.wait_timeout(SOON).is_none());
    stage.cue[1].set();
    assert_eq!(block_on(&mut task).expect("a result"), 1);
}

#[test]
fn a_future_that_is_dropped_half_way_leaves_its_task_alone() {
    let _watchdog = Watchdog::new("a_future_that_is_dropped_half_way_leaves_its_task_alone");
    let (pool, stage) = (pool(1), stage());
    let alarm = Alarm::new();
    let waker = Waker::from(Arc::clone(&alarm));
    let mut task = held(&pool, &stage, 0);
    assert!(poll(&mut task, &waker).is_pending());
    drop(task);
    let behind = pool.submit(hold, (stage.clone(), 1)).expect("open");
    stage.cue[..2].iter().for_each(Event::set);
    assert_eq!(behind.wait().expect("a result"), 1);
    recovers(&pool, 1);
    drop(waker);
    assert_eq!(Arc::strong_count(&alarm), 1, "nothing is kept of the waker");
}

#[test]
fn tasks_of_many_wait_together() {
    let _watchdog = Watchdog::new("tasks_of_many_wait_together");
    let pool = pool(3);
    let mut tasks: Vec<_> = (0..300).map(|n| (n, pool.submit(square, n).expect("open"))).collect();
    let mut results = block_on(async {
        let mut results = Vec::new();
        poll_fn(|context| {
            tasks.retain_mut(|(n, task)| match Pin::new(task).poll(context) {
                Poll::Ready(result) => {
                    results.push((*n, result.expect("a result")));
                    false
                }
                Poll::Pending => true,
            });
            if tasks.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        results
    });
    results.sort_unstable();
    assert_eq!(results, (0..300).map(|n| (n, n * n)).collect::<Vec<_>>());
}

/// A waker that panics whenever it is used.
struct Grenade(AtomicUsize);

impl Wake for Grenade {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
        panic!("the waker panics");
    }
}

#[test]
fn a_waker_that_panics_hurts_nobody() {
    let _watchdog = Watchdog::new("a_waker_that_panics_hurts_nobody");
    let (pool, stage) = (pool(2), stage());
    let grenade = Arc::new(Grenade(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&grenade));
    let (mut task, bystander) = (held(&pool, &stage, 0), held(&pool, &stage, 1));
    assert!(poll(&mut task, &waker).is_pending());
    let told = Arc::new(AtomicUsize::new(0));
    let tell = Arc::clone(&told);
    task.on_done(move |_| {
        tell.fetch_add(1, SeqCst);
    });
    stage.cue[..2].iter().for_each(Event::set);
    assert_eq!(bystander.wait().expect("a result"), 1);
    assert_eq!(task.wait().expect("a result"), 0);
    assert!(poll_for(LONG, || grenade.0.load(SeqCst) == 1));
    assert_eq!(told.load(SeqCst), 1);
    recovers(&pool, 2);
    let mut cancelled = pool.submit(hold, (stage.clone(), 2)).expect("open");
    let _ = poll(&mut cancelled, &waker);
    drop(pool);
    assert!(cancelled.is_done());
}

#[test]
fn a_future_goes_to_another_thread() {
    let _watchdog = Watchdog::new("a_future_goes_to_another_thread");
    let (pool, stage) = (pool(1), stage());
    let mut task = held(&pool, &stage, 0);
    assert!(poll(&mut task, &Waker::from(Alarm::new())).is_pending());
    let elsewhere = thread::spawn(move || block_on(task));
    stage.cue[0].set();
    assert_eq!(elsewhere.join().expect("no panic").expect("a result"), 0);
}
