//! A method: it is still called without a second error.
#![allow(unused)]
use psync::prelude::*;

struct Worker;

impl Worker {
    #[process]
    fn work(&self) {}
}

fn main() {
    Worker.work();
}
