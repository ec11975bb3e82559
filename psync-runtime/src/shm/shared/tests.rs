//! Tests of `Shared`.

use super::*;
use crate::primitive::{AtomicU64, Ordering};

fn encode(value: &impl Serialize) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).expect("encodes")
}

fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    bincode::serde::decode_from_slice(bytes, bincode::config::standard())
        .map(|(value, _)| value)
        .map_err(|error| error.to_string())
}

/// Covers `_TestSharedMemory.test_shared_memory_pickle_unpickle`.
#[test]
fn a_handle_that_came_back_sees_the_same_value() {
    let shared = Shared::new(AtomicU64::new(1)).expect("memory");
    let back: Shared<AtomicU64> = decode(&encode(&shared)).expect("decodes");
    assert!(Shared::ptr_eq(&shared, &back));
    back.store(2, Ordering::Relaxed);
    assert_eq!(shared.load(Ordering::Relaxed), 2);
    drop(shared);
    assert_eq!(back.load(Ordering::Relaxed), 2);
}

#[test]
fn a_handle_of_another_type_is_refused() {
    let shared = Shared::new((1_u32, 2_u32)).expect("memory");
    let error = decode::<Shared<u64>>(&encode(&shared)).expect_err("another type");
    assert!(error.contains("does not hold a `u64`"), "{error}");
    assert!(decode::<Shared<[(u32, u32)]>>(&encode(&shared)).is_err());
}

#[test]
fn slices_have_their_length_with_them() {
    let squares = Shared::<[u32]>::new_with(1000, |i| u32::try_from(i * i).expect("small"));
    let squares = squares.expect("memory");
    let back: Shared<[u32]> = decode(&encode(&squares)).expect("decodes");
    assert_eq!(back.len(), 1000);
    assert_eq!(back[30], 900);
    assert_eq!(*Shared::<[u8]>::from_slice(b"abc").expect("memory"), *b"abc");
}

#[test]
fn nothing_at_all_can_be_shared() {
    let empty = Shared::<[u64]>::zeroed(0).expect("memory");
    assert!(empty.is_empty());
    let back: Shared<[u64]> = decode(&encode(&empty)).expect("decodes");
    assert!(Shared::ptr_eq(&empty, &back));
    let unit = Shared::new(()).expect("memory");
    assert!(!Shared::ptr_eq(&unit, &Shared::new(()).expect("memory")));
    let units = Shared::<[()]>::zeroed(usize::MAX).expect("no bytes");
    assert_eq!(units.len(), usize::MAX);
}

/// Covers `_TestSharedMemory.test_invalid_shared_memory_creation`, as far as sizes can be wrong here.
#[test]
fn more_than_there_is_is_an_error() {
    for len in [usize::MAX, usize::MAX / 8, 1 << 50, isize::MAX.cast_unsigned() / 8] {
        let error = Shared::<[u64]>::zeroed(len).expect_err("too large");
        let error = error.downcast::<ShmError>().expect("of this layer");
        assert_eq!(error, ShmError::TooLarge { len, each: 8 });
    }
}

#[test]
fn alignment_is_kept() {
    #[repr(C, align(4096))]
    struct Paged(u8);
    // SAFETY: one byte and padding.
    unsafe impl ShmSafe for Paged {
        const FINGERPRINT: u64 = 1;
    }
    for n in 0..3 {
        let shared = Shared::new(Paged(n)).expect("memory");
        assert!(core::ptr::from_ref(&*shared).addr().is_multiple_of(4096));
        assert_eq!(shared.0, n);
    }
}

#[test]
fn only_the_only_handle_gives_mutable_access() {
    let mut shared = Shared::<[u64]>::zeroed(8).expect("memory");
    Shared::get_mut(&mut shared).expect("alone")[1] = 5;
    let clone = shared.clone();
    assert!(Shared::get_mut(&mut shared).is_none());
    drop(clone);
    assert!(Shared::get_mut(&mut shared).is_some());
    let bytes = encode(&shared);
    assert!(Shared::get_mut(&mut shared).is_none(), "on its way somewhere");
    let mut back: Shared<[u64]> = decode(&bytes).expect("decodes");
    drop(shared);
    assert!(Shared::get_mut(&mut back).is_none(), "came from somewhere");
    assert_eq!(back[1], 5);
}

#[test]
fn a_panic_while_filling_leaves_nothing() {
    let caught = std::panic::catch_unwind(|| {
        Shared::<[u64]>::new_with(1 << 16, |i| if i == 9 { panic!("no more") } else { 0 })
    });
    assert!(caught.is_err());
}

/// Covers `_TestHeap.test_free_from_gc`: handles are dropped wherever their owner happens to be.
#[test]
fn dropping_handles_anywhere_does_not_dead_lock() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut kept = std::collections::VecDeque::new();
                for size in 0..2000_usize {
                    kept.push_back(Shared::<[u8]>::zeroed(size * 37 % 50_000).expect("memory"));
                    if kept.len() > 20 {
                        let (bytes, segments) = crate::shm::transfer::collect(|| encode(&kept));
                        let back: Vec<Shared<[u8]>> = decode(&bytes).expect("decodes");
                        drop((segments, kept.pop_front(), back));
                    }
                }
            });
        }
    });
}
