//! Dishes are washed by one process after the other, since one of the dishes is too much for each of them.
//!
//! ```console
//! $ cargo run --release --example dishes
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn wash(dishes: WorkQueue<String>) {
    while let Ok(dish) = dishes.try_recv() {
        if *dish == "a cauldron" {
            std::process::abort();
        }
        println!("{} is clean", *dish);
        dish.done();
    }
}

fn main() -> psync::Result<()> {
    let dishes = WorkQueue::unbounded()?.with_max_attempts(3);
    for dish in ["a cup", "a cauldron", "a spoon"] {
        dishes.send(dish.to_string())?;
    }
    while dishes.unfinished() > 0 {
        if wash::run(dishes.clone()).is_err() {
            println!("a washer is gone; dishes left: {}", dishes.unfinished());
        }
    }
    dishes.join(); // all are done, or given up
    println!("given up: {:?}", dishes.dead_letters().try_recv());
    Ok(())
}
// ANCHOR_END: program
