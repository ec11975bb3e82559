//! What a call of a manager costs, beside Redis over a Unix socket and Python's `multiprocessing.Manager`.

#[path = "../measure/mod.rs"]
mod measure;

mod calls;
mod python;
mod redis;

use measure::{Pace, Tail};

fn main() {
    let pace = Pace::from_caller();
    let server = redis::Server::start();
    if server.is_none() {
        println!("(no redis-server to compare with)");
    }
    let title = "A call, by one process, by one on the server's processor, and by two at a time";
    measure::print(title, &calls::rows(&pace, server.as_ref()), Tail::P99);
    python::print();
}
