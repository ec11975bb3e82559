//! What has to happen around every fork of this process, also those that the program makes by itself.
#![allow(unsafe_code, reason = "registers functions with the C library")]

use nix::libc;

/// Has `before` run in the forking thread ahead of every later fork, and `after` behind it, in the parent as in the child.
pub(crate) fn around(before: extern "C" fn(), after: extern "C" fn()) {
    // SAFETY: both are functions of this program, which never go away. In the child `after` may only do what a signal
    // handler may, which the caller sees to.
    unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
}
