//! A future.
#![allow(unused)]
use psync::prelude::*;

#[process]
async fn later() {}

fn main() {}
