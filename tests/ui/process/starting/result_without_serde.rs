//! A result that serde does not know.
#![allow(unused)]
use psync::prelude::*;

struct Job(u32);

#[process]
fn work(n: u32) -> Job {
    Job(n)
}

fn main() {
    let _ = work::run(1);
}
