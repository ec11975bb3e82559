//! The examples that run on a pool, with files and numbers of the caller's.

mod repo;
mod terminal;

#[allow(dead_code, reason = "what it draws is drawn by the example")]
#[path = "../examples/thumbnails/samples.rs"]
mod samples;

use png::ColorType;
use repo::examples::{example, lines};
use std::{
    fs::{self, File},
    io::{BufReader, Read},
    path::Path,
};
use terminal::terminal;

/// The size of a picture, its channels, and the pixels.
fn read(path: &Path) -> ([usize; 2], usize, Vec<u8>) {
    let file = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut reader = png::Decoder::new(BufReader::new(file)).read_info().expect("a picture");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it is small")];
    let shape = reader.next_frame(&mut pixels).expect("a whole picture");
    ([shape.width as usize, shape.height as usize], shape.color_type.samples(), pixels)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a name that is text")
}

#[test]
fn thumbnails_are_made_of_all_files_but_bad_ones() {
    let (from, into) = (tempfile::tempdir().expect("room"), tempfile::tempdir().expect("room"));
    let write = |name: &str, file: &[u8]| fs::write(from.path().join(name), file).expect("room");
    // Black on the left, white on the right: so are the thumbnails, with one pixel between if they are odd.
    let halves = |width: usize, height: usize, channels: usize| -> Vec<u8> {
        let shade = |at: usize| if at / channels % width < width / 2 { 0 } else { 255 };
        (0..width * height * channels).map(shade).collect()
    };
    let colors = [ColorType::Grayscale, ColorType::Rgb, ColorType::Rgba];
    let mut plain = Vec::new();
    for (at, (width, height)) in
        [(128, 64), (64, 64), (2, 1), (100, 700), (129, 3)].into_iter().enumerate()
    {
        for color in colors {
            let name = format!("{at}-{color:?}.PNG");
            let pixels = halves(width, height, color.samples());
            write(&name, &samples::encode([width, height], color, None, &pixels).expect("fits"));
            plain.push((name, [width, height], color.samples()));
        }
    }
    let whole = samples::encode([9, 9], ColorType::Grayscale, None, &[7; 81]).expect("it fits");
    write("half.png", &whole[..whole.len() / 2]);
    write("empty.png", b"");
    write("words.png", b"this is no picture");
    write("words.txt", b"nobody looks at this");
    for at in 0..3 {
        let trap = samples::encode([9, 9], ColorType::Grayscale, Some(1 << 46), &[7; 81]);
        write(&format!("trap{at}.png"), &trap.expect("it fits"));
    }

    let said = lines("thumbnails", &[text(from.path()), text(into.path())]);
    let count = |what: &str| said.iter().filter(|line| line.contains(what)).count();
    assert_eq!(count("skipped: broken, or no PNG file"), 3, "{said:#?}");
    assert_eq!(count("skipped: its decoder crashed with signal 11"), 3, "{said:#?}");
    assert_eq!(count("3 workers were lost and replaced"), 1, "{said:#?}");
    assert_eq!(said.len(), plain.len() + 7, "{said:#?}");
    assert_eq!(fs::read_dir(into.path()).expect("it is there").count(), plain.len());
    for (name, [width, height], channels) in plain {
        let scale = width.max(height).div_ceil(64);
        let (size, found, pixels) = read(&into.path().join(&name));
        assert_eq!(
            (size, found),
            ([width.div_ceil(scale), height.div_ceil(scale)], channels),
            "{name}"
        );
        for row in pixels.chunks(size[0] * channels) {
            assert_eq!((row[0], row[row.len() - 1]), (0, 255), "{name}");
        }
    }
}

#[test]
fn thumbnails_do_not_take_the_place_of_the_pictures() {
    let directory = tempfile::tempdir().expect("room");
    let picture = directory.path().join("a.png");
    let file = samples::encode([100, 1], ColorType::Grayscale, None, &[7; 100]).expect("it fits");
    fs::write(&picture, &file).expect("room");
    let [there, again] = [directory.path(), &directory.path().join(".")];
    let output = example("thumbnails").args([there, again]).output().expect("it can be run");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("place of the pictures"));
    assert_eq!(fs::read(&picture).expect("it is there"), file);
}

#[test]
fn a_bar_on_a_terminal_shows_how_many_thumbnails_there_are() {
    let (mut ours, theirs) = terminal();
    let mut thumbnails = example("thumbnails");
    let output = thumbnails.env("TERM", "xterm").stderr(theirs).output().expect("it can be run");
    assert!(output.status.success(), "{}", output.status);
    // The command has the other end of the terminal as well.
    drop(thumbnails);
    let mut text = Vec::new();
    // Reading ends with an error when nobody has the other end any more.
    let _ = ours.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("7/7"), "{text:?}");
}

/// Above and below the axis, the set is the same.
#[test]
fn the_picture_of_the_set_is_symmetric() {
    let directory = tempfile::tempdir().expect("room");
    let picture = directory.path().join("set.png");
    lines("mandelbrot", &[text(&picture)]);
    let ([width, height], channels, pixels) = read(&picture);
    assert_eq!((width, height, channels), (768, 512, 1));
    let row = |y: usize| &pixels[y * width..(y + 1) * width];
    for y in 1..height / 2 {
        assert_eq!(row(y), row(height - y), "row {y}");
    }
    // On the axis, it reaches from -2 to 1/4: to three quarters of the width.
    let inside = row(height / 2).iter().take_while(|&&bright| bright == 255).count();
    assert!((570..600).contains(&inside), "{inside} points of the axis are inside");
    assert!(row(0)[0] < 9 && row(0)[width - 1] < 9, "the corners are far from it");
}

#[test]
fn primes_are_found_by_their_place() {
    let known = [(1, 2), (2, 3), (168, 997), (169, 1009), (1229, 9973), (10_000, 104_729)];
    for (place, prime) in known {
        let said = lines("primes", &[&place.to_string()]);
        assert_eq!(said, [format!("prime number {place} is {prime}")]);
    }
}
