//! A function of a trait.
#![allow(unused)]
use psync::prelude::*;

trait Work {
    #[process]
    fn work();
}

fn main() {}
