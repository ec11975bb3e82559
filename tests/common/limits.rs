//! Resource limits, lowered for a while.

use super::eventually;
use std::{
    fs,
    path::{Path, PathBuf},
};

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

/// The most that this process may have of the address space, given what it may have beyond the present.
pub fn address_space(spare: usize) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("VmSize");
    let kilobytes = line.split_whitespace().next().and_then(|number| number.parse::<usize>().ok());
    kilobytes.expect("a number") * 1024 + spare
}

/// A memory cgroup of this test, which goes when this does.
#[derive(Debug)]
pub struct Cgroup(PathBuf);

impl Cgroup {
    /// Of either version; the reason if there can be none.
    pub fn new(bytes: usize) -> std::io::Result<Self> {
        let name = format!("psync-test-{}", std::process::id());
        let (root, limits) = if Path::new("/sys/fs/cgroup/memory").exists() {
            ("/sys/fs/cgroup/memory", ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"])
        } else {
            ("/sys/fs/cgroup", ["memory.max", "memory.swap.max"])
        };
        let group = Self(Path::new(root).join(name));
        fs::create_dir(&group.0)?;
        fs::write(group.0.join(limits[0]), bytes.to_string())?;
        // Not every kernel counts swap.
        let swap = if limits[1].contains("memsw") { bytes } else { 0 };
        let _ = fs::write(group.0.join(limits[1]), swap.to_string());
        Ok(group)
    }

    pub fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        assert!(eventually(|| fs::remove_dir(&self.0).is_ok()) || !self.0.exists());
    }
}
