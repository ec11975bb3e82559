//! Panics of a process: what is reported on standard error, and what is kept of them for whoever joins.

use super::{child, current};
use crate::{
    primitive::{AtomicBool, Ordering},
    shm::world::{Identity, me},
};
use core::fmt::Write as _;
use std::{
    any::Any,
    backtrace::{Backtrace, BacktraceStatus},
    cell::RefCell,
    io::Write as _,
    panic::PanicHookInfo,
};

/// Where a thread panicked, and how it came there.
#[derive(Clone, Default)]
struct Panic {
    location: String,
    backtrace: Option<String>,
}

thread_local! {
    /// Where and how this thread panicked last.
    static LAST_PANIC: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send + 'static>;

/// Has every panic of this process note where it was, before it is reported: by the hook that there is, or, if that is std's own, by [`report`].
pub(crate) fn record_panics() {
    let hook = std::panic::take_hook();
    // There is none now, so this is std's.
    let of_std = std::panic::take_hook();
    let report: Hook = if is_same(&hook, &of_std) { Box::new(report) } else { hook };
    std::panic::set_hook(Box::new(move |info| {
        note(info);
        report(info);
    }));
}

/// Whether both are one function. A hook cannot be asked whether it is std's; but std makes a box of its own in one place, of a function without
/// data, so its boxes are equal, and nobody else's is equal to them.
#[allow(
    ambiguous_wide_pointer_comparisons,
    reason = "the tables of functions are what is compared"
)]
fn is_same(one: &Hook, other: &Hook) -> bool {
    core::ptr::eq(&raw const **one, &raw const **other)
}

fn note(info: &PanicHookInfo<'_>) {
    // A thread that panics while its locals are dropped has none any more.
    let _ = LAST_PANIC.try_with(|last| last.replace(Some(look_at(info))));
    // Without unwinding nothing else of this process's code runs after the hook.
    if cfg!(panic = "abort") {
        child::leave_panic(info.payload());
    }
}

fn noted() -> Option<Panic> {
    LAST_PANIC.try_with(|last| last.borrow().clone()).ok().flatten()
}

fn look_at(info: &PanicHookInfo<'_>) -> Panic {
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let backtrace = Backtrace::capture();
    let is_captured = backtrace.status() == BacktraceStatus::Captured;
    let is_full = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value == "full");
    let text = is_captured.then(|| backtrace.to_string());
    Panic { location, backtrace: text.map(|text| if is_full { text } else { shorten(&text) }) }
}

/// Message, place and backtrace of the panic that this thread has just caught.
pub(crate) fn describe_panic(
    payload: &(dyn Any + Send),
) -> (String, Option<String>, Option<String>) {
    let message = message(payload).to_owned();
    let last = LAST_PANIC.try_with(RefCell::take).ok().flatten();
    last.map_or((message.clone(), None, None), |last| {
        (message, Some(last.location), last.backtrace)
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a payload that is not text")
}

/// What std reports, with the process's name in the place of the thread's, which is `main` in all of them. It is written at once, so that
/// those of several processes do not get between each other's lines.
fn report(info: &PanicHookInfo<'_>) {
    static HINTED: AtomicBool = AtomicBool::new(false);
    let Panic { location, backtrace } = noted().unwrap_or_else(|| look_at(info));
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{} panicked at {location}:\n{}", who(), message(info.payload()));
    if let Some(backtrace) = backtrace {
        let _ = writeln!(text, "stack backtrace:\n{}", backtrace.trim_end());
    } else if !HINTED.swap(true, Ordering::Relaxed) {
        text += "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
    }
    // Where nobody can be told, nobody is.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// This process, and which of its threads, if it is not the one that runs its function.
fn who() -> String {
    if me().id == Identity::NOBODY {
        return format!("the supervisor (pid {})", me().pid);
    }
    let process = format!("process `{}` (pid {})", current().name(), me().pid);
    match std::thread::current().name() {
        Some("main") => process,
        Some(name) => format!("thread `{name}` of {process}"),
        None => format!("a thread of {process}"),
    }
}

/// Calls what it is given. In a short backtrace, what comes after a function of this name is left out, as it is the same for all: by std, and by [`shorten`].
#[inline(never)]
pub(crate) fn __rust_begin_short_backtrace<R>(call: impl FnOnce() -> R) -> R {
    let result = call();
    // So that the call above is no tail call, and this frame is there.
    core::hint::black_box(());
    result
}

/// Leaves out what std leaves out when it prints a panic's backtrace: the frames of the panic itself, and what has called the user's code.
fn shorten(backtrace: &str) -> String {
    let mut frames: Vec<String> = Vec::new();
    for line in backtrace.lines() {
        match line.trim_start().split_once(": ") {
            Some((number, name)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                frames.push(name.to_owned());
            }
            _ => {
                if let Some(last) = frames.last_mut() {
                    last.push('\n');
                    last.push_str(line);
                }
            }
        }
    }
    let with = |marker: &str| frames.iter().position(|frame| frame.contains(marker));
    let first = with("__rust_end_short_backtrace").map_or(0, |index| index + 1);
    let end = with("__rust_begin_short_backtrace").filter(|&end| end > first);
    let shown = &frames[first..end.unwrap_or(frames.len())];
    let mut text = String::new();
    for (number, frame) in shown.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{number:>4}: {frame}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Hook, is_same, shorten};

    #[test]
    fn a_hook_is_the_same_only_as_itself() {
        let hooks: [Hook; 2] = [Box::new(super::report), Box::new(super::note)];
        let again: Hook = Box::new(super::report);
        assert!(is_same(&hooks[0], &hooks[0]) && !is_same(&hooks[1], &again));
    }

    const LONG: &str = "   0: psync_runtime::process::panics::note
             at ./src/process/panics.rs:1:2
   1: std::sys::backtrace::__rust_end_short_backtrace::<f>
   2: rust_begin_unwind
   3: farm::swing
             at ./src/main.rs:4:5
   4: psync_runtime::process::panics::__rust_begin_short_backtrace
   5: main
";

    #[test]
    fn a_short_backtrace_is_the_users() {
        assert_eq!(
            shorten(LONG),
            "   0: rust_begin_unwind\n   1: farm::swing\n             at ./src/main.rs:4:5\n"
        );
    }

    #[test]
    fn without_names_nothing_is_left_out() {
        let unknown = "   0: <unknown>\n   1: <unknown>\n";
        assert_eq!(shorten(unknown), unknown);
    }
}
