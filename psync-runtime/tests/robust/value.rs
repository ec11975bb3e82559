//! `Value`: always whole, never poisoned.

use crate::process::{pause, progress, share, start, times};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use psync_runtime::sync::Value;

pub(crate) fn deaths_roll_back() {
    let shared = share((Value::new([0_u64; 5]), AtomicU64::new(0)));
    let (value, rounds) = shared;
    let spawn = || {
        start(|| {
            loop {
                value.update(|now| now.map(|word| word + 1));
                let mut guard = value.lock().expect("no deadlock");
                for word in &mut *guard {
                    *word += 1;
                }
                drop(guard);
                rounds.fetch_add(1, Relaxed);
            }
        })
    };
    let mut children = [spawn(), spawn()];
    for round in times(200) {
        pause(300);
        let victim = &mut children[round % 2];
        victim.kill();
        let now = value.get();
        assert!(now.iter().all(|word| *word == now[0]), "{now:?}");
        progress(rounds);
        *victim = spawn();
    }
}
