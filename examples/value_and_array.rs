//! A process adds 100 to a number and doubles the values of an array.
//!
//! ```console
//! $ cargo run --release --example value_and_array
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process(lock(values as all))]
fn change(number: &Value<i32>, values: Array<i32>) {
    number.update(|n| n + 100);
    all.iter_mut().for_each(|value| *value *= 2);
}

fn main() -> psync::Result<()> {
    let (number, values) = (Shared::new(Value::new(5))?, Array::from_slice(&[1, 2, 3, 4])?);
    change::run(&number, values.clone())?;
    println!("{} and {:?}", number.get(), values.to_vec()?);
    Ok(())
}
// ANCHOR_END: program
