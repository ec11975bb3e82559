//! Shared values of all plain types, between processes.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_names, reason = "the names of the tests that these cover")]

mod common;

use common::watchdog;
use psync::prelude::*;
use std::sync::atomic::{AtomicI16, AtomicI32, AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};

#[shared]
struct Values {
    #[init(Value::new(4343))]
    int: Value<i32>,
    #[init(Value::new(3.625))]
    float: Value<f64>,
    #[init(Value::new(-232))]
    short: Value<i16>,
    #[init(Value::new(1 << 33))]
    long: Value<i64>,
    #[init(Value::new(b'x'))]
    byte: Value<u8>,
}

#[shared]
struct Raw {
    #[init(AtomicI32::new(4343))]
    int: AtomicI32,
    #[init(AtomicU64::new(3.625_f64.to_bits()))]
    float: AtomicU64,
    #[init(AtomicI16::new(-232))]
    short: AtomicI16,
    #[init(AtomicI64::new(1 << 33))]
    long: AtomicI64,
    #[init(AtomicU8::new(b'x'))]
    byte: AtomicU8,
}

#[process]
fn set_values(values: &Values) {
    values.int.set(24234);
    values.float.set(-4.25);
    values.short.set(234);
    values.long.set(1 << 34);
    values.byte.set(b'y');
}

#[process]
fn set_raw(raw: &Raw) {
    raw.int.store(24234, Relaxed);
    raw.float.store((-4.25_f64).to_bits(), Relaxed);
    raw.short.store(234, Relaxed);
    raw.long.store(1 << 34, Relaxed);
    raw.byte.store(b'y', Relaxed);
}

/// `_TestValue.test_value`
#[test]
fn what_one_process_sets_another_reads() {
    let _watchdog = watchdog();
    let v = Shared::new(Values::default()).expect("shared memory");
    let read = || (v.int.get(), v.float.get().to_bits(), v.short.get(), v.long.get(), v.byte.get());
    assert_eq!(read(), (4343, 3.625_f64.to_bits(), -232, 1 << 33, b'x'));
    set_values::run(&v).expect("ends");
    assert_eq!(read(), (24234, (-4.25_f64).to_bits(), 234, 1 << 34, b'y'));
}

/// `_TestValue.test_rawvalue`
#[test]
fn atomics_of_std_are_values_without_lock() {
    let _watchdog = watchdog();
    let raw = Shared::new(Raw::default()).expect("shared memory");
    let read = || {
        let float = raw.float.load(Relaxed);
        let (int, short, long) =
            (raw.int.load(Relaxed), raw.short.load(Relaxed), raw.long.load(Relaxed));
        (int, float, short, long, raw.byte.load(Relaxed))
    };
    assert_eq!(read(), (4343, 3.625_f64.to_bits(), -232, 1 << 33, b'x'));
    set_raw::run(&raw).expect("ends");
    assert_eq!(read(), (24234, (-4.25_f64).to_bits(), 234, 1 << 34, b'y'));
}

#[shared]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Foo {
    x: i32,
    y: f64,
    z: i64,
}

/// Everything at once, each behind a lock of its own.
#[shared]
struct Locked {
    #[init(Mutex::new(7))]
    int: Mutex<i32>,
    #[init(Mutex::new(1.0 / 3.0))]
    float: Mutex<f64>,
    #[init(Mutex::new(1 << 33))]
    long: Mutex<i64>,
    #[init(Mutex::new(Foo { x: 3, y: 2.0, z: 0 }))]
    foo: Mutex<Foo>,
    #[init(Mutex::new("hello".parse().expect("it fits")))]
    text: Mutex<Text<20>>,
}

fn double_foo(foo: &mut Foo) {
    foo.x *= 2;
    foo.y *= 2.0;
}

fn double_text(text: &mut Text<20>) {
    let copy = *text;
    text.push_str(&copy).expect("it fits");
}

#[process]
fn double_locked(all: &Locked, numbers: Array<f64>) {
    *all.int.lock().expect("sound") *= 2;
    *all.float.lock().expect("sound") *= 2.0;
    *all.long.lock().expect("sound") *= 2;
    double_foo(&mut all.foo.lock().expect("sound"));
    double_text(&mut all.text.lock().expect("sound"));
    numbers.lock().expect("sound").iter_mut().for_each(|n| *n *= 2.0);
}

/// `_TestSharedCTypes.test_synchronize`
#[test]
fn locked_values_of_all_kinds_are_changed_in_place() {
    let _watchdog = watchdog();
    let all = Shared::new(Locked::default()).expect("shared memory");
    let numbers: Vec<f64> = (0..10).map(f64::from).collect();
    let array = Array::from_slice(&numbers).expect("shared memory");
    double_locked::run(&all, array.clone()).expect("ends");
    assert_eq!(*all.int.lock().expect("sound"), 14);
    assert_eq!(all.float.lock().expect("sound").to_bits(), (2.0_f64 / 3.0).to_bits());
    assert_eq!(*all.long.lock().expect("sound"), 1 << 34);
    assert_eq!(*all.foo.lock().expect("sound"), Foo { x: 6, y: 4.0, z: 0 });
    assert_eq!(all.text.lock().expect("sound").as_str(), "hellohello");
    let doubled: Vec<f64> = numbers.iter().map(|n| n * 2.0).collect();
    assert_eq!(array.to_vec().expect("sound"), doubled);
}

/// The same without locks: one process at a time may borrow it all to change it.
#[shared]
struct Plain {
    int: i32,
    float: f64,
    long: i64,
    foo: Foo,
    numbers: [f64; 10],
    text: Text<20>,
}

#[process]
fn double_plain(all: &mut Plain) {
    all.int *= 2;
    all.float *= 2.0;
    all.long *= 2;
    double_foo(&mut all.foo);
    all.numbers.iter_mut().for_each(|n| *n *= 2.0);
    double_text(&mut all.text);
}

/// `_TestSharedCTypes.test_sharedctypes`
#[test]
fn plain_values_of_all_kinds_are_changed_in_place_without_lock() {
    let _watchdog = watchdog();
    let mut all = Shared::new(Plain {
        int: 7,
        float: 1.0 / 3.0,
        long: 1 << 33,
        foo: Foo { x: 3, y: 2.0, z: 0 },
        numbers: [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        text: "hello".parse().expect("it fits"),
    })
    .expect("shared memory");
    let own = Shared::get_mut(&mut all).expect("the only handle");
    parallel! { double_plain(own) }.expect("ends");
    assert_eq!((all.int, all.long, all.text.as_str()), (14, 1 << 34, "hellohello"));
    assert_eq!(all.float.to_bits(), (2.0_f64 / 3.0).to_bits());
    assert_eq!(all.foo, Foo { x: 6, y: 4.0, z: 0 });
    assert_eq!(all.numbers[9].to_bits(), 18.0_f64.to_bits());
}

/// `_TestSharedCTypes.test_copy`
#[test]
fn a_shared_copy_is_independent() {
    let _watchdog = watchdog();
    let original =
        Shared::new(Value::new(Foo { x: 2, y: 5.0, z: 1 << 33 })).expect("shared memory");
    let copy = Shared::new(Value::new(original.get())).expect("shared memory");
    original.set(Foo { x: 0, y: 0.0, z: 0 });
    assert_eq!(copy.get(), Foo { x: 2, y: 5.0, z: 1 << 33 });
    assert!(!Shared::ptr_eq(&original, &copy));
}

#[process]
fn count(hits: &Value<u64>, times: u32) {
    for _ in 0..times {
        hits.update(|n| n + 1);
    }
}

#[process]
fn hold_and_die(foo: &Value<Foo>, here: &Event) {
    let mut guard = foo.lock().expect("free");
    guard.x = 99;
    here.set();
    common::sleep_for_ever();
}

#[test]
fn updates_of_many_processes_all_count() {
    let _watchdog = watchdog();
    let hits = Shared::new(Value::new(0)).expect("shared memory");
    parallel! { for _ in 0..4 => count(&hits, 10_000) }.expect("nothing fails");
    assert_eq!(hits.get(), 40_000);
}

#[test]
fn what_a_dead_holder_changed_never_happened() {
    let _watchdog = watchdog();
    let foo = Shared::new(Value::new(Foo { x: 1, y: 1.0, z: 1 })).expect("shared memory");
    let here = Shared::new(Event::new()).expect("shared memory");
    let process = hold_and_die::spawn(&foo, &here).expect("a start");
    here.wait();
    assert_eq!(foo.try_lock().err(), Some(LockError::WouldBlock));
    process.kill().expect("kills");
    assert_eq!(foo.update(|foo| Foo { z: 2, ..foo }), Foo { x: 1, y: 1.0, z: 2 });
}
