//! Plays the part of the runtime: the signatures that expansions rely on, with everything run in this very process.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    dead_code,
    reason = "a stand-in, not an interface"
)]
#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "a stand-in, not an interface"
)]

pub mod __private {
    mod starting;
    pub use starting::*;

    use std::cell::{RefCell, UnsafeCell};
    use std::marker::PhantomData;
    use std::ops::{Deref, DerefMut};
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    pub use std::time::Duration;

    thread_local!(pub static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });

    pub fn log(what: impl Into<String>) {
        LOG.with_borrow_mut(|log| log.push(what.into()));
    }

    pub fn take_log() -> Vec<String> {
        LOG.take()
    }

    // ---- serde's traits, without serde

    pub trait Serialize {}
    impl<T: ?Sized> Serialize for T {}
    pub trait DeserializeOwned {}
    impl<T> DeserializeOwned for T {}

    // ---- shared data

    /// # Safety
    /// As in the runtime.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot live in shared memory",
        label = "not `ShmSafe`"
    )]
    pub unsafe trait ShmSafe: Send + Sync + 'static {
        const FINGERPRINT: u64;
    }
    /// # Safety
    /// As in the runtime.
    pub unsafe trait Zeroable: ShmSafe {}

    pub trait SharedMemoryIsNeverDropped {}
    #[allow(drop_bounds, reason = "as in the runtime")]
    impl<T: Drop + ?Sized> SharedMemoryIsNeverDropped for T {}

    macro_rules! plain {
        ($($ty:ty),*) => { $(
            unsafe impl ShmSafe for $ty { const FINGERPRINT: u64 = size_of::<$ty>() as u64; }
            unsafe impl Zeroable for $ty {}
        )* };
    }
    plain!((), bool, u8, u16, u32, u64, i32, i64, f64, usize, AtomicU32, AtomicBool);
    unsafe impl<T: ShmSafe, const N: usize> ShmSafe for [T; N] {
        const FINGERPRINT: u64 = T::FINGERPRINT * 31 + N as u64;
    }
    unsafe impl<T: Zeroable, const N: usize> Zeroable for [T; N] {}

    pub const fn fingerprint(
        name: &str,
        parts: &[(&str, u64, usize)],
        size: usize,
        align: usize,
    ) -> u64 {
        let mut sum = name.len() as u64 + (size * 7 + align * 13) as u64;
        let mut i = 0;
        while i < parts.len() {
            sum = sum
                .wrapping_mul(31)
                .wrapping_add(parts[i].1)
                .wrapping_add(parts[i].2 as u64 + parts[i].0.len() as u64);
            i += 1;
        }
        sum
    }

    pub const fn fingerprint_of<T: ShmSafe>() -> u64 {
        T::FINGERPRINT
    }

    #[repr(transparent)]
    pub struct Guarded<T, Owner = (), const LOCK: usize = 0>(
        UnsafeCell<T>,
        PhantomData<fn() -> Owner>,
    );
    unsafe impl<T: Send, O, const L: usize> Sync for Guarded<T, O, L> {}
    unsafe impl<T: ShmSafe, O: 'static, const L: usize> ShmSafe for Guarded<T, O, L> {
        const FINGERPRINT: u64 = T::FINGERPRINT;
    }
    impl<T, O, const L: usize> Guarded<T, O, L> {
        pub const fn new(value: T) -> Self {
            Self(UnsafeCell::new(value), PhantomData)
        }
    }
    impl<T, O, const L: usize> From<T> for Guarded<T, O, L> {
        fn from(value: T) -> Self {
            Self::new(value)
        }
    }

    /// A guarded field. Each one keeps the lock held, so that it may be moved out of its guard.
    pub struct Held<'a, T> {
        cell: &'a UnsafeCell<T>,
        share: LockGuard<'a>,
    }
    impl<'a, T> Held<'a, T> {
        pub fn share(&self) -> &LockGuard<'a> {
            &self.share
        }
    }
    impl<T> Deref for Held<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            unsafe { &*self.cell.get() }
        }
    }
    impl<T> DerefMut for Held<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            unsafe { &mut *self.cell.get() }
        }
    }

    #[derive(Debug, PartialEq, Eq)]
    pub enum LockError {
        Poisoned,
        WouldBlock,
    }

    #[derive(Default, Debug)]
    pub struct Lock {
        /// How many guards and fields keep it held. Only the holder changes it.
        shares: AtomicU32,
        poisoned: AtomicBool,
    }
    impl Lock {
        pub const fn new() -> Self {
            Self { shares: AtomicU32::new(0), poisoned: AtomicBool::new(false) }
        }
        pub fn lock(&self) -> Result<LockGuard<'_>, LockError> {
            match self.lock_any()? {
                (_, true) => Err(LockError::Poisoned),
                (guard, false) => Ok(guard),
            }
        }
        pub fn try_lock(&self) -> Result<LockGuard<'_>, LockError> {
            self.lock()
        }
        pub fn lock_timeout(&self, _: Duration) -> Result<LockGuard<'_>, LockError> {
            self.lock()
        }
        pub fn lock_any(&self) -> Result<(LockGuard<'_>, bool), LockError> {
            match self.shares.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => Ok((LockGuard { lock: self }, self.poisoned.load(Ordering::SeqCst))),
                Err(_) => Err(LockError::WouldBlock),
            }
        }
        pub fn clear_poison(&self) {
            self.poisoned.store(false, Ordering::SeqCst);
        }
    }
    unsafe impl ShmSafe for Lock {
        const FINGERPRINT: u64 = 3;
    }
    unsafe impl Zeroable for Lock {}

    pub trait FieldsGuard {
        fn lock_guard(&self) -> &LockGuard<'_>;
        fn is_whole(&self) -> bool;
    }

    pub fn is_whole(guard: &LockGuard<'_>, fields: &[&LockGuard<'_>]) -> bool {
        fields.iter().all(|field| core::ptr::eq(field.lock, guard.lock))
    }

    #[derive(Debug)]
    pub struct LockGuard<'a> {
        lock: &'a Lock,
    }
    impl<'a> LockGuard<'a> {
        pub fn share(&self) -> Self {
            self.lock.shares.fetch_add(1, Ordering::SeqCst);
            Self { lock: self.lock }
        }
    }
    impl Drop for LockGuard<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                self.lock.poisoned.store(true, Ordering::SeqCst);
            }
            self.lock.shares.fetch_sub(1, Ordering::SeqCst);
        }
    }

    pub trait Guards<const LOCK: usize>: Sized {
        const PLACE: usize;
        fn lock_of_fields(&self) -> &Lock;
    }
    pub fn lock_of(field: &Lock) -> &Lock {
        field
    }
    pub struct Hold<'a, Owner, const LOCK: usize>(LockGuard<'a>, &'a Owner);
    impl<'a, Owner, const LOCK: usize> Hold<'a, Owner, LOCK> {
        pub fn owner(&self) -> &'a Owner {
            self.1
        }
        pub fn field<T>(&mut self, field: &'a Guarded<T, Owner, LOCK>) -> Held<'a, T> {
            Held { cell: &field.0, share: self.0.share() }
        }
        pub fn rest(self) -> LockGuard<'a> {
            self.0
        }
    }
    type Over<'a, O, G, const L: usize> = fn(Hold<'a, O, L>) -> G;
    pub fn lock_fields<'a, O: Guards<L>, G, const L: usize>(
        owner: &'a O,
        over: Over<'a, O, G, L>,
    ) -> Result<G, LockError> {
        owner.lock_of_fields().lock().map(|guard| over(Hold(guard, owner)))
    }
    pub fn try_lock_fields<'a, O: Guards<L>, G, const L: usize>(
        owner: &'a O,
        over: Over<'a, O, G, L>,
    ) -> Result<G, LockError> {
        lock_fields(owner, over)
    }
    pub fn lock_fields_timeout<'a, O: Guards<L>, G, const L: usize>(
        owner: &'a O,
        _: Duration,
        over: Over<'a, O, G, L>,
    ) -> Result<G, LockError> {
        lock_fields(owner, over)
    }
    pub fn lock_fields_or_repair<'a, O: Guards<L>, G, const L: usize>(
        owner: &'a O,
        over: Over<'a, O, G, L>,
        repair: impl FnOnce(&mut G),
    ) -> Result<G, LockError> {
        let (held, poisoned) = owner.lock_of_fields().lock_any()?;
        let mut guard = over(Hold(held, owner));
        if poisoned {
            repair(&mut guard);
            owner.lock_of_fields().clear_poison();
        }
        Ok(guard)
    }

    pub struct Fits<T>(PhantomData<fn() -> T>);
    pub const fn fits<T: ShmSafe>() -> Fits<T> {
        Fits(PhantomData)
    }

    /// Here a value of this process, since there is no other.
    pub struct SharedStatic<T: 'static> {
        value: std::sync::OnceLock<T>,
        init: fn() -> T,
        pub name: &'static str,
    }
    impl<T> SharedStatic<T> {
        pub const fn new(_: Fits<T>, name: &'static str, init: fn() -> T) -> Self {
            Self { value: std::sync::OnceLock::new(), init, name }
        }
    }
    impl<T> Deref for SharedStatic<T> {
        type Target = T;
        fn deref(&self) -> &T {
            self.value.get_or_init(|| {
                log(format!("make {}", self.name));
                (self.init)()
            })
        }
    }

    /// Here a leaked box, so that a child's `&'static T` is true.
    pub struct Shared<T: ?Sized + 'static>(pub &'static T);
    impl<T> Shared<T> {
        pub fn new(value: T) -> Self {
            Self(Box::leak(Box::new(value)))
        }
    }
    impl<T: Copy> Shared<[T]> {
        pub fn from_slice(values: &[T]) -> Self {
            Self(Vec::leak(values.to_vec()))
        }
    }
    impl<T: ?Sized> Clone for Shared<T> {
        fn clone(&self) -> Self {
            Self(self.0)
        }
    }
    impl<T: ?Sized> Deref for Shared<T> {
        type Target = T;
        fn deref(&self) -> &T {
            self.0
        }
    }

    // ---- primitives and wiring

    #[derive(Default)]
    pub struct Event(AtomicBool);
    impl Event {
        pub const fn new() -> Self {
            Self(AtomicBool::new(false))
        }
        pub fn is_set(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }
    }
    unsafe impl ShmSafe for Event {
        const FINGERPRINT: u64 = 5;
    }
    unsafe impl Zeroable for Event {}
    pub struct Semaphore(u32);
    impl Semaphore {
        pub const fn new(n: u32) -> Self {
            Self(n)
        }
    }
    unsafe impl ShmSafe for Semaphore {
        const FINGERPRINT: u64 = 6;
    }
    pub struct Barrier(usize);
    impl Barrier {
        pub const fn new(n: usize) -> Self {
            Self(n)
        }
    }
    unsafe impl ShmSafe for Barrier {
        const FINGERPRINT: u64 = 7;
    }
    #[derive(Default)]
    pub struct Mutex<T>(UnsafeCell<T>);
    unsafe impl<T: Send> Sync for Mutex<T> {}
    unsafe impl<T: ShmSafe> ShmSafe for Mutex<T> {
        const FINGERPRINT: u64 = T::FINGERPRINT + 8;
    }

    pub struct Undo(&'static str, Option<*const Event>);
    impl Drop for Undo {
        fn drop(&mut self) {
            if let Some(event) = self.1 {
                unsafe { (*event).0.store(true, Ordering::SeqCst) };
            }
            log(format!("undo {}", self.0));
        }
    }
    pub fn wait(_: &Event) {
        log("wait");
    }
    pub fn barrier(_: &Barrier) {
        log("barrier");
    }
    pub fn acquire(_: &Semaphore) -> impl Drop {
        log("acquire");
        Undo("acquire", None)
    }
    pub fn set_after(event: &Event) -> impl Drop {
        Undo("set", Some(event))
    }

    /// What `lock(expr as name)` takes.
    pub trait Lockable {
        type Guard<'a>
        where
            Self: 'a;
        fn lock_for_body(&self) -> Self::Guard<'_>;
    }
    pub struct MutexGuard<'a, T>(&'a Mutex<T>);
    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            unsafe { &*self.0.0.get() }
        }
    }
    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            unsafe { &mut *self.0.0.get() }
        }
    }
    impl<T> Drop for MutexGuard<'_, T> {
        fn drop(&mut self) {
            log("undo lock");
        }
    }
    impl<T: 'static> Lockable for Mutex<T> {
        type Guard<'a> = MutexGuard<'a, T>;
        fn lock_for_body(&self) -> MutexGuard<'_, T> {
            log("lock");
            MutexGuard(self)
        }
    }
    impl Lockable for Lock {
        type Guard<'a> = LockGuard<'a>;
        fn lock_for_body(&self) -> LockGuard<'_> {
            self.lock().unwrap()
        }
    }
    impl<L: Lockable + ?Sized> Lockable for &L {
        type Guard<'a>
            = L::Guard<'a>
        where
            Self: 'a;
        fn lock_for_body(&self) -> L::Guard<'_> {
            (**self).lock_for_body()
        }
    }
    impl<L: Lockable> Lockable for Shared<L> {
        type Guard<'a>
            = L::Guard<'a>
        where
            Self: 'a;
        fn lock_for_body(&self) -> L::Guard<'_> {
            (**self).lock_for_body()
        }
    }
    pub fn lock<L: Lockable + ?Sized>(mutex: &L) -> L::Guard<'_> {
        mutex.lock_for_body()
    }
}
