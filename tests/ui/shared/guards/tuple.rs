//! A struct whose fields have no names.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Pair(Lock, #[guarded_by(lock)] u32);

fn main() {}
