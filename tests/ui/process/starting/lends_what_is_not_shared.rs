//! A reference to what cannot live in shared memory.
#![allow(unused)]
use psync::prelude::*;

struct Job(u32);

#[process]
fn work(job: &Job) -> u32 {
    job.0
}

fn main() {}
