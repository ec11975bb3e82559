//! The object stays where it is.

use psync::managed;

struct Account;

#[managed]
impl Account {
    pub fn close(self) -> i64 {
        0
    }
}

fn main() {}
