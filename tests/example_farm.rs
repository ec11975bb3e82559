//! The farm of the crate's tour, run as a program.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::doc_markdown, reason = "names of behaviours")]

mod common;

use common::{programs::build, watchdog_for};
use std::{path::Path, time::Duration};

#[test]
fn the_farm_says_what_it_should_in_the_right_order() {
    let _watchdog = watchdog_for(Duration::from_mins(15));
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = manifest.to_str().expect("text");
    let output = build(&["run", "--quiet", "--example", "farm", "--manifest-path", manifest]);
    let said = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<&str> = said.lines().collect();
    let count = |line: &str| lines.iter().filter(|&&said| said == line).count();
    let place = |line: &str| lines.iter().position(|&said| said == line).expect(line);
    let animals = ["George", "Fred", "Percy", "Bella", "Daisy"];
    for (turns, name) in (1..).zip(animals) {
        assert_eq!(count(&format!("{name} swings")), turns, "{said}");
        assert!(place("the farmer rings the bell") < place(&format!("{name} swings")), "{said}");
        assert!(place(&format!("{name} is at the gate")) < place("the gate opens"), "{said}");
    }
    assert_eq!((count("the gate opens"), lines.len()), (1, 1 + 15 + 5 + 1 + 3), "{said}");
    assert!(said.contains("15 acorns, 1 on the swings") || said.contains("15 acorns, 2 on the"));
    assert!(said.contains("written down: Bella, Daisy, Fred, George, Percy\n"), "{said}");
    assert!(said.ends_with("left as number [0, 1, 2, 3, 4]\n"), "{said}");
}
