//! `CONFORMANCE.md` and the tests that it names agree.
#![allow(missing_docs, reason = "tests")]

use std::{collections::BTreeSet, fs, path::Path};

/// A behaviour and the test that shows it.
type Claim = (String, String);

fn tests() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"))
}

fn in_backticks(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// What the table says.
fn claims() -> BTreeSet<Claim> {
    let text = fs::read_to_string(tests().join("CONFORMANCE.md")).expect("the table");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let claims = rows.flat_map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 6, "{row}");
        let id = in_backticks(cells[1]).next().expect("an id");
        assert!(cells[3] != "none" || !cells[4].is_empty(), "no test and no reason: {row}");
        in_backticks(cells[3]).map(move |test| (id.clone(), test)).collect::<Vec<_>>()
    });
    claims.collect()
}

/// Ids look like `TestFlags.test_flags`.
fn ids(documentation: &str) -> impl Iterator<Item = &str> {
    let words = documentation.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
    words.map(|word| word.trim_end_matches('.')).filter(|word| word.contains(".test_"))
}

/// What the documentation of tests in a file says.
fn documented(file: &str, text: &str) -> BTreeSet<Claim> {
    let mut found = BTreeSet::new();
    let (mut documentation, mut is_test) = (String::new(), false);
    for line in text.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("///") {
            documentation.push_str(words);
            documentation.push(' ');
        } else if line.starts_with("#[") {
            is_test |= line == "#[test]";
        } else {
            let name = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            if let Some(name) = name.filter(|_| is_test) {
                let test = format!("{file}::{name}");
                found.extend(ids(&documentation).map(|id| (id.to_owned(), test.clone())));
            }
            documentation.clear();
            is_test = false;
        }
    }
    found
}

#[test]
fn every_claim_is_that_of_a_test() {
    let claims = claims();
    assert!(claims.len() > 90, "{} claims", claims.len());
    let files: BTreeSet<&str> =
        claims.iter().map(|(_, test)| test.split("::").next().expect("a file")).collect();
    let found: BTreeSet<Claim> = files
        .iter()
        .flat_map(|file| documented(file, &fs::read_to_string(tests().join(file)).expect(file)))
        .collect();
    let missing: Vec<_> = claims.difference(&found).collect();
    assert!(missing.is_empty(), "in the table, but not in a test's documentation: {missing:#?}");
    let unlisted: Vec<_> = found.difference(&claims).collect();
    assert!(unlisted.is_empty(), "in a test's documentation, but not in the table: {unlisted:#?}");
}
