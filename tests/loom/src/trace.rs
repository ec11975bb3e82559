//! What the last execution did, step by step, for the report of a failure.

use core::{
    cell::{Cell, RefCell},
    fmt::Display,
};

/// Set to anything, it has a failed model tell what it did.
const TRACE: &str = "PSYNC_MODEL_TRACE";

thread_local! {
    static IS_WANTED: Cell<bool> = Cell::new(std::env::var_os(TRACE).is_some());
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Begins a new execution.
pub(crate) fn clear() {
    LINES.with_borrow_mut(Vec::clear);
}

/// Writes a line down, if anybody will want to read it.
pub(crate) fn write<T: Display>(line: impl FnOnce() -> T) {
    if IS_WANTED.get() {
        let line = line().to_string();
        LINES.with_borrow_mut(|lines| lines.push(line));
    }
}

/// The lines of the last execution.
pub(crate) fn take() -> Vec<String> {
    LINES.take()
}
