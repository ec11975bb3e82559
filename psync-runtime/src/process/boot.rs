//! The entry that psync has in every program: it does nothing, unless psync itself has executed the program.

use super::{child, link::VARIABLE, supervisor};
use crate::{
    shm::world,
    sys::{OsError, image, signal, spawn, standard},
};
use core::ffi::{c_char, c_int};
use std::os::fd::OwnedFd;

/// Called by the C library before `main`.
#[used]
#[allow(unsafe_code, reason = "an entry of .init_array")]
// SAFETY: the section holds pointers to such functions.
#[unsafe(link_section = ".init_array")]
pub(crate) static BOOT: Constructor = boot;

/// What the C library calls before `main`: the arguments of `main`.
type Constructor = extern "C" fn(c_int, *const *const c_char, *const *const c_char);

extern "C" fn boot(
    count: c_int,
    arguments: *const *const c_char,
    environment: *const *const c_char,
) {
    let Some(role) = std::env::var_os(VARIABLE) else { return };
    let Some(image) = image::main_program() else { return };
    let own = boot as *const ();
    // In a library that a program has loaded, the entry of the program itself decides.
    if image.offset_of(own.addr()).is_none() {
        return;
    }
    #[allow(unsafe_code, reason = "the variable must not reach programs that this one starts")]
    // SAFETY: the program has one thread yet.
    unsafe {
        std::env::remove_var(VARIABLE);
    }
    let role = role.to_string_lossy().into_owned();
    // A panic must not unwind into the C library, and this process must not reach `main`.
    let constructors = remaining_constructors(image, own.addr());
    let _ = std::panic::catch_unwind(|| {
        serve(&role, || constructors.for_each(|next| next(count, arguments, environment)));
    });
    end(FAILED);
}

/// The exit code of a process that could not be what it was started as.
const FAILED: i32 = 127;

#[allow(clippy::disallowed_methods, reason = "a process that failed to boot ends here")]
fn end(code: i32) -> ! {
    std::process::exit(code)
}

fn serve(role: &str, constructors: impl FnOnce()) {
    let (role, preloads) = role.split_once(':').unwrap_or((role, ""));
    if standard::fill().is_err() {
        return;
    }
    let Ok(descriptors) = take_descriptors() else { return };
    constructors();
    signal::ignore_broken_pipes();
    match role {
        "supervisor" => {
            let mut descriptors = Some(descriptors);
            let main = || descriptors.take().map_or((), |all| supervisor::main(all, preloads));
            if let (Err(error), Some(all)) = (child::on_user_thread(main), descriptors) {
                supervisor::fail(&all, &error.to_string());
            }
        }
        "child" => drop(child::on_user_thread(|| child::fresh(descriptors))),
        _ => {}
    }
}

/// The descriptors that came along, in the order that both roles share: see [`supervisor::main`] and [`child::fresh`].
fn take_descriptors() -> Result<[OwnedFd; 5], OsError> {
    let mut numbers = spawn::FIRST..;
    let mut next = || spawn::inherited(numbers.next().unwrap_or(i32::MAX));
    let world = next()?;
    let rest = [next()?, next()?, next()?, next()?, next()?];
    spawn::close_from(spawn::FIRST + 6);
    world::adopt(world)?;
    Ok(rest)
}

/// Other crates' constructors that the C library would have called after this one.
fn remaining_constructors(image: &image::Image, own: usize) -> impl Iterator<Item = Constructor> {
    let all = image.constructors();
    let next = all.iter().position(|&address| address == own).map_or(all.len(), |index| index + 1);
    all[next..].iter().filter(|&&address| address != 0 && address != usize::MAX).map(|&address| {
        let function = core::ptr::with_exposed_provenance::<()>(address);
        #[allow(unsafe_code, reason = "reads a table of function pointers")]
        // SAFETY: the entries of `.init_array` are pointers to such functions; the loader has relocated them.
        unsafe {
            core::mem::transmute::<*const (), Constructor>(function)
        }
    })
}
