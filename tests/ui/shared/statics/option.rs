//! An option of structs.
use psync::prelude::*;

#[shared(default = false)]
static HITS: Value<u64> = Value::new(0);

fn main() {
    HITS.get();
}
