//! A named lifetime.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn lifetime<'a>(text: &'a str) {}

fn main() {}
