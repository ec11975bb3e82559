//! The result cannot borrow from the object.

use psync::managed;

struct Account {
    name: String,
}

#[managed]
impl Account {
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn main() {}
