//! `Barrier`: a party that dies inside is noticed by all.

use crate::process::{pause, share, start, times, until};
use core::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use psync_runtime::sync::Barrier;

pub(crate) fn a_death_inside_breaks_it() {
    let shared = share((Barrier::new(3), AtomicU64::new(0)));
    let (barrier, rounds) = shared;
    let mut named = 0;
    for _ in times(150) {
        let spawn = || {
            start(|| {
                // The time is for a victim that was not inside.
                while let Ok(crossing) = barrier.wait_timeout(Duration::from_millis(100)) {
                    assert!(crossing.index() < 3);
                    rounds.fetch_add(1, Relaxed);
                }
            })
        };
        let mut children = [spawn(), spawn(), spawn()];
        rounds.store(0, Relaxed);
        until(|| rounds.load(Relaxed) > 3);
        pause(300);
        children[0].kill();
        assert!(children[1].join());
        assert!(children[2].join());
        let broken = barrier.wait().expect_err("broken");
        assert!(broken.dead.is_none_or(|pid| pid == children[0].pid()));
        named += u32::from(broken.dead.is_some());
        barrier.reset();
        assert_eq!(barrier.waiting(), 0);
    }
    assert_ne!(named, 0, "the test hits the barrier");
}

pub(crate) fn a_sleeping_party_is_missed() {
    let barrier = share(Barrier::new(3));
    let mut victim = start(|| assert!(barrier.wait().is_ok()));
    let pid = victim.pid();
    until(|| barrier.waiting() == 1);
    let mut survivor = start(|| {
        assert_eq!(barrier.wait().expect_err("broken").dead, Some(pid));
    });
    until(|| barrier.waiting() == 2);
    pause(3_000);
    victim.kill();
    assert!(survivor.join());
}

pub(crate) fn a_death_in_the_action_breaks_it() {
    let barrier = share(Barrier::with_action(2, || until(|| false)));
    let wait = || start(|| assert!(barrier.wait().expect_err("broken").dead.is_some()));
    let mut early = wait();
    until(|| barrier.waiting() == 1);
    let mut last = wait();
    until(|| barrier.waiting() == 2);
    pause(3_000);
    last.kill();
    assert!(early.join());
    assert!(barrier.is_broken());
}
