//! Anonymous files in memory, sized and reserved, and mappings of them.

use super::{OsError, retry, standard};
use memmap2::{MmapMut, MmapOptions, MmapRaw};
use nix::{
    fcntl::{FallocateFlags, FcntlArg, SealFlag, fallocate, fcntl},
    sys::{
        memfd::{MFdFlags, memfd_create},
        resource::{Resource, getrlimit},
    },
};
use std::os::fd::{AsFd, OwnedFd};

/// A new file in memory, without a name, closed on exec.
pub(crate) fn anonymous_file(label: &str) -> Result<OwnedFd, OsError> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    standard::beyond(OsError::wrap("memfd_create", memfd_create(label, flags))?)
}

/// Sets the file's size; pages come into being as they are reserved or written.
///
/// More than `RLIMIT_FSIZE` allows is an error like any other here; the kernel would send SIGXFSZ as well.
pub(crate) fn set_size(file: impl AsFd, size: u64) -> Result<(), OsError> {
    allow("ftruncate", size)?;
    OsError::wrap("ftruncate", nix::unistd::ftruncate(file, offset(size)?))
}

/// Whether this process may have files of that size.
fn allow(call: &'static str, size: u64) -> Result<(), OsError> {
    let (limit, _) = OsError::wrap("getrlimit", getrlimit(Resource::RLIMIT_FSIZE))?;
    if size > limit { Err(OsError::new(call, nix::errno::Errno::EFBIG)) } else { Ok(()) }
}

/// Reserves the pages of a part of the file, so that lack of memory shows here and not as SIGBUS at some store.
pub(crate) fn reserve(file: impl AsFd, start: u64, len: u64) -> Result<(), OsError> {
    let done = retry(|| {
        fallocate(
            file.as_fd(),
            FallocateFlags::empty(),
            offset(start).unwrap_or(0),
            offset(len).unwrap_or(0),
        )
    });
    OsError::wrap("fallocate", done)
}

/// Gives the pages of a part of the file back; it reads as zeros from then on.
pub(crate) fn punch(file: impl AsFd, start: u64, len: u64) -> Result<(), OsError> {
    let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
    let done = retry(|| {
        fallocate(file.as_fd(), flags, offset(start).unwrap_or(0), offset(len).unwrap_or(0))
    });
    OsError::wrap("fallocate", done)
}

/// Writes to a part of the file without mapping it. Of `RLIMIT_FSIZE` holds what [`set_size`] says.
pub(crate) fn write_at(file: impl AsFd, mut start: u64, mut bytes: &[u8]) -> Result<(), OsError> {
    allow("pwrite", start.saturating_add(bytes.len() as u64))?;
    while !bytes.is_empty() {
        let at = offset(start)?;
        let written = retry(|| nix::sys::uio::pwrite(file.as_fd(), bytes, at));
        let written = OsError::wrap("pwrite", written)?;
        bytes = &bytes[written..];
        start += written as u64;
    }
    Ok(())
}

/// Reads a part of the file without mapping it.
pub(crate) fn read_at(file: impl AsFd, start: u64, len: usize) -> Result<Vec<u8>, OsError> {
    let mut bytes = Vec::new();
    let no_memory = |_| OsError::new("malloc", nix::errno::Errno::ENOMEM);
    bytes.try_reserve_exact(len).map_err(no_memory)?;
    bytes.resize(len, 0);
    let mut done = 0;
    while done < len {
        let at = offset(start + done as u64)?;
        let read = retry(|| nix::sys::uio::pread(file.as_fd(), &mut bytes[done..], at));
        match OsError::wrap("pread", read)? {
            0 => return Err(OsError::new("pread", nix::errno::Errno::EIO)),
            read => done += read,
        }
    }
    Ok(bytes)
}

/// Reads a part of the file of which somebody else says how long it is. That may be wrong: what the file has no memory for is refused, before
/// there is any here.
pub(crate) fn read_claimed(file: impl AsFd, start: u64, len: u64) -> Result<Vec<u8>, OsError> {
    let stat = OsError::wrap("fstat", nix::sys::stat::fstat(file.as_fd()))?;
    let held = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512);
    match usize::try_from(len) {
        Ok(len) if len as u64 <= held => read_at(file, start, len),
        _ => Err(OsError::new("pread", nix::errno::Errno::EBADMSG)),
    }
}

/// Fixes the file's size for good, for every holder.
pub(crate) fn seal_size(file: impl AsFd) -> Result<(), OsError> {
    let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
    OsError::wrap("fcntl(F_ADD_SEALS)", fcntl(file, FcntlArg::F_ADD_SEALS(seals)))?;
    Ok(())
}

/// Whether the file's size is fixed, as [`seal_size`] does.
pub(crate) fn is_sealed(file: impl AsFd) -> bool {
    let wanted = (SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW).bits();
    fcntl(file, FcntlArg::F_GET_SEALS).is_ok_and(|seals| seals & wanted == wanted)
}

/// Maps a part of the file, shared with every other process that does.
pub(crate) fn map(file: impl AsFd, start: u64, len: usize) -> Result<MmapRaw, OsError> {
    use std::os::fd::AsRawFd;
    let mut options = MmapOptions::new();
    options.offset(start).len(len).no_reserve_swap();
    options.map_raw(file.as_fd().as_raw_fd()).map_err(|error| {
        OsError::new("mmap", nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(0)))
    })
}

/// Memory of this process's own that costs something only where it is written. The allocator would clear all of it by hand, once it has seen that
/// such lengths come and go.
pub(crate) fn untouched(len: usize) -> Result<MmapMut, OsError> {
    MmapMut::map_anon(len).map_err(|_| OsError::last("mmap"))
}

/// Gives memory that this process has freed back to the system, where the allocator would keep it. It looks at all of the heap.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    #[allow(unsafe_code, reason = "the allocator's own function")]
    // SAFETY: may be called at any time, by any thread.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

fn offset(value: u64) -> Result<i64, OsError> {
    i64::try_from(value).map_err(|_| OsError::new("ftruncate", nix::errno::Errno::EFBIG))
}
