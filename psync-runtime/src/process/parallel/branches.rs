//! The branches of a `parallel!`: before they are started, and after.

use super::group::{Group, Key, Running};
use crate::process::{ProcessError, SpawnError, call::Call};
use core::fmt;

/// One process of one branch: it runs, or has left a result, or has failed.
#[doc(hidden)]
#[derive(Debug)]
pub struct Member<R> {
    key: Key,
    name: &'static str,
    running: Option<Running<R>>,
    result: Option<R>,
}

impl<R: 'static> Member<R> {
    fn start<'a>(
        key: Key,
        name: &'static str,
        group: &Group,
        call: impl FnOnce() -> Call<'a, R>,
    ) -> Self {
        Self { key, name, running: group.start(key, name, call), result: None }
    }

    /// Whether it has ended, in whichever way.
    fn settle(&mut self, group: &Group) -> bool {
        if let Some(running) = self.running.take_if(|(process, ..)| !process.is_alive()) {
            self.result = group.settle(running, self.key, self.name);
        }
        self.running.is_none()
    }
}

/// A branch of one process. Its output is what the process returns.
#[derive(Debug)]
pub struct One<'a, R> {
    name: &'static str,
    call: Call<'a, R>,
}

/// A branch of one process per item. Its output is a vector in the items' order.
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

/// A branch of one process.
pub const fn one<'a, R>(name: &'static str, call: Call<'a, R>) -> One<'a, R> {
    One { name, call }
}

/// A branch of one process per item.
pub const fn each<'a, I, F, R>(name: &'static str, items: I, call: F) -> Each<I, F>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Call<'a, R>,
{
    Each { name, items, call }
}

/// One branch, or a tuple of branches.
pub trait Branches {
    /// What they return together.
    type Output;
    #[doc(hidden)]
    type Started: Started<Output = Self::Output>;
    #[doc(hidden)]
    fn start(self, group: &Group) -> Self::Started;
}

/// Branches that were started, as far as there was room.
#[doc(hidden)]
pub trait Started {
    type Output;
    /// Takes the results of what has ended.
    fn settle(&mut self, group: &Group);
    /// Starts what there is room for.
    fn refill(&mut self, group: &Group);
    /// All outputs, or `None` if any is missing; then the group knows why.
    fn finish(self, group: &Group) -> Option<Self::Output>;
}

impl<R: 'static> Branches for One<'_, R> {
    type Output = R;
    type Started = Member<R>;

    fn start(self, group: &Group) -> Member<R> {
        group.bar.expect(Some(1));
        Member::start((group.next_branch(), None), self.name, group, || self.call)
    }
}

impl<R: 'static> Started for Member<R> {
    type Output = R;

    fn settle(&mut self, group: &Group) {
        Self::settle(self, group);
    }

    fn refill(&mut self, _: &Group) {}

    fn finish(self, _: &Group) -> Option<R> {
        self.result
    }
}

/// A `for` branch of which some items may not have been looked at yet.
#[doc(hidden)]
pub struct Items<I, F, R> {
    branch: usize,
    name: &'static str,
    /// `None` when there are no more, or when none will be looked at.
    rest: Option<I>,
    call: F,
    running: Vec<Member<R>>,
    results: Vec<Option<R>>,
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
        let mut started = Items {
            branch: group.next_branch(),
            name: self.name,
            rest: Some(items),
            call: self.call,
            running: Vec::new(),
            results: Vec::new(),
        };
        started.refill(group);
        started
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
    }

    fn refill(&mut self, group: &Group) {
        if let (Some(reason), Some(items)) = (group.settings.refuses_items(), &mut self.rest) {
            if items.next().is_some() {
                let error = SpawnError::Refused { reason };
                let error = ProcessError::NotStarted { error, name: self.name.to_owned() };
                group.fail((self.branch, None), self.name, error);
                self.results.push(None);
            }
            self.rest = None;
        }
        while group.has_room()
            && let Some(items) = &mut self.rest
        {
            let Some(item) = items.next() else {
                self.rest = None;
                return;
            };
            let key = (self.branch, Some(self.results.len()));
            self.results.push(None);
            self.running.push(Member::start(key, self.name, group, || (self.call)(item)));
        }
    }

    fn finish(self, group: &Group) -> Option<Vec<R>> {
        if let (Some(_), Some(verdict)) = (&self.rest, group.verdict()) {
            // Nobody asks for the rest of the items any more; it counts as one.
            let error = verdict.error(self.name.to_owned(), 0);
            group.fail((self.branch, None), self.name, error);
            return None;
        }
        self.results.into_iter().collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: Branches),+> Branches for ($($name,)+) {
            type Output = ($($name::Output,)+);
            type Started = ($($name::Started,)+);

            #[allow(non_snake_case, reason = "variables named like their types")]
            fn start(self, group: &Group) -> Self::Started {
                let ($($name,)+) = self;
                ($($name.start(group),)+)
            }
        }

        impl<$($name: Started),+> Started for ($($name,)+) {
            type Output = ($($name::Output,)+);

            #[allow(non_snake_case, reason = "variables named like their types")]
            fn settle(&mut self, group: &Group) {
                let ($($name,)+) = self;
                $($name.settle(group);)+
            }

            #[allow(non_snake_case, reason = "variables named like their types")]
            fn refill(&mut self, group: &Group) {
                let ($($name,)+) = self;
                $($name.refill(group);)+
            }

            #[allow(non_snake_case, reason = "variables named like their types")]
            fn finish(self, group: &Group) -> Option<Self::Output> {
                let ($($name,)+) = self;
                $(let $name = $name.finish(group);)+
                Some(($($name?,)+))
            }
        }
    )+};
}
tuples! {
    (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) (A B C D E F G H I)
    (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L) (A B C D E F G H I J K L M)
    (A B C D E F G H I J K L M N) (A B C D E F G H I J K L M N O) (A B C D E F G H I J K L M N O P)
}
