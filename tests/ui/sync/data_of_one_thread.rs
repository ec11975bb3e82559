//! A lock makes its data fit for several threads only if one thread at a time may have it, and if several may read it at a time where several do.

use psync::{Mutex, Once, ReentrantMutex, RwLock};
use std::{cell::Cell, rc::Rc};

fn between_threads<T: Sync>(_: &T) {}

fn main() {
    between_threads(&Mutex::new(Rc::new(1)));
    between_threads(&ReentrantMutex::new(Rc::new(1)));
    between_threads(&RwLock::new(Cell::new(1)));
    between_threads(&Once::<Cell<u32>>::new());
    // These are fine.
    between_threads(&Mutex::new(Cell::new(1)));
    between_threads(&ReentrantMutex::new(Cell::new(1)));
}
