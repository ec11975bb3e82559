//! A customer waits until the baker has put a loaf on the shelf.
//!
//! ```console
//! $ cargo run --release --example condition
//! ```

// ANCHOR: program
use psync::prelude::*;

#[shared]
struct Shop {
    shelf: Mutex<u32>,
    filled: Condvar,
}

#[process]
fn customer(shop: &Shop) -> Result<(), LockError> {
    let mut shelf = shop.filled.wait_while(shop.shelf.lock()?, |loaves| *loaves == 0)?;
    *shelf -= 1;
    println!("the customer takes a loaf");
    Ok(())
}

#[process(lock(shop.shelf as loaves))]
fn baker(shop: &Shop) {
    println!("the baker brings a loaf");
    *loaves += 1;
    shop.filled.notify_one();
}

fn main() -> psync::Result<()> {
    let shop = Shared::new(Shop::default())?;
    let (taken, ()) = parallel! { customer(&shop), baker(&shop) }?;
    Ok(taken?)
}
// ANCHOR_END: program
