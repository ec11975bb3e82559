//! A method.
use psync::prelude::*;

struct Worker;

impl Worker {
    #[process]
    fn work(&self, n: u32) {}
}

fn main() {
    Worker.work(1);
}
