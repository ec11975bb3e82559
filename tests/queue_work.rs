//! Work queues: every job is done, whoever is killed.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{sleep_for_ever, watchdog};
use psync::{prelude::*, spawn};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

#[process]
fn work_until_zero(jobs: WorkQueue<u32>, done: &Value<u32>) {
    loop {
        let job = jobs.recv().expect("a job");
        let last = *job == 0;
        if !last {
            done.update(|n| n + 1);
        }
        job.done();
        if last {
            return;
        }
    }
}

/// `_TestQueue.test_task_done`
#[test]
fn a_join_ends_when_all_is_done() {
    let _watchdog = watchdog();
    let jobs = WorkQueue::unbounded().expect("memory");
    let done = Shared::new(Value::new(0)).expect("memory");
    let workers = [0; 4].map(|_| work_until_zero::spawn(jobs.clone(), &done).expect("starts"));
    for n in 1..=10 {
        jobs.send(n).expect("room");
    }
    jobs.join();
    assert_eq!((done.get(), jobs.unfinished()), (10, 0));
    for _ in &workers {
        jobs.send(0).expect("room");
    }
    for worker in workers {
        worker.join().expect("ends");
    }
    assert!(jobs.join_timeout(Duration::ZERO));
}

#[test]
fn a_job_that_is_dropped_comes_again_before_new_ones() {
    let _watchdog = watchdog();
    let jobs = WorkQueue::bounded(4).expect("memory");
    for word in ["a", "b", "c"] {
        jobs.send(word.to_owned()).expect("room");
    }
    let (a, b) = (jobs.recv().expect("a job"), jobs.recv().expect("a job"));
    assert_eq!((&**a, &**b, jobs.unfinished()), ("a", "b", 3));
    drop(b);
    drop(a);
    for (word, attempt) in [("a", 2), ("b", 2), ("c", 1)] {
        let job = jobs.recv().expect("a job");
        assert_eq!((&**job, job.attempt()), (word, attempt));
        job.done();
    }
    assert!(!jobs.join_timeout(Duration::from_millis(1)) || jobs.unfinished() == 0);
    assert_eq!(jobs.try_recv().expect_err("empty"), RecvError::Empty);
    jobs.close();
    assert_eq!(jobs.recv().expect_err("closed"), RecvError::Closed);
}

#[test]
fn a_panic_gives_the_job_back() {
    let _watchdog = watchdog();
    let jobs = WorkQueue::bounded(4).expect("memory");
    jobs.send(7).expect("room");
    let fail = |jobs: WorkQueue<i32>| {
        let job = jobs.recv().expect("a job");
        assert!(*job != 7, "cannot do that");
    };
    assert!(spawn(fail, jobs.clone()).expect("starts").join().is_err());
    let job = jobs.recv().expect("again");
    assert_eq!((*job, job.attempt()), (7, 2));
    job.done();
    jobs.join();
}

#[process]
fn take_and_stay(jobs: WorkQueue<Vec<u64>>, taken: &Semaphore) {
    let _job = jobs.recv().expect("a job");
    taken.release(1).expect("no bound");
    sleep_for_ever();
}

#[test]
fn the_jobs_of_the_dead_are_delivered_again() {
    let _watchdog = watchdog();
    let jobs = WorkQueue::unbounded().expect("memory");
    let taken = Shared::new(Semaphore::new(0)).expect("memory");
    let sizes = [0, 10, 100_000, 3_000_000];
    for size in sizes {
        jobs.send((0..size).collect::<Vec<u64>>()).expect("memory");
    }
    let workers = sizes.map(|_| take_and_stay::spawn(jobs.clone(), &taken).expect("starts"));
    for _ in &workers {
        taken.acquire().expect("room").forget();
    }
    assert!(jobs.is_empty() && jobs.unfinished() == 4);
    std::thread::scope(|scope| {
        // One waits for a job while they are killed.
        let waiting = scope.spawn(|| jobs.recv().expect("again"));
        for worker in &workers {
            worker.kill().expect("signals");
            worker.wait();
        }
        let mut seen = BTreeSet::new();
        let mut note = |job: Job<Vec<u64>>| {
            assert_eq!(job.attempt(), 2);
            assert!(job.iter().copied().eq(0..job.len() as u64));
            seen.insert(job.len() as u64);
            job.done();
        };
        note(waiting.join().expect("no panic"));
        for _ in 0..3 {
            note(jobs.recv().expect("again"));
        }
        assert!(seen.iter().copied().eq(sizes));
    });
    jobs.join();
}

#[test]
fn what_fails_too_often_becomes_a_dead_letter() {
    let _watchdog = watchdog();
    let jobs = WorkQueue::unbounded().expect("memory").with_max_attempts(3);
    let tries = Shared::new(AtomicU32::new(0)).expect("memory");
    jobs.send("poison".to_owned()).expect("room");
    jobs.send("food".to_owned()).expect("room");
    jobs.close();
    let work = |(jobs, tries): (WorkQueue<String>, Shared<AtomicU32>)| {
        while let Ok(job) = jobs.recv() {
            if *job == "poison" {
                tries.fetch_add(1, SeqCst);
                common::signal(std::process::id().cast_signed(), libc::SIGKILL);
            }
            job.done();
        }
    };
    let mut starts = 0;
    while jobs.unfinished() > 0 {
        starts += 1;
        spawn(work, (jobs.clone(), tries.clone())).expect("starts").wait();
    }
    assert_eq!((tries.load(SeqCst), starts), (3, 4));
    assert_eq!(jobs.dead_letters().recv().as_deref(), Ok("poison"));
    assert!(jobs.dead_letters().is_empty());
}

/// A job that nobody will ever receive again is finished, also for those who wait for that.
#[test]
fn the_last_attempt_needs_no_further_receiver() {
    let _watchdog = watchdog();
    let jobs = WorkQueue::unbounded().expect("memory").with_max_attempts(1);
    for death in [false, true] {
        jobs.send(death).expect("room");
        let worker = spawn(
            |jobs: WorkQueue<bool>| {
                let job = jobs.recv().expect("a job");
                if *job {
                    common::signal(std::process::id().cast_signed(), libc::SIGKILL);
                }
            },
            jobs.clone(),
        );
        let letters = jobs.dead_letters();
        if death {
            jobs.join();
        }
        // Of one that is given up, its last holder tells; it need not be asked for.
        assert_eq!(letters.recv(), Ok(death));
        worker.expect("starts").wait();
        assert_eq!(jobs.unfinished(), 0);
        assert!(jobs.join_timeout(Duration::ZERO) && letters.is_empty());
    }
}

#[test]
fn a_closed_queue_waits_for_what_might_come_back() {
    let _watchdog = watchdog();
    let jobs = WorkQueue::unbounded().expect("memory");
    let taken = Shared::new(Semaphore::new(0)).expect("memory");
    jobs.send(vec![1]).expect("room");
    let worker = take_and_stay::spawn(jobs.clone(), &taken).expect("starts");
    taken.acquire().expect("room").forget();
    jobs.close();
    let short = Duration::from_millis(50);
    assert_eq!(jobs.recv_timeout(short).expect_err("in work"), RecvError::TimedOut);
    worker.kill().expect("signals");
    let job = jobs.recv().expect("again");
    job.done();
    assert_eq!(jobs.recv().expect_err("all done"), RecvError::Closed);
}

#[test]
fn handles_in_jobs_outlive_those_who_fail() {
    let _watchdog = watchdog();
    let jobs = WorkQueue::unbounded().expect("memory");
    let send = |jobs: WorkQueue<Shared<[u64]>>| {
        let slice = Shared::<[u64]>::new_with(100_000, |at| at as u64).expect("memory");
        jobs.send(slice).is_ok()
    };
    assert!(spawn(send, jobs.clone()).expect("starts").join().expect("ends"));
    let fail = |jobs: WorkQueue<Shared<[u64]>>| {
        let job = jobs.recv().expect("a job");
        assert_eq!(job[99_999], 99_999);
    };
    for _ in 0..2 {
        spawn(fail, jobs.clone()).expect("starts").join().expect("ends");
    }
    let job = jobs.recv().expect("again");
    assert_eq!((job.attempt(), job[99_999]), (3, 99_999));
    job.done();
}

#[process]
fn hold_a_job(jobs: WorkQueue<Queue<u32>>, has_it: &Event) {
    let _job = jobs.recv().expect("a job");
    has_it.set();
    sleep_for_ever();
}

#[process]
fn answer_a_job(jobs: WorkQueue<Queue<u32>>) {
    let job = jobs.recv().expect("a job");
    job.send(7).expect("somebody waits");
    job.done();
}

/// A handle in a job counts until the job is done, also while nobody has the job because its holder was killed; and no longer.
#[test]
fn a_handle_in_a_job_outlives_the_holder_of_the_job() {
    let _watchdog = watchdog();
    let jobs = WorkQueue::unbounded().expect("memory");
    let answers = Queue::unbounded().expect("memory");
    let has_it = Shared::new(Event::new()).expect("memory");
    jobs.send(answers.clone()).expect("room");
    for _ in 0..2 {
        has_it.clear();
        let holder = hold_a_job::spawn(jobs.clone(), &has_it).expect("starts");
        has_it.wait();
        holder.kill().expect("it lives");
        holder.wait();
        assert_eq!(answers.recv_timeout(Duration::from_millis(20)), Err(RecvError::TimedOut));
    }
    let worker = answer_a_job::spawn(jobs.clone()).expect("starts");
    assert_eq!(answers.recv(), Ok(7));
    worker.join().expect("ends");
    assert_eq!(answers.recv(), Err(RecvError::Disconnected), "nobody else has it");
}
