//! A parrot at the other end of a pipe: it is told a word and a number, and answers until nobody speaks to it any more.
//!
//! ```console
//! $ cargo run --release --example parrot
//! ```

// ANCHOR: program
use psync::prelude::*;
use std::time::Duration;

type Word = (String, usize);

#[process]
fn parrot(owner: Connection<String, Word>) -> usize {
    let mut answers = 0;
    while let Ok((word, times)) = owner.recv() {
        if owner.send(&vec![word; times].join(" ")).is_ok() {
            answers += 1;
        }
    }
    answers
}

fn main() -> psync::Result<()> {
    let (here, there) = psync::pipe::<Word, String>()?;
    let parrot = parrot::spawn(there)?;
    println!("it says something by itself: {}", here.poll(Duration::from_millis(20)));
    for (word, times) in [("hello", 2), ("nut", 3)] {
        here.send(&(word.to_string(), times))?;
        println!("{}", here.recv()?);
    }
    drop(here);
    println!("{} answers", parrot.join()?);
    Ok(())
}
// ANCHOR_END: program
