//! Makes small pictures of a directory of PNG files in a pool: a broken file is skipped, and one that crashes the decoder as well.
//!
//! ```console
//! $ cargo run --release --example thumbnails -- DIRECTORY [INTO]
//! ```
//!
//! Without arguments it draws some pictures for itself, one of them broken, and one made to crash.

#[path = "thumbnails/samples.rs"]
mod samples;

use psync::{
    pool::{MapOptions, TaskError},
    prelude::*,
};
use serde::{Deserialize, Serialize};
use std::{
    env,
    error::Error,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

// ANCHOR: task
/// A small picture, as a PNG file.
#[derive(Serialize, Deserialize)]
struct Thumbnail {
    width: usize,
    height: usize,
    file: Vec<u8>,
}

/// Runs in a worker, and changes nothing outside of it: whatever happens to the worker, no file is
/// half written.
fn thumbnail(path: OsString) -> Result<Thumbnail, String> {
    let file = fs::read(path).map_err(|error| error.to_string())?;
    let (shape, pixels) = decode(&file).map_err(|error| match error {
        png::DecodingError::LimitsExceeded => "too large".to_owned(),
        _ => "broken, or no PNG file".to_owned(),
    })?;
    shrink(&shape, &pixels).map_err(|error| error.to_string())
}
// ANCHOR_END: task

// ANCHOR: decode
/// The pixels, with eight bits for each channel.
fn decode(file: &[u8]) -> Result<(png::OutputInfo, Vec<u8>), png::DecodingError> {
    let mut decoder = png::Decoder::new(io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info()?;
    trust(reader.info(), file);
    let size = reader.output_buffer_size().ok_or(png::DecodingError::LimitsExceeded)?;
    let mut pixels = vec![0; size];
    let shape = reader.next_frame(&mut pixels)?;
    Ok((shape, pixels))
}

/// Stands for decoders in C, and for their mistakes: where the picture says that there is more, it
/// looks, wherever that may be.
fn trust(info: &png::Info<'_>, file: &[u8]) {
    for text in info.uncompressed_latin1_text.iter().filter(|text| text.keyword == samples::MORE) {
        let more = file.as_ptr().wrapping_add(text.text.parse().unwrap_or(0));
        // SAFETY: nobody has checked `more`. That is the mistake.
        unsafe { more.read_volatile() };
    }
}
// ANCHOR_END: decode

/// The longer side of a thumbnail is no longer than this.
const SIDE: usize = 64;

/// Each pixel becomes the mean of a square of them.
fn shrink(shape: &png::OutputInfo, pixels: &[u8]) -> Result<Thumbnail, png::EncodingError> {
    let (width, height) = (shape.width as usize, shape.height as usize);
    let (scale, channels) = (width.max(height).div_ceil(SIDE), shape.color_type.samples());
    let mut small = Vec::new();
    for top in (0..height).step_by(scale) {
        for left in (0..width).step_by(scale) {
            let (below, right) = ((top + scale).min(height), (left + scale).min(width));
            let count = (below - top) * (right - left);
            for channel in 0..channels {
                let square = (top..below).flat_map(|y| (left..right).map(move |x| y * width + x));
                let sum: usize =
                    square.map(|at| usize::from(pixels[at * channels + channel])).sum();
                small.push(u8::try_from(sum / count).expect("a mean of such numbers"));
            }
        }
    }
    let (width, height) = (width.div_ceil(scale), height.div_ceil(scale));
    let file = samples::encode([width, height], shape.color_type, None, &small)?;
    Ok(Thumbnail { width, height, file })
}

/// The PNG files of a directory, in order.
fn pictures(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(directory)?.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end.eq_ignore_ascii_case("png")));
    paths.sort();
    Ok(paths)
}

// ANCHOR: main
fn main() -> Result<(), Box<dyn Error>> {
    let drawn = tempfile::tempdir()?;
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let from = match arguments.next() {
        Some(directory) => directory,
        None => samples::draw(drawn.path())?,
    };
    let into = arguments.next().unwrap_or_else(|| from.join("thumbnails"));
    fs::create_dir_all(&into)?;
    if into.canonicalize()? == from.canonicalize()? {
        return Err("the thumbnails would take the place of the pictures".into());
    }

    let paths = pictures(&from)?;
    let pool =
        Pool::builder().workers(psync::cpu_count()).task_timeout(Duration::from_mins(1)).build()?;
    let options = MapOptions { progress: true, ..MapOptions::default() };
    let results = pool.imap_with(thumbnail, paths.iter().map(OsString::from), options);
    let mut report = Vec::new();
    for (path, result) in paths.iter().zip(results) {
        let name = path.file_name().unwrap_or_default();
        let said = match result {
            Ok(Ok(thumbnail)) => {
                fs::write(into.join(name), &thumbnail.file)?;
                format!("{} x {}", thumbnail.width, thumbnail.height)
            }
            Ok(Err(reason)) => format!("skipped: {reason}"),
            Err(TaskError::WorkerLost { cause, .. }) if cause.signal().is_some() => {
                format!("skipped: its decoder crashed with signal {}", cause.signal().unwrap_or(0))
            }
            Err(error) => format!("skipped: {error}"),
        };
        report.push(format!("{}: {said}", name.display()));
    }
    // Not before: the bar of the progress is on the terminal until then.
    for line in report {
        println!("{line}");
    }
    println!("{} workers were lost and replaced", pool.stats().lost_workers);
    Ok(())
}
// ANCHOR_END: main
