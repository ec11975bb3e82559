//! Every example says what it said when its output was recorded. Where processes interleave, the order of the lines is free.

mod repo;

use repo::examples::example;
use std::path::Path;

/// The examples, and the arguments that they were recorded with.
const EXAMPLES: [(&str, &[&str]); 2] =
    [("farm", &[]), ("wordcount", &["LICENSE-APACHE", "LICENSE-MIT"])];

/// The lines that a program prints. It must succeed, and complain about nothing.
fn lines(name: &str, arguments: &[&str]) -> Vec<String> {
    let output = example(name).args(arguments).output().expect("it can be run");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{name}: {}: {}", output.status, said(&output.stderr));
    assert_eq!(said(&output.stderr), "", "{name}");
    said(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn every_example_says_what_was_recorded() {
    for (name, arguments) in EXAMPLES {
        let mut said = lines(name, arguments);
        let recorded = repo::read(format!("examples/expected/{name}.out"));
        let mut recorded: Vec<&str> = recorded.lines().collect();
        said.sort_unstable();
        recorded.sort_unstable();
        assert_eq!(said, recorded, "{name}");
    }
}

#[test]
fn every_example_is_recorded() {
    let stems = |below: &str, ending: &str| -> Vec<String> {
        let mut files = repo::files(below, &[ending]);
        files.retain(|path| path.parent() == Some(Path::new(below)));
        let stems = files.iter().filter_map(|path| path.file_stem());
        stems.map(|stem| stem.to_string_lossy().into_owned()).collect()
    };
    let names = EXAMPLES.map(|(name, _)| name);
    assert_eq!(stems("examples", ".rs"), names);
    assert_eq!(stems("examples/expected", ".out"), names);
}

/// What comes before what, where that is the point.
#[test]
fn the_animals_keep_their_order() {
    for _ in 0..10 {
        let lines = lines("farm", &[]);
        let first =
            |what: &str| lines.iter().position(|line| line.contains(what)).expect("it is said");
        let last =
            |what: &str| lines.iter().rposition(|line| line.contains(what)).expect("it is said");
        assert_eq!(first("rings the bell"), 0, "nobody swings before: {lines:#?}");
        assert!(last("is at the gate") < first("the gate opens"), "all are there: {lines:#?}");
        assert!(last("the gate opens") < first("places at the gate"), "then it opens: {lines:#?}");
        assert_eq!(first("the gate opens"), last("the gate opens"), "it opens once: {lines:#?}");
    }
}
