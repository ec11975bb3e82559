//! Any process may call it.

use psync::managed;

struct Account;

#[managed]
impl Account {
    pub unsafe fn balance(&self) -> i64 {
        0
    }
}

fn main() {}
