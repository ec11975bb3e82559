//! Pictures to make thumbnails of: plain ones, one that is broken, and one that crashes whoever trusts it.

use png::{ColorType, EncodingError};
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

/// The keyword of a text that says where in the file there is more to read.
pub(crate) const MORE: &str = "More at";

/// A PNG file.
pub(crate) fn encode(
    [width, height]: [usize; 2],
    colors: ColorType,
    more: Option<usize>,
    pixels: &[u8],
) -> Result<Vec<u8>, EncodingError> {
    let side = |side| u32::try_from(side).map_err(|_| EncodingError::LimitsExceeded);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side(width)?, side(height)?);
    encoder.set_color(colors);
    if let Some(offset) = more {
        encoder.add_text_chunk(MORE.to_owned(), offset.to_string())?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

/// Draws all of them in a directory, and gives it back.
pub(crate) fn draw(directory: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let plain = [
        ("apple.png", [320, 240], ColorType::Rgb),
        ("moon.png", [256, 256], ColorType::Grayscale),
        ("pond.png", [500, 120], ColorType::Rgba),
        ("seed.png", [40, 30], ColorType::Rgb),
        ("tower.png", [90, 450], ColorType::GrayscaleAlpha),
    ];
    for (name, size, colors) in plain {
        fs::write(
            directory.join(name),
            encode(size, colors, None, &disc(size, colors.samples()))?,
        )?;
    }
    let (size, colors) = ([200, 200], ColorType::Rgb);
    let mut broken = encode(size, colors, None, &disc(size, colors.samples()))?;
    let middle = broken.len() / 2;
    broken[middle] ^= 0xff;
    fs::write(directory.join("broken.png"), broken)?;
    let far = Some(1 << 46);
    let crashing = encode(size, colors, far, &disc(size, colors.samples()))?;
    fs::write(directory.join("crashing.png"), crashing)?;
    Ok(directory.to_owned())
}

/// A disc before a ground that grows lighter.
fn disc([width, height]: [usize; 2], channels: usize) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(width * height * channels);
    for at in 0..width * height {
        let (x, y) = (at % width, at / width);
        let (across, down) = ((2 * x).abs_diff(width), (2 * y).abs_diff(height));
        let is_inside = across.pow(2) + down.pow(2) < width.min(height).pow(2) / 2;
        for channel in 0..channels {
            let ground = 255 * (x + y) / (width + height);
            let shade = if is_inside { 255 - 60 * channel } else { ground };
            pixels.push(u8::try_from(shade).unwrap_or(u8::MAX));
        }
    }
    pixels
}
