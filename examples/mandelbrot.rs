//! Computes a picture of the Mandelbrot set in a pool, row by row, and writes it as a PNG file if it is told where.
//!
//! ```console
//! $ cargo run --release --example mandelbrot -- PICTURE.png
//! ```

// ANCHOR: row
use psync::prelude::*;
use std::{env, error::Error, fs::File};

const WIDTH: u32 = 768;
const HEIGHT: u32 = 512;

/// How bright the points of a row are: those that escape sooner are darker.
fn row(y: u32) -> Vec<u8> {
    let im = f64::from(y) / f64::from(HEIGHT) * 2.0 - 1.0;
    let shade = |x| {
        let re = f64::from(x) / f64::from(WIDTH) * 3.0 - 2.0;
        let (mut a, mut b) = (0.0, 0.0);
        (0..255)
            .find(|_| {
                (a, b) = (a * a - b * b + re, 2.0 * a * b + im);
                a * a + b * b > 4.0
            })
            .unwrap_or(255)
    };
    (0..WIDTH).map(shade).collect()
}
// ANCHOR_END: row

// ANCHOR: main
fn main() -> Result<(), Box<dyn Error>> {
    let pool = Pool::new(psync::cpu_count())?;
    let rows = pool.map(row, 0..HEIGHT)?;
    if let Some(picture) = env::args_os().nth(1) {
        let mut encoder = png::Encoder::new(File::create(picture)?, WIDTH, HEIGHT);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header()?.write_image_data(&rows.concat())?;
    }
    for row in rows.iter().step_by(32) {
        let points = row.iter().step_by(12);
        let shades = points
            .map(|&bright| char::from(b" .:-=+*#@"[(u32::from(bright) + 1).ilog2() as usize]));
        println!("{}", shades.collect::<String>().trim_end());
    }
    Ok(())
}
// ANCHOR_END: main
