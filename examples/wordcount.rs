//! Counts the words of any files on all cores, and prints the ten most frequent.
//!
//! ```console
//! $ cargo run --release --example wordcount -- FILE..
//! ```
//!
//! A word is a longest run of ASCII letters and digits and other alphabetic characters. Files need not be text: bytes that are no
//! UTF-8 stand between words. Without arguments it counts this repository's own documents.

use memmap2::Mmap;
use psync::prelude::*;
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::HashMap, env, ffi::OsString, fs, io, process::ExitCode};

// ANCHOR: process
/// A part of a file, in bytes. Both ends are moved on to where no word is cut.
#[derive(Serialize, Deserialize, Debug)]
struct Piece {
    path: OsString,
    start: usize,
    end: usize,
}

type Counts = HashMap<String, u64>;

/// Counts one share. The process maps the files itself, so what is in them is never copied, and
/// never gets into its starter.
#[process]
fn count(share: Vec<Piece>) -> psync::Result<Counts> {
    let mut counts = Counts::new();
    for Piece { path, start, end } in share {
        // SAFETY: these are the user's files, who leaves them alone while they are counted.
        let file = unsafe { Mmap::map(&fs::File::open(path)?)? };
        for word in words(&file[boundary(&file, start)..boundary(&file, end)]) {
            match counts.get_mut(word) {
                Some(count) => *count += 1,
                None => drop(counts.insert(word.to_owned(), 1)),
            }
        }
    }
    Ok(counts)
}
// ANCHOR_END: process

// ANCHOR: words
/// The words of a text, or of what else the bytes may be.
fn words(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let is_between =
        |c: char| if c.is_ascii() { !c.is_ascii_alphanumeric() } else { !c.is_alphabetic() };
    let words = bytes.utf8_chunks().flat_map(move |chunk| chunk.valid().split(is_between));
    words.filter(|word| !word.is_empty())
}

/// The next place from `at` on where a file can be cut: an ASCII character is never inside of
/// another, so one that belongs to no word is between words whatever is around it.
fn boundary(file: &[u8], at: usize) -> usize {
    let is_between = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
    let rest = file.get(at..).unwrap_or_default();
    if at == 0 {
        0
    } else {
        file.len() - rest.len() + rest.iter().position(is_between).unwrap_or(rest.len())
    }
}
// ANCHOR_END: words

// ANCHOR: shares
/// Cuts the files, put one after the other, into so many shares of the same size.
fn shares(files: Vec<(OsString, usize)>, processes: usize) -> Vec<Vec<Piece>> {
    let total: usize = files.iter().map(|(_, len)| len).sum();
    let size = total.div_ceil(processes);
    let mut shares: Vec<Vec<Piece>> = Vec::new();
    let mut room = 0;
    for (path, len) in files {
        let mut start = 0;
        while start < len {
            if room == 0 {
                shares.push(Vec::new());
                room = size;
            }
            let end = len.min(start + room);
            let piece = Piece { path: path.clone(), start, end };
            shares.last_mut().expect("one was pushed when there was no room").push(piece);
            room -= end - start;
            start = end;
        }
    }
    shares
}
// ANCHOR_END: shares

// ANCHOR: main
fn main() -> ExitCode {
    let mut paths: Vec<OsString> = env::args_os().skip(1).collect();
    if paths.is_empty() {
        let own = ["README.md", "ARCHITECTURE.md", "UNSAFE.md", "CHANGELOG.md"];
        paths = own.map(|name| format!("{}/{name}", env!("CARGO_MANIFEST_DIR")).into()).into();
    }
    let mut files = Vec::new();
    for path in paths {
        match length(&path) {
            Ok(length) => files.push((path, length)),
            Err(error) => {
                eprintln!("wordcount: {}: {error}", path.display());
                return ExitCode::from(2);
            }
        }
    }
    match count_all(shares(files, psync::cpu_count())) {
        Ok(counts) => print(counts),
        Err(error) => {
            eprintln!("wordcount: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// One process for each share; together they are the whole.
fn count_all(shares: Vec<Vec<Piece>>) -> psync::Result<Counts> {
    let counted = parallel! { for share in shares => count(share) }?;
    let mut all = Counts::new();
    for counts in counted {
        for (word, count) in counts? {
            *all.entry(word).or_default() += count;
        }
    }
    Ok(all)
}
// ANCHOR_END: main

fn length(path: &OsString) -> io::Result<usize> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a file with contents"));
    }
    fs::File::open(path)?;
    usize::try_from(metadata.len()).map_err(io::Error::other)
}

fn print(counts: Counts) {
    let (total, different) = (counts.values().sum::<u64>(), counts.len());
    println!("{total} words, {different} of them different");
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_unstable_by(|(a, m), (b, n)| (Reverse(m), a).cmp(&(Reverse(n), b)));
    for (word, count) in counts.into_iter().take(10) {
        println!("{count:8} {word}");
    }
}

#[cfg(test)]
#[path = "wordcount/tests.rs"]
pub(crate) mod tests;
