//! `#[managed]` is about methods, so it goes on an `impl` block.

use psync::managed;

#[managed]
struct Account;

fn main() {}
