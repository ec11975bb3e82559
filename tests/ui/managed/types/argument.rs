//! An argument that cannot cross.

use psync::managed;

pub struct Money(i64);

struct Account {
    cents: i64,
}

#[managed]
impl Account {
    pub fn deposit(&mut self, money: Money) -> i64 {
        self.cents += money.0;
        self.cents
    }
}

fn main() {}
