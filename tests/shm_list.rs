//! Lists and texts of fixed capacity in shared memory.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::watchdog;
use psync::{CapacityError, prelude::*};

/// What Python keeps in a slot of any type.
#[shared]
#[derive(Debug, Default, PartialEq)]
enum Kind {
    #[default]
    None,
    Int,
    Float,
    Text,
}

#[shared]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Slot {
    kind: Kind,
    int: i64,
    float: f64,
    text: Text<8>,
}

const NOTHING: Slot = Slot { kind: Kind::None, int: 0, float: 0.0, text: Text::new() };

fn text(text: &str) -> Result<Slot, CapacityError> {
    Ok(Slot { kind: Kind::Text, text: text.try_into()?, ..NOTHING })
}

const fn int(int: i64) -> Slot {
    Slot { kind: Kind::Int, int, ..NOTHING }
}

const fn float(float: f64) -> Slot {
    Slot { kind: Kind::Float, float, ..NOTHING }
}

#[shared]
struct Shelf {
    #[init(Mutex::new([NOTHING; 7]))]
    slots: Mutex<[Slot; 7]>,
    list: Mutex<List<u32, 5>>,
}

fn shelf() -> Shared<Shelf> {
    Shared::new(Shelf::default()).expect("shared memory")
}

#[process]
fn rearrange(shelf: &Shelf) {
    let mut slots = shelf.slots.lock().expect("sound");
    slots[3] = text("fits 8 b").expect("eight bytes");
    slots[0] = int(-1);
    let mut list = shelf.list.lock().expect("sound");
    list.push(4).expect("room");
    list.sort_unstable_by(|a, b| b.cmp(a));
}

/// `_TestSharedMemory.test_shared_memory_ShareableList_basics`
#[test]
fn slots_change_value_and_kind_in_place() {
    let _watchdog = watchdog();
    let shelf = shelf();
    let values = [
        text("howdy").expect("short"),
        text("HoWdY").expect("short"),
        float(-273.154),
        int(100),
        NOTHING,
        int(1),
        int(42),
    ];
    *shelf.slots.lock().expect("sound") = values;
    let slots = shelf.slots.lock().expect("sound");
    assert_eq!((slots.len(), slots[6].int, slots.last()), (7, 42, Some(&int(42))));
    assert_eq!(slots.iter().filter(|slot| slot.kind == Kind::Int).count(), 3);
    assert_eq!((slots.get(7), slots[..] == values), (None, true));
    drop(slots);
    let copy = *shelf.slots.lock().expect("sound");
    rearrange::run(&shelf).expect("ends");
    let slots = shelf.slots.lock().expect("sound");
    assert_eq!((slots[3].text.as_str(), slots[0]), ("fits 8 b", int(-1)));
    assert_eq!(slots[1..3], copy[1..3], "the neighbours");
    assert_eq!(copy, values, "a copy is independent");
    assert_eq!(shelf.list.lock().expect("sound").as_slice(), [4]);
}

/// `_TestSharedMemory.test_shared_memory_ShareableList_basics`
#[test]
fn what_does_not_fit_changes_nothing() {
    let mut text = Text::<8>::try_from("12345678").expect("eight bytes");
    let error = text.set("123456789").expect_err("nine bytes");
    assert_eq!((error.needed(), error.capacity()), (9, 8));
    assert_eq!(text, "12345678");
    let umlauts = Text::<8>::try_from("üüüü").expect("eight bytes");
    assert_eq!((umlauts.len(), umlauts.chars().count()), (8, 4));
    assert!(Text::<8>::try_from("üüüüa").is_err(), "nine bytes are not eight characters");
    let mut list = List::<u32, 2>::new();
    assert!(list.is_empty() && list.pop().is_none());
    list.push(1).expect("room");
    list.push(2).expect("room");
    assert_eq!(list.push(3), Err(3));
    assert!(list.set(&[7, 8, 9]).is_err());
    assert_eq!(list.as_slice(), [1, 2]);
    assert_eq!((list.pop(), list.len()), (Some(2), 1));
}

fn encode(handle: &Shared<[u64]>) -> Vec<u8> {
    bincode::serde::encode_to_vec(handle, bincode::config::standard().with_fixed_int_encoding())
        .expect("a handle can be encoded")
}

fn decode(bytes: &[u8]) -> Result<Shared<[u64]>, String> {
    let configuration = bincode::config::standard().with_fixed_int_encoding();
    let decoded = bincode::serde::decode_from_slice(bytes, configuration);
    decoded.map(|(handle, _)| handle).map_err(|error| error.to_string())
}

/// `_TestSharedMemory.test_shared_memory_ShareableList_pickling`
#[test]
fn a_handle_is_small_however_large_its_memory_is() {
    let _watchdog = watchdog();
    let long = Shared::<[u64]>::new_with(2_000_000, |n| n as u64).expect("shared memory");
    let short = Shared::<[u64]>::new_with(10, |n| n as u64).expect("shared memory");
    assert_eq!(encode(&short).len(), encode(&long).len());
    for list in [&short, &long] {
        assert!(Shared::ptr_eq(list, &decode(&encode(list)).expect("it is here")));
        let sum = |(list, from): (Shared<[u64]>, usize)| list[from..].iter().sum::<u64>();
        let process = psync::spawn(sum, (list.clone(), 5)).expect("a start");
        let len = list.len() as u64;
        assert_eq!(process.join().expect("ends"), len * (len - 1) / 2 - 10);
    }
}

/// `_TestSharedMemory.test_shared_memory_ShareableList_pickling_dead_object`
#[test]
fn a_handle_of_memory_that_is_gone_is_an_error() {
    let _watchdog = watchdog();
    // Too large to share a segment with others, so its memory goes with its last handle.
    let list = Shared::<[u64]>::zeroed(100_000).expect("shared memory");
    let bytes = encode(&list);
    drop(list);
    let error = decode(&bytes).expect_err("nobody holds it any more");
    assert!(error.contains("is not mapped in this process"), "{error}");
    let nonsense = decode(&[0xff; 16]).expect_err("never made");
    assert!(nonsense.contains("is not mapped"), "{nonsense}");
}
