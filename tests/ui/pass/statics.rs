//! Every place and shape of a `#[shared]` static.
#![deny(missing_docs, unused)]
#![forbid(unsafe_op_in_unsafe_fn)]
use psync::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// A farm.
#[shared]
pub struct Farm {
    bell: Event,
    #[init(Semaphore::new(2))]
    swings: Semaphore,
    pen: Lock,
    #[guarded_by(pen)]
    acorns: u32,
}

/// For everybody.
#[shared]
pub static FARM: Farm = Farm::default();

mod inner {
    use super::*;

    #[shared]
    pub(crate) static HITS: Value<(u32, u64)> = {
        let first = 1;
        Value::new((first, AtomicU64::new(2).load(Ordering::Relaxed)))
    };

    #[shared]
    #[cfg(any())]
    static NOT_HERE: Nothing = nothing();
}

struct Counter;

impl Counter {
    fn next<T>(&self, _: T) -> u64 {
        #[shared]
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }
}

#[shared]
static GRID: [[Mutex<u8>; 3]; 2] = std::array::from_fn(|_| std::array::from_fn(|_| Mutex::new(7)));

/// Coerces where a reference to the type is asked for.
fn ring(farm: &'static Farm) -> bool {
    farm.bell.set();
    farm.bell.is_set()
}

fn main() -> psync::Result<()> {
    assert!(ring(&FARM));
    *FARM.lock_pen()?.acorns += 1;
    assert_eq!(FARM.swings.available(), 2);
    assert_eq!(inner::HITS.get(), (1, 2));
    assert_eq!((Counter.next("a"), Counter.next(1)), (0, 1));
    assert_eq!(*GRID[1][2].lock()?, 7);
    std::thread::scope(|scope| scope.spawn(|| GRID[0][0].is_locked()).join()).expect("no panic");
    Ok(())
}
