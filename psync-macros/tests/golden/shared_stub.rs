#[repr(C)]
struct Farm {
    pen: Lock,
    #[doc(hidden)]
    acorns: ::psync::__private::Guarded<u32, Self, 0>,
    name: &'static str,
}
unsafe impl ::core::marker::Send for Farm {}
unsafe impl ::core::marker::Sync for Farm {}
unsafe impl ::psync::__private::ShmSafe for Farm {
    const FINGERPRINT: u64 = 0;
}
unsafe impl ::psync::__private::Zeroable for Farm {}
#[automatically_derived]
impl ::core::default::Default for Farm {
    fn default() -> Self {
        ::core::unreachable!()
    }
}
///The fields of `Farm` that `pne` guards, for as long as it is held.
#[must_use = "the lock is released when this is dropped"]
struct FarmPne<'guard> {
    /// The field of this name of `Farm`.
    pub acorns: ::psync::__private::Held<'guard, u32>,
    __lock: ::psync::__private::LockGuard<'guard>,
}
impl<'guard> FarmPne<'guard> {
    #[inline]
    fn __over(mut hold: ::psync::__private::Hold<'guard, Farm, 0>) -> Self {
        ::core::unreachable!()
    }
}
impl<'guard> ::psync::__private::FieldsGuard for FarmPne<'guard> {
    fn lock_guard(&self) -> &::psync::__private::LockGuard<'_> {
        &self.__lock
    }
    fn is_whole(&self) -> bool {
        ::psync::__private::is_whole(&self.__lock, &[self.acorns.share()])
    }
}
impl<'guard> ::core::fmt::Debug for FarmPne<'guard> {
    fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::unreachable!()
    }
}
impl Farm {
    /// Waits for `pne` and gives the fields that it guards.
    #[track_caller]
    fn lock_pne(
        &self,
    ) -> ::core::result::Result<FarmPne<'_>, ::psync::__private::LockError> {
        ::core::unreachable!()
    }
    /// Gives the fields that `pne` guards if nobody holds it.
    #[track_caller]
    fn try_lock_pne(
        &self,
    ) -> ::core::result::Result<FarmPne<'_>, ::psync::__private::LockError> {
        ::core::unreachable!()
    }
    /// Waits for `pne` no longer than `timeout`.
    #[track_caller]
    fn lock_pne_timeout(
        &self,
        timeout: ::psync::__private::Duration,
    ) -> ::core::result::Result<FarmPne<'_>, ::psync::__private::LockError> {
        ::core::unreachable!()
    }
    /// As [`Self::lock_pne`], but `repair` makes the fields whole first if a holder died or panicked.
    #[track_caller]
    fn lock_pne_or_repair(
        &self,
        repair: impl ::core::ops::FnOnce(&mut FarmPne<'_>),
    ) -> ::core::result::Result<FarmPne<'_>, ::psync::__private::LockError> {
        ::core::unreachable!()
    }
}
::core::compile_error! {
    "there is no field `pne`; did you mean `pen`?"
}
::core::compile_error! {
    "field `name`: a reference cannot live in shared memory, it points into this process's own memory; write the type itself"
}
