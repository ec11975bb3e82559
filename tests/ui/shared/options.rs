//! Options and layouts.
use psync::prelude::*;

#[shared(defualt = false, default = 3)]
#[repr(packed)]
struct Packed {
    a: u32,
}

#[shared]
struct Borrows<'a> {
    a: &'a u32,
}

#[shared]
struct Depends {
    #[cfg(unix)]
    a: u32,
}

fn main() {}
