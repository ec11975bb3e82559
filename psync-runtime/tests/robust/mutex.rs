//! `Mutex`: poisoned by a death inside, and only by that; never stuck.

use crate::process::{pause, progress, share, start, times, until};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use psync_runtime::sync::{LockError, Mutex, PoisonCause};

struct Account {
    /// Two numbers that are alike outside of the lock.
    balance: Mutex<[u64; 2]>,
    /// Whether the child has the guard for certain.
    inside: AtomicBool,
    rounds: AtomicU64,
}

fn account() -> &'static Account {
    share(Account {
        balance: Mutex::new([0; 2]),
        inside: AtomicBool::new(false),
        rounds: AtomicU64::new(0),
    })
}

impl Account {
    fn deposit(&self) {
        let mut balance = self.balance.lock_or_repair(|b| b[1] = b[0]).expect("no deadlock");
        self.inside.store(true, Relaxed);
        assert_eq!(balance[0], balance[1]);
        balance[0] += 1;
        core::hint::spin_loop();
        balance[1] += 1;
        self.inside.store(false, Relaxed);
        drop(balance);
        self.rounds.fetch_add(1, Relaxed);
    }
}

pub(crate) fn poisoned_exactly_if_held() {
    let account = account();
    let mut deaths_inside = 0;
    for _ in times(300) {
        let mut child = start(|| {
            loop {
                account.deposit();
            }
        });
        until(|| account.rounds.load(Relaxed) > 0);
        pause(300);
        child.kill();
        let held = account.inside.swap(false, Relaxed);
        deaths_inside += u32::from(held);
        match account.balance.lock() {
            Ok(balance) => {
                assert!(!held, "not poisoned");
                assert_eq!(balance[0], balance[1]);
            }
            Err(error) => {
                let died = LockError::Poisoned { pid: child.pid(), cause: PoisonCause::Died };
                assert_eq!(error, died);
                assert!(account.balance.is_poisoned());
                // Without `held`: killed between the acquisition and the first line behind it, or the last line and the release.
                let repaired = account.balance.lock_or_repair(|b| b[1] = b[0]);
                drop(repaired.expect("no deadlock"));
            }
        }
        drop(account.balance.lock().expect("whole"));
        account.rounds.store(0, Relaxed);
    }
    assert_ne!(deaths_inside, 0, "the test hits the lock");
}

pub(crate) fn survivors_go_on() {
    let account = account();
    let spawn = || {
        start(|| {
            loop {
                account.deposit();
            }
        })
    };
    let mut children = [spawn(), spawn(), spawn()];
    for round in times(200) {
        pause(500);
        let victim = &mut children[round % 3];
        victim.kill();
        progress(&account.rounds);
        *victim = spawn();
    }
}

pub(crate) fn a_sleeper_gets_the_lock_of_the_dead() {
    for _ in 0..3 {
        let account = account();
        let mut holder = start(|| {
            core::mem::forget(account.balance.lock());
            account.inside.store(true, Relaxed);
            until(|| false);
        });
        until(|| account.inside.load(Relaxed));
        let mut sleeper = start(|| {
            account.rounds.store(1, Relaxed);
            let error = account.balance.lock().expect_err("poisoned");
            assert!(matches!(error, LockError::Poisoned { cause: PoisonCause::Died, .. }));
        });
        until(|| account.rounds.load(Relaxed) == 1);
        pause(3_000);
        holder.kill();
        assert!(sleeper.join());
    }
}
