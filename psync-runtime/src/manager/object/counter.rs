//! A number, as the server has it.

use super::numbered;
use crate::{
    manager::{
        error::Fault,
        serve::Served,
        wire::{Arguments, Reply},
    },
    primitive::{AtomicU64, Ordering},
};

/// See the module.
#[derive(Debug, Default)]
pub(in crate::manager) struct Counter(AtomicU64);

numbered! {
    /// What can be asked of a counter.
    Method { Add Get Set Exchange }
}

impl Served for Counter {
    fn call(
        &self,
        method: u32,
        arguments: &mut Arguments<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Fault> {
        let order = Ordering::AcqRel;
        match Method::of(method)? {
            Method::Add => {
                let step = arguments.number()?;
                reply.number(self.0.fetch_add(step, order).wrapping_add(step));
            }
            Method::Get => reply.number(self.0.load(Ordering::Acquire)),
            Method::Set => reply.number(self.0.swap(arguments.number()?, order)),
            Method::Exchange => {
                let (old, new) = (arguments.number()?, arguments.number()?);
                let done = self.0.compare_exchange(old, new, order, Ordering::Acquire).is_ok();
                reply.flag(done);
            }
        }
        Ok(())
    }
}
