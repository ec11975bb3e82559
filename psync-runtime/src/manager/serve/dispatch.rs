//! What a request makes the server do.
#![allow(unsafe_code, reason = "turns offsets back into functions")]

use super::{Charge, Table};
use crate::{
    manager::{
        error::Fault,
        object,
        wire::{Arguments, Header, Operation, Reply, function_at},
    },
    process::describe_panic,
    shm::world::Identity,
    sys::fault,
};
use core::{any::Any, cell::RefCell};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// An object as the server has it.
pub(in super::super) trait Served: Any + Send + Sync {
    /// Does what the method of that number does.
    fn call(
        &self,
        method: u32,
        arguments: &mut Arguments<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Fault>;
}

/// A function of the program that works on an object.
pub(in super::super) type Entry =
    fn(&dyn Any, &mut Arguments<'_>, &mut Reply<'_>) -> Result<(), Fault>;

/// A function of the program that makes an object.
pub(in super::super) type Maker =
    fn(&mut Arguments<'_>, &mut Reply<'_>) -> Result<Arc<dyn Served>, Fault>;

/// Does what is asked for on behalf of `client`, and adds the result to `reply`.
pub(super) fn perform(
    table: &Table,
    client: Identity,
    header: &Header,
    arguments: &[u8],
    mut reply: Reply<'_>,
) -> Result<(), Fault> {
    let Header { operation, method, object, .. } = *header;
    let mut arguments = header.arguments(arguments);
    match operation {
        Operation::Call | Operation::Enter => {
            let served = table.get(object).ok_or(Fault::Gone)?;
            let inside = Inside::enter(object)?;
            let done = guarded(|| {
                if operation == Operation::Call {
                    return served.call(method, &mut arguments, &mut reply);
                }
                let entry = function_at(arguments.number()?)?;
                // SAFETY: what a client puts there is an `Entry` of the same image (UNSAFE.md, P1).
                let entry = unsafe { core::mem::transmute::<*const (), Entry>(entry) };
                let served: &dyn Any = &*served;
                entry(served, &mut arguments, &mut reply)
            });
            drop(inside);
            return done;
        }
        Operation::Make => {
            let served = object::make(method, &mut arguments)?;
            reply.number(table.insert(client, served));
            fault::point("manager: object made");
        }
        Operation::MakeBy => {
            let maker = function_at(arguments.number()?)?;
            // SAFETY: what a client puts there is a `Maker` of the same image (UNSAFE.md, P1).
            let maker = unsafe { core::mem::transmute::<*const (), Maker>(maker) };
            let start = reply.bytes.len();
            reply.number(0);
            let served = guarded(|| maker(&mut arguments, &mut reply))?;
            let object = table.insert(client, served);
            reply.bytes[start..start + 8].copy_from_slice(&object.to_le_bytes());
        }
        Operation::Release => {
            table.release(client, object);
            fault::point("manager: handle let go");
        }
        Operation::Depart => {
            let charge = Charge::from_bits(arguments.number()?);
            return if table.depart(charge, object) { Ok(()) } else { Err(Fault::Gone) };
        }
        Operation::Arrive => {
            let charge = Charge::from_bits(arguments.number()?);
            return if table.arrive(client, charge, object) { Ok(()) } else { Err(Fault::Gone) };
        }
        Operation::Land => table.land(Charge::from_bits(arguments.number()?), object),
        Operation::Count => reply.len(table.len()),
        Operation::Publish => {
            let (kind, name) = (arguments.number()?, name(&mut arguments)?);
            return if table.publish(name, object, kind) { Ok(()) } else { Err(Fault::Gone) };
        }
        Operation::Find => {
            let (kind, name) = (arguments.number()?, name(&mut arguments)?);
            if let Some(found) = table.find(client, &name, kind)? {
                reply.number(found);
            }
        }
    }
    Ok(())
}

fn name(arguments: &mut Arguments<'_>) -> Result<String, Fault> {
    String::from_utf8(arguments.last().to_vec()).map_err(|error| Fault::Decode(error.to_string()))
}

/// Runs code of the user's; a panic is that call's fault and nobody else's.
fn guarded<T>(body: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let (message, location, _) = describe_panic(payload.as_ref());
        Err(Fault::Panicked { message, location })
    })
}

thread_local! {
    /// The objects that this thread is working on: more than one if a function that the server runs calls others.
    static INSIDE: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Marks an object as being worked on by this thread, which would wait for itself if it came back.
struct Inside;

impl Inside {
    fn enter(object: u64) -> Result<Self, Fault> {
        INSIDE.with_borrow_mut(|inside| {
            if inside.contains(&object) {
                return Err(Fault::Reentered);
            }
            inside.push(object);
            Ok(Self)
        })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.with_borrow_mut(Vec::pop);
    }
}
