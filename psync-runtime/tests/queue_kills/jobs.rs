//! Every job of a work queue is done at least once, and exactly once where nobody was killed who had it.

use crate::process::{pause, random, share, start};
use core::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst},
    time::Duration,
};
use psync_runtime::channel::WorkQueue;

const JOBS: usize = 400;
const PATIENCE: Duration = Duration::from_secs(20);

struct Account {
    /// Per job: how often somebody began to do it, and how often it was done.
    begun: [AtomicU32; JOBS],
    done: [AtomicU32; JOBS],
    all: AtomicU64,
}

pub(crate) fn workers_are_killed(kills: usize) {
    let jobs = WorkQueue::<(usize, Vec<u64>)>::bounded(64).expect("memory");
    let mut killed = 0;
    while killed < kills {
        let account: &Account = share(Account {
            begun: [const { AtomicU32::new(0) }; JOBS],
            done: [const { AtomicU32::new(0) }; JOBS],
            all: AtomicU64::new(0),
        });
        let work = || {
            let jobs = jobs.clone();
            start(move || {
                loop {
                    let job = jobs.recv_timeout(PATIENCE).expect("a job");
                    let (number, copies) = &*job;
                    assert!(copies.iter().all(|copy| *copy == *number as u64), "a torn job");
                    account.begun[*number].fetch_add(1, SeqCst);
                    account.done[*number].fetch_add(1, SeqCst);
                    job.done();
                    account.all.fetch_add(1, SeqCst);
                }
            })
        };
        let mut workers = [work(), work(), work()];
        let mut sent = 0;
        let mut deaths = 0;
        while sent < JOBS {
            let job = (sent, vec![sent as u64; sent % 60]);
            if jobs.send_timeout(job, Duration::from_micros(200)).is_ok() {
                sent += 1;
            }
            if random(20) == 0 {
                pause(100);
                let victim = usize::try_from(random(3)).expect("few");
                workers[victim].kill();
                workers[victim] = work();
                deaths += 1;
            }
        }
        assert!(jobs.join_timeout(PATIENCE), "{} jobs are not done", jobs.unfinished());
        drop(workers);
        let begun: u32 = account.begun.iter().map(|begun| begun.load(SeqCst)).sum();
        assert!(account.done.iter().all(|done| done.load(SeqCst) >= 1), "a job is lost");
        // Each death makes at most one job be done once more.
        assert!(begun as usize <= JOBS + deaths, "{begun} begun, {deaths} deaths");
        killed += deaths;
    }
}
