//! Threads of the server share the object.

use psync::managed;
use std::rc::Rc;

struct Account {
    cents: Rc<i64>,
}

#[managed]
impl Account {
    pub fn balance(&self) -> i64 {
        *self.cents
    }
}

fn main() {}
