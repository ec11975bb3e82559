//! A set, as the server has it: a dictionary without values.

use super::{Behind, dict::Entries, numbered};
use crate::manager::{
    error::Fault,
    serve::Served,
    stored::Stored,
    wire::{Arguments, Reply},
};
use std::collections::HashSet;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::manager) struct Set(Behind<Entries>);

numbered! {
    /// What can be asked of a set.
    Method { Insert Remove Contains Len Items Extend RemoveAll Retain Pop Clear }
}

/// What lies under a member.
fn nothing() -> Stored {
    Stored::Bytes(Box::default())
}

impl Served for Set {
    fn call(
        &self,
        method: u32,
        arguments: &mut Arguments<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Fault> {
        match Method::of(method)? {
            Method::Insert => {
                let old = self.0.write().insert(arguments.last(), nothing());
                reply.flag(old.is_none());
            }
            Method::Remove => reply.flag(self.0.write().remove(arguments.last()).is_some()),
            Method::Contains => reply.flag(self.0.read().get(arguments.last()).is_some()),
            Method::Len => reply.len(self.0.read().len()),
            Method::Items => {
                self.0.read().iter().try_for_each(|(member, _)| reply.raw_item(member))?;
            }
            Method::Extend => {
                let members = members(arguments)?;
                let mut set = self.0.write();
                for member in members {
                    set.insert(member, nothing());
                }
            }
            Method::RemoveAll => {
                let members = members(arguments)?;
                let mut set = self.0.write();
                for member in members {
                    set.remove(member);
                }
            }
            Method::Retain => {
                let members: HashSet<&[u8]> = members(arguments)?.into_iter().collect();
                let mut set = self.0.write();
                let mut kept = Entries::default();
                for (member, _) in set.iter().filter(|(own, _)| members.contains(own)) {
                    kept.insert(member, nothing());
                }
                *set = kept;
            }
            Method::Pop => {
                let mut set = self.0.write();
                if let Some((member, _)) = set.last() {
                    reply.flag(true);
                    reply.bytes.extend_from_slice(member);
                    reply.fits()?;
                }
                set.pop();
            }
            Method::Clear => *self.0.write() = Entries::default(),
        }
        Ok(())
    }
}

fn members<'a>(arguments: &mut Arguments<'a>) -> Result<Vec<&'a [u8]>, Fault> {
    let mut all = Vec::new();
    while !arguments.is_empty() {
        all.push(arguments.item()?);
    }
    Ok(all)
}
