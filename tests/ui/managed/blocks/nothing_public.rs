//! There is nothing that a process could call.

use psync::managed;

struct Account;

#[managed]
impl Account {
    fn balance(&self) -> i64 {
        0
    }
}

fn main() {
    Account.balance();
}
