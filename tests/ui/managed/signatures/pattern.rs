//! A parameter has a name.

use psync::managed;

struct Account;

#[managed]
impl Account {
    pub fn add(&mut self, (a, b): (i64, i64)) -> i64 {
        a + b
    }
}

fn main() {}
