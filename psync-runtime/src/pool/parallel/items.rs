//! `for` branches: one function for many items, each in a process of its own or by a worker.

use super::{
    branches::{Branches, Member, Started},
    group::Group,
};
use crate::{
    pool::batch::Batch,
    process::{
        ProcessError, SpawnError,
        call::{Call, Open},
    },
};
use core::fmt;

/// A branch of many items. Its output is a vector in the items' order.
pub struct Each<I, F> {
    name: &'static str,
    items: I,
    call: F,
}

impl<I, F> fmt::Debug for Each<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A branch of many items.
pub const fn each<'a, I, F, R>(name: &'static str, items: I, call: F) -> Each<I, F>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Call<'a, R>,
{
    Each { name, items, call }
}

/// A `for` branch of which some items may not have been looked at yet.
#[doc(hidden)]
pub struct Items<I, F, R> {
    branch: usize,
    name: &'static str,
    /// `None` when there are no more, or when none will be looked at.
    rest: Option<I>,
    call: F,
    /// Those that have a process of their own.
    running: Vec<Member<R>>,
    results: Vec<Option<R>>,
    /// The name of the function, and how to have the result of an item that a worker has.
    way: Option<(&'static str, Open<R>)>,
    /// Some were handed over, and will never begin.
    are_called_off: bool,
}

impl<I, F, R> fmt::Debug for Items<I, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a, I, F, R> Branches for Each<I, F>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Call<'a, R>,
    R: 'static,
{
    type Output = Vec<R>;
    type Started = Items<I::IntoIter, F, R>;

    fn start(self, group: &Group) -> Self::Started {
        let items = self.items.into_iter();
        let (least, most) = items.size_hint();
        group.bar.expect(most.filter(|most| *most == least));
        group.begin_items(most);
        let mut started = Items {
            branch: group.next_branch(),
            name: self.name,
            rest: Some(items),
            call: self.call,
            running: Vec::new(),
            results: Vec::new(),
            way: None,
            are_called_off: false,
        };
        // How many workers there are to be is known when all branches are.
        if group.settings.workers.is_none() {
            started.refill(group);
        }
        started
    }
}

impl<'a, I, F, R> Items<I, F, R>
where
    I: Iterator,
    F: FnMut(I::Item) -> Call<'a, R>,
    R: 'static,
{
    /// The next item, if there is one: its place, and what is to be called.
    fn next(&mut self, group: &Group) -> Option<(usize, Call<'a, R>)> {
        let Some(item) = self.rest.as_mut()?.next() else {
            self.end(group);
            return None;
        };
        self.results.push(None);
        Some((self.results.len() - 1, (self.call)(item)))
    }

    /// No more items are looked at.
    fn end(&mut self, group: &Group) {
        if self.rest.take().is_some() {
            group.end_items();
        }
    }

    /// Begins with one item, or puts it to those in hand that go to a worker together. Whether there can be another one behind it.
    fn begin(
        &mut self,
        group: &Group,
        (index, call): (usize, Call<'a, R>),
        hand: &mut Option<Batch>,
    ) -> bool {
        let key = (self.branch, Some(index));
        let gathered = match group.workers_for(&call) {
            Ok(Some(gang)) => {
                self.way = Some((call.name(), call.open));
                gang.gather(hand, (self.branch, index), &call)
            }
            Ok(None) => {
                self.running.push(Member::start(key, self.name, group, call));
                return false;
            }
            Err(error) => Err(error),
        };
        match gathered {
            Ok(is_alone) => !is_alone,
            Err(error) => {
                let error = ProcessError::NotStarted { error, name: call.name().to_owned() };
                group.fail(key, self.name, error);
                false
            }
        }
    }
}

impl<'a, I, F, R> Started for Items<I, F, R>
where
    I: Iterator,
    F: FnMut(I::Item) -> Call<'a, R>,
    R: 'static,
{
    type Output = Vec<R>;

    fn settle(&mut self, group: &Group) {
        let results = &mut self.results;
        self.running.retain_mut(|member| {
            let ended = member.settle(group);
            if let (true, Some(index)) = (ended, member.key.1) {
                results[index] = member.result.take();
            }
            !ended
        });
        let (Some(gang), Some(way)) = (group.gang(), self.way) else { return };
        for landing in gang.take(self.branch) {
            if landing.never_began() {
                self.are_called_off = true;
            } else {
                let index = landing.index;
                results[index] = group.settle_item(landing, self.name, way);
            }
        }
    }

    fn refill(&mut self, group: &Group) {
        if let (Some(reason), Some(items)) = (group.settings.refuses_items(), &mut self.rest) {
            if items.next().is_some() {
                let error = SpawnError::Refused { reason };
                let error = ProcessError::NotStarted { error, name: self.name.to_owned() };
                group.fail((self.branch, None), self.name, error);
                self.results.push(None);
            }
            self.end(group);
        }
        while group.has_room() && self.rest.is_some() {
            let mut hand = None;
            for _ in 0..group.settings.chunk {
                let Some(item) = self.next(group) else { break };
                if !self.begin(group, item, &mut hand) {
                    break;
                }
            }
            if let Some(gang) = group.gang() {
                gang.hand_over(hand);
            }
        }
    }

    fn finish(self, group: &Group) -> Option<Vec<R>> {
        if let (true, Some(verdict)) = (self.rest.is_some() || self.are_called_off, group.verdict())
        {
            // Nobody asks for the rest of the items any more; it counts as one.
            let error = verdict.error(self.name.to_owned(), 0);
            group.fail((self.branch, None), self.name, error);
            return None;
        }
        self.results.into_iter().collect()
    }
}
