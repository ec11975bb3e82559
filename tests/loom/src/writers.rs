//! Who has written a word last.
//!
//! Of all loads of a word the checker remembers the last one only. So of "one loads, another one loads and stores" it does not see that the first load and the
//! store can be exchanged. The usual case is a word that one writes, who has to load it before, and that others read.

use crate::{barriers, machine};
use core::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    static WRITERS: RefCell<HashMap<usize, usize>> = RefCell::new(HashMap::new());
}

/// Nobody has.
pub(crate) fn clear() {
    WRITERS.with_borrow_mut(HashMap::clear);
}

/// This thread has.
pub(crate) fn note(address: usize) {
    if barriers::are_there() {
        WRITERS.with_borrow_mut(|writers| writers.insert(address, machine::who()));
    }
}

/// Whether this thread has.
pub(crate) fn is_mine(address: usize) -> bool {
    WRITERS.with_borrow(|writers| writers.get(&address) == Some(&machine::who()))
}
