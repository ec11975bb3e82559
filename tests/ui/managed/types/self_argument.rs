//! An argument of the object's own type crosses as any other does.

use psync::prelude::*;

pub struct Purse {
    coins: u32,
}

#[managed]
impl Purse {
    pub fn pour(&mut self, other: Self) {
        self.coins += other.coins;
    }
}

fn main() {}
