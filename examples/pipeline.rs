//! Three stages over queues: one process reads the lines of files, two parse them, and the program itself adds up. In the middle of it a reader and a
//! parser are killed and replaced, and nothing is lost or counted twice.
//!
//! ```console
//! $ cargo run --release --example pipeline -- FILE..
//! ```

// ANCHOR: messages
use indicatif::ProgressBar;
use psync::{Waitable, prelude::*, wait_any};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    env, fs,
    io::{self, BufRead, BufReader},
    mem,
};

/// Some lines, and which ones they are of all.
#[derive(Serialize, Deserialize)]
struct Batch {
    number: usize,
    lines: Vec<String>,
}

/// What is in a batch.
#[derive(Serialize, Deserialize)]
struct Parsed {
    number: usize,
    lines: usize,
    words: usize,
    bytes: usize,
    longest: usize,
}
// ANCHOR_END: messages

// ANCHOR: stages
/// The first stage: all lines, ten at a time. How many batches there are.
#[process(name = "reader")]
fn read(files: Vec<String>, batches: WorkQueue<Batch>) -> Result<usize, String> {
    let mut batch = Batch { number: 0, lines: Vec::new() };
    for file in files {
        let named = |error| format!("{file}: {error}");
        for line in BufReader::new(fs::File::open(&file).map_err(named)?).lines() {
            batch.lines.push(line.map_err(named)?);
            if batch.lines.len() == 10 {
                let next = Batch { number: batch.number + 1, lines: Vec::new() };
                let full = mem::replace(&mut batch, next);
                batches.send(full).map_err(|error| error.to_string())?;
            }
        }
    }
    let count = batch.number + usize::from(!batch.lines.is_empty());
    if count > batch.number {
        batches.send(batch).map_err(|error| error.to_string())?;
    }
    Ok(count)
}

/// The second stage. A batch is done once the next stage has what became of it.
#[process(name = "parser")]
fn parse(batches: WorkQueue<Batch>, parsed: Queue<Parsed>) {
    while let Ok(batch) = batches.recv() {
        let words = batch.lines.iter().map(|line| line.split_whitespace().count()).sum();
        let longest = batch.lines.iter().map(String::len).max().unwrap_or(0);
        let bytes = batch.lines.iter().map(|line| line.len() + 1).sum();
        let (number, lines) = (batch.number, batch.lines.len());
        if parsed.send(Parsed { number, lines, words, bytes, longest }).is_err() {
            return;
        }
        batch.done();
    }
}
// ANCHOR_END: stages

// ANCHOR: main
fn main() -> psync::Result<()> {
    let files: Vec<String> = env::args().skip(1).collect();
    let bytes = files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len());
    // Shown where somebody watches: not if standard error is no terminal.
    let bar = ProgressBar::new(bytes.sum());
    let (batches, parsed) = (WorkQueue::bounded(4)?, Queue::bounded(4)?);
    let mut reader = read::spawn(files.clone(), batches.clone())?;
    let mut parsers = Vec::new();
    for _ in 0..2 {
        parsers.push(parse::spawn(batches.clone(), parsed.clone())?);
    }
    let (mut seen, mut total) = (HashSet::new(), None);
    let (mut lines, mut words, mut longest, mut replaced) = (0, 0, 0, 0);
    while total != Some(seen.len()) {
        let mut items: Vec<&dyn Waitable> = vec![&parsed];
        items.extend(parsers.iter().map(|parser| parser as &dyn Waitable));
        if total.is_none() {
            items.push(&reader);
        }
        wait_any(&items, None)?;
        // A batch may come twice: from a reader that began again, or from a parser that could not
        // say that it was done.
        while let Ok(more) = parsed.try_recv() {
            if seen.insert(more.number) {
                (lines, words) = (lines + more.lines, words + more.words);
                longest = longest.max(more.longest);
                bar.inc(more.bytes as u64);
                match seen.len() {
                    2 => reader.kill()?,
                    5 => parsers[0].kill()?,
                    _ => {}
                }
            }
        }
        if total.is_none() && !reader.is_alive() {
            let next = read::spawn(files.clone(), batches.clone())?;
            match mem::replace(&mut reader, next).join() {
                Ok(count) => {
                    reader.kill()?;
                    total = Some(count.map_err(io::Error::other)?);
                }
                Err(_) => replaced += 1,
            }
        }
        for parser in parsers.iter_mut().filter(|parser| !parser.is_alive()) {
            *parser = parse::spawn(batches.clone(), parsed.clone())?;
            replaced += 1;
        }
    }
    // Batches that came twice may still be under way.
    batches.close();
    parsed.close();
    bar.finish_and_clear();
    println!("{lines} lines, {words} words, the longest line has {longest} bytes");
    println!("{replaced} processes were killed and replaced");
    Ok(())
}
// ANCHOR_END: main
