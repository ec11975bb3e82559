//! `Event`: whoever dies around it, a set reaches those who wait.

use crate::process::{pause, share, start, times, until};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use psync_runtime::sync::Event;

pub(crate) fn deaths_lose_no_wake_up() {
    let shared = share((Event::new(), AtomicU64::new(0)));
    let (event, wakes) = shared;
    for _ in times(100) {
        let wait = || {
            start(|| {
                loop {
                    event.wait();
                    wakes.fetch_add(1, Relaxed);
                    event.clear();
                }
            })
        };
        let mut setter = start(|| {
            loop {
                event.set();
                pause(20);
            }
        });
        let mut waiters = [wait(), wait()];
        pause(1_000);
        setter.kill();
        waiters[0].kill();
        let before = wakes.load(Relaxed);
        until(|| {
            event.set();
            wakes.load(Relaxed) != before
        });
        let before = wakes.load(Relaxed);
        let _setter = start(|| {
            pause(200);
            event.set();
            until(|| false);
        });
        until(|| wakes.load(Relaxed) != before);
    }
}
