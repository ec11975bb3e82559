//! One function for many items: `map`, `imap` and `imap_unordered`.

use super::{
    Bar,
    batch::{Parcel, Work, WorkId},
    callbacks::contain,
    error::TaskError,
    feed::{Feed, Taker},
    inner::{Inner, Reach},
    signal::{Signal, lock},
    task::received,
};
use crate::{
    channel::message,
    primitive::{AtomicU64, Ordering},
    sys::clock::Deadline,
};
use core::{fmt, time::Duration};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::VecDeque,
    panic::resume_unwind,
    sync::{Arc, Mutex, PoisonError},
};

/// What can be chosen about a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapOptions {
    /// How many items go to a worker at a time. If it is not said, as many as make about half a millisecond of work.
    pub chunk: Option<usize>,
    /// How many items are taken from the input ahead of what was returned, at most. If it is not said, enough for all workers.
    pub buffer: Option<usize>,
    /// How long all of it may take. Then it fails with [`TaskError::TimedOut`]: what has not begun never will, and what runs is killed.
    pub timeout: Option<Duration>,
    /// Whether a bar on standard error shows how far it is, if that is a terminal.
    pub progress: bool,
}

/// For how many results there is room at once: an iterator that promises more may not keep its word.
const MOST_ROOM: usize = 1 << 20;

/// So many results are decoded before they are put into their places.
const TRAY: usize = 64;

/// A result, in little room.
type Slim<R> = Result<R, Box<TaskError>>;

/// Where results arrive.
pub(super) struct Results<R> {
    is_ordered: bool,
    signal: Signal,
    shelf: Mutex<Shelf<R>>,
    /// How many have come.
    settled: AtomicU64,
    /// How many of them in a row, from the first one on, or if the order does not count, how many.
    ready: AtomicU64,
    failed: AtomicU64,
    /// How long a task takes, as the bits of a number of nanoseconds; 0 if it is not known.
    nanos: AtomicU64,
}

struct Shelf<R> {
    /// The index of the first one.
    base: u64,
    places: VecDeque<Option<Slim<R>>>,
    ready: u64,
}

impl<R> Results<R> {
    fn new(is_ordered: bool) -> Arc<Self> {
        let places = VecDeque::new();
        Arc::new(Self {
            is_ordered,
            signal: Signal::default(),
            shelf: Mutex::new(Shelf { base: 0, places, ready: 0 }),
            settled: AtomicU64::new(0),
            ready: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
        })
    }

    fn settled(&self) -> u64 {
        self.settled.load(Ordering::Acquire)
    }

    fn ready(&self) -> u64 {
        self.ready.load(Ordering::Acquire)
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire) != 0
    }

    /// The next one, if it is ready.
    fn take(&self) -> Option<Slim<R>> {
        let mut shelf = lock(&self.shelf);
        let first = shelf.places.front_mut()?.take()?;
        shelf.places.pop_front();
        shelf.base += 1;
        Some(first)
    }
}

impl<R> Drop for Results<R> {
    fn drop(&mut self) {
        // Perhaps by a thread of the pool's, which a result that panics must not end.
        let shelf = self.shelf.get_mut().unwrap_or_else(PoisonError::into_inner);
        for place in shelf.places.drain(..) {
            contain(|| drop(place));
        }
    }
}

impl<R> Shelf<R> {
    #[inline]
    fn put(&mut self, index: u64, result: Slim<R>, is_ordered: bool) {
        let place =
            if is_ordered { index.wrapping_sub(self.base) } else { self.places.len() as u64 };
        let Ok(place) = usize::try_from(place) else { return };
        if place > self.places.len() {
            self.places.resize_with(place, || None);
        }
        match self.places.get_mut(place) {
            Some(free) => *free = Some(result),
            None => self.places.push_back(Some(result)),
        }
    }

    /// How many there are in a row, and have been.
    fn ready(&mut self) -> u64 {
        let from = usize::try_from(self.ready - self.base).unwrap_or(usize::MAX);
        let more = self.places.range(from.min(self.places.len())..);
        self.ready += more.take_while(|place| place.is_some()).count() as u64;
        self.ready
    }
}

impl<R: DeserializeOwned + Send + 'static> Work for Results<R> {
    fn settle(self: Arc<Self>, base: u64, parcel: Parcel<'_>, count: &dyn Fn(u64, u64)) {
        let (mut done, mut failed) = (0, 0);
        let mut received = |outcome| {
            let result = received::<R>(outcome).map_err(Box::new);
            *(if result.is_ok() { &mut done } else { &mut failed }) += 1;
            result
        };
        let mut shelf;
        if message::is_plain::<R>() {
            shelf = lock(&self.shelf);
            parcel.each(|index, outcome| {
                shelf.put(base + u64::from(index), received(outcome), self.is_ordered);
            });
        } else {
            // Code of the user's runs to decode them, which may wait for the same pool and take in more of these results: without the lock, then.
            let mut some = Vec::with_capacity(TRAY);
            let put = |some: &mut Vec<_>| {
                let mut shelf = lock(&self.shelf);
                for (index, result) in some.drain(..) {
                    shelf.put(base + u64::from(index), result, self.is_ordered);
                }
                shelf
            };
            parcel.each(|index, outcome| {
                some.push((index, received(outcome)));
                if some.len() == TRAY {
                    drop(put(&mut some));
                }
            });
            shelf = put(&mut some);
        }
        count(done, failed);
        self.ready.store(shelf.ready(), Ordering::Release);
        drop(shelf);
        self.failed.fetch_add(failed, Ordering::Release);
        self.settled.fetch_add(done + failed, Ordering::Release);
        self.signal.notify();
    }

    fn note_pace(&self, nanos: u64, tasks: u32) {
        if tasks == 0 {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "a rough number")]
        let now = nanos as f64 / f64::from(tasks);
        let known = self.nanos();
        // One that is slower counts at once: a batch that is too long keeps others waiting.
        let next =
            known.map_or(now, |known| if now > known { now } else { f64::midpoint(known, now) });
        self.nanos.store(next.max(1.0).to_bits(), Ordering::Relaxed);
    }
}

impl<R: DeserializeOwned + Send + 'static> Taker for Results<R> {
    fn nanos(&self) -> Option<f64> {
        match self.nanos.load(Ordering::Relaxed) {
            0 => None,
            bits => Some(f64::from_bits(bits)),
        }
    }
}

/// Calls off what has not begun when a map is left, in whichever way.
struct Leave<'a, R> {
    inner: &'a Inner,
    work: &'a Arc<Results<R>>,
}

impl<R> Drop for Leave<'_, R> {
    fn drop(&mut self) {
        self.inner.leave_to_keeper();
        self.inner.call_off(WorkId::of(self.work), &TaskError::Cancelled, Reach::NotBegun);
    }
}

/// All results in order, or the first error.
pub(super) fn map<A, R, I>(
    inner: &Arc<Inner>,
    function: fn(A) -> R,
    items: I,
    options: &MapOptions,
) -> Result<Vec<R>, TaskError>
where
    A: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + Send + 'static,
    I: Iterator<Item = A>,
{
    let deadline = options.timeout.map_or(Deadline::NEVER, Deadline::after);
    let work = Results::<R>::new(true);
    let mut feed = Feed::new(inner, Arc::clone(&work), function, items, options)?;
    let bar = Bar::new(options.progress);
    bar.expect(feed.exact());
    lock(&work.shelf).places.reserve(feed.exact().unwrap_or(0).min(MOST_ROOM));
    let leave = Leave { inner, work: &work };
    let mut shown = 0;
    let refused = loop {
        let is_enough = |_| deadline.is_over() || work.has_failed();
        if let Err(error) = feed.fill(work.settled(), &is_enough) {
            break Some(error);
        }
        let taken = feed.taken;
        let low = if feed.is_over { 0 } else { feed.low_water() - 1 };
        let enough = || taken - work.settled() <= low || work.has_failed();
        let in_time = inner.wait_for_a_while(&work.signal, &enough, deadline);
        bar.advance_by(work.settled() - shown);
        shown = work.settled();
        if work.has_failed() || (feed.is_over && work.settled() == taken) {
            break None;
        }
        if !in_time || deadline.is_over() {
            inner.call_off(WorkId::of(&work), &TaskError::TimedOut, Reach::Running);
            break Some(TaskError::TimedOut);
        }
    };
    // What runs is awaited, so that nothing of it goes on behind the caller's back.
    drop(leave);
    let is_quiet = || work.settled() == feed.taken;
    if !inner.wait_until(&work.signal, &is_quiet, deadline) {
        inner.call_off(WorkId::of(&work), &TaskError::TimedOut, Reach::Running);
        inner.wait_until(&work.signal, &is_quiet, Deadline::NEVER);
    }
    bar.advance_by(work.settled() - shown);
    if let Some(payload) = feed.panic.take() {
        resume_unwind(payload);
    }
    if let Some(error) = refused {
        return Err(error);
    }
    // The same memory becomes that of the results.
    let places = Vec::from(core::mem::take(&mut lock(&work.shelf).places));
    let missing = || Err(Box::new(TaskError::Cancelled));
    let results = places.into_iter().map(|place| place.unwrap_or_else(missing));
    if !work.has_failed() {
        return results.collect::<Result<Vec<R>, _>>().map_err(|error| *error);
    }
    // Those that were called off for the failure of another do not count.
    let mut errors = results.filter_map(Result::err).map(|error| *error);
    let first = errors.find(|error| *error != TaskError::Cancelled);
    Err(first.unwrap_or(TaskError::Cancelled))
}

/// What both iterators are.
struct Stream<A, R, I>
where
    I: Iterator<Item = A>,
    R: DeserializeOwned + Send + 'static,
{
    inner: Arc<Inner>,
    feed: Feed<A, I, Results<R>>,
    deadline: Deadline,
    /// How many were returned.
    yielded: u64,
    /// What comes once all that was taken has been returned.
    last: Option<TaskError>,
    is_over: bool,
    bar: Bar,
}

impl<A, R, I> Stream<A, R, I>
where
    A: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + Send + 'static,
    I: Iterator<Item = A>,
{
    fn new(
        inner: &Arc<Inner>,
        function: fn(A) -> R,
        items: I,
        options: &MapOptions,
        is_ordered: bool,
    ) -> Result<Self, TaskError> {
        let deadline = options.timeout.map_or(Deadline::NEVER, Deadline::after);
        let work = Results::<R>::new(is_ordered);
        let feed = Feed::new(inner, work, function, items, options)?;
        let bar = Bar::new(options.progress);
        bar.expect(feed.exact());
        let inner = Arc::clone(inner);
        let mut stream =
            Self { inner, feed, deadline, yielded: 0, last: None, is_over: false, bar };
        // Whoever has a slow iterator has the first results while the rest is to come, unless it was said how much is taken.
        let is_open = options.buffer.is_none();
        stream.refill(|is_slow| is_slow && is_open || deadline.is_over());
        stream.inner.leave_to_keeper();
        Ok(stream)
    }

    fn refill(&mut self, is_enough: impl Fn(bool) -> bool) {
        if let Err(error) = self.feed.fill(self.yielded, &is_enough) {
            self.last = Some(error);
        }
    }

    fn next(&mut self) -> Option<Result<R, TaskError>> {
        if self.is_over {
            return None;
        }
        let (work, deadline) = (Arc::clone(&self.feed.work), self.deadline);
        let yielded = self.yielded;
        if !deadline.is_over() {
            let is_ready = || work.ready() > yielded;
            self.refill(|is_slow| is_slow && is_ready() || deadline.is_over());
        }
        if yielded == self.feed.taken {
            self.is_over = true;
            if let Some(payload) = self.feed.panic.take() {
                resume_unwind(payload);
            }
            let is_cut_short = deadline.is_over() && self.feed.most() != Some(0);
            let late = is_cut_short.then_some(TaskError::TimedOut);
            return self.last.take().or(late).map(Err);
        }
        if !self.inner.wait_until(&work.signal, &|| work.ready() > yielded, deadline) {
            self.is_over = true;
            self.inner.call_off(WorkId::of(&work), &TaskError::TimedOut, Reach::Running);
            return Some(Err(TaskError::TimedOut));
        }
        let result = work.take()?;
        self.yielded += 1;
        self.bar.advance();
        Some(result.map_err(|error| *error))
    }

    /// It may end early, by an error that comes besides.
    fn size_hint(&self) -> (usize, Option<usize>) {
        let under_way = usize::try_from(self.feed.taken - self.yielded).unwrap_or(usize::MAX);
        let most = if self.is_over { Some(0) } else { self.feed.most() };
        (0, most.and_then(|most| most.checked_add(under_way)?.checked_add(1)))
    }
}

impl<A, R, I> Drop for Stream<A, R, I>
where
    I: Iterator<Item = A>,
    R: DeserializeOwned + Send + 'static,
{
    fn drop(&mut self) {
        let work = WorkId::of(&self.feed.work);
        self.inner.call_off(work, &TaskError::Cancelled, Reach::NotBegun);
    }
}

macro_rules! stream {
    ($(#[$doc:meta])* $name:ident, $is_ordered:literal) => {
        $(#[$doc])*
        #[must_use = "it takes more items only when it is asked for results"]
        pub struct $name<A, R, I>(Result<Stream<A, R, I>, Option<TaskError>>)
        where
            I: Iterator<Item = A>,
            R: DeserializeOwned + Send + 'static;

        impl<A, R, I> $name<A, R, I>
        where
            A: Serialize + DeserializeOwned + 'static,
            R: Serialize + DeserializeOwned + Send + 'static,
            I: Iterator<Item = A>,
        {
            pub(super) fn new(
                inner: &Arc<Inner>,
                function: fn(A) -> R,
                items: I,
                options: &MapOptions,
            ) -> Self {
                Self(Stream::new(inner, function, items, options, $is_ordered).map_err(Some))
            }
        }

        impl<A, R, I> Iterator for $name<A, R, I>
        where
            A: Serialize + DeserializeOwned + 'static,
            R: Serialize + DeserializeOwned + Send + 'static,
            I: Iterator<Item = A>,
        {
            type Item = Result<R, TaskError>;

            fn next(&mut self) -> Option<Self::Item> {
                match &mut self.0 {
                    Ok(stream) => stream.next(),
                    Err(error) => error.take().map(Err),
                }
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.as_ref().map_or((0, Some(1)), Stream::size_hint)
            }
        }

        impl<A, R, I> fmt::Debug for $name<A, R, I>
        where
            I: Iterator<Item = A>,
            R: DeserializeOwned + Send + 'static,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let yielded = self.0.as_ref().map_or(0, |stream| stream.yielded);
                write!(f, "{}({yielded} returned)", stringify!($name))
            }
        }
    };
}

stream! {
    /// The results of [`Pool::imap`](super::Pool::imap), in the order of the items. Dropping it calls off what has not begun.
    Imap, true
}
stream! {
    /// The results of [`Pool::imap_unordered`](super::Pool::imap_unordered), in the order in which they come. Dropping it calls off what has not begun.
    ImapUnordered, false
}
