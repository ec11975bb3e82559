//! A list, as the server has it.

use super::{Behind, as_a, numbered, part, within};
use crate::manager::{
    error::Fault,
    item::Item,
    serve::Served,
    stored::Stored,
    wire::{Arguments, Reply},
};
use core::any::Any;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::manager) struct List(Behind<Vec<Stored>>);

numbered! {
    /// What can be asked of a list.
    Method { Push Pop Insert Remove Get Set Exchange Len Part Extend Reverse Truncate Contains }
}

impl Served for List {
    fn call(
        &self,
        method: u32,
        arguments: &mut Arguments<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Fault> {
        match Method::of(method)? {
            Method::Push => {
                let value = arguments.last_stored()?;
                self.0.write().push(value);
            }
            Method::Extend => {
                let values = arguments.all_stored()?;
                self.0.write().extend(values);
            }
            Method::Insert => {
                let (index, value) = (arguments.index()?, arguments.last_stored()?);
                let mut list = self.0.write();
                // The end is a place to insert at.
                let index = within(index, list.len() + 1)?;
                list.insert(index, value);
            }
            Method::Set => {
                let (index, value) = (arguments.index()?, arguments.last_stored()?);
                let mut list = self.0.write();
                let index = within(index, list.len())?;
                let old = core::mem::replace(&mut list[index], value);
                drop(list);
                drop(old);
            }
            Method::Exchange => {
                let (index, old) = (arguments.index()?, arguments.stored()?);
                let new = arguments.last_stored()?;
                let mut list = self.0.write();
                let index = within(index, list.len())?;
                let is_it = list[index].is(&old);
                if is_it {
                    list[index] = new;
                }
                reply.flag(is_it);
            }
            Method::Pop => {
                let mut list = self.0.write();
                reply.option(list.last())?;
                let value = list.pop();
                drop(list);
                drop(value);
            }
            Method::Remove => {
                let index = arguments.index()?;
                let mut list = self.0.write();
                let index = within(index, list.len())?;
                reply.last(&list[index])?;
                let value = list.remove(index);
                drop(list);
                drop(value);
            }
            Method::Truncate => {
                let len = arguments.index()?;
                let mut list = self.0.write();
                let rest = if len < list.len() { list.split_off(len) } else { Vec::new() };
                drop(list);
                drop(rest);
            }
            Method::Reverse => self.0.write().reverse(),
            Method::Get => {
                let index = arguments.index()?;
                reply.option(self.0.read().get(index))?;
            }
            Method::Len => reply.len(self.0.read().len()),
            Method::Part => {
                let (start, most) = (arguments.index()?, arguments.index()?);
                let list = self.0.read();
                part(list.iter(), start, most).try_for_each(|value| reply.item(value))?;
            }
            Method::Contains => {
                let value = arguments.last_stored()?;
                reply.flag(self.0.read().iter().any(|own| own.is(&value)));
            }
        }
        Ok(())
    }
}

/// Sorts the list, as its values are ordered.
pub(in crate::manager) fn sort<T: Item + Ord>(
    object: &dyn Any,
    _: &mut Arguments<'_>,
    _: &mut Reply<'_>,
) -> Result<(), Fault> {
    let List(list) = as_a(object)?;
    let mut list = list.write();
    let values: Vec<T> = list.iter().map(Stored::value).collect::<Result<_, _>>()?;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].cmp(&values[*b]));
    // A panic while comparing has changed nothing.
    let mut old: Vec<Option<Stored>> = list.drain(..).map(Some).collect();
    list.extend(order.into_iter().filter_map(|index| old[index].take()));
    Ok(())
}

/// Replaces one value by what `f` makes of it, and returns that.
#[allow(unsafe_code, reason = "takes a function from the client")]
pub(in crate::manager) fn update<T: Item>(
    object: &dyn Any,
    arguments: &mut Arguments<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), Fault> {
    let List(list) = as_a(object)?;
    // SAFETY: `ListProxy::<T>::update_with` puts a function of this type there (UNSAFE.md, P1).
    let f: fn(T) -> T = unsafe { arguments.function()? };
    let index = arguments.index()?;
    let mut list = list.write();
    let index = within(index, list.len())?;
    let new = Stored::of(f(list[index].value()?))?;
    reply.last(&new)?;
    list[index] = new;
    Ok(())
}

/// Keeps the values for which `f` says so. How many are left.
#[allow(unsafe_code, reason = "takes a function from the client")]
pub(in crate::manager) fn retain<T: Item>(
    object: &dyn Any,
    arguments: &mut Arguments<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), Fault> {
    let List(list) = as_a(object)?;
    // SAFETY: `ListProxy::<T>::retain` puts a function of this type there (UNSAFE.md, P1).
    let f: fn(&T) -> bool = unsafe { arguments.function()? };
    let mut list = list.write();
    let values = list.iter().map(Stored::value::<T>);
    let stays: Vec<bool> = values.map(|value| Ok(f(&value?))).collect::<Result<_, Fault>>()?;
    let mut stays = stays.into_iter();
    list.retain(|_| stays.next().unwrap_or(true));
    reply.len(list.len());
    Ok(())
}
