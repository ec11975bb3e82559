//! The type of the result has to be known.

use psync::managed;

struct Account;

#[managed]
impl Account {
    pub fn parts(&self) -> impl Iterator<Item = i64> + use<> {
        [1, 2].into_iter()
    }
}

fn main() {}
