//! Habits that no lint knows, checked in the text of the sources.

mod repo;

use proc_macro2::{TokenStream, TokenTree};
use std::path::{Path, PathBuf};

/// The sources that people write: not the recorded expansions, which the compiler prints.
fn sources() -> Vec<PathBuf> {
    let mut all = repo::files("", &[".rs"]);
    all.retain(|path| !path.components().any(|part| part.as_os_str() == "golden"));
    all
}

/// Fails with all of them, if there are any.
fn report(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The lines of all given files that `is_wrong` finds fault with.
fn lines_where(files: Vec<PathBuf>, is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for path in files {
        for (line, number) in repo::read(&path).lines().zip(1..) {
            if is_wrong(line) {
                wrong.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    wrong
}

#[test]
fn every_file_opens_with_a_sentence() {
    let opens = |path: &PathBuf| {
        let text = repo::read(path);
        let first = text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
        first.strip_prefix("//! ").is_some_and(|words| words.split(' ').count() > 1)
    };
    let wrong: Vec<String> = sources()
        .iter()
        .filter(|path| !opens(path))
        .map(|path| format!("{}: says not what it is for", path.display()))
        .collect();
    report(&wrong);
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let wrong: Vec<String> = sources()
        .iter()
        .map(|path| (path, repo::read(path).lines().count()))
        .filter(|(_, lines)| *lines > 500)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    report(&wrong);
}

#[test]
fn nothing_is_left_to_be_done() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let macros = [concat!("to", "do!"), concat!("unimpl", "emented!")];
    let wrong = |line: &str| marks.iter().chain(&macros).any(|mark| line.contains(mark));
    report(&lines_where(repo::files("", &[".rs", ".md", ".toml", "run"]), wrong));
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let paths = [
        concat!("/wo", "rk/"),
        concat!("/tmp", "/wt"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    let texts = repo::files("", &[".rs", ".md", ".toml", ".out", ".stderr", "run"]);
    report(&lines_where(texts, |line| paths.iter().any(|path| line.contains(path))));
}

/// Atomics come from `primitive`, so that they can be exchanged for a model checker's.
#[test]
fn the_runtime_takes_its_atomics_from_one_place() {
    // Besides `primitive`: a promise about the types of std, and a fence for the compiler alone.
    const MAY: [&str; 3] = ["src/primitive.rs", "src/shm/foreign.rs", "src/sys/thread.rs"];
    let mut wrong = Vec::new();
    for path in repo::files("psync-runtime/src", &[".rs"]) {
        let exempt = MAY.iter().any(|may| path.ends_with(may)) || repo::is_test_file(&path);
        if !exempt && code(&path).contains(" atomic ") {
            wrong.push(format!("{}: atomics come from `crate::primitive`", path.display()));
        }
    }
    report(&wrong);
    let thread = code(Path::new("psync-runtime/src/sys/thread.rs"));
    let imported = thread.split(" atomic ").nth(1).and_then(|rest| rest.split('}').next());
    assert!(
        imported.is_none_or(|names| !names.contains("Atomic") && names.contains("compiler_fence")),
        "sys/thread.rs takes more than `compiler_fence` from `core::sync::atomic`"
    );
}

/// Whatever a user writes, the macros answer with a message that points at it.
#[test]
fn the_macros_never_panic() {
    let mut wrong = Vec::new();
    for path in repo::files("psync-macros/src", &[".rs"]) {
        if repo::is_test_file(&path) {
            continue;
        }
        let text = code(&path);
        for end in ["panic !", ". unwrap {", ". expect {", "assert !", "assert_eq !"] {
            if text.contains(end) {
                wrong.push(format!("{}: `{}`", path.display(), end.replace(' ', "")));
            }
        }
    }
    report(&wrong);
}

/// `// SAFETY: .. (W1)`.
#[test]
fn every_invariant_that_a_comment_cites_exists() {
    let known = repo::read("UNSAFE.md");
    let mut wrong = Vec::new();
    let mut cited = 0;
    for path in sources() {
        let mut in_argument = false;
        for (line, number) in repo::read(&path).lines().zip(1..) {
            let comment = line.trim_start().strip_prefix("//");
            in_argument = comment.is_some_and(|text| in_argument || text.starts_with(" SAFETY:"));
            for name in comment.filter(|_| in_argument).into_iter().flat_map(invariants) {
                cited += 1;
                if !known.contains(&format!("* **{name}**")) {
                    wrong.push(format!("{}:{number}: no {name} in UNSAFE.md", path.display()));
                }
            }
        }
    }
    report(&wrong);
    assert!(cited > 10, "found {cited} citations only");
}

#[test]
fn invariants_are_recognised() {
    let names: Vec<&str> =
        invariants(" SAFETY: mapped (S2, W1), as in P3; u64, A, 12, F32X").collect();
    assert_eq!(names, ["S2", "W1", "P3"]);
}

/// Words of one capital letter and a number.
fn invariants(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| {
        let mut chars = word.chars();
        let digits = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
        chars.next().is_some_and(|c| c.is_ascii_uppercase()) && digits(chars.as_str())
    })
}

/// A file without comments, literals and unit tests: each token followed by one space, and every bracket a brace.
fn code(path: &Path) -> String {
    let tokens: TokenStream = repo::read(path).parse().expect("the compiler accepts it");
    let mut text = String::new();
    print(tokens, &mut text);
    text
}

fn print(tokens: TokenStream, text: &mut String) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let word = |back: usize| at.checked_sub(back).map(|at| tokens[at].to_string());
                let is_tests =
                    word(2).as_deref() == Some("mod") && word(1).as_deref() == Some("tests");
                if !is_tests {
                    text.push_str("{ ");
                    print(group.stream(), text);
                    text.push_str("} ");
                }
            }
            TokenTree::Literal(_) => text.push_str("_ "),
            token => {
                text.push_str(&token.to_string());
                text.push(' ');
            }
        }
    }
}
