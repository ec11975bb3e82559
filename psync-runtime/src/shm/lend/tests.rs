//! Tests of lending.

use super::*;

fn encode(value: &impl Serialize) -> Result<Vec<u8>, String> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).map_err(|e| e.to_string())
}

fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    bincode::serde::decode_from_slice(bytes, bincode::config::standard())
        .map(|(value, _)| value)
        .map_err(|error| error.to_string())
}

#[test]
fn parts_of_shared_data_arrive_where_they_are() {
    let data = Shared::<[u64]>::new_with(10_000, |i| i as u64).expect("memory");
    let bytes = encode(&Lent::new(&data[100..200])).expect("encodes");
    let part: Lent<'static, [u64]> = decode(&bytes).expect("decodes");
    assert_eq!(part.get(), &data[100..200]);
    assert!(core::ptr::eq(part.get(), &raw const data[100..200]));
    let bytes = encode(&Lent::new(&data[7])).expect("encodes");
    assert_eq!(*decode::<Lent<'static, u64>>(&bytes).expect("decodes").get(), 7);
    assert!(decode::<Lent<'static, i64>>(&bytes).is_err(), "another type");
}

#[test]
fn what_has_arrived_stays_mapped() {
    let data = Shared::<[u64]>::new_with(10_000, |i| i as u64).expect("memory");
    let bytes = encode(&Lent::<[u64]>::of_owner(&data)).expect("encodes");
    let part: Lent<'static, [u64]> = decode(&bytes).expect("decodes");
    let part = part.get();
    drop(data);
    assert_eq!(part[9_999], 9_999);
}

#[test]
fn mutable_parts_are_written_in_place() {
    let mut data = Shared::<[u32]>::zeroed(8).expect("memory");
    let whole = Shared::get_mut(&mut data).expect("alone");
    for (index, chunk) in (1..).zip(whole.chunks_mut(3)) {
        let bytes = encode(&LentMut::new(chunk)).expect("encodes");
        decode::<LentMut<'static, [u32]>>(&bytes).expect("decodes").get().fill(index);
    }
    assert_eq!(*data, [1, 1, 1, 2, 2, 2, 3, 3]);
    assert!(Shared::get_mut(&mut data).is_some(), "lending is not giving away");
}

#[test]
fn private_data_cannot_be_lent() {
    let local = [1_u32, 2, 3];
    let error = encode(&Lent::new(&local[..])).expect_err("on the stack");
    assert!(error.contains("`[u32]`") && error.contains("pass it by value"), "{error}");
    let bytes = encode(&Lent::new(&local[..0])).expect("no bytes, so nothing to share");
    assert!(decode::<Lent<'static, [u32]>>(&bytes).expect("decodes").get().is_empty());
}

#[test]
fn places_outside_are_refused() {
    let data = Shared::<[u64]>::zeroed(10_000).expect("memory");
    let place = Place::of(&data[..]).expect("shared");
    let tries = [
        Place { offset: 0, ..place },
        Place { offset: place.offset + 4, count: 1, ..place },
        Place { count: place.count + 1024, ..place },
        Place { count: u64::MAX, ..place },
        Place { offset: u64::MAX, ..place },
        Place { fingerprint: 1, ..place },
    ];
    for wrong in tries {
        assert!(matches!(wrong.find::<[u64]>(), Err(ShmError::Layout { .. })), "{wrong:?}");
    }
    let gone = Place { segment: u64::MAX, ..place };
    assert_eq!(gone.find::<[u64]>(), Err(ShmError::NotFound { segment: u64::MAX }));
}

#[test]
fn strings_and_handles_cross_as_themselves() {
    let bytes = encode(&Lent::new("Percy")).expect("encodes");
    assert_eq!(decode::<Lent<'static, str>>(&bytes).expect("decodes").get(), "Percy");
    let shared = Shared::new(5_u8).expect("memory");
    let bytes = encode(&Lent::new(&shared)).expect("encodes");
    let handle: Lent<'static, Shared<u8>> = decode(&bytes).expect("decodes");
    assert!(Shared::ptr_eq(handle.get(), &shared));
}
