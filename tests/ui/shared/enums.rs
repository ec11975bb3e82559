//! Enums that are more than one byte.
use psync::prelude::*;

#[shared]
enum Shape {
    Point,
    Circle(f64),
    Square { side: f64 },
}

#[shared]
#[repr(u32)]
enum Wide {
    One = 1,
    Big = 300,
}

#[shared]
enum Never {}

fn main() {
    let _ = Shared::new(Shape::Point);
}
