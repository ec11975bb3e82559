//! The proxy is named after the type.

use psync::managed;

trait Sum {}

#[managed]
impl dyn Sum {
    pub fn sum(&self) -> u32 {
        0
    }
}

fn main() {}
