//! The branches of a `parallel!`: before they are started, and after.

use super::{
    Starter,
    care::{Report, Verdict, Watched},
};
use crate::process::{
    Failure, Process, ProcessError,
    call::{Call, Join},
};
use core::fmt;
use std::sync::Arc;

/// One process of one branch, or why there is none.
#[doc(hidden)]
#[derive(Debug)]
pub struct Member<R> {
    pub(super) branch: usize,
    pub(super) index: Option<usize>,
    pub(super) name: &'static str,
    pub(super) process: Result<(Process<R>, Join<R>), ProcessError>,
}

impl<R> Member<R> {
    fn watched(&self) -> Watched {
        Watched::new(
            (self.branch, self.index),
            self.process.as_ref().ok().map(|(process, _)| Arc::clone(process.child())),
        )
    }
}

impl<R> Member<R> {
    fn end(self, report: &mut Report) -> Option<R> {
        let (name, key) = (self.name, (self.branch, self.index));
        let verdict = report.verdict(key);
        let result =
            self.process.and_then(|(process, join)| join(process)).map_err(|error| match verdict {
                Some(Verdict::Cancelled) if error.is_signal() => {
                    ProcessError::Cancelled { name: error.name().to_owned(), pid: error.pid() }
                }
                Some(Verdict::TimedOut) if error.is_signal() => {
                    ProcessError::TimedOut { name: error.name().to_owned(), pid: error.pid() }
                }
                _ => error,
            });
        match result {
            Ok(result) => Some(result),
            Err(error) => {
                report.failed(Failure {
                    branch: key.0,
                    index: key.1,
                    name: name.to_owned(),
                    error,
                });
                None
            }
        }
    }
}

impl ProcessError {
    const fn is_signal(&self) -> bool {
        matches!(self, Self::Signaled { .. } | Self::Lost { .. })
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
    fn start(self, starter: &Starter) -> Self::Started;
}

/// Branches whose processes run.
#[doc(hidden)]
pub trait Started {
    type Output;
    fn watch(&self, watched: &mut Vec<Watched>);
    /// All outputs, or `None` if any is missing; then the report says why.
    fn finish(self, report: &mut Report) -> Option<Self::Output>;
}

impl<R: 'static> Branches for One<'_, R> {
    type Output = R;
    type Started = Member<R>;

    fn start(self, starter: &Starter) -> Member<R> {
        starter.start(starter.next_branch(), None, self.name, || self.call)
    }
}

impl<'a, I, F, R> Branches for Each<I, F>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Call<'a, R>,
    R: 'static,
{
    type Output = Vec<R>;
    type Started = Vec<Member<R>>;

    fn start(mut self, starter: &Starter) -> Vec<Member<R>> {
        let branch = starter.next_branch();
        let items = self.items.into_iter().enumerate();
        items
            .map(|(index, item)| {
                starter.start(branch, Some(index), self.name, || (self.call)(item))
            })
            .collect()
    }
}

impl<R> Started for Member<R> {
    type Output = R;

    fn watch(&self, watched: &mut Vec<Watched>) {
        watched.push(self.watched());
    }

    fn finish(self, report: &mut Report) -> Option<R> {
        self.end(report)
    }
}

impl<R> Started for Vec<Member<R>> {
    type Output = Vec<R>;

    fn watch(&self, watched: &mut Vec<Watched>) {
        watched.extend(self.iter().map(Member::watched));
    }

    fn finish(self, report: &mut Report) -> Option<Vec<R>> {
        // Every member is asked, so that every failure is reported.
        let results: Vec<Option<R>> = self.into_iter().map(|member| member.end(report)).collect();
        results.into_iter().collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: Branches),+> Branches for ($($name,)+) {
            type Output = ($($name::Output,)+);
            type Started = ($($name::Started,)+);

            #[allow(non_snake_case, reason = "variables named like their types")]
            fn start(self, starter: &Starter) -> Self::Started {
                let ($($name,)+) = self;
                ($($name.start(starter),)+)
            }
        }

        impl<$($name: Started),+> Started for ($($name,)+) {
            type Output = ($($name::Output,)+);

            #[allow(non_snake_case, reason = "variables named like their types")]
            fn watch(&self, watched: &mut Vec<Watched>) {
                let ($($name,)+) = self;
                $($name.watch(watched);)+
            }

            #[allow(non_snake_case, reason = "variables named like their types")]
            fn finish(self, report: &mut Report) -> Option<Self::Output> {
                let ($($name,)+) = self;
                $(let $name = $name.finish(report);)+
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
