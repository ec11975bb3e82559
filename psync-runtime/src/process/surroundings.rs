//! The caller's surroundings, taken at a start and put on by the new process: environment, directory, streams, limits, masks.
#![allow(unsafe_code, reason = "replaces the environment and the standard descriptors")]

use super::{log, message::Start};
use crate::sys::{OsError, signal, standard};
use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    libc,
    sys::stat::{Mode, umask},
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    os::{
        fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd},
        unix::ffi::{OsStrExt, OsStringExt},
        unix::fs::FileExt,
    },
    path::Path,
    sync::OnceLock,
};

/// How many resource limits Linux knows.
pub(crate) const LIMITS: usize = 16;

/// What a new process has without being told: what its supervisor had when it began.
struct Base {
    environment: Vec<u8>,
    limits: [(u64, u64); LIMITS],
    ignored: u32,
}

static BASE: OnceLock<Base> = OnceLock::new();

/// Remembers the present surroundings as those that children of this process have anyway.
pub(crate) fn remember(ignored: u32) {
    let _ = BASE.set(Base { environment: environment(&[]), limits: limits(), ignored });
}

/// The environment, each variable ended by a NUL byte, with changes on top.
pub(crate) fn environment(changes: &[(OsString, OsString)]) -> Vec<u8> {
    let mut block = Vec::with_capacity(4096);
    let chosen = log::assignment();
    let chosen = chosen.filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let changes: Vec<_> = changes.iter().cloned().chain(chosen).collect();
    let kept =
        std::env::vars_os().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    for (name, value) in kept.chain(changes.clone()) {
        block.extend_from_slice(name.as_bytes());
        block.push(b'=');
        block.extend_from_slice(value.as_bytes());
        block.push(0);
    }
    block
}

/// Takes a block of [`environment`] apart.
pub(crate) fn variables(block: &[u8]) -> impl Iterator<Item = (&OsStr, &OsStr)> {
    block.split(|&byte| byte == 0).filter_map(|assignment| {
        // A name may begin with `=`, but is never empty.
        let end = assignment.iter().skip(1).position(|&byte| byte == b'=')? + 1;
        Some((OsStr::from_bytes(&assignment[..end]), OsStr::from_bytes(&assignment[end + 1..])))
    })
}

pub(crate) fn limits() -> [(u64, u64); LIMITS] {
    let mut limits = [(0, 0); LIMITS];
    for (limit, resource) in limits.iter_mut().zip(0..) {
        let mut found = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: writes to a live variable; an unknown resource is an error without effect.
        unsafe { libc::getrlimit(resource, &raw mut found) };
        *limit = (found.rlim_cur, found.rlim_max);
    }
    limits
}

/// Lets this process have as many descriptors as it ever may. It passes on what others have, at times when they may have more than
/// whoever launched it could at that moment; each process gets its own starter's limit.
pub(crate) fn allow_descriptors() {
    use nix::sys::resource::{Resource::RLIMIT_NOFILE, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(RLIMIT_NOFILE) {
        // Raising it up to there is always allowed.
        let _ = setrlimit(RLIMIT_NOFILE, hard, hard);
    }
}

/// This process's umask. The kernel tells it only together with setting it, which other threads would notice; `/proc` tells it alone.
///
/// `status` is this process's `/proc/self/status`, opened once.
pub(crate) fn current_umask(status: &File) -> u32 {
    let mut text = [0; 512];
    let len = status.read_at(&mut text, 0).unwrap_or(0);
    let status = &text[..len];
    let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"Umask:"));
    let text = line.and_then(|line| core::str::from_utf8(line).ok());
    text.and_then(|text| u32::from_str_radix(text.trim(), 8).ok()).unwrap_or(0o022)
}

/// A descriptor of a directory: of the given one, or of the working directory.
pub(crate) fn directory(path: Option<&Path>) -> Result<OwnedFd, OsError> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let path = path.unwrap_or(Path::new("."));
    standard::beyond(OsError::wrap(
        "open of the working directory",
        open(path, flags, Mode::empty()),
    )?)
}

/// Puts on what the message says. In a process that no user code has run in yet.
pub(crate) fn put_on(start: &mut Start) -> Result<(), OsError> {
    let base = BASE.get();
    for (number, stream) in (0..).zip(&mut start.streams) {
        place(stream.take(), number)?;
    }
    OsError::wrap("fchdir", nix::unistd::fchdir(&start.directory))?;
    umask(Mode::from_bits_truncate(start.header.umask));
    if base.is_none_or(|base| base.environment != start.environment()) {
        replace_environment(start.environment());
    }
    log::forget();
    set_limits(&start.header.limits, base)?;
    match base {
        Some(base) => signal::restore_group(base.ignored),
        // It comes right from a process that has ignored nothing for psync's sake.
        None => signal::drop_handlers(),
    }
    signal::set_mask(start.header.mask);
    Ok(())
}

/// Makes `stream` the standard descriptor `number`; `/dev/null` if it is closed in the starter, as std does at its start.
fn place(stream: Option<OwnedFd>, number: RawFd) -> Result<(), OsError> {
    let stream = match stream {
        Some(stream) => stream,
        None => OsError::wrap(
            "open(/dev/null)",
            open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()),
        )?,
    };
    if stream.as_raw_fd() == number {
        // It fell into the gap by itself; only close-on-exec has to go.
        let number = stream.into_raw_fd();
        // SAFETY: sets a flag of a descriptor that is open.
        return OsError::wrap(
            "fcntl",
            Errno::result(unsafe { libc::fcntl(number, libc::F_SETFD, 0) }).map(drop),
        );
    }
    // SAFETY: the standard descriptors belong to nobody in this process yet.
    OsError::wrap(
        "dup2",
        Errno::result(unsafe { libc::dup2(stream.as_raw_fd(), number) }).map(drop),
    )
}

fn replace_environment(block: &[u8]) {
    for (name, _) in std::env::vars_os() {
        // SAFETY: this process has no other thread that runs.
        unsafe { std::env::remove_var(name) };
    }
    for (name, value) in variables(block) {
        // SAFETY: as above.
        unsafe { std::env::set_var(name, OsString::from_vec(value.as_bytes().to_vec())) };
    }
}

fn set_limits(limits: &[(u64, u64); LIMITS], base: Option<&Base>) -> Result<(), OsError> {
    for (resource, &(soft, hard)) in (0..).zip(limits) {
        let index = resource as usize;
        if base.is_some_and(|base| base.limits[index] == (soft, hard)) {
            continue;
        }
        let wanted = libc::rlimit { rlim_cur: soft, rlim_max: hard };
        // SAFETY: reads a live variable.
        let result = Errno::result(unsafe { libc::setrlimit(resource, &raw const wanted) });
        // A process without privileges cannot take a hard limit back up; its starter could not either.
        if !matches!(result, Ok(_) | Err(Errno::EPERM | Errno::EINVAL)) {
            OsError::wrap("setrlimit", result)?;
        }
    }
    Ok(())
}
