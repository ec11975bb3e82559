//! `async`, `unsafe`, lifetimes, patterns and `impl Trait`.
use psync::prelude::*;

#[process]
async fn later() {}

#[process]
unsafe fn dangerous() {}

#[process]
fn lifetime<'a>(text: &'a str) {}

#[process]
fn pattern((a, b): (u32, u32)) -> u32 {
    a + b
}

#[process]
fn opaque(items: impl Iterator<Item = u32>) {}

fn main() {
    let _ = pattern::run((1, 2));
}
