//! The branches of a `parallel!`: before they are started, and after. Those with items are in `items.rs`.

use super::group::{Group, Key, Running};
use crate::process::call::Call;

/// One process of one branch: it runs, or has left a result, or has failed.
#[doc(hidden)]
#[derive(Debug)]
pub struct Member<R> {
    pub(super) key: Key,
    name: &'static str,
    running: Option<Running<R>>,
    pub(super) result: Option<R>,
}

impl<R: 'static> Member<R> {
    pub(super) fn start(key: Key, name: &'static str, group: &Group, call: Call<'_, R>) -> Self {
        Self { key, name, running: group.start(key, name, call), result: None }
    }

    /// Whether it has ended, in whichever way.
    pub(super) fn settle(&mut self, group: &Group) -> bool {
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

/// A branch of one process.
pub const fn one<'a, R>(name: &'static str, call: Call<'a, R>) -> One<'a, R> {
    One { name, call }
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
    /// Begins with what there is room for.
    fn refill(&mut self, group: &Group);
    /// All outputs, or `None` if any is missing; then the group knows why.
    fn finish(self, group: &Group) -> Option<Self::Output>;
}

impl<R: 'static> Branches for One<'_, R> {
    type Output = R;
    type Started = Member<R>;

    fn start(self, group: &Group) -> Member<R> {
        group.bar.expect(Some(1));
        Member::start((group.next_branch(), None), self.name, group, self.call)
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
