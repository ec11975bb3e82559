//! Waiting for whichever of several things is ready first.

use crate::{
    channel::{Incoming, Queue, Receiver, WorkQueue},
    primitive::{AtomicU32, Ordering},
    shm::world::{Wake, Watch},
    sync::Event,
    sys::{clock::Deadline, futex},
};
use core::time::Duration;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

/// Something that [`wait_any`] can wait for: processes, queues, connections, events, and everything that has a descriptor.
///
/// # Examples
/// ```
/// use psync::{Queue, Waitable, wait_any};
/// use std::time::Duration;
///
/// let (letters, parcels) = (Queue::<u8>::bounded(1)?, Queue::bounded(1)?);
/// parcels.send("books".to_owned())?;
/// let sources: [&dyn Waitable; 2] = [&letters, &parcels];
/// assert_eq!(wait_any(&sources, Some(Duration::from_secs(1)))?, [1]);
/// # Ok::<(), psync::Error>(())
/// ```
pub trait Waitable {
    #[doc(hidden)]
    fn source(&self) -> Source<'_>;
}

/// How readiness shows.
#[doc(hidden)]
#[derive(Debug)]
pub enum Source<'a> {
    /// The descriptor is readable, or has hung up.
    Descriptor(BorrowedFd<'a>),
    /// The event is set.
    Event(&'a Event),
    /// A receive would end at once.
    Messages(Messages<'a>),
}

/// The receiving side of a queue.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Messages<'a>(Incoming<'a>);

impl<T: AsFd> Waitable for T {
    fn source(&self) -> Source<'_> {
        Source::Descriptor(self.as_fd())
    }
}

impl<T> Waitable for Queue<T> {
    fn source(&self) -> Source<'_> {
        Source::Messages(Messages(self.incoming()))
    }
}

impl<T> Waitable for WorkQueue<T> {
    fn source(&self) -> Source<'_> {
        Source::Messages(Messages(self.incoming()))
    }
}

impl<T> Waitable for Receiver<T> {
    fn source(&self) -> Source<'_> {
        Source::Messages(Messages(self.incoming()))
    }
}

impl Waitable for Event {
    fn source(&self) -> Source<'_> {
        Source::Event(self)
    }
}

/// Waits until at least one item is ready; returns the indices of all that are, and none if `timeout` passes first.
///
/// A process is ready when it has ended, an event when it is set, a queue or receiver when a receive would not wait, a connection or another descriptor when it can be read or has hung up. No timeout is
/// for ever; with no items, it waits for the timeout.
///
/// # Errors
/// If the system refuses, for instance because it is out of threads or descriptors.
///
/// # Examples
/// ```
/// use psync::{spawn, wait_any};
///
/// let quick = spawn(|()| (), ())?;
/// assert_eq!(wait_any(&[&quick], None)?, [0]);
/// # Ok::<(), psync::Error>(())
/// ```
pub fn wait_any(items: &[&dyn Waitable], timeout: Option<Duration>) -> io::Result<Vec<usize>> {
    let deadline = timeout.map_or(Deadline::NEVER, Deadline::after);
    let sources: Vec<Source<'_>> = items.iter().map(|item| item.source()).collect();
    let all_descriptors = sources.iter().all(|source| matches!(source, Source::Descriptor(_)));
    if all_descriptors {
        return poll_until(&sources, deadline);
    }
    loop {
        let watch = Watch::new();
        let words: Vec<(&AtomicU32, u32)> = sources.iter().filter_map(sleep_word).collect();
        let ready = poll_until(&sources, Deadline::after(Duration::ZERO))?;
        if !ready.is_empty() || deadline.is_over() {
            return Ok(ready);
        }
        wait_for_either(&sources, &words, watch, deadline)?;
    }
}

fn sleep_word<'a>(source: &'a Source<'a>) -> Option<(&'a AtomicU32, u32)> {
    match source {
        Source::Event(event) => event.sleep_word(),
        Source::Messages(Messages(incoming)) => Some(incoming.sleep_word()),
        Source::Descriptor(_) => None,
    }
}

/// Which are ready; waits for the descriptors among them.
pub(crate) fn poll_until(sources: &[Source<'_>], deadline: Deadline) -> io::Result<Vec<usize>> {
    let mut fds: Vec<PollFd<'_>> =
        descriptors(sources).map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    loop {
        let left = deadline.remaining().map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut fds, left) {
            Ok(0) if !deadline.is_over() => {}
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
            Ok(_) => break,
        }
    }
    let mut polled = fds.iter().map(|fd| fd.any().unwrap_or(true));
    let mut ready = |source: &Source<'_>| match source {
        Source::Descriptor(_) => polled.next().unwrap_or(false),
        Source::Event(event) => event.is_set(),
        Source::Messages(Messages(incoming)) => incoming.is_ready(),
    };
    Ok(sources
        .iter()
        .enumerate()
        .filter_map(|(index, source)| ready(source).then_some(index))
        .collect())
}

fn descriptors<'a>(sources: &'a [Source<'a>]) -> impl Iterator<Item = BorrowedFd<'a>> {
    sources.iter().filter_map(|source| match source {
        Source::Descriptor(fd) => Some(*fd),
        Source::Event(_) | Source::Messages(_) => None,
    })
}

/// Sleeps on words; if there are descriptors too, a helper thread turns their readiness into a word.
fn wait_for_either(
    sources: &[Source<'_>],
    words: &[(&AtomicU32, u32)],
    watch: Watch,
    deadline: Deadline,
) -> io::Result<()> {
    // A sleep watches a limited number of words: the others are looked at again after a while.
    let most = futex::MAX_WORDS - 2;
    let (words, deadline) = match words.split_at_checked(most) {
        Some((few, [_, ..])) => (few, deadline.min(Deadline::after(Duration::from_millis(10)))),
        _ => (words, deadline),
    };
    if descriptors(sources).next().is_none() {
        watch.wait_words(words, deadline);
        return Ok(());
    }
    let flag = AtomicU32::new(0);
    let (quit, stop): (OwnedFd, OwnedFd) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    std::thread::scope(|scope| {
        let body = || {
            let mut fds: Vec<PollFd<'_>> =
                descriptors(sources).map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
            fds.push(PollFd::new(quit.as_fd(), PollFlags::POLLIN));
            while poll(&mut fds, PollTimeout::NONE) == Err(Errno::EINTR) {}
            flag.store(1, Ordering::Release);
            futex::wake_all(&flag);
        };
        std::thread::Builder::new().name("psync-wait-any".to_owned()).spawn_scoped(scope, body)?;
        let mut all = words.to_vec();
        all.push((&flag, 0));
        while watch.wait_words(&all, deadline) == Wake::Verify {}
        drop(stop);
        Ok(())
    })
}
