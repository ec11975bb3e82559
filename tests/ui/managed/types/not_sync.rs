//! Threads of the server share the object.

use psync::managed;
use std::cell::Cell;

struct Account {
    cents: Cell<i64>,
}

#[managed]
impl Account {
    pub fn balance(&self) -> i64 {
        self.cents.get()
    }
}

fn main() {}
