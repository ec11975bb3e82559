//! How handles travel: a message carries numbers, and the descriptors of the segments they mean go beside it.
//!
//! A sender encodes inside [`collect`], which gathers the segments of all handles met; a receiver decodes inside [`offer`], which
//! maps what came along. Without the two a handle still goes as far as its segment is mapped: within the process.

use super::{ShmError, segment::Segment};
use std::{cell::RefCell, collections::BTreeMap, os::fd::OwnedFd, sync::Arc};

type Found = BTreeMap<u64, Arc<Segment>>;

thread_local! {
    /// One entry per [`collect`] that this thread is in, the innermost last.
    static COLLECTING: RefCell<Vec<Found>> = const { RefCell::new(Vec::new()) };
}

/// Runs `encode`; returns the segments of the handles that it serialised, each once.
pub(crate) fn collect<R>(encode: impl FnOnce() -> R) -> (R, Vec<Arc<Segment>>) {
    COLLECTING.with_borrow_mut(|scopes| scopes.push(Found::new()));
    let scope = Scope;
    let result = encode();
    let found = scope.close();
    (result, found.into_values().collect())
}

/// Closes the innermost [`collect`], also when encoding panics.
struct Scope;

impl Scope {
    fn close(self) -> Found {
        core::mem::forget(self);
        pop()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        drop(pop());
    }
}

fn pop() -> Found {
    COLLECTING.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Notes that a handle into this segment is being serialised.
pub(super) fn record(segment: &Arc<Segment>) {
    // A thread that is ending collects nothing.
    let _ = COLLECTING.try_with(|scopes| {
        if let Some(found) = scopes.borrow_mut().last_mut() {
            found.entry(segment.id()).or_insert_with(|| Arc::clone(segment));
        }
    });
}

/// Maps the segments that came with a message and keeps them findable while `decode` runs. What the handles that it makes do not
/// hold on to is unmapped afterwards.
pub(crate) fn offer<R>(
    files: impl IntoIterator<Item = OwnedFd>,
    decode: impl FnOnce() -> R,
) -> Result<R, ShmError> {
    let segments: Vec<_> = files.into_iter().map(Segment::attach).collect::<Result<_, _>>()?;
    let result = decode();
    drop(segments);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::{Shared, segment::Purpose};
    use std::os::fd::AsFd;

    type Numbers = Shared<[u64]>;
    type Message = (Numbers, Numbers, Numbers, Vec<Numbers>);

    fn encode(value: &impl serde::Serialize) -> Vec<u8> {
        bincode::serde::encode_to_vec(value, bincode::config::standard()).expect("encodes")
    }

    fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
        bincode::serde::decode_from_slice(bytes, bincode::config::standard())
            .map(|(value, _)| value)
            .map_err(|error| error.to_string())
    }

    fn files(segments: &[Arc<Segment>]) -> Vec<OwnedFd> {
        segments.iter().map(|s| s.as_fd().try_clone_to_owned().expect("descriptor")).collect()
    }

    /// Covers `_TestSharedMemory.test_shared_memory_ShareableList_pickling`: what is sent is as long for a large value as for a small.
    #[test]
    fn only_the_place_is_sent() {
        let small = Shared::<[u8]>::zeroed(100_000).expect("memory");
        let large = Shared::<[u8]>::zeroed(10_000_000).expect("memory");
        assert_eq!(encode(&small).len(), encode(&large).len());
        assert!(encode(&small).len() < 16);
    }

    #[test]
    fn a_message_takes_each_segment_along_once() {
        let a = Shared::<[u64]>::zeroed(10_000).expect("memory");
        let b = Shared::<[u64]>::zeroed(10_000).expect("memory");
        let (bytes, segments) = collect(|| encode(&(&a, &b, &a, vec![&b; 100])));
        assert_eq!(segments.len(), 2);
        let files = files(&segments);
        drop((a, b, segments));
        let (a, b, again, more) =
            offer(files, || decode::<Message>(&bytes)).expect("attaches").expect("decodes");
        assert!(Shared::ptr_eq(&a, &again));
        assert!(!Shared::ptr_eq(&a, &b));
        assert!(more.iter().all(|one| Shared::ptr_eq(one, &b)));
    }

    #[test]
    fn scopes_nest_and_survive_a_panic() {
        let outer = Shared::<[u64]>::zeroed(10_000).expect("memory");
        let inner = Shared::<[u64]>::zeroed(10_000).expect("memory");
        let ((_, within), around) = collect(|| {
            encode(&outer);
            let caught = std::panic::catch_unwind(|| collect(|| panic!("half-way")));
            assert!(caught.is_err());
            collect(|| encode(&inner))
        });
        assert_eq!((within.len(), around.len()), (1, 1));
        assert_ne!(within[0].id(), around[0].id());
        encode(&outer);
        assert!(collect(|| ()).1.is_empty(), "nothing is left of what was encoded outside");
    }

    /// Covers `_TestSharedMemory.test_shared_memory_ShareableList_pickling_dead_object`.
    #[test]
    fn a_handle_whose_memory_is_gone_is_an_error() {
        let shared = Shared::<[u64]>::zeroed(10_000).expect("memory");
        let bytes = encode(&shared);
        drop(shared);
        let error = decode::<Shared<[u64]>>(&bytes).expect_err("gone");
        assert!(error.contains("is not mapped in this process"), "{error}");
    }

    #[test]
    fn what_is_offered_and_not_taken_is_closed_again() {
        let segment = Segment::create(1, Purpose::Block).expect("segment");
        let id = segment.id();
        let files = files(&[segment]);
        offer(files, || assert!(crate::shm::registry::find(id).is_some())).expect("attaches");
        assert!(crate::shm::registry::find(id).is_none());
    }
}
