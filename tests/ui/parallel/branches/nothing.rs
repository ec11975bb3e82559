//! Nothing at all.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let value = parallel! {  };
}
