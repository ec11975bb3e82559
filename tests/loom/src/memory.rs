//! Shared memory: what the model checker knows of each word, found by the word's address.
//!
//! An atomic of the checker is an object of its own, made at run time. The machines' atomics are words, laid out in `repr(C)` and made by
//! `const fn`. So a word of a model ([`primitive`](crate::primitive)) holds nothing but its first value, and the checker's object is kept
//! here, from the word's first use until it is dropped. That leaves layouts and addresses as they are: the model kernel finds
//! a futex by its address, and the lock word of a robust-list node by the real offset.

use crate::{defects, primitive::AtomicU32};
use core::ops::Range;
use std::{cell::RefCell, collections::HashMap, rc::Rc};

/// What can lie at an address.
pub(crate) trait Object: Sized + 'static {
    fn erase(self: Rc<Self>) -> Known;
    fn recall(known: &Known) -> Option<Rc<Self>>;
}

macro_rules! objects {
    ($($name:ident: $object:ty),+ $(,)?) => {
        /// An object of the checker's.
        pub(crate) enum Known {
            $($name(Rc<$object>)),+
        }

        $(impl Object for $object {
            fn erase(self: Rc<Self>) -> Known {
                Known::$name(self)
            }

            fn recall(known: &Known) -> Option<Rc<Self>> {
                if let Known::$name(object) = known { Some(Rc::clone(object)) } else { None }
            }
        })+
    };
}

objects! {
    Signed: loom::sync::atomic::AtomicI32,
    Word: loom::sync::atomic::AtomicU32,
    Double: loom::sync::atomic::AtomicU64,
    Plain: loom::cell::UnsafeCell<()>,
}

thread_local! {
    // All threads of a model are coroutines of one thread.
    static KNOWN: RefCell<HashMap<usize, Known>> = RefCell::new(HashMap::new());
}

/// The object at an address, which `make` makes if there is none.
pub(crate) fn at<T: Object>(address: usize, make: impl FnOnce() -> T) -> Rc<T> {
    let address = defects::place(address);
    let known = KNOWN.with_borrow(|known| known.get(&address).map(T::recall));
    match known {
        Some(object) => object.expect("a word has one type"),
        None => {
            let object = Rc::new(make());
            KNOWN.with_borrow_mut(|known| known.insert(address, Rc::clone(&object).erase()));
            object
        }
    }
}

/// The word at an address that the kernel was given.
pub(crate) fn word(address: usize) -> Rc<<AtomicU32 as crate::primitive::Twin>::Object> {
    at(address, || unreachable!("the kernel is given words that were used before"))
}

/// The word is no more.
pub(crate) fn forget(address: usize) {
    // At the end of the thread there may be nothing left to forget it in.
    let _ = KNOWN.try_with(|known| known.borrow_mut().remove(&address));
}

/// All words of a piece of memory are no more.
pub(crate) fn forget_all(addresses: &Range<usize>) {
    let _ = KNOWN
        .try_with(|known| known.borrow_mut().retain(|address, _| !addresses.contains(address)));
}

/// Begins with nothing.
pub(crate) fn clear() {
    KNOWN.with_borrow_mut(HashMap::clear);
}

/// How many words there are.
pub(crate) fn count() -> usize {
    KNOWN.with_borrow(HashMap::len)
}
