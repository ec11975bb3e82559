//! A producer puts three words into a queue, and the program reads them.
//!
//! ```console
//! $ cargo run --release --example three_words
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn produce(words: Queue<String>) -> bool {
    words.send_all(["acorn", "walnut", "chestnut"].map(String::from)).is_ok()
}

fn main() -> psync::Result<()> {
    let words = Queue::bounded(3)?;
    produce::run(words.clone())?;
    for word in words.recv_many(3) {
        println!("{word}");
    }
    Ok(())
}
// ANCHOR_END: program
