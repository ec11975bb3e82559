//! A closure that captures, with options.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let names = vec![String::from("Al")];
    let _ = psync::spawn_with(Options::new(), move |n: usize| names.len() + n, 1);
}
