//! There is no runtime in the server.

use psync::managed;

struct Account;

#[managed]
impl Account {
    pub async fn balance(&self) -> i64 {
        0
    }
}

fn main() {}
