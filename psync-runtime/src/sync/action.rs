//! A function in shared memory: where it lies in the program, rather than where one process has it.
#![allow(unsafe_code, reason = "turns what was stored back into a function")]

use super::raw;
use crate::sys::image;
use core::mem::transmute;

/// A `fn()` that any process of the program can call.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Action {
    /// Offset in the main program's image, or address in the process `pid`; meaningless if `kind` is `NONE`.
    place: u64,
    kind: u32,
    pid: i32,
}

const NONE: u32 = 0;
const OFFSET: u32 = 1;
const ADDRESS: u32 = 2;

impl Action {
    pub(super) const NONE: Self = Self { place: 0, kind: NONE, pid: 0 };

    pub(super) fn new(action: fn()) -> Self {
        let address = (action as *const ()).expose_provenance();
        match image::main_program().and_then(|image| image.offset_of(address)) {
            Some(offset) => Self { place: offset, kind: OFFSET, pid: 0 },
            None => Self { place: address as u64, kind: ADDRESS, pid: raw::me().pid },
        }
    }

    pub(super) const fn is_some(&self) -> bool {
        self.kind != NONE
    }

    /// Calls the function.
    ///
    /// # Panics
    /// If it does, or if it is in a library and another process stored it.
    pub(super) fn run(&self) {
        let address = match self.kind {
            OFFSET => image::main_program().and_then(|image| image.address_of(self.place)),
            ADDRESS if self.pid == raw::me().pid => usize::try_from(self.place).ok(),
            _ => None,
        };
        let Some(address) = address else {
            panic!("the barrier's action is not a function of the main program");
        };
        let pointer = core::ptr::with_exposed_provenance::<()>(address);
        // SAFETY: `new` stored the place of a `fn()`: in the main program's image, which is the same in all processes
        // (UNSAFE.md, P1), or in this very process.
        let action = unsafe { transmute::<*const (), fn()>(pointer) };
        action();
    }
}
