//! `StartMethod::Fork`: the caller's own memory, in a second process.

use super::{
    SpawnError,
    child::{self, Running},
    exit,
    handle::Streams,
    message::{self, Descriptors},
    panics, reaping, surroundings,
};
use crate::{
    shm::world::{self, Identity, Me, World, me},
    sys::{OsError, lifeline, pidfd::PidFd, procfs},
};
use nix::{
    errno::Errno,
    unistd::{ForkResult, fork},
};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// Refuses a caller with more than one thread.
pub(crate) fn check_threads() -> Result<(), SpawnError> {
    let count = procfs::thread_count().map_err(|error| {
        OsError::new("open(/proc/self/task)", Errno::from_raw(error.raw_os_error().unwrap_or(0)))
    })?;
    if count == 1 { Ok(()) } else { Err(SpawnError::Threads { count }) }
}

/// Forks this process, which has one thread.
#[allow(unsafe_code, reason = "forks")]
pub(crate) fn fork_here(
    world: &'static World,
    id: Identity,
    bytes: &[u8],
    descriptors: &Descriptors<'_>,
    ours: &Streams,
) -> Result<PidFd, SpawnError> {
    use std::io::Write;
    // What is buffered must come out once, not in both.
    let _ = std::io::stdout().flush();
    // The child's own, made before there is one: if there is no room for them, nothing is started.
    let copies = descriptors.pack(copy)??;
    // SAFETY: there is no other thread that could hold a lock (P2).
    match OsError::wrap("fork", unsafe { fork() })? {
        ForkResult::Parent { child } => {
            // They make room for the handle of the child.
            drop(copies);
            Ok(adopt_fork(world, id, child.as_raw())?)
        }
        ForkResult::Child => {
            // As long as it holds the other end of its own pipe, it never sees the end of its input.
            ours.0.iter().flatten().for_each(|end| child::close(end.as_raw_fd()));
            let start = message::Start::parse(bytes, copies);
            let code = start.and_then(|start| forked(world, id, start));
            exit::of_fork(code.unwrap_or(1))
        }
    }
}

fn copy(all: &[BorrowedFd<'_>]) -> Result<Vec<OwnedFd>, OsError> {
    let copies = all.iter().map(BorrowedFd::try_clone_to_owned).collect::<Result<_, _>>();
    copies.map_err(|error| {
        OsError::new("fcntl(F_DUPFD)", Errno::from_raw(error.raw_os_error().unwrap_or(0)))
    })
}

fn adopt_fork(world: &World, id: Identity, pid: i32) -> Result<PidFd, OsError> {
    reaping::forked();
    // Parent and child both know everything that a claim needs; whoever comes first makes it.
    world.slot(id).claim(id, me().pid, pid);
    PidFd::open(pid)
}

/// The child of a `Fork`: it has everything of its starter and needs only what sets it apart.
fn forked(world: &'static World, id: Identity, mut start: message::Start) -> Option<i32> {
    let hold = lifeline::hang_on(&start.lifeline).ok()??;
    start.fetch().ok()?;
    surroundings::put_on(&mut start).ok()?;
    let pid = nix::unistd::getpid().as_raw();
    world.slot(id).claim(id, start.header.starter, pid);
    world::become_process(Me { id, pid });
    panics::record_panics();
    super::current::show_name(&world.slot(id).name());
    let arguments = start.arguments().to_vec();
    let message::Start { header, lifeline, inbox, store, directory, handles, .. } = start;
    drop((lifeline, directory));
    let code = child::run(Running { world, id, inbox, store }, header.entry, &arguments, handles);
    core::mem::forget(hold);
    Some(code)
}
