//! A result that cannot come back.

use psync::managed;

pub struct Money(pub i64);

struct Account {
    cents: i64,
}

#[managed]
impl Account {
    pub fn balance(&self) -> Money {
        Money(self.cents)
    }
}

fn main() {}
