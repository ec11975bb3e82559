//! Shared memory and its handles, between processes.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{descriptors, one_at_a_time, programs::succeed, watchdog, watchdog_for};
use psync::{ShmError, prelude::*};
use std::{collections::VecDeque, process::Command};

fn event() -> Shared<Event> {
    Shared::new(Event::new()).expect("shared memory")
}

#[process]
fn write(bytes: &mut [u8], text: &str) {
    bytes[..text.len()].copy_from_slice(text.as_bytes());
}

/// Writes through a handle that came as an argument, and gives back what it is a handle of.
#[process]
fn write_through_handle(numbers: Array<u8>, text: String) -> Array<u8> {
    numbers.lock().expect("sound")[5..10].copy_from_slice(text.as_bytes());
    numbers
}

/// `_TestSharedMemory.test_shared_memory_basics`
#[test]
fn memory_is_made_with_a_size_and_seen_by_every_handle() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let shared = Shared::<[Value<u8>]>::zeroed(512).expect("shared memory");
    let other = shared.clone();
    assert_eq!((shared.len(), other.len()), (512, 512));
    shared[0].set(42);
    assert_eq!(other[0].get(), 42);
    assert!(Shared::ptr_eq(&shared, &other));
    drop(shared);
    assert_eq!(other[0].get(), 42, "the last handle keeps it");
}

/// `_TestSharedMemory.test_invalid_shared_memory_creation`
#[test]
fn impossible_sizes_are_errors() {
    let _watchdog = watchdog();
    assert!(Shared::<[u8]>::zeroed(0).expect("nothing is no problem").is_empty());
    for len in [1 << 60, usize::MAX, usize::MAX / 8] {
        let error = Shared::<[u64]>::zeroed(len).expect_err("more than there is");
        let error = error.downcast_ref::<ShmError>().expect("an error of shared memory");
        assert!(matches!(error, ShmError::TooLarge { .. } | ShmError::Os(_)), "{error}");
    }
}

/// `_TestSharedMemory.test_shared_memory_across_processes`
#[test]
fn processes_write_through_borrows_and_handles() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let array = Array::<u8>::zeroed(10).expect("shared memory");
    let mut guard = array.lock().expect("sound");
    psync::scope(|s| {
        write::spawn_in(s, &mut guard, "howdy").expect("a start").join().expect("ends");
    });
    drop(guard);
    let process = write_through_handle::spawn(array.clone(), "HoWdY".to_owned()).expect("a start");
    let back = process.join().expect("ends");
    assert_eq!(array.to_vec().expect("sound"), b"howdyHoWdY");
    assert!(Array::ptr_eq(&array, &back), "it has come back as what it was");
}

#[process]
fn pass_on(numbers: Shared<[Value<u32>]>, depth: u32) -> Shared<[Value<u32>]> {
    numbers[depth as usize].set(depth);
    if depth > 0 { pass_on::run(numbers, depth - 1).expect("a process") } else { numbers }
}

/// `_TestSharedMemory.test_shared_memory_pickle_unpickle`
#[test]
fn a_handle_that_was_sent_round_is_the_same() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let numbers = Shared::<[Value<u32>]>::zeroed(4).expect("shared memory");
    let back = pass_on::run(numbers.clone(), 3).expect("ends");
    assert!(Shared::ptr_eq(&numbers, &back));
    back[0].set(77);
    assert_eq!(numbers.iter().map(Value::get).collect::<Vec<_>>(), [77, 1, 2, 3]);
}

#[process]
fn keep(value: Shared<Value<u32>>, here: Shared<Event>, dropped: Shared<Event>) -> u32 {
    here.set();
    dropped.wait();
    value.get()
}

#[test]
fn memory_lives_as_long_as_anybody_holds_it() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let (here, dropped) = (event(), event());
    let value = Shared::new(Value::new(19)).expect("shared memory");
    let process = keep::spawn(value.clone(), here.clone(), dropped.clone()).expect("a start");
    here.wait();
    drop(value);
    dropped.set();
    assert_eq!(process.join().expect("ends"), 19);
}

/// `_TestSharedMemory.test_shared_memory_untracking`, `_TestSharedMemory.test_shared_memory_tracking`
#[test]
fn the_end_of_a_process_takes_no_memory_from_others() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let value = Shared::new(Value::new(1)).expect("shared memory");
    for kill in [false, true] {
        let (here, dropped) = (event(), event());
        let process = keep::spawn(value.clone(), here.clone(), dropped.clone()).expect("a start");
        here.wait();
        if kill {
            process.kill().expect("it can be signalled");
        }
        dropped.set();
        process.wait();
        assert_eq!(value.update(|n| n + 1), if kill { 3 } else { 2 });
        assert_eq!(keep::run(value.clone(), here, dropped).expect("ends"), value.get());
    }
}

/// `TestNamedResource.test_global_named_resource_spawn`, `TestResourceTracker.test_resource_tracker`,
/// `_TestSharedMemory.test_shared_memory_SharedMemoryManager_reuses_resource_tracker`
#[test]
fn memory_has_no_name_that_could_be_left() {
    let _watchdog = watchdog_for(std::time::Duration::from_mins(4));
    let names = || std::fs::read_dir("/dev/shm").map_or(0, Iterator::count);
    let before = names();
    // The program says nothing on standard error; that is checked as well.
    let said = succeed(Command::new(common::programs::program()).args(["start", "temporary"]));
    assert_eq!((said.as_str(), names()), ("4\n", before));
}

/// `_TestHeap.test_heap`
#[test]
fn blocks_of_all_sizes_do_not_touch_each_other() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let mut random = 7_u64;
    let mut next = |below: usize| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).expect("small") % below
    };
    let before = descriptors().len();
    let mut live: VecDeque<(Shared<[Value<u8>]>, u8)> = VecDeque::new();
    for round in 0..5_000 {
        let len = match next(100) {
            0 => next(200_000),
            1..10 => next(5_000),
            _ => next(100),
        };
        let mark = u8::try_from(round % 251).expect("small");
        let block = Shared::<[Value<u8>]>::zeroed(len).expect("shared memory");
        assert!(block.iter().all(|byte| byte.get() == 0), "memory that was used before");
        block.iter().for_each(|byte| byte.set(mark));
        live.push_back((block, mark));
        if live.len() > 50 {
            let at = next(live.len());
            let (block, mark) = live.swap_remove_back(at).expect("one of them");
            assert!(block.iter().all(|byte| byte.get() == mark), "another block has run over it");
        }
    }
    for (block, mark) in live.drain(..) {
        assert!(block.iter().all(|byte| byte.get() == mark), "another block has run over it");
    }
    let after = descriptors().len();
    assert!(after <= before + 2, "{} descriptors are left", after - before);
}

/// `_TestHeap.test_free_from_gc`
#[test]
fn memory_can_be_let_go_of_in_the_middle_of_making_it() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    // Each value is made inside the making of another one, and let go of there.
    for n in 0..2_000_usize {
        let outer = Shared::<[Value<u64>]>::new_with(40, |m| {
            let inner = Shared::<[Value<u64>]>::zeroed(n % 700 + m).expect("shared memory");
            drop(inner);
            Value::new(m as u64)
        });
        assert!(outer.expect("shared memory").iter().zip(0..).all(|(value, m)| value.get() == m));
    }
}
