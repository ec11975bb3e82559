//! Several processes at once, in each form that `parallel!` has.
//!
//! ```console
//! $ cargo run --release --example kitchen
//! ```

// ANCHOR: functions
use psync::{ParallelError, prelude::*};
use std::time::Duration;

#[process]
fn boil(minutes: u32) -> String {
    format!("water boils for {minutes} minutes")
}

#[process]
fn chop(vegetable: &str) -> String {
    format!("chopped {vegetable}")
}
// ANCHOR_END: functions

// ANCHOR: branches
fn branches() -> Result<(), ParallelError> {
    let (water, vegetables) = parallel! {
        boil(7),
        for name in ["carrots", "leeks"] => chop(name),
    }?;
    println!("{water}; {}", vegetables.join(", "));
    Ok(())
}
// ANCHOR_END: branches

// ANCHOR: names
fn names() -> Result<(), ParallelError> {
    let soup = parallel! {
        water: boil(9),
        vegetables: for name in ["peas", "onions"] => chop(name),
    }?;
    println!("{}; {}", soup.water, soup.vegetables.join(", "));
    Ok(())
}
// ANCHOR_END: names

// ANCHOR: blocks
fn blocks() -> psync::Result<()> {
    let recipe = "two onions, one leek, salt".to_string();
    let readers = Shared::new(Value::new(0))?;
    let (items, words) = parallel! {
        process(recipe, &readers) {
            readers.update(|n| n + 1);
            recipe.split(", ").count()
        },
        process(recipe, &readers) {
            readers.update(|n| n + 1);
            recipe.split(' ').count()
        },
    }?;
    println!("{items} items in {words} words, for {} readers", readers.get());
    Ok(())
}
// ANCHOR_END: blocks

// ANCHOR: workers
fn workers() -> Result<(), ParallelError> {
    let washed = parallel! {
        with workers = 2, deadline = Duration::from_mins(1);
        for plate in 1..=7 => process(plate) { format!("plate {plate}") },
    }?;
    println!("{} plates, the last one is {}", washed.len(), washed[6]);
    Ok(())
}
// ANCHOR_END: workers

// ANCHOR: failures
#[process]
fn taste(dish: &str) -> u32 {
    if dish == "stew" { panic!("too much salt") } else { 5 }
}

fn failures() {
    let tasted = parallel! {
        with on_failure = finish;
        for dish in ["soup", "stew", "pie"] => taste(dish),
        boil(3),
    };
    let error = tasted.expect_err("nobody likes the stew");
    println!("{error}");
    for failure in error.failures() {
        println!("branch {}, item {:?}, `{}`", failure.branch, failure.index, failure.name);
    }
}
// ANCHOR_END: failures

// ANCHOR: main
fn main() -> psync::Result<()> {
    branches()?;
    names()?;
    blocks()?;
    workers()?;
    failures();
    Ok(())
}
// ANCHOR_END: main
