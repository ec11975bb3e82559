//! Arguments cross by value.

use psync::managed;

struct Account;

#[managed]
impl Account {
    pub fn add(&mut self, amounts: &[i64]) -> i64 {
        amounts.iter().sum()
    }
}

fn main() {}
