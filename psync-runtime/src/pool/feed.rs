//! The input of a map: taken from the caller's iterator as it is needed, cut into batches, and handed to the pool.

use super::{
    MapOptions,
    batch::{Batch, Function, Outcome, Parcel, Work},
    error::{SubmitError, TaskError},
    inner::Inner,
};
use crate::sys::clock;
use core::{any::Any, iter::Fuse};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// How much work a batch should be, in nanoseconds: much more than handing it over costs, and little enough that all workers end at the same time.
const BATCH: u64 = 500_000;
/// The longest batch, in tasks and in bytes of arguments: longer messages than that take another way.
const LONGEST: (u32, usize) = (1 << 16, 60 << 10);
/// How many times as long as the last one a batch may be.
const GROWTH: u32 = 4;
/// How many tasks are under way if they come one by one.
const AHEAD: u64 = 64;
/// An iterator that takes more nanoseconds than this for an item is slow.
const SLOW: u64 = 100_000;
/// Whether it is, is known after so many: a few ticks of the coarse clock.
const WHILE: u64 = 10_000_000;

/// How a map is cut into batches.
#[derive(Debug)]
struct Pace {
    chunk: Option<u32>,
    buffer: Option<u64>,
    workers: u64,
    last: u32,
    /// How many tasks have filled a batch with their arguments.
    fits: u32,
}

impl Pace {
    fn new(options: &MapOptions, workers: usize) -> Result<Self, TaskError> {
        let refuse = |what: &str| {
            Err(TaskError::Input(format!("`{what}` is 0, so no item would ever be taken")))
        };
        match (options.chunk, options.buffer) {
            (Some(0), _) => return refuse("chunk"),
            (_, Some(0)) => return refuse("buffer"),
            _ => {}
        }
        let chunk = options.chunk.map(|chunk| u32::try_from(chunk).unwrap_or(u32::MAX));
        let buffer = options.buffer.map(|buffer| buffer as u64);
        Ok(Self { chunk, buffer, workers: workers as u64, last: 1, fits: LONGEST.0 })
    }

    /// How many items may be taken before any of them is done with.
    fn ahead(&self) -> u64 {
        let chunk = u64::from(self.chunk.unwrap_or(self.last));
        self.buffer.unwrap_or_else(|| AHEAD.max(4 * self.workers).max(4 * self.workers * chunk))
    }

    /// How long the next batch is to be, of `left` items that are known to come, if one task takes `nanos`.
    fn next(&mut self, nanos: Option<f64>, left: Option<usize>) -> u32 {
        if let Some(chunk) = self.chunk {
            return chunk;
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rough number, which saturates"
        )]
        let wanted = nanos.map_or(1, |nanos| (BATCH as f64 / nanos.max(1.0)) as u32);
        let most = left.map_or(LONGEST.0, |left| {
            let share = left as u64 / (4 * self.workers);
            u32::try_from(share).unwrap_or(u32::MAX).clamp(1, LONGEST.0)
        });
        let limit = self.last.saturating_mul(GROWTH);
        let next = wanted.min(limit).clamp(1, most.min(self.fits));
        self.last = self.last.max(next).min(wanted.max(1)).min(self.fits);
        next
    }
}

/// What a map has to know of whoever takes its results.
pub(super) trait Taker: Work {
    /// How many nanoseconds a task takes, as far as is known.
    fn nanos(&self) -> Option<f64>;
}

/// See the module.
pub(super) struct Feed<A, I: Iterator<Item = A>, W> {
    inner: Arc<Inner>,
    pub(super) work: Arc<W>,
    /// Whether it did before the pool was closed.
    has_begun: bool,
    function: Function,
    items: Fuse<I>,
    pace: Pace,
    /// How many were taken from the iterator.
    pub(super) taken: u64,
    /// Nothing more will be taken.
    pub(super) is_over: bool,
    /// What the iterator panicked with.
    pub(super) panic: Option<Box<dyn Any + Send>>,
}

impl<A, I: Iterator<Item = A>, W> core::fmt::Debug for Feed<A, I, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Feed").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl<A, I, W> Feed<A, I, W>
where
    A: Serialize + DeserializeOwned + 'static,
    I: Iterator<Item = A>,
    W: Taker + 'static,
{
    pub(super) fn new<R: Serialize + 'static>(
        inner: &Arc<Inner>,
        work: Arc<W>,
        function: fn(A) -> R,
        items: I,
        options: &MapOptions,
    ) -> Result<Self, TaskError> {
        let (function, pace) = (Function::of(function)?, Pace::new(options, inner.terms.workers)?);
        Ok(Self {
            inner: Arc::clone(inner),
            work,
            has_begun: inner.begin_feed(),
            function,
            items: items.fuse(),
            pace,
            taken: 0,
            is_over: false,
            panic: None,
        })
    }

    /// How many items there will be, if the iterator knows.
    pub(super) fn exact(&self) -> Option<usize> {
        let (least, most) = self.items.size_hint();
        most.filter(|most| *most == least)
    }

    /// How many more there can be, if the iterator knows.
    pub(super) fn most(&self) -> Option<usize> {
        if self.is_over { Some(0) } else { self.items.size_hint().1 }
    }

    /// The number of items that were taken and are not done with, below which more are.
    pub(super) fn low_water(&self) -> u64 {
        self.pace.buffer.unwrap_or_else(|| self.pace.ahead() / 2).max(1)
    }

    /// Takes items and hands them over until `done` items are far enough behind, or it is enough: that is asked after each batch, and told
    /// whether the iterator is slow. Then the keeper looks after what is under way meanwhile. An error if the pool takes no more.
    pub(super) fn fill(
        &mut self,
        done: u64,
        is_enough: &dyn Fn(bool) -> bool,
    ) -> Result<(), TaskError> {
        let (mut began, before) = (None, self.taken);
        while !self.is_over {
            let room = self.pace.ahead().saturating_sub(self.taken - done);
            if room == 0 {
                return Ok(());
            }
            let left = self.items.size_hint().1;
            let count = self.pace.next(self.work.nanos(), left);
            // Never a short batch because little room is left: more room comes.
            if self.pace.buffer.is_none() && u64::from(count) > room && self.taken > done {
                return Ok(());
            }
            let began = *began.get_or_insert_with(clock::coarse);
            self.take(u64::from(count).min(room), is_enough)?;
            let spent = clock::coarse().saturating_sub(began);
            let is_slow = spent > WHILE + SLOW * (self.taken - before);
            if is_slow {
                self.inner.leave_to_keeper();
            }
            if is_enough(is_slow) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes up to so many items and hands them over; fewer, if they take long and nobody has said how many.
    fn take(&mut self, count: u64, is_enough: &dyn Fn(bool) -> bool) -> Result<(), TaskError> {
        let began = clock::coarse();
        let is_fixed = self.pace.chunk.is_some();
        let work: Arc<dyn Work> = self.work.clone();
        let mut batch = Batch::new(work, self.function, self.taken);
        let mut refused = None;
        let items = &mut self.items;
        let (inner, taken, is_over) = (&self.inner, &mut self.taken, &mut self.is_over);
        let hand_over = |batch| hand_over(inner, batch, self.has_begun);
        let fits = &mut self.pace.fits;
        let taking = catch_unwind(AssertUnwindSafe(|| {
            for index in 0..count {
                // Not each time: a look at the clock costs a part of a short item.
                let is_late = (index % 16 == 0 || index.is_power_of_two())
                    && clock::coarse().saturating_sub(began) > WHILE;
                if is_late && (!is_fixed || is_enough(false)) {
                    break;
                }
                let Some(item) = items.next() else {
                    *is_over = true;
                    break;
                };
                *taken += 1;
                match batch.push(&item) {
                    Ok(None) if batch.len() < LONGEST.1 => {}
                    Ok(None) => {
                        *fits = batch.count;
                        break;
                    }
                    Ok(Some(alone)) => {
                        let next = alone.next();
                        refused = hand_over(core::mem::replace(&mut batch, next));
                        refused = refused.take().or_else(|| hand_over(alone));
                    }
                    Err(error) => {
                        let failed = batch.next();
                        refused = hand_over(core::mem::replace(&mut batch, failed));
                        if refused.is_none() {
                            let outcome = Parcel::One(0, Outcome::Failed(error.into()));
                            Arc::clone(&batch.work).settle(batch.base, outcome, &inner.counter());
                            batch.base += 1;
                        }
                    }
                }
                if refused.is_some() {
                    break;
                }
            }
        }));
        if taking.is_err() {
            // An item that could not be encoded for a panic is none.
            *taken = batch.base + u64::from(batch.count);
        }
        let refused = refused.or_else(|| hand_over(batch));
        if let Err(payload) = taking {
            self.panic = Some(payload);
            self.is_over = true;
        }
        match refused {
            None => Ok(()),
            Some((first, error)) => {
                // What was taken and not handed over counts as never taken.
                self.taken = first;
                self.is_over = true;
                Err(error.into())
            }
        }
    }
}

impl<A, I: Iterator<Item = A>, W> Drop for Feed<A, I, W> {
    fn drop(&mut self) {
        if self.has_begun {
            self.inner.end_feed();
        }
    }
}

/// Hands a batch over, unless there is nothing in it; what it would have begun with, if it is not taken.
fn hand_over(inner: &Inner, batch: Batch, has_begun: bool) -> Option<(u64, SubmitError)> {
    let base = batch.base;
    if batch.count == 0 {
        return None;
    }
    inner.take_on(batch, has_begun).err().map(|error| (base, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(options: &MapOptions) -> Pace {
        Pace::new(options, 2).expect("neither is 0")
    }

    #[test]
    fn batches_grow_with_what_is_known() {
        let mut pace = pace(&MapOptions::default());
        assert_eq!(pace.next(None, None), 1, "nothing is known");
        let lengths: Vec<u32> = (0..8).map(|_| pace.next(Some(100.0), None)).collect();
        assert_eq!(lengths, [4, 16, 64, 256, 1024, 4096, 5000, 5000]);
        assert_eq!(pace.next(Some(1e9), None), 1, "a long task goes alone");
    }

    #[test]
    fn the_last_items_are_shared_out() {
        let mut pace = pace(&MapOptions::default());
        pace.last = 1 << 16;
        assert_eq!(pace.next(Some(1.0), Some(800)), 100);
        assert_eq!(pace.next(Some(1.0), Some(3)), 1);
    }

    #[test]
    fn what_is_asked_for_counts() {
        let mut fixed =
            pace(&MapOptions { chunk: Some(7), buffer: Some(2), ..MapOptions::default() });
        assert_eq!((fixed.next(Some(1.0), Some(3)), fixed.ahead()), (7, 2));
        for wrong in [
            MapOptions { chunk: Some(0), ..MapOptions::default() },
            MapOptions { buffer: Some(0), ..MapOptions::default() },
        ] {
            assert!(matches!(Pace::new(&wrong, 2), Err(TaskError::Input(_))));
        }
    }
}
