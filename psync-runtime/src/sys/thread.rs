//! This thread's id, and its list of robust locks, which the kernel walks when the thread dies.
//!
//! The kernel takes one list per thread, and the C library has claimed it. A lock of ours can be a member all the same if
//! its list node lies at the same offset from its lock word as in the C library's own robust mutex, since one offset
//! serves the whole list. The compiler fences stand for the order in which a kill may cut the steps off: the kernel looks at this
//! thread's memory as a signal handler would. On every platform where [`pending`] finds another layout, locks are recovered by asking whether
//! their owner still lives, which takes longer but is as sure.
#![allow(unsafe_code, reason = "walks the C library's robust list")]

use crate::primitive::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
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
}

#[derive(Clone, Copy)]
struct Current {
    tid: u32,
    head: *const RobustHead,
}

/// Cells of their own, so that a look-up reads single registers.
struct Cache {
    /// Valid while equal to the process generation below; a forked child starts a new one.
    generation: Cell<u32>,
    tid: Cell<u32>,
    head: Cell<*const RobustHead>,
}

thread_local! {
    static CACHE: Cache = const {
        Cache { generation: Cell::new(u32::MAX), tid: Cell::new(0), head: Cell::new(ptr::null()) }
    };
}

/// See [`pretend_foreign_layout`].
static FOREIGN_LAYOUT: AtomicBool = AtomicBool::new(false);

/// Has this process behave as with a C library whose list has another layout, so that tests cover that too. Not while a lock is held.
pub(crate) fn pretend_foreign_layout() {
    FOREIGN_LAYOUT.store(true, Ordering::Relaxed);
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Counts forks on the way from the program's first process to this one, so that cached ids expire.
static GENERATION: AtomicU32 = AtomicU32::new(0);

#[inline]
fn current() -> Current {
    CACHE.with(|cache| {
        if cache.generation.get() == GENERATION.load(Ordering::Relaxed) {
            Current { tid: cache.tid.get(), head: cache.head.get() }
        } else {
            look_up(cache)
        }
    })
}

#[cold]
fn look_up(cache: &Cache) -> Current {
    expire_at_fork();
    let mut head: *const RobustHead = ptr::null();
    let mut length: libc::size_t = 0;
    // SAFETY: thread 0 is this one; both results are written to live variables.
    let result =
        unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut length) };
    // SAFETY: on success the kernel returned the address that this thread's C library registered; it stays valid for as
    // long as the thread runs.
    let usable = result == 0
        && !FOREIGN_LAYOUT.load(Ordering::Relaxed)
        && unsafe { head.as_ref() }.is_some_and(|head| head.futex_offset == FUTEX_OFFSET);
    let current = Current {
        tid: nix::unistd::gettid().as_raw().cast_unsigned(),
        head: if usable { head } else { ptr::null() },
    };
    cache.generation.set(GENERATION.load(Ordering::Relaxed));
    cache.tid.set(current.tid);
    cache.head.set(current.head);
    current
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

/// The kernel's id of this thread.
#[inline]
pub(crate) fn tid() -> u32 {
    current().tid
}

/// Tells the kernel that this thread is about to change the lock word that `node` belongs to, until the result is dropped
/// or completed: if the thread dies meanwhile, the word is looked at as if the node were in the list.
///
/// Returns this thread's id beside it, since a caller needs both and one look-up is cheaper than two.
#[inline]
pub(crate) fn pending(node: &RobustNode) -> (u32, Pending<'_>) {
    let current = current();
    let pending = Pending { node, head: current.head };
    // SAFETY: `head` is null or this thread's own, registered with the kernel for as long as the thread runs.
    if let Some(head) = unsafe { pending.head.as_ref() } {
        head.pending.set(ptr::from_ref(&node.next).cast_mut().cast());
    }
    kill_fence();
    (current.tid, pending)
}

/// See [`pending`].
#[must_use = "it guards the step in between"]
#[derive(Debug)]
pub(crate) struct Pending<'a> {
    node: &'a RobustNode,
    head: *const RobustHead,
}

impl Pending<'_> {
    /// Puts the node at the front of this thread's list. The word must carry this thread's id.
    ///
    /// The kernel may take the node for pending on until the next step of this thread: it looks once at one that is in the list as well.
    #[inline]
    pub(crate) fn link(self) {
        // SAFETY: as in `pending`.
        if let Some(head) = unsafe { self.head.as_ref() } {
            let first = head.list.get();
            // `prev` is for whoever is put in front of this node to write: as long as nobody is, nobody reads it.
            self.node.next.set(first);
            // The head itself has no `prev`.
            if !head.is(first) {
                // SAFETY: `first` is a member of this thread's list.
                unsafe { previous(first) }.set(ptr::from_ref(&self.node.next).cast_mut());
            }
            kill_fence();
            head.list.set(ptr::from_ref(&self.node.next).cast_mut().cast());
        }
        kill_fence();
        core::mem::forget(self);
    }

    /// Takes the node out of this thread's list. The word must still carry this thread's id.
    #[inline]
    pub(crate) fn unlink(&self) {
        // SAFETY: as in `pending`.
        let Some(head) = (unsafe { self.head.as_ref() }) else { return };
        let next = self.node.next.get();
        let prev = if ptr::addr_eq(head.list.get(), &raw const self.node.next) {
            ptr::from_ref(&head.list).cast_mut()
        } else {
            self.node.prev.get()
        };
        if !head.is(next) {
            // SAFETY: the follower is a member of this thread's list.
            unsafe { previous(next) }.set(prev);
        }
        // SAFETY: `prev` is the `next` field of the member before us, or the head's `list`, both this thread's (L2).
        unsafe { &*prev }.set(next);
        kill_fence();
    }
}

impl Drop for Pending<'_> {
    #[inline]
    fn drop(&mut self) {
        kill_fence();
        // SAFETY: as in `pending`.
        if let Some(head) = unsafe { self.head.as_ref() } {
            head.pending.set(ptr::null_mut());
        }
    }
}

impl RobustHead {
    /// Whether a `next` leads back here: its owner is the last of the list.
    #[inline]
    fn is(&self, next: *mut libc::c_void) -> bool {
        ptr::addr_eq(unmarked(next), &raw const self.list)
    }
}

/// glibc marks priority-inheriting members in the lowest bit.
#[inline]
fn unmarked(next: *mut libc::c_void) -> *mut RobustLink {
    next.map_addr(|addr| addr & !1).cast()
}

/// The `prev` field that lies in front of a member's `next`.
///
/// # Safety
/// `next` leads to a live member of this thread's robust list, of ours or of glibc's; only this thread writes it (UNSAFE.md, L2).
#[inline]
unsafe fn previous<'a>(next: *mut libc::c_void) -> &'a Cell<*mut RobustLink> {
    // SAFETY: both layouts have `prev` one pointer before `next`.
    let prev = unsafe { unmarked(next).cast::<Cell<*mut RobustLink>>().sub(1) };
    // SAFETY: it is live and only touched by this thread, as the caller promises.
    unsafe { &*prev }
}

/// Keeps what this thread has written before in front of what it writes after, for whoever looks at it after a kill.
#[inline]
pub(crate) fn kill_fence() {
    compiler_fence(SeqCst);
}
