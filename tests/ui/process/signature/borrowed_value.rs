//! A type with a lifetime.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn greet(name: std::borrow::Cow<'_, str>) {}

fn main() {}
