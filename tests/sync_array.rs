//! Shared arrays, between processes.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::watchdog;
use psync::prelude::*;

#[process]
fn sum_up(numbers: &mut [i32]) {
    for n in 1..numbers.len() {
        numbers[n] += numbers[n - 1];
    }
}

#[process]
fn fill(part: &mut [f64], with: f64) -> usize {
    part.fill(with);
    part.len()
}

#[process]
fn hold(array: Array<u64>, here: Shared<Event>, leave: Shared<Event>) {
    let mut guard = array.lock().expect("free");
    guard[0] = 1;
    here.set();
    leave.wait();
    guard[0] = 2;
}

#[process]
fn die_holding(array: Array<u64>) {
    let mut guard = array.lock().expect("free");
    guard[0] = 77;
    std::process::abort();
}

/// `_TestArray.test_array_from_size`
#[test]
fn new_arrays_are_zero_also_where_memory_was_used_before() {
    let _watchdog = watchdog();
    for _ in 0..3 {
        let array = Array::<i32>::zeroed(10).expect("shared memory");
        assert_eq!((array.len(), array.is_empty()), (10, false));
        assert_eq!(array.to_vec().expect("free"), [0; 10]);
        let mut guard = array.lock().expect("free");
        (0..).zip(guard.iter_mut()).for_each(|(n, place)| *place = n);
        drop(guard);
        assert_eq!(array.to_vec().expect("free"), (0..10).collect::<Vec<_>>());
    }
    assert!(Array::<i32>::zeroed(0).expect("shared memory").is_empty());
}

/// `_TestArray.test_rawarray`
#[test]
fn an_array_without_lock_is_read_and_changed_by_index_and_slice() {
    let _watchdog = watchdog();
    let mut numbers = Shared::from_slice(&[680, 626, 934, 821, 150, 233, 548, 982, 714, 831])
        .expect("shared memory");
    assert_eq!(
        (numbers.len(), numbers[3], &numbers[2..7]),
        (10, 821, &[934, 821, 150, 233, 548][..])
    );
    let own = Shared::get_mut(&mut numbers).expect("the only handle");
    own[4..8].copy_from_slice(&[1, 2, 3, 4]);
    let mut expected = own.to_vec();
    for n in 1..expected.len() {
        expected[n] += expected[n - 1];
    }
    psync::scope(|s| sum_up::spawn_in(s, own).expect("a start").join().expect("ends"));
    assert_eq!(&numbers[..], expected);
}

/// `_TestArray.test_getobj_getlock_obj`
#[test]
fn the_lock_is_part_of_the_array_and_every_handle_has_the_same() {
    let _watchdog = watchdog();
    let array = Array::<u64>::zeroed(10).expect("shared memory");
    let other = array.clone();
    assert!(Array::ptr_eq(&array, &other));
    let (here, leave) = (event(), event());
    let process = hold::spawn(other, here.clone(), leave.clone()).expect("a start");
    here.wait();
    assert!(array.is_locked());
    assert_eq!(array.try_lock().err(), Some(LockError::WouldBlock));
    leave.set();
    assert_eq!(array.lock().expect("released in the end")[0], 2);
    process.join().expect("ends");
    assert!(!array.is_locked());
}

fn event() -> Shared<Event> {
    Shared::new(Event::new()).expect("shared memory")
}

#[test]
fn parts_are_lent_to_processes_that_work_in_place() {
    let _watchdog = watchdog();
    let array = Array::<f64>::zeroed(10).expect("shared memory");
    let mut guard = array.lock().expect("free");
    let lens = parallel! {
        for (n, part) in (1_u32..).zip(guard.chunks_mut(3)) => fill(part, f64::from(n)),
    };
    assert_eq!(lens.expect("nothing fails"), [3, 3, 3, 1]);
    assert_eq!(guard[..], [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0]);
    let (left, right) = guard.split_at_mut(5);
    parallel! { fill(left, 8.0), fill(right, 9.0) }.expect("nothing fails");
    drop(guard);
    let found = array.to_vec().expect("free");
    assert_eq!((found[4].to_bits(), found[5].to_bits()), (8_f64.to_bits(), 9_f64.to_bits()));
}

#[test]
fn an_array_whose_holder_died_says_so() {
    let _watchdog = watchdog();
    let array = Array::<u64>::zeroed(2).expect("shared memory");
    let process = die_holding::spawn_with(Options::new().stderr(Stdio::null()), array.clone())
        .expect("a start");
    let pid = process.pid();
    assert_eq!(process.wait().signal(), Some(libc::SIGABRT));
    match array.lock() {
        Err(LockError::Poisoned { pid: whose, cause: psync::PoisonCause::Died }) => {
            assert_eq!(whose, pid);
        }
        other => panic!("{other:?}"),
    }
    array.clear_poison();
    assert_eq!(array.lock().expect("repaired")[..], [77, 0]);
}
