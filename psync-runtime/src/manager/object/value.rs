//! One value, as the server has it.

use super::{Behind, as_a, numbered};
use crate::manager::{
    error::Fault,
    item::Item,
    serve::Served,
    stored::Stored,
    wire::{Arguments, Reply},
};
use core::any::Any;

/// See the module. It has no value only between its making and its first call.
#[derive(Debug, Default)]
pub(in crate::manager) struct Value(Behind<Option<Stored>>);

numbered! {
    /// What can be asked of a value.
    Method { Get Set Replace Exchange }
}

impl Served for Value {
    fn call(
        &self,
        method: u32,
        arguments: &mut Arguments<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Fault> {
        match Method::of(method)? {
            Method::Get => reply.option(self.0.read().as_ref())?,
            Method::Set => {
                let old = self.0.write().replace(arguments.last_stored()?);
                drop(old);
            }
            Method::Replace => {
                let new = arguments.last_stored()?;
                let mut value = self.0.write();
                reply.option(value.as_ref())?;
                let old = value.replace(new);
                drop(value);
                drop(old);
            }
            Method::Exchange => {
                let (old, new) = (arguments.stored()?, arguments.last_stored()?);
                let mut value = self.0.write();
                let is_it = value.as_ref().is_some_and(|value| value.is(&old));
                if is_it {
                    *value = Some(new);
                }
                reply.flag(is_it);
            }
        }
        Ok(())
    }
}

/// Replaces the value by what `f` makes of it, and returns that.
#[allow(unsafe_code, reason = "takes a function from the client")]
pub(in crate::manager) fn update<T: Item>(
    object: &dyn Any,
    arguments: &mut Arguments<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), Fault> {
    let Value(value) = as_a(object)?;
    // SAFETY: `ValueProxy::<T>::update` puts a function of this type there (UNSAFE.md, P1).
    let f: fn(T) -> T = unsafe { arguments.function()? };
    let mut value = value.write();
    let old = value.as_ref().ok_or(Fault::Gone)?.value::<T>()?;
    let new = Stored::of(f(old))?;
    reply.last(&new)?;
    *value = Some(new);
    Ok(())
}
