//! Two cooks need the pan and the knife, and take them in different orders.
//!
//! ```console
//! $ cargo run --release --example two_orders
//! ```

// ANCHOR: shared
use psync::{DeadlockReport, prelude::*};

#[shared]
#[derive(Default)]
struct Pan {
    used: u32,
}

#[shared]
#[derive(Default)]
struct Knife {
    used: u32,
}

#[shared]
struct Kitchen {
    pan: Mutex<Pan>,
    knife: Mutex<Knife>,
    #[init(Barrier::new(2))]
    both_have_one: Barrier,
}
// ANCHOR_END: shared

// ANCHOR: process
/// What came of a cook's first attempt: nothing, if it had both, or who waited for whom.
type Told = Option<DeadlockReport>;

fn told<G>(second: Result<G, LockError>) -> psync::Result<Told> {
    match second {
        Ok(_both) => Ok(None),
        Err(LockError::Deadlock(report)) => Ok(Some(report)),
        Err(error) => Err(error.into()),
    }
}

#[process]
fn ann(kitchen: &Kitchen) -> psync::Result<Told> {
    let first = {
        let _pan = kitchen.pan.lock()?;
        kitchen.both_have_one.wait()?;
        told(kitchen.knife.lock())?
    };
    // Nothing is held here, whatever has come of it: now in the same order as the other.
    kitchen.knife.lock()?.used += 1;
    kitchen.pan.lock()?.used += 1;
    Ok(first)
}

#[process]
fn bob(kitchen: &Kitchen) -> psync::Result<Told> {
    let first = {
        let _knife = kitchen.knife.lock()?;
        kitchen.both_have_one.wait()?;
        told(kitchen.pan.lock())?
    };
    kitchen.knife.lock()?.used += 1;
    kitchen.pan.lock()?.used += 1;
    Ok(first)
}
// ANCHOR_END: process

// ANCHOR: main
fn main() -> psync::Result<()> {
    let kitchen = Shared::new(Kitchen::default())?;
    let (ann, bob) = parallel! { ann(&kitchen), bob(&kitchen) }?;
    let reports: Vec<DeadlockReport> = [ann?, bob?].into_iter().flatten().collect();
    println!("{} of the two was told", reports.len());

    let mut waits: Vec<_> = reports.iter().flat_map(DeadlockReport::waits).collect();
    waits.sort_by_key(|wait| wait.process());
    for wait in waits {
        println!("{} {wait}", wait.process());
    }
    println!("the pan was used {} times", kitchen.pan.lock()?.used);
    println!("the knife was used {} times", kitchen.knife.lock()?.used);
    Ok(())
}
// ANCHOR_END: main
