//! What a method returns crosses, and the object does not.

use psync::managed;

struct Account;

#[managed]
impl Account {
    pub fn copy(&self) -> Self {
        Account
    }
}

fn main() {}
