//! A proxy implements no trait of the user.

use psync::managed;

struct Account;

#[managed]
impl Clone for Account {
    fn clone(&self) -> Self {
        Account
    }
}

fn main() {}
