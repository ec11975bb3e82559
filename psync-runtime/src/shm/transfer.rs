//! How handles travel: a message carries numbers, and the descriptors of the segments they mean go beside it.
//!
//! A sender encodes inside [`collect`], which gathers the segments of all handles met; a receiver decodes inside [`offer`], which
//! maps what came along. Without the two a handle still goes as far as its segment is mapped: within the process.

use super::{
    ShmError,
    segment::{Inode, Segment},
    world::{self, Identity},
};
use crate::sys::OsError;
use nix::sys::stat::{SFlag, fstat};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
};

/// Something with a descriptor that has to go along with a handle.
#[derive(Clone, Debug)]
pub(crate) enum Carried {
    /// Memory, of which each process needs one descriptor, however often it comes.
    Segment(Arc<Segment>),
    /// A socket.
    Socket(Arc<OwnedFd>),
}

impl AsFd for Carried {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Segment(segment) => segment.as_fd(),
            Self::Socket(socket) => socket.as_fd(),
        }
    }
}

/// What takes a handle off the account that it was on while it was under way.
type Landing = Box<dyn FnOnce() + Send + Sync>;

/// What is done if a message with a handle never gets on its way.
type Undo = Box<dyn FnOnce() + Send>;

/// What goes along with an encoded value. Dropped without [`depart`](Luggage::depart), nothing was sent. Most values take nothing along.
#[derive(Default)]
#[must_use = "it says whether the message was sent"]
pub(crate) struct Luggage(Option<Box<Pieces>>);

#[derive(Default)]
struct Pieces {
    carried: Vec<Carried>,
    inodes: BTreeSet<Inode>,
    undo: Vec<Undo>,
}

impl Luggage {
    #[inline]
    pub(crate) fn carried(&self) -> &[Carried] {
        self.0.as_ref().map_or(&[], |pieces| &pieces.carried)
    }

    /// The message is on its way.
    #[inline]
    pub(crate) fn depart(&mut self) {
        if let Some(pieces) = &mut self.0 {
            pieces.undo.clear();
        }
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        for undo in self.undo.drain(..) {
            undo();
        }
    }
}

impl core::fmt::Debug for Luggage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Luggage").field(&self.carried()).finish()
    }
}

/// What a message that was decoded, and may have to be decoded again, takes off accounts: once it is certain that it will not. Dropped, it takes nothing off.
#[derive(Default)]
pub(crate) struct Landings(Vec<Landing>);

impl Landings {
    pub(crate) fn land(self) {
        for landing in self.0 {
            landing();
        }
    }
}

impl core::fmt::Debug for Landings {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Landings({})", self.0.len())
    }
}

/// What has been met so far in one [`collect`].
struct Found {
    charged: Identity,
    /// Whoever decodes it takes nothing off that account.
    is_kept: bool,
    pieces: Option<Box<Pieces>>,
}

thread_local! {
    /// One entry per [`collect`] that this thread is in, the innermost last.
    static COLLECTING: RefCell<Vec<Found>> = const { RefCell::new(Vec::new()) };
    /// One entry for each [`postpone`] that this thread is in, the innermost last.
    static LANDINGS: RefCell<Vec<Landings>> = const { RefCell::new(Vec::new()) };
    /// The sockets that came with the messages that this thread is decoding.
    static SOCKETS: RefCell<Vec<(Inode, Arc<OwnedFd>)>> = const { RefCell::new(Vec::new()) };
}

/// Runs `encode`; returns what has to go along with the handles that it serialised, each once.
pub(crate) fn collect<R>(encode: impl FnOnce() -> R) -> (R, Luggage) {
    collect_for(world::me().id, encode)
}

/// The same, for a message of which `charged` is known to be the one that decodes it or loses it.
pub(crate) fn collect_for<R>(charged: Identity, encode: impl FnOnce() -> R) -> (R, Luggage) {
    collect_with(Found { charged, is_kept: false, pieces: None }, encode)
}

/// The same, for a message that may be sent and decoded any number of times: its handles are on the account of this process until the luggage
/// is dropped, which must never depart.
pub(crate) fn collect_to_keep<R>(encode: impl FnOnce() -> R) -> (R, Luggage) {
    collect_with(Found { charged: world::me().id, is_kept: true, pieces: None }, encode)
}

fn collect_with<R>(found: Found, encode: impl FnOnce() -> R) -> (R, Luggage) {
    COLLECTING.with_borrow_mut(|scopes| scopes.push(found));
    let scope = Scope;
    let result = encode();
    (result, scope.close())
}

/// Closes the innermost [`collect`], also when encoding panics.
struct Scope;

impl Scope {
    fn close(self) -> Luggage {
        core::mem::forget(self);
        pop()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        drop(pop());
    }
}

#[inline]
fn pop() -> Luggage {
    Luggage(COLLECTING.with_borrow_mut(Vec::pop).and_then(|found| found.pieces))
}

/// Calls `with` with the innermost [`collect`] of this thread, if it is in one. A thread that is ending collects nothing.
fn innermost<R>(with: impl FnOnce(&mut Found) -> R) -> Option<R> {
    COLLECTING.try_with(|scopes| scopes.borrow_mut().last_mut().map(with)).ok().flatten()
}

impl Found {
    fn add(&mut self, inode: Inode, carried: impl FnOnce() -> Carried) {
        let pieces = self.pieces.get_or_insert_default();
        if pieces.inodes.insert(inode) {
            pieces.carried.push(carried());
        }
    }
}

/// Notes that a handle into this segment is being serialised.
pub(crate) fn record(segment: &Arc<Segment>) {
    innermost(|found| found.add(segment.inode(), || Carried::Segment(Arc::clone(segment))));
}

/// Notes that a handle to this socket is being serialised.
pub(crate) fn record_socket(socket: &Arc<OwnedFd>, inode: Inode) {
    innermost(|found| found.add(inode, || Carried::Socket(Arc::clone(socket))));
}

/// Whose account a handle that is being serialised goes on until it is decoded; nobody's outside of messages.
pub(crate) fn charged() -> Identity {
    innermost(|found| found.charged).unwrap_or(Identity::NOBODY)
}

/// Whose account that is taken off again by whoever decodes it: nobody's if it is kept.
pub(crate) fn taken_off() -> Identity {
    let taken_off =
        |found: &mut Found| if found.is_kept { Identity::NOBODY } else { found.charged };
    innermost(taken_off).unwrap_or(Identity::NOBODY)
}

/// Runs `decode`, and puts off what the handles that it makes take off accounts.
pub(crate) fn postpone<R>(decode: impl FnOnce() -> R) -> (R, Landings) {
    LANDINGS.with_borrow_mut(|scopes| scopes.push(Landings::default()));
    let scope = Postponing;
    let result = decode();
    core::mem::forget(scope);
    (result, LANDINGS.with_borrow_mut(Vec::pop).unwrap_or_default())
}

/// Closes the innermost [`postpone`] when decoding panics.
struct Postponing;

impl Drop for Postponing {
    fn drop(&mut self) {
        drop(LANDINGS.with_borrow_mut(Vec::pop));
    }
}

/// A handle has arrived: `landing` takes it off the account that it was on, now or, inside [`postpone`], later.
pub(crate) fn land(landing: impl FnOnce() + Send + Sync + 'static) {
    let mut landing = Some(landing);
    let is_postponed = LANDINGS.try_with(|scopes| {
        let mut scopes = scopes.borrow_mut();
        let Some(scope) = scopes.last_mut() else { return false };
        scope.0.extend(landing.take().map(|landing| Box::new(landing) as Landing));
        true
    });
    if let (false, Some(landing)) = (is_postponed.unwrap_or(false), landing) {
        landing();
    }
}

/// Has `undo` done if the message that is being encoded is not sent.
pub(crate) fn or_else(undo: impl FnOnce() + Send + 'static) {
    innermost(|found| found.pieces.get_or_insert_default().undo.push(Box::new(undo)));
}

/// Device and number of the file behind a descriptor.
pub(crate) fn inode_of(file: impl AsFd) -> Result<(Inode, SFlag), OsError> {
    let stat = OsError::wrap("fstat", fstat(file))?;
    Ok(((stat.st_dev, stat.st_ino), SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT))
}

/// The socket of that number, if it came along with the message that is being decoded.
pub(crate) fn take_socket(inode: Inode) -> Option<Arc<OwnedFd>> {
    SOCKETS.with_borrow(|sockets| {
        sockets.iter().rfind(|(number, _)| *number == inode).map(|(_, socket)| Arc::clone(socket))
    })
}

/// Takes what came along with a message, and keeps it findable while `decode` runs. What the handles that it makes do not
/// hold on to is unmapped and closed afterwards.
pub(crate) fn offer<R>(
    files: impl IntoIterator<Item = OwnedFd>,
    decode: impl FnOnce() -> R,
) -> Result<R, ShmError> {
    let carried: Vec<Carried> = files.into_iter().map(unpack).collect::<Result<_, _>>()?;
    Ok(offer_carried(carried, decode))
}

/// What a descriptor that was received is.
pub(crate) fn unpack(file: OwnedFd) -> Result<Carried, ShmError> {
    let (_, kind) = inode_of(&file)?;
    if kind == SFlag::S_IFSOCK {
        return Ok(Carried::Socket(Arc::new(file)));
    }
    Segment::attach(file).map(Carried::Segment)
}

/// [`offer`] for what has been taken already.
pub(crate) fn offer_carried<R>(carried: Vec<Carried>, decode: impl FnOnce() -> R) -> R {
    let offered = Offered::new(&carried);
    let result = decode();
    drop((offered, carried));
    result
}

/// Takes back the sockets that nobody took, also when decoding panics.
struct Offered {
    before: usize,
}

impl Offered {
    fn new(carried: &[Carried]) -> Self {
        SOCKETS.with_borrow_mut(|sockets| {
            let before = sockets.len();
            sockets.extend(carried.iter().filter_map(|one| match one {
                Carried::Socket(socket) => {
                    inode_of(socket).ok().map(|(inode, _)| (inode, Arc::clone(socket)))
                }
                Carried::Segment(_) => None,
            }));
            Self { before }
        })
    }
}

impl Drop for Offered {
    fn drop(&mut self) {
        let left = SOCKETS.try_with(|sockets| {
            let mut sockets = sockets.borrow_mut();
            let before = self.before.min(sockets.len());
            sockets.split_off(before)
        });
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::{Shared, segment::Purpose};
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

    fn files(luggage: &[Carried]) -> Vec<OwnedFd> {
        luggage.iter().map(|s| s.as_fd().try_clone_to_owned().expect("descriptor")).collect()
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
        let (bytes, luggage) = collect(|| encode(&(&a, &b, &a, vec![&b; 100])));
        assert_eq!(luggage.carried().len(), 2);
        let files = files(luggage.carried());
        drop((a, b, luggage));
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
        let inode = |one: &Carried| inode_of(one).expect("a file").0;
        let (within, around) = (within.carried(), around.carried());
        assert_eq!((within.len(), around.len()), (1, 1));
        assert_ne!(inode(&within[0]), inode(&around[0]));
        encode(&outer);
        assert!(
            collect(|| ()).1.carried().is_empty(),
            "nothing is left of what was encoded outside"
        );
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
        let files = files(&[Carried::Segment(segment)]);
        offer(files, || assert!(crate::shm::registry::find(id).is_some())).expect("attaches");
        assert!(crate::shm::registry::find(id).is_none());
    }
}
