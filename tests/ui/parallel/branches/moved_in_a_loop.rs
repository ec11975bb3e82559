//! One value for all items.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn repeat(text: String, n: usize) -> String {
    text.repeat(n)
}

fn main() {
    let text = String::from("a");
    let value = parallel! { for n in 0..3 => repeat(text, n) };
}
