//! The repository as text: what the tests look at that check sources instead of running them.
#![allow(dead_code, reason = "each test uses some of it")]

pub(crate) mod examples;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The directory of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file, by its path from the root.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// All files below a directory whose names end in one of `endings`, as paths from the root, in order.
pub(crate) fn files(below: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join(below), &mut found);
    found.retain(|path| endings.iter().any(|end| path.to_string_lossy().ends_with(end)));
    let mut found: Vec<PathBuf> =
        found.iter().filter_map(|path| path.strip_prefix(root()).ok()).map(Into::into).collect();
    found.sort();
    assert!(!found.is_empty(), "no {endings:?} below `{below}`");
    found
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    let entries =
        fs::read_dir(directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    for entry in entries {
        let path = entry.expect("the directory can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let hidden = name.starts_with('.') && name != ".ci";
        // What is built, not written: cargo's directory has a mark in it, the book's output lies in `book/book`.
        let built = path.join("CACHEDIR.TAG").exists() || path.ends_with("book/book");
        if path.is_dir() && !hidden && !built {
            collect(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// Whether a file holds nothing but tests, or help for them.
pub(crate) fn is_test_file(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem == "tests"
        || stem == "testing"
        || stem.ends_with("_tests")
        || stem == "golden"
        || path.components().any(|part| part.as_os_str() == "tests")
}
