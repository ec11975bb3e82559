//! What messages cost, beside channels between threads, other ways between processes, and Python's queues.

#[path = "../measure/mod.rs"]
mod measure;

mod hand_over;
mod iceoryx;
mod one_way;
mod peers;
mod python;
mod round_trip;

use measure::{Pace, Tail};

fn main() {
    let pace = Pace::from_caller();
    measure::print("Messages, one way: 1 to 1, and 2 to 2", &one_way::rows(&pace), Tail::None);
    measure::print("There and back", &round_trip::rows(&pace), Tail::P99);
    measure::print("Without a copy", &hand_over::rows(&pace), Tail::P99);
    iceoryx::print();
    python::print();
}
