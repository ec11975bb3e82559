//! Types without serde: one error for each, where the function is written.
use psync::prelude::*;

struct Job(u32);

#[process]
fn takes(job: Job, n: u32) -> u32 {
    job.0 + n
}

#[process]
fn gives(n: u32) -> Job {
    Job(n)
}

#[process]
fn lends(job: &Job) -> u32 {
    job.0
}

fn main() {
    let _ = takes::run(Job(1), 2);
    let _ = gives::spawn(1);
    let _ = parallel! { takes(Job(1), 2), gives(2) };
}
