//! Four processes blur one picture where it lies: each is lent rows that no other has.
//!
//! ```console
//! $ cargo run --release --example blur
//! ```

// ANCHOR: program
use psync::prelude::*;

const WIDTH: usize = 64;
const HEIGHT: usize = 16;

#[process]
fn blur(rows: &mut [u8], width: usize) {
    for row in rows.chunks_mut(width) {
        let sharp = row.to_vec();
        for (x, pixel) in row.iter_mut().enumerate() {
            let near = &sharp[x.saturating_sub(6)..(x + 7).min(width)];
            let sum: usize = near.iter().map(|&near| usize::from(near)).sum();
            *pixel = u8::try_from(sum / near.len()).expect("a mean of such numbers");
        }
    }
}

fn main() -> psync::Result<()> {
    let mut picture = Shared::<[u8]>::new_with(WIDTH * HEIGHT, moon)?;
    let pixels = Shared::get_mut(&mut picture).expect("nobody else has it yet");
    show(pixels);
    parallel! { for rows in pixels.chunks_mut(WIDTH * HEIGHT / 4) => blur(rows, WIDTH) }?;
    show(pixels);
    Ok(())
}
// ANCHOR_END: program

// ANCHOR: picture
/// A white disc on black.
fn moon(at: usize) -> u8 {
    let (x, y) = ((at % WIDTH).abs_diff(WIDTH / 2), (2 * (at / WIDTH)).abs_diff(HEIGHT - 1));
    if x * x + y * y < 144 { 255 } else { 0 }
}

fn show(pixels: &[u8]) {
    for row in pixels.chunks(WIDTH) {
        let shades =
            row.iter().map(|&pixel| char::from(b" .:-=+*#%@"[usize::from(pixel) * 9 / 255]));
        println!("{}", shades.collect::<String>().trim_end());
    }
}
// ANCHOR_END: picture
