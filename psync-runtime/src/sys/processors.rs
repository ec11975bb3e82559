//! How many processors there are for this process.

use crate::primitive::{AtomicU32, Ordering};

/// Whether this process may run on more than one. Asked once.
pub(crate) fn are_several() -> bool {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    match COUNT.load(Ordering::Relaxed) {
        0 => {
            let count = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            COUNT.store(count, Ordering::Relaxed);
            count > 1
        }
        count => count > 1,
    }
}
