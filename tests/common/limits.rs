//! Resource limits, lowered for a while.

/// Makes `soft` what this process may have of a resource.
pub fn lower(resource: u32, soft: usize) {
    change(resource, |limit| limit.rlim_cur = soft as u64);
}

/// Allows as much of it as may be.
pub fn raise(resource: u32) {
    change(resource, |limit| limit.rlim_cur = limit.rlim_max);
}

/// Runs `body` with little of a resource.
pub fn with_limit<T>(resource: u32, soft: usize, body: impl FnOnce() -> T) -> T {
    lower(resource, soft);
    let result = body();
    raise(resource);
    result
}

fn change(resource: u32, change: impl FnOnce(&mut libc::rlimit)) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes to a live variable.
    unsafe { libc::getrlimit(resource, &raw mut limit) };
    change(&mut limit);
    // SAFETY: reads a live variable.
    let result = unsafe { libc::setrlimit(resource, &raw const limit) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

/// The limit that leaves this process so many descriptors beside those that it has.
pub fn room_for(spare: usize) -> usize {
    let taken = super::descriptors();
    let mut free = (0..).filter(|number| !taken.contains(number));
    let first_beyond = free.nth(spare).expect("there is always a next number");
    usize::try_from(first_beyond).expect("a descriptor")
}
