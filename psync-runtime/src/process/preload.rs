//! What the supervisor runs once before it forks anything, and which file it is executed from.

use crate::sys::{image, spawn};
use core::fmt::{Display, Write};
use std::{
    ffi::{CStr, CString, OsStr},
    os::unix::ffi::OsStrExt,
    path::Path,
    sync::{Mutex, PoisonError},
};

/// What happens if a preload function fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// Nothing.
    #[default]
    Ignore,
    /// Its error is printed to the standard error of the program.
    Warn,
    /// Starts fail with its error.
    Fail,
}

/// A preload function's error, as text.
pub(crate) type Preload = fn() -> Result<(), String>;

static PRELOADS: Mutex<Vec<(u64, OnError)>> = Mutex::new(Vec::new());
static EXECUTABLE: Mutex<Option<CString>> = Mutex::new(None);

/// Has the supervisor call a function once, before it makes the first child, so that every child of
/// [`StartMethod::ForkServer`](super::StartMethod::ForkServer) finds its work done: tables computed, libraries loaded.
///
/// Call it before the first start; later calls count for the next supervisor only. The function must not start threads.
///
/// # Examples
/// ```
/// use psync::{OnError, preload};
///
/// fn warm_up() -> Result<(), String> {
///     Ok(())
/// }
///
/// preload(warm_up, OnError::Warn);
/// ```
///
/// # Panics
/// If the function is not part of the main program.
pub fn preload(function: fn() -> Result<(), String>, on_error: OnError) {
    let offset =
        image::main_program().and_then(|image| image.offset_of((function as *const ()).addr()));
    let Some(offset) = offset else {
        panic!("a preload function must be part of the main program")
    };
    PRELOADS.lock().unwrap_or_else(PoisonError::into_inner).push((offset, on_error));
}

/// Sets the file that supervisors and [`StartMethod::Spawn`](super::StartMethod::Spawn) children are executed from, instead of `/proc/self/exe`.
///
/// It must be the same build of the same program, since functions cross as offsets into it: anything else fails at the start, with a
/// clear error. Useful where `/proc/self/exe` is something else, such as an emulator.
///
/// # Errors
/// If the path contains a NUL byte.
///
/// # Examples
/// ```
/// // The same as without it.
/// psync::set_executable("/proc/self/exe")?;
/// assert_eq!(psync::spawn(|n: u32| n + 1, 1)?.join()?, 2);
/// # Ok::<(), psync::Error>(())
/// ```
pub fn set_executable(path: impl AsRef<Path>) -> std::io::Result<()> {
    let path = CString::new(path.as_ref().as_os_str().as_bytes())?;
    *EXECUTABLE.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
    Ok(())
}

/// The file to execute.
pub(crate) fn executable() -> CString {
    let chosen = EXECUTABLE.lock().unwrap_or_else(PoisonError::into_inner).clone();
    chosen.unwrap_or_else(|| DEFAULT.to_owned())
}

/// What is executed if nothing else was chosen.
pub(crate) const DEFAULT: &CStr = c"/proc/self/exe";

/// The chosen executable and the preloads, for the boot variable: `:x=path` in hexadecimal, and `:offset=policy` each.
pub(crate) fn encode() -> String {
    let mut text = String::from(":x=");
    for byte in EXECUTABLE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .flat_map(|path| path.to_bytes())
    {
        let _ = write!(text, "{byte:02x}");
    }
    for (offset, on_error) in PRELOADS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let _ = write!(text, ":{offset:x}={}", *on_error as u8);
    }
    text
}

/// In the supervisor: runs what [`encode`] wrote. The error is that of a preload whose failure must be told.
#[allow(unsafe_code, reason = "turns an offset back into a function")]
pub(crate) fn run(encoded: &str) -> Result<(), String> {
    for entry in encoded.split(':').filter(|entry| !entry.is_empty()) {
        let Some((offset, policy)) = entry.split_once('=') else { continue };
        if offset == "x" {
            adopt_executable(policy);
            continue;
        }
        let offset = u64::from_str_radix(offset, 16).unwrap_or(u64::MAX);
        let Some(address) = image::main_program().and_then(|image| image.address_of(offset)) else {
            continue;
        };
        // SAFETY: the offset was taken from a `Preload` of the same image (UNSAFE.md, P1).
        let function = unsafe {
            core::mem::transmute::<*const (), Preload>(core::ptr::with_exposed_provenance(address))
        };
        let Err(error) =
            std::panic::catch_unwind(function).unwrap_or_else(|_| Err("it panicked".to_owned()))
        else {
            continue;
        };
        match policy {
            "1" => warn(&error),
            "2" => return Err(format!("preload failed: {error}")),
            _ => {}
        }
    }
    Ok(())
}

/// The supervisor executes fresh children from where it was told to come from itself.
fn adopt_executable(hex: &str) {
    let digits = hex.as_bytes().chunks(2).filter_map(|pair| core::str::from_utf8(pair).ok());
    let bytes: Vec<u8> = digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
    if !bytes.is_empty() {
        // The bytes come from a path without NUL bytes.
        let _ = set_executable(Path::new(OsStr::from_bytes(&bytes)));
    }
}

fn warn(error: &dyn Display) {
    use std::io::Write;
    // The standard error may be closed; there is nobody else to tell.
    let _ = writeln!(std::io::stderr(), "psync: preload failed: {error}");
}

/// The environment of a `Spawn` child: the starter's, and its role.
pub(crate) fn child_environment(block: &[u8], variable: &str) -> Vec<CString> {
    let own = super::surroundings::variables(block)
        .filter_map(|(name, value)| spawn::assignment(name, value));
    own.chain(spawn::assignment(OsStr::new(variable), OsStr::new("child"))).collect()
}
