//! Nothing to run.
use psync::prelude::*;

fn main() {
    let _ = parallel! {};
    let _ = parallel! { with on_failure = finish };
}
