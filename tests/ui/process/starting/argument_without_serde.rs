//! An argument that serde does not know.
#![allow(unused)]
use psync::prelude::*;

struct Job(u32);

#[process]
fn work(job: Job, n: u32) -> u32 {
    job.0 + n
}

fn main() {
    let _ = work::run(Job(1), 2);
}
