//! The example `wordcount` against a count by one process that does everything another way, on files that are hard to cut.

mod repo;

// With its own tests of how files are cut.
#[allow(dead_code, reason = "here the parts are tested, and the program as a whole")]
#[path = "../examples/wordcount.rs"]
mod program;

use program::tests::hard_inputs;
use repo::examples::example;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fmt::Write as _,
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
    process::{Output, Stdio},
    thread,
    time::Duration,
};

/// What the program prints, counted over a copy of the whole text.
fn reference(files: &[&[u8]]) -> String {
    let mut counts = BTreeMap::<String, u64>::new();
    for bytes in files {
        let text = String::from_utf8_lossy(bytes);
        let mut word = String::new();
        for c in text.chars().chain([' ']) {
            match c {
                '0'..='9' | 'a'..='z' | 'A'..='Z' => word.push(c),
                c if !c.is_ascii() && c.is_alphabetic() => word.push(c),
                _ if word.is_empty() => {}
                _ => *counts.entry(core::mem::take(&mut word)).or_default() += 1,
            }
        }
    }
    let mut said =
        format!("{} words, {} of them different\n", counts.values().sum::<u64>(), counts.len());
    let mut ranked: Vec<(&String, &u64)> = counts.iter().collect();
    // Stable: equal ones stay in alphabetical order.
    ranked.sort_by(|a, b| b.1.cmp(a.1));
    for (word, count) in ranked.iter().take(10) {
        writeln!(said, "{count:8} {word}").expect("a string has room");
    }
    said
}

fn run<S: AsRef<OsStr>>(files: &[S]) -> Output {
    example("wordcount").args(files).output().expect("it can be run")
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("words are text")
}

#[test]
fn each_input_and_all_together_are_counted_to_the_byte() {
    let directory = tempfile::tempdir().expect("a directory");
    let inputs = hard_inputs();
    let mut paths = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        let path = directory.path().join(format!("input {index}"));
        fs::write(&path, input).expect("there is room");
        assert_eq!(said(&run(&[&path])), reference(&[input]), "input {index}");
        paths.push(path);
    }
    let all: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    assert_eq!(said(&run(&paths)), reference(&all));
}

#[test]
fn no_words_are_no_error() {
    let none = "0 words, 0 of them different\n";
    let empty = tempfile::NamedTempFile::new().expect("a file");
    assert_eq!(said(&run(&[empty.path()])), none);
    assert_eq!(said(&run(&[empty.path(), empty.path()])), none);
}

#[test]
fn its_own_documents_are_what_it_counts_by_itself() {
    let own = ["README.md", "ARCHITECTURE.md", "UNSAFE.md", "CHANGELOG.md"].map(repo::read);
    assert_eq!(said(&run::<&str>(&[])), reference(&own.each_ref().map(String::as_bytes)));
}

#[test]
fn a_missing_file_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let dangling = directory.path().join("dangling");
    symlink("nowhere", &dangling).expect("a link");
    for (path, why) in [
        (Path::new("no such file"), "No such file"),
        (&dangling, "No such file"),
        (directory.path(), "not a file"),
        (Path::new("/dev/null"), "not a file"),
    ] {
        let output = run(&[Path::new("README.md"), path]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(output.stdout.is_empty());
        assert_eq!(message.lines().count(), 1, "{message}");
        let named = format!("wordcount: {}: ", path.display());
        assert!(message.starts_with(&named) && message.contains(why), "{message}");
    }
}

#[test]
fn a_name_may_be_any_bytes() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(OsStr::from_bytes(b"na\xffme"));
    fs::write(&path, "a b a").expect("there is room");
    assert_eq!(said(&run(&[path])), "3 words, 2 of them different\n       2 a\n       1 b\n");
}

/// The starter maps nothing: it needs as much memory for a large file as for none.
#[test]
fn the_parent_does_not_grow_with_the_file() {
    let size: u64 = if std::env::var_os("PSYNC_LONG").is_some() { 1 << 30 } else { 64 << 20 };
    let directory = tempfile::tempdir().expect("a directory");
    let (large, small) = (directory.path().join("large"), directory.path().join("small"));
    fs::write(&small, "acorn").expect("there is room");
    let islands = islands(&large, size).expect("there is room");
    let (without, _) = peak(&small);
    let (with, output) = peak(&large);
    assert_eq!(output, reference(&[&islands]));
    assert!(with < without + 8 * 1024, "{without} kB without, {with} kB with {size} bytes");
}

/// Writes words all over a large file, among them some across the middle, where it is cut; returns them.
fn islands(path: &Path, size: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::create(path)?;
    file.set_len(size)?;
    let mut all = Vec::new();
    let places = (0..64).map(|n| size / 64 * n).chain([size / 2 - 7, size / 3 - 2, size - 30]);
    let mut places: Vec<u64> = places.collect();
    places.sort_unstable();
    for place in places {
        let words = format!("at{place} squirrel \u{e4}corn");
        file.seek(SeekFrom::Start(place))?;
        file.write_all(words.as_bytes())?;
    }
    file.flush()?;
    // What overlaps is read as it ended up.
    for block in fs::read(path)?.split(|byte| *byte == 0).filter(|block| !block.is_empty()) {
        all.extend_from_slice(block);
        all.push(0);
    }
    Ok(all)
}

/// Counts a file, and watches the peak of the starter's memory, in kB.
#[allow(clippy::disallowed_methods, reason = "the memory of another program can only be looked at")]
fn peak(path: &Path) -> (u64, String) {
    let mut child =
        example("wordcount").arg(path).stdout(Stdio::piped()).spawn().expect("it can be run");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("it is our child").is_none() {
        let lines = fs::read_to_string(&status).unwrap_or_default();
        let now = lines
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak = peak.max(now.unwrap_or(0));
        thread::sleep(Duration::from_millis(1));
    }
    (peak, said(&child.wait_with_output().expect("it has ended")))
}
