//! Half of what serde asks for.
#![allow(unused)]
use psync::prelude::*;

#[derive(serde::Serialize)]
struct Job(u32);

#[process]
fn work(job: Job) -> u32 {
    job.0
}

fn main() {
    let _ = work::run(Job(1));
}
