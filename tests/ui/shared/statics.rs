//! Statics that cannot be shared: each has one mistake, and its uses none.
use psync::prelude::*;

#[shared]
static mut COUNT: u64 = 0;

#[shared]
static NAME: String = String::new();

#[shared]
static TEXT: &str = "";

struct Plain(u32);

#[shared]
static PLAIN: Plain = Plain(1);

#[shared(default = false)]
static FINE: Value<u64> = Value::new(0);

#[shared]
static WRONG: Value<u64> = 0;

fn main() {
    let _ = *COUNT;
    let _ = NAME.len() + TEXT.len();
    let _ = PLAIN.0;
    FINE.get();
}
