//! There is one option.

use psync::managed;

struct Account;

#[managed(name = "bank")]
impl Account {
    pub fn balance(&self) -> i64 {
        0
    }
}

fn main() {}
