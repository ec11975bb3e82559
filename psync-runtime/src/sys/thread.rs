//! This thread's id, and its list of robust locks, which the kernel walks when the thread dies.
//!
//! The kernel takes one list per thread, and the C library has claimed it. A lock of ours can be a member all the same if
//! its list node lies at the same offset from its lock word as in the C library's own robust mutex, since one offset
//! serves the whole list. The compiler fences stand for the order in which a kill may cut the steps off: the kernel looks at this
//! thread's memory as a signal handler would. On every platform where [`pending`] finds another layout, locks are recovered by asking whether
//! their owner still lives, which takes longer but is as sure.
#![allow(unsafe_code, reason = "walks the C library's robust list")]

use super::fault;
use crate::primitive::{AtomicU32, AtomicUsize, Ordering};
use core::{
    cell::Cell,
    ptr,
    sync::atomic::{Ordering::SeqCst, compiler_fence},
};
use nix::libc;

/// A member of the robust list, laid out as in glibc's `pthread_mutex_t`: `next` is what the kernel follows.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct RobustNode {
    prev: Cell<*mut RobustLink>,
    next: RobustLink,
}

type RobustLink = Cell<*mut libc::c_void>;

/// What `get_robust_list` tells: the head of a circular list that ends in itself.
#[repr(C)]
#[derive(Debug)]
struct RobustHead {
    list: Cell<*mut libc::c_void>,
    futex_offset: libc::c_long,
    pending: Cell<*mut libc::c_void>,
}

// SAFETY: only the thread that owns the lock word touches the node (UNSAFE.md, L2).
unsafe impl Sync for RobustNode {}
// SAFETY: a node is in no list unless its lock is held, and a held lock is borrowed, so it does not move.
unsafe impl Send for RobustNode {}

/// From a list node's `next` back to its futex word.
#[cfg(target_pointer_width = "64")]
const FUTEX_OFFSET: libc::c_long = -32;

impl RobustNode {
    pub(crate) const fn new() -> Self {
        Self { prev: Cell::new(ptr::null_mut()), next: Cell::new(ptr::null_mut()) }
    }

    /// What leads here, in a list.
    #[inline]
    fn as_member(&self) -> *mut libc::c_void {
        ptr::from_ref(&self.next).cast_mut().cast()
    }
}

/// Cells of their own, so that a look-up reads single registers.
struct Cache {
    /// Valid while equal to the process generation below; a forked child starts a new one.
    generation: Cell<u32>,
    tid: Cell<u32>,
    head: Cell<*const RobustHead>,
    /// Stands in for the C library's head where that is of no use to us, so that the steps need no case for it.
    stand_in: RobustHead,
}

thread_local! {
    static CACHE: Cache = const {
        Cache {
            generation: Cell::new(u32::MAX),
            tid: Cell::new(0),
            head: Cell::new(ptr::null()),
            stand_in: RobustHead {
                list: Cell::new(ptr::null_mut()),
                futex_offset: FUTEX_OFFSET,
                pending: Cell::new(ptr::null_mut()),
            },
        }
    };
}

/// Whether the kernel marks the locks of this process's dead threads. Found out at the first use of a lock; forked children know it from the begin.
static MARKS: AtomicU32 = AtomicU32::new(UNKNOWN);
const UNKNOWN: u32 = 0;
const BY_THE_KERNEL: u32 = 1;
const NONE: u32 = 2;

/// `ask` has a program behave as with a C library whose list has another layout.
const VARIABLE: &str = "PSYNC_ROBUST";

/// Has this process behave as with a C library whose list has another layout, so that tests cover that too. Not while a lock is held.
pub(crate) fn pretend_foreign_layout() {
    MARKS.store(NONE, Ordering::Relaxed);
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Whether the locks of the dead bear no mark, so that whoever wants to know has to ask for their owners.
pub(crate) fn must_ask() -> bool {
    MARKS.load(Ordering::Relaxed) == NONE
}

/// Counts forks on the way from the program's first process to this one, so that cached ids expire.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// This thread's id and the head of its list, which lives as long as the thread.
#[inline]
fn current() -> (u32, &'static RobustHead) {
    let (tid, head) = CACHE.with(|cache| {
        if !cache.is_valid() {
            look_up(cache);
        }
        (cache.tid.get(), cache.head.get())
    });
    // SAFETY: `look_up` stores the address of a head that lives as long as the thread. The type is not `Sync`, so the reference
    // stays there.
    (tid, unsafe { &*head })
}

impl Cache {
    #[inline]
    fn is_valid(&self) -> bool {
        self.generation.get() == GENERATION.load(Ordering::Relaxed)
    }
}

#[cold]
fn look_up(cache: &Cache) {
    expire_at_fork();
    let mut head: *const RobustHead = ptr::null();
    let mut length: libc::size_t = 0;
    // SAFETY: thread 0 is this one; both results are written to live variables.
    let result =
        unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut length) };
    // SAFETY: on success the kernel returned the address that this thread's C library registered; it stays valid for as
    // long as the thread runs.
    let known = if result == 0 { unsafe { head.as_ref() } } else { None };
    if !marks(known) {
        head = &raw const cache.stand_in;
        cache.stand_in.list.set(cache.stand_in.as_end());
    }
    cache.generation.set(GENERATION.load(Ordering::Relaxed));
    cache.tid.set(nix::unistd::gettid().as_raw().cast_unsigned());
    cache.head.set(head);
}

/// Whether the kernel marks the locks of a thread with this list.
fn marks(head: Option<&RobustHead>) -> bool {
    if MARKS.load(Ordering::Relaxed) == UNKNOWN {
        let is_familiar = head.is_some_and(|head| head.futex_offset == FUTEX_OFFSET);
        let is_wanted = std::env::var_os(VARIABLE).is_none_or(|value| value != "ask");
        let found = if is_familiar && is_wanted { BY_THE_KERNEL } else { NONE };
        MARKS.store(found, Ordering::Relaxed);
    }
    head.is_some() && !must_ask()
}

/// Lets cached ids expire in forked children, also in those that the program forks by itself.
fn expire_at_fork() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        at_fork(|| {
            GENERATION.fetch_add(1, Ordering::Relaxed);
        });
    });
}

/// Has `action` run in the child of every later fork, before anything else there. It may only do what a signal handler may.
pub(crate) fn at_fork(action: fn()) {
    static ACTIONS: [AtomicUsize; 8] = [const { AtomicUsize::new(0) }; 8];
    static ONCE: std::sync::Once = std::sync::Once::new();
    extern "C" fn in_child() {
        for slot in &ACTIONS {
            let address = slot.load(Ordering::Relaxed);
            if address != 0 {
                // SAFETY: the slots hold nothing but `fn()` values, stored below.
                let action = unsafe {
                    core::mem::transmute::<*const (), fn()>(core::ptr::with_exposed_provenance(
                        address,
                    ))
                };
                action();
            }
        }
    }
    ONCE.call_once(|| {
        // SAFETY: the handler does what its actions do, which is safe after fork as the caller promises.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
    let address = (action as *const ()).expose_provenance();
    let free = ACTIONS.iter().find(|slot| {
        slot.compare_exchange(0, address, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    });
    debug_assert!(free.is_some(), "each layer registers a fixed number of actions");
}

/// How many forks lie between the program's first process and this one, as far as this process can tell.
pub(crate) fn generation() -> u32 {
    expire_at_fork();
    GENERATION.load(Ordering::Relaxed)
}

/// The same, where [`generation`] was asked before.
#[inline]
pub(crate) fn generation_seen() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// The kernel's id of this thread.
#[inline]
pub(crate) fn tid() -> u32 {
    current().0
}

/// Tells the kernel that this thread is about to change the lock word that `node` belongs to, until the result is dropped
/// or completed: if the thread dies meanwhile, the word is looked at as if the node were in the list.
///
/// Returns this thread's id beside it, since a caller needs both and one look-up is cheaper than two.
#[inline]
pub(crate) fn pending(node: &RobustNode) -> (u32, Pending<'_>) {
    let (tid, head) = current();
    head.pending.set(node.as_member());
    kill_fence();
    fault::point("list: pending");
    (tid, Pending { node, head })
}

/// This thread's id and list if nothing has to be looked up.
#[inline]
fn known() -> Option<(u32, &'static RobustHead)> {
    let known = CACHE.with(|cache| cache.is_valid().then(|| (cache.tid.get(), cache.head.get())));
    // SAFETY: as in `current`.
    known.map(|(tid, head)| (tid, unsafe { &*head }))
}

/// [`pending`] if that costs next to nothing.
#[inline]
pub(crate) fn pending_at_once(node: &RobustNode) -> Option<(u32, Pending<'_>)> {
    let (tid, head) = known()?;
    head.pending.set(node.as_member());
    kill_fence();
    fault::point("list: pending at once");
    Some((tid, Pending { node, head }))
}

/// The same for a node that is the only member of this thread's list. Then the word carries this thread's id (UNSAFE.md, L2).
#[inline]
pub(crate) fn pending_if_alone(node: &RobustNode) -> Option<Pending<'_>> {
    let (_, head) = known()?;
    if head.list.get() != node.as_member() || node.next.get() != head.as_end() {
        return None;
    }
    // It still is, unless this thread has taken other locks meanwhile.
    if head.pending.get() != node.as_member() {
        head.pending.set(node.as_member());
    }
    kill_fence();
    fault::point("list: pending alone");
    Some(Pending { node, head })
}

/// See [`pending`].
#[must_use = "it guards the step in between"]
#[derive(Debug)]
pub(crate) struct Pending<'a> {
    node: &'a RobustNode,
    head: &'static RobustHead,
}

impl Pending<'_> {
    /// Puts the node at the front of this thread's list. The word must carry this thread's id.
    ///
    /// The kernel may take the node for pending on until this thread's next step. It looks once at one that is in the list as well.
    #[inline]
    pub(crate) fn link(self) {
        let first = self.head.list.get();
        // `prev` is for whoever is put in front of this node to write: as long as nobody is, nobody reads it.
        // Each store has to get out before the next locked instruction; that of a thread that comes back says the same as before.
        if self.node.next.get() != first {
            self.node.next.set(first);
        }
        // The head itself has no `prev`.
        if first != self.head.as_end() {
            // SAFETY: `first` is a member of this thread's list.
            unsafe { previous(first) }.set(ptr::from_ref(&self.node.next).cast_mut());
        }
        kill_fence();
        fault::point("list: follower set");
        self.head.list.set(self.node.as_member());
        kill_fence();
        core::mem::forget(self);
    }

    /// Takes the node out of this thread's list. The word must still carry this thread's id.
    pub(crate) fn unlink(&self) {
        let (node, head) = (self.node, self.head);
        let next = node.next.get();
        let is_first = head.list.get() == node.as_member();
        let prev = if is_first { ptr::from_ref(&head.list).cast_mut() } else { node.prev.get() };
        if next != head.as_end() {
            // SAFETY: the follower is a member of this thread's list.
            unsafe { previous(next) }.set(prev);
        }
        kill_fence();
        fault::point("list: left backwards");
        // SAFETY: `prev` is the `next` field of the member before us, or the head's `list`, both this thread's (L2).
        unsafe { &*prev }.set(next);
        kill_fence();
    }

    /// The same, for the only member of the list.
    #[inline]
    pub(crate) fn unlink_alone(&self) {
        self.head.list.set(self.head.as_end());
        kill_fence();
    }
}

/// Whether this thread's list leads into these addresses: a lock there was never released, since its guard was leaked.
pub(crate) fn holds_any_of(addresses: &core::ops::Range<usize>) -> bool {
    let Some((_, head)) = known() else { return false };
    let mut next = head.list.get();
    while next != head.as_end() {
        // glibc marks priority-inheriting members in the lowest bit.
        let member = next.map_addr(|address| address & !1);
        if addresses.contains(&member.addr()) {
            return true;
        }
        // SAFETY: a member of this thread's list begins with the way to the next one (UNSAFE.md, L2).
        next = unsafe { &*member.cast::<RobustLink>() }.get();
    }
    false
}

impl Drop for Pending<'_> {
    #[inline]
    fn drop(&mut self) {
        kill_fence();
        self.head.pending.set(ptr::null_mut());
        fault::point("list: nothing pending");
    }
}

impl RobustHead {
    /// The `next` of the list's last member.
    #[inline]
    fn as_end(&self) -> *mut libc::c_void {
        ptr::from_ref(&self.list).cast_mut().cast()
    }
}

/// The `prev` field that lies in front of a member's `next`.
///
/// # Safety
/// `next` leads to a live member of this thread's robust list, of ours or of glibc's; only this thread writes it (UNSAFE.md, L2).
#[inline]
unsafe fn previous<'a>(next: *mut libc::c_void) -> &'a Cell<*mut RobustLink> {
    // glibc marks priority-inheriting members in the lowest bit.
    let next: *mut Cell<*mut RobustLink> = next.map_addr(|addr| addr & !1).cast();
    // SAFETY: both layouts have `prev` one pointer before `next`.
    let prev = unsafe { next.sub(1) };
    // SAFETY: it is live and only touched by this thread, as the caller promises.
    unsafe { &*prev }
}

/// Keeps what this thread has written before in front of what it writes after, for whoever looks at it after a kill.
#[inline]
pub(crate) fn kill_fence() {
    compiler_fence(SeqCst);
}
