//! Five numbers are cubed, and each cube is printed when it is there.
//!
//! ```console
//! $ cargo run --release --example cubes
//! ```

// ANCHOR: program
use psync::{pool::as_completed, prelude::*};

fn cube(x: u64) -> u64 {
    x * x * x
}

fn main() -> psync::Result<()> {
    let pool = Pool::new(4)?;
    let tasks = (1..=5).map(|x| pool.submit(cube, x)).collect::<Result<_, _>>()?;
    for task in as_completed(tasks) {
        println!("{}", task.wait()?);
    }
    Ok(())
}
// ANCHOR_END: program
