//! Shared memory across raw forks. Forking asks for a single thread, so this is a program of its own instead of `#[test]`s.
#![allow(unsafe_code, reason = "forks")]
#![allow(clippy::disallowed_types, reason = "shares an atomic of std, as users do")]

use nix::{
    libc,
    sys::{
        resource::{Resource, setrlimit},
        wait::{WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, fork},
};
use psync_runtime::{
    __private::{SharedStatic, fits},
    shm::{Shared, ShmError},
};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

fn main() {
    let cases: &[(&str, fn())] = &[
        ("a_child_and_its_parent_see_one_value", a_child_and_its_parent_see_one_value),
        ("blocks_made_after_a_fork_do_not_overlap", blocks_made_after_a_fork_do_not_overlap),
        ("a_static_is_one_for_a_child_and_its_parent", a_static_is_one_for_a_child_and_its_parent),
        ("nobody_is_alone_after_a_fork", nobody_is_alone_after_a_fork),
        ("many_objects_cost_few_descriptors", many_objects_cost_few_descriptors),
        ("limits_are_errors", limits_are_errors),
        ("no_lock_is_held_in_a_forked_child", no_lock_is_held_in_a_forked_child),
    ];
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wanted = |name: &str| filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
    for (name, case) in cases.iter().filter(|(name, _)| wanted(name)) {
        case();
        println!("test {name} ... ok");
    }
}

/// Runs `body` in a forked child, which is ended if that takes longer than five seconds.
fn in_child(body: impl FnOnce()) -> Pid {
    // SAFETY: the child runs `body` and ends; the C library makes its allocator usable there.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            nix::unistd::alarm::set(5);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            // SAFETY: ends the process at once, without what the parent has registered.
            unsafe { libc::_exit(i32::from(result.is_err())) }
        }
    }
}

fn succeeds(child: Pid) {
    assert_eq!(waitpid(child, None).expect("our child"), WaitStatus::Exited(child, 0));
}

/// Covers `_TestSharedMemory.test_shared_memory_across_processes`.
fn a_child_and_its_parent_see_one_value() {
    let pair = Shared::new([AtomicU64::new(1), AtomicU64::new(2)]).expect("memory");
    let large = Shared::<[AtomicU64]>::zeroed(1 << 20).expect("memory");
    succeeds(in_child(|| {
        assert_eq!(pair[0].load(Ordering::Relaxed), 1);
        pair[1].store(42, Ordering::Relaxed);
        large[999_999].store(43, Ordering::Relaxed);
        drop((pair.clone(), large.clone()));
    }));
    assert_eq!(pair[1].load(Ordering::Relaxed), 42);
    assert_eq!(large[999_999].load(Ordering::Relaxed), 43);
    // Whoever is killed takes nothing along.
    let child = in_child(|| {
        pair[0].store(44, Ordering::Relaxed);
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).expect("kill");
    });
    waitpid(child, None).expect("our child");
    assert_eq!(pair[0].load(Ordering::Relaxed), 44);
}

/// Whoever of them uses it first.
fn a_static_is_one_for_a_child_and_its_parent() {
    static COUNTS: [SharedStatic<AtomicU64>; 2] =
        [const { SharedStatic::new(fits(), "COUNTS", || AtomicU64::new(5)) }; 2];
    COUNTS[0].fetch_add(1, Ordering::Relaxed);
    succeeds(in_child(|| {
        assert_eq!(COUNTS[0].fetch_add(1, Ordering::Relaxed), 6);
        assert_eq!(COUNTS[1].fetch_add(1, Ordering::Relaxed), 5);
    }));
    assert_eq!(COUNTS[0].load(Ordering::Relaxed), 7);
    assert_eq!(COUNTS[1].load(Ordering::Relaxed), 6);
}

fn blocks_made_after_a_fork_do_not_overlap() {
    const PIECES: usize = 300;
    let make = |mark: u64| -> Vec<Shared<[u64; 3]>> {
        (0..PIECES).map(|_| Shared::new([mark; 3]).expect("memory")).collect()
    };
    // Keeps the place where small blocks come from, which the child then has, too.
    let kept = Shared::new(AtomicBool::new(false)).expect("memory");
    let child = in_child(|| {
        let ours = make(1);
        kept.store(true, Ordering::Release);
        while kept.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        assert!(ours.iter().all(|piece| **piece == [1; 3]));
    });
    let ours = make(2);
    while !kept.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
    assert!(ours.iter().all(|piece| **piece == [2; 3]));
    kept.store(false, Ordering::Release);
    succeeds(child);
    assert!(ours.iter().all(|piece| **piece == [2; 3]));
}

fn nobody_is_alone_after_a_fork() {
    let mut shared = Shared::<[u32]>::zeroed(100_000).expect("memory");
    assert!(Shared::get_mut(&mut shared).is_some());
    let mut copy = shared.clone();
    drop(shared);
    assert!(Shared::get_mut(&mut copy).is_some());
    let child = in_child(|| {
        assert!(Shared::get_mut(&mut copy).is_none());
        let mut own = Shared::new(1_u64).expect("memory");
        assert!(Shared::get_mut(&mut own).is_some());
    });
    assert!(Shared::get_mut(&mut copy).is_none());
    succeeds(child);
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("proc").count()
}

fn many_objects_cost_few_descriptors() {
    drop(Shared::new(0_u8).expect("memory"));
    let before = descriptors();
    let small: Vec<_> =
        (0..100_000_u64).map(|n| Shared::new(AtomicU64::new(n)).expect("memory")).collect();
    assert!(descriptors() - before < 40, "{} for small ones", descriptors() - before);
    assert!((0..).zip(&small).all(|(n, shared)| shared.load(Ordering::Relaxed) == n));
    let large: Vec<_> = (0..50).map(|_| Shared::<[u8]>::zeroed(100_000).expect("memory")).collect();
    let clones = large.clone();
    assert!(descriptors() - before < 90);
    drop((small, large));
    assert_eq!(descriptors() - before, 50);
    drop(clones);
    assert_eq!(descriptors(), before, "nothing is left open");
}

fn limits_are_errors() {
    let cause = |error: psync_runtime::Error| match error.downcast::<ShmError>() {
        Ok(ShmError::Os(error)) => error.call(),
        other => panic!("another error: {other:?}"),
    };
    drop(Shared::new(0_u8).expect("memory"));
    succeeds(in_child(|| {
        setrlimit(Resource::RLIMIT_AS, 64 << 20, 64 << 20).expect("limit");
        let error = Shared::<[u8]>::zeroed(1 << 30).expect_err("more than the limit");
        assert_eq!(cause(error), "mmap");
        Shared::<[u8]>::zeroed(1 << 16).expect("less than the limit");
    }));
    succeeds(in_child(|| {
        let open = descriptors() as u64;
        setrlimit(Resource::RLIMIT_NOFILE, open, open).expect("limit");
        let mut made = Vec::new();
        let error = loop {
            match Shared::<[u8]>::zeroed(1 << 20) {
                Ok(shared) => made.push(shared),
                Err(error) => break error,
            }
        };
        assert_eq!(cause(error), "memfd_create");
    }));
    succeeds(in_child(|| {
        setrlimit(Resource::RLIMIT_FSIZE, 1 << 16, 1 << 16).expect("limit");
        let error = Shared::<[u8]>::zeroed(1 << 20).expect_err("more than the limit");
        assert_eq!(cause(error), "ftruncate");
    }));
}

/// Covers `TestResourceTracker.test_resource_tracker_lock_reinit_after_fork`.
fn no_lock_is_held_in_a_forked_child() {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    drop(Shared::<[u8]>::zeroed(50_000).expect("memory"));
                }
            });
        }
        let inherited = Shared::new(7_u64).expect("memory");
        for _ in 0..200 {
            succeeds(in_child(|| {
                let own = Shared::<[u8]>::zeroed(50_000).expect("memory");
                let small = Shared::new(8_u64).expect("memory");
                drop((own, small, inherited.clone()));
            }));
        }
        stop.store(true, Ordering::Relaxed);
    });
}
