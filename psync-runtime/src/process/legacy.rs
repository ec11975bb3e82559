//! Handing what an ending process has sent handles of to the supervisor, and finding it there.

use super::link::{self, existing_link};
use crate::{
    channel::outbox::{self, Hooks},
    shm::{
        segment::Inode,
        world::{Identity, Watch, existing},
    },
    sys::{OsError, clock::Deadline, pidfd::PidFd, procfs, socket},
};
use core::time::Duration;
use nix::{libc, sys::stat::stat};
use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Once,
};

/// What a message to the supervisor begins with that is no start: no header is as long.
pub(crate) const MARK: [u8; 4] = [0xff; 4];
/// How long whoever sent a handle may take to be gone for good, so that what it has left is where it is looked for.
const PATIENCE: Duration = Duration::from_millis(200);

/// Has channels come here for what the dead have left. Asked for at the first sight of a supervisor.
pub(crate) fn install() {
    outbox::install(Hooks { find, arm });
}

/// Has [`leave`] done when this process exits in any orderly way.
fn arm() {
    static ONCE: Once = Once::new();
    extern "C" fn run() {
        // A panic here has nowhere to go.
        let _ = std::panic::catch_unwind(leave);
    }
    ONCE.call_once(|| {
        #[allow(unsafe_code, reason = "registers an exit handler")]
        // SAFETY: the handler does not unwind and may be called at any time.
        unsafe {
            libc::atexit(run);
        }
    });
}

/// Leaves to the supervisor what messages of this process still need.
pub(crate) fn leave() {
    let remains = outbox::remains();
    let Some(link) = existing_link().filter(|_| !remains.is_empty()) else { return };
    for (core, until, carried) in &remains {
        for part in carried.chunks(socket::MAX_DESCRIPTORS - 1) {
            let descriptors: Vec<BorrowedFd<'_>> =
                [core.segment().as_fd()].into_iter().chain(part.iter().map(AsFd::as_fd)).collect();
            // If this fails, the supervisor is gone, and what is left with it.
            let _ = socket::send(&link.control, &[&MARK, &until.to_ne_bytes()], &descriptors);
        }
    }
}

/// What `sender` had open under this number of a file.
fn find(inode: Inode, sender: Identity) -> Option<OwnedFd> {
    let deadline = Deadline::after(PATIENCE);
    loop {
        let watch = Watch::new();
        let is_dead = existing().is_none_or(|world| !world.is_alive(sender));
        // The supervisor takes what a process leaves before it makes its death known.
        if let Some(found) = existing_link().and_then(|link| search(link.pid(), inode).ok()?) {
            return Some(found);
        }
        if is_dead || deadline.is_over() {
            return None;
        }
        let nothing = crate::primitive::AtomicU32::new(0);
        watch.wait(&nothing, 0, deadline);
        link::check();
    }
}

/// Looks through everything that a process has open.
fn search(pid: i32, inode: Inode) -> Result<Option<OwnedFd>, OsError> {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return Ok(None) };
    for entry in entries.flatten() {
        let is_it = stat(&entry.path()).is_ok_and(|stat| (stat.st_dev, stat.st_ino) == inode);
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(number) = number.filter(|_| is_it) {
            return procfs::open_descriptor(pid, number)
                .or_else(|_| PidFd::open(pid)?.copy(number))
                .map(Some);
        }
    }
    Ok(None)
}
