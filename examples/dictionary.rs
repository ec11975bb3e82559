//! Three processes fill one dictionary, which a manager keeps.
//!
//! ```console
//! $ cargo run --release --example dictionary
//! ```

// ANCHOR: program
use psync::{manager::DictProxy, prelude::*};

#[process]
fn define(words: DictProxy<String, usize>, word: &str) -> psync::Result<()> {
    words.insert(word.to_owned(), word.len())?;
    Ok(())
}

fn main() -> psync::Result<()> {
    let manager = Manager::start()?;
    let words = manager.dict()?;
    parallel! { for word in ["acorn", "nut", "walnut"] => define(words.clone(), word) }?;
    for (word, letters) in words.items()? {
        println!("{word}: {letters}");
    }
    Ok(())
}
// ANCHOR_END: program
