//! Words that are not what they should be: defects of single words, which a model has to notice.

use crate::{machine, points};
use core::cell::{Cell, RefCell};
use std::collections::HashMap;

/// What is wrong with a word.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Defect {
    /// It is the same one as the word at this address.
    Same(usize),
    /// Whoever has not stored it himself finds nothing there.
    Forgotten,
    /// Who is about to sleep does not look at it once more.
    Unseen,
    /// What is stored after the first of two points is stored at the second one.
    Late(&'static str, &'static str),
}

thread_local! {
    static ARE_THERE: Cell<bool> = const { Cell::new(false) };
    static DEFECTS: RefCell<HashMap<usize, Defect>> = RefCell::new(HashMap::new());
    /// By address and process: what it has last seen, or whether it has stored.
    static BEFORE: RefCell<HashMap<(usize, u32), u64>> = RefCell::new(HashMap::new());
    static STORED: RefCell<HashMap<usize, u32>> = RefCell::new(HashMap::new());
}

/// Begins with none.
pub(crate) fn clear() {
    ARE_THERE.set(false);
    DEFECTS.with_borrow_mut(HashMap::clear);
    BEFORE.with_borrow_mut(HashMap::clear);
    STORED.with_borrow_mut(HashMap::clear);
}

/// From here on something is wrong with the word at `address`.
pub(crate) fn spoil(address: usize, defect: Defect) {
    ARE_THERE.set(true);
    DEFECTS.with_borrow_mut(|defects| defects.insert(address, defect));
}

fn defect(address: usize) -> Option<Defect> {
    if !ARE_THERE.get() {
        return None;
    }
    DEFECTS.with_borrow(|defects| defects.get(&address).copied())
}

/// Where the word is that should be at `address`.
pub(crate) fn place(address: usize) -> usize {
    match defect(address) {
        Some(Defect::Same(other)) => other,
        _ => address,
    }
}

/// What is seen of a word.
pub(crate) fn seen<T: Copy + TryInto<u64> + TryFrom<u64>>(address: usize, value: T) -> T {
    let Some(defect) = defect(address) else { return value };
    let Ok(now) = value.try_into() else { return value };
    let me = machine::me().id.bits();
    let seen = match defect {
        Defect::Forgotten => {
            let storer = STORED.with_borrow(|stored| stored.get(&address).copied());
            if storer.is_none_or(|storer| storer == me) { now } else { 0 }
        }
        Defect::Unseen => BEFORE.with_borrow_mut(|before| {
            let before = before.entry((address, me)).or_insert(now);
            if !points::is_between("queue: marked as a sleeper", "queue: falls asleep") {
                *before = now;
            }
            *before
        }),
        Defect::Same(_) | Defect::Late(..) => now,
    };
    T::try_from(seen).ok().expect("it was one")
}

/// Who stores a word.
pub(crate) fn note_store(address: usize) {
    if matches!(defect(address), Some(Defect::Forgotten)) {
        STORED.with_borrow_mut(|stored| stored.insert(address, machine::me().id.bits()));
    }
}

/// At which point the word is stored, if not at once.
pub(crate) fn is_late(address: usize) -> Option<&'static str> {
    match defect(address) {
        Some(Defect::Late(first, second)) if points::is_between(first, second) => Some(second),
        _ => None,
    }
}
