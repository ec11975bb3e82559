//! A thousand numbers in four chunks: a pool finds the average of each.
//!
//! ```console
//! $ cargo run --release --example chunk_averages
//! ```

// ANCHOR: program
use psync::prelude::*;

fn average(chunk: Vec<f64>) -> f64 {
    chunk.into_iter().sum::<f64>() / 250.0
}

fn main() -> psync::Result<()> {
    let numbers: Vec<f64> = (1..=1000).map(f64::from).collect();
    let averages = Pool::new(4)?.map(average, numbers.chunks(250).map(<[f64]>::to_vec))?;
    println!("{averages:?}, and {} of all", averages.iter().sum::<f64>() / 4.0);
    Ok(())
}
// ANCHOR_END: program
