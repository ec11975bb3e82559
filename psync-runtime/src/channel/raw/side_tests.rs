//! One thread is inside a side at a time, by its lock or by its bias.

use super::*;
use crate::{channel::core::Core, primitive::UnsafeCell, sync::testing::watchdog};

fn core() -> std::sync::Arc<Core> {
    let core = Core::create(0, 0).expect("memory");
    core.make_entry(raw::me().id).expect("memory");
    core
}

fn enter(core: &Core) -> Door<'_> {
    core.head()
        .producers
        .enter(core.presence(), Role::Sender, Deadline::NEVER)
        .expect("no deadline")
}

#[test]
fn whoever_is_alone_gets_the_bias_and_loses_it_to_another() {
    let _watchdog = watchdog("whoever_is_alone_gets_the_bias_and_loses_it_to_another");
    let core = core();
    let side = &core.head().producers;
    while side.bias.load(Ordering::Relaxed) == 0 {
        drop(enter(&core));
    }
    assert_eq!(side.bias.load(Ordering::Relaxed), key());
    assert!(!enter(&core).by_lock);
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(enter(&core).by_lock));
    });
    assert_eq!(side.bias.load(Ordering::Relaxed), 0);
    assert_eq!(side.revocations.load(Ordering::Relaxed), 1);
    assert!(enter(&core).by_lock);
}

#[test]
fn a_revocation_that_runs_out_of_time_is_gone_on_with() {
    let _watchdog = watchdog("a_revocation_that_runs_out_of_time_is_gone_on_with");
    let core = core();
    let side = &core.head().producers;
    while side.bias.load(Ordering::Relaxed) == 0 {
        drop(enter(&core));
    }
    let inside = enter(&core);
    let soon = Deadline::after(core::time::Duration::from_millis(20));
    std::thread::scope(|scope| {
        let late = scope.spawn(|| side.enter(core.presence(), Role::Sender, soon).is_none());
        assert!(late.join().expect("no panic"));
        assert_eq!(side.bias.load(Ordering::Relaxed), key() | REVOKED);
        let next = scope.spawn(|| drop(enter(&core)));
        drop(inside);
        next.join().expect("no panic");
    });
    assert_eq!(side.bias.load(Ordering::Relaxed), 0);
}

#[test]
fn a_seat_belongs_to_one_thread() {
    let _watchdog = watchdog("a_seat_belongs_to_one_thread");
    let core = core();
    let side = &core.head().producers;
    while side.bias.load(Ordering::Relaxed) == 0 {
        drop(enter(&core));
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..10 * ALONE * ONCE_MORE {
                drop(enter(&core));
            }
            assert_eq!(side.bias.load(Ordering::Relaxed), 0);
        });
    });
}

/// A counter without a lock of its own, that every thread changes inside.
struct Counter(UnsafeCell<u64>);
#[allow(unsafe_code, reason = "the test is whether this is true")]
// SAFETY: changed inside the side only.
unsafe impl Sync for Counter {}

#[test]
fn one_thread_is_inside_at_a_time() {
    let _watchdog = watchdog("one_thread_is_inside_at_a_time");
    let core = core();
    let counter = Counter(UnsafeCell::new(0));
    let add = |times: u64| {
        for _ in 0..times {
            let _door = enter(&core);
            let counter = &counter;
            #[allow(unsafe_code, reason = "the test is whether this is true")]
            // SAFETY: inside.
            unsafe {
                *counter.0.get() += 1;
            }
        }
    };
    // The bias comes and goes: long alone, then another for a moment.
    std::thread::scope(|scope| {
        scope.spawn(|| add(400_000));
        for _ in 0..40 {
            add(10);
            std::thread::yield_now();
        }
    });
    assert_eq!(counter.0.into_inner(), 400_400);
}
