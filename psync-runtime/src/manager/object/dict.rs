//! A dictionary, as the server has it.
//!
//! Keys are their encoded bytes. So the server needs to know nothing of their type, also not to find them, and keys of a type with an equality of its own are equal only if
//! they are encoded alike. It keeps the order in which keys were inserted, so that two readers see the same order.

use super::{Behind, as_a, numbered};
use crate::manager::{
    error::Fault,
    item::Item,
    serve::Served,
    stored::Stored,
    wire::{Arguments, Reply},
};
use core::any::Any;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

type Key = Arc<[u8]>;

/// What is in a dictionary.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Each value, with its turn.
    values: HashMap<Key, (u64, Stored)>,
    /// The keys by their turns.
    order: BTreeMap<u64, Key>,
    turn: u64,
}

impl Entries {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&Stored> {
        self.values.get(key).map(|(_, value)| value)
    }

    pub(super) fn insert(&mut self, key: &[u8], value: Stored) -> Option<Stored> {
        if let Some((_, old)) = self.values.get_mut(key) {
            return Some(core::mem::replace(old, value));
        }
        let key: Key = key.into();
        self.turn += 1;
        self.order.insert(self.turn, Arc::clone(&key));
        self.values.insert(key, (self.turn, value));
        None
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<Stored> {
        let (turn, value) = self.values.remove(key)?;
        self.order.remove(&turn);
        Some(value)
    }

    pub(super) fn last(&self) -> Option<(&[u8], &Stored)> {
        let (_, key) = self.order.last_key_value()?;
        Some((key, self.get(key)?))
    }

    pub(super) fn pop(&mut self) -> Option<(Key, Stored)> {
        let (_, key) = self.order.pop_last()?;
        let (_, value) = self.values.remove(&key)?;
        Some((key, value))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &Stored)> {
        self.order.values().filter_map(|key| Some((&**key, self.get(key)?)))
    }

    /// Puts what there is to be under a key there.
    fn put(&mut self, key: &[u8], value: Option<Stored>) -> Option<Stored> {
        match value {
            Some(value) => self.insert(key, value),
            None => self.remove(key),
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(in crate::manager) struct Dict(Behind<Entries>);

numbered! {
    /// What can be asked of a dictionary.
    Method { Insert Get Remove Contains Len Keys Items GetOrInsert Exchange Extend PopLast Clear Discard }
}

impl Served for Dict {
    fn call(
        &self,
        method: u32,
        arguments: &mut Arguments<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Fault> {
        match Method::of(method)? {
            Method::Insert => {
                let (key, value) = (arguments.item()?, arguments.last_stored()?);
                let mut entries = self.0.write();
                reply.option(entries.get(key))?;
                let old = entries.insert(key, value);
                drop(entries);
                drop(old);
            }
            Method::Get => reply.option(self.0.read().get(arguments.last()))?,
            Method::Remove => {
                let key = arguments.last();
                let mut entries = self.0.write();
                reply.option(entries.get(key))?;
                let old = entries.remove(key);
                drop(entries);
                drop(old);
            }
            Method::Discard => {
                let old = self.0.write().remove(arguments.last());
                reply.flag(old.is_some());
            }
            Method::Contains => reply.flag(self.0.read().get(arguments.last()).is_some()),
            Method::Len => reply.len(self.0.read().len()),
            Method::Keys => {
                self.0.read().iter().try_for_each(|(key, _)| reply.raw_item(key))?;
            }
            Method::Items => {
                let entries = self.0.read();
                entries.iter().try_for_each(|(key, value)| {
                    reply.raw_item(key)?;
                    reply.item(value)
                })?;
            }
            Method::GetOrInsert => {
                let (key, value) = (arguments.item()?, arguments.last_stored()?);
                let mut entries = self.0.write();
                if let Some(own) = entries.get(key) {
                    return reply.last(own);
                }
                reply.last(&value)?;
                entries.insert(key, value);
            }
            Method::Exchange => {
                let (key, has_old, has_new) =
                    (arguments.item()?, arguments.number()? != 0, arguments.number()? != 0);
                let old = if has_old { Some(arguments.stored()?) } else { None };
                let new = if has_new { Some(arguments.stored()?) } else { None };
                let mut entries = self.0.write();
                let is_it = match (entries.get(key), &old) {
                    (Some(own), Some(old)) => own.is(old),
                    (own, old) => own.is_none() && old.is_none(),
                };
                let replaced = if is_it { entries.put(key, new) } else { None };
                drop(entries);
                drop(replaced);
                reply.flag(is_it);
            }
            Method::Extend => {
                let mut all = Vec::new();
                while !arguments.is_empty() {
                    all.push((arguments.item()?, arguments.stored()?));
                }
                let mut entries = self.0.write();
                let old: Vec<_> =
                    all.into_iter().map(|(key, value)| entries.insert(key, value)).collect();
                drop(entries);
                drop(old);
            }
            Method::PopLast => {
                let mut entries = self.0.write();
                if let Some((key, value)) = entries.last() {
                    reply.raw_item(key)?;
                    reply.item(value)?;
                }
                let last = entries.pop();
                drop(entries);
                drop(last);
            }
            Method::Clear => {
                let all = core::mem::take(&mut *self.0.write());
                drop(all);
            }
        }
        Ok(())
    }
}

/// Replaces what is under a key by what `f` makes of it. Returns what was there before, or what is there now.
#[allow(unsafe_code, reason = "takes a function from the client")]
pub(in crate::manager) fn update<V: Item, const OLD: bool>(
    object: &dyn Any,
    arguments: &mut Arguments<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), Fault> {
    let Dict(entries) = as_a(object)?;
    // SAFETY: `DictProxy::<_, V>` puts a function of this type there (UNSAFE.md, P1).
    let f: fn(Option<V>) -> Option<V> = unsafe { arguments.function()? };
    let key = arguments.last();
    let mut entries = entries.write();
    let old = entries.get(key);
    let new = f(old.map(Stored::value).transpose()?).map(Stored::of).transpose()?;
    reply.option(if OLD { old } else { new.as_ref() })?;
    let old = entries.put(key, new);
    drop(entries);
    drop(old);
    Ok(())
}
