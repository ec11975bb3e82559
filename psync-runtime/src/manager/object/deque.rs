//! A double-ended queue, as the server has it.

use super::{Behind, numbered, part, within};
use crate::manager::stored::Stored;
use crate::manager::{
    error::Fault,
    serve::Served,
    wire::{Arguments, Reply},
};
use std::collections::VecDeque;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::manager) struct Deque(Behind<VecDeque<Stored>>);

numbered! {
    /// What can be asked of a deque.
    Method { PushBack PushFront PopBack PopFront Back Get Set Len Part Extend Rotate Clear }
}

impl Served for Deque {
    fn call(
        &self,
        method: u32,
        arguments: &mut Arguments<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Fault> {
        match Method::of(method)? {
            Method::PushBack => {
                let value = arguments.last_stored()?;
                self.0.write().push_back(value);
            }
            Method::PushFront => {
                let value = arguments.last_stored()?;
                self.0.write().push_front(value);
            }
            Method::Extend => {
                let values = arguments.all_stored()?;
                self.0.write().extend(values);
            }
            Method::PopBack => {
                let mut deque = self.0.write();
                reply.option(deque.back())?;
                let value = deque.pop_back();
                drop(deque);
                drop(value);
            }
            Method::PopFront => {
                let mut deque = self.0.write();
                reply.option(deque.front())?;
                let value = deque.pop_front();
                drop(deque);
                drop(value);
            }
            Method::Back => reply.option(self.0.read().back())?,
            Method::Get => {
                let index = arguments.index()?;
                reply.option(self.0.read().get(index))?;
            }
            Method::Set => {
                let (index, value) = (arguments.index()?, arguments.last_stored()?);
                let mut deque = self.0.write();
                let index = within(index, deque.len())?;
                let old = core::mem::replace(&mut deque[index], value);
                drop(deque);
                drop(old);
            }
            Method::Len => reply.len(self.0.read().len()),
            Method::Part => {
                let (start, most) = (arguments.index()?, arguments.index()?);
                let deque = self.0.read();
                part(deque.iter(), start, most).try_for_each(|value| reply.item(value))?;
            }
            Method::Rotate => {
                let steps = arguments.index()?;
                let mut deque = self.0.write();
                let steps = steps.checked_rem(deque.len()).unwrap_or(0);
                deque.rotate_left(steps);
            }
            Method::Clear => {
                let all = core::mem::take(&mut *self.0.write());
                drop(all);
            }
        }
        Ok(())
    }
}
