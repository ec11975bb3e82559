//! An object in another process cannot borrow.

use psync::managed;

struct View<'a>(&'a str);

#[managed]
impl<'a> View<'a> {
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

fn main() {}
