//! Two squirrels carry acorns to one stash, slowly: what they read must still be true when they write.
//!
//! ```console
//! $ cargo run --release --example acorns
//! ```
#![allow(clippy::disallowed_methods, reason = "time passes between reading and writing")]

// ANCHOR: program
use psync::prelude::*;
use std::{thread, time::Duration};

#[shared]
struct Tree {
    hole: Lock,
    #[guarded_by(hole)]
    acorns: u32,
}

#[process]
fn squirrel(tree: &Tree) -> Result<(), LockError> {
    for _ in 0..5 {
        let mut hole = tree.lock_hole()?;
        let seen = *hole.acorns;
        thread::sleep(Duration::from_millis(10));
        *hole.acorns = seen + 1;
    }
    Ok(())
}

fn main() -> psync::Result<()> {
    let tree = Shared::new(Tree::default())?;
    let (one, other) = parallel! { squirrel(&tree), squirrel(&tree) }?;
    one.and(other)?;
    println!("{} acorns", tree.lock_hole()?.acorns);
    Ok(())
}
// ANCHOR_END: program
