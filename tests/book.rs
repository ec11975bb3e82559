//! The book says nothing by itself: what it includes exists, its pages are all in its summary, and every example is in it.

mod repo;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

const PAGES: &str = "book/src";

/// A `{{#include FILE:ANCHOR}}` of a page.
struct Include {
    page: PathBuf,
    file: PathBuf,
    anchor: Option<String>,
}

fn pages() -> Vec<PathBuf> {
    repo::files(PAGES, &[".md"])
}

fn includes() -> Vec<Include> {
    let mut found = Vec::new();
    for page in pages() {
        let text = repo::read(&page);
        for directive in text.split("{{#").skip(1).filter_map(|rest| rest.split("}}").next()) {
            let Some(target) = directive.strip_prefix("include ") else {
                panic!("{}: `{directive}`: only `include` is checked", page.display());
            };
            let (file, anchor) = match target.trim().split_once(':') {
                Some((file, anchor)) => (file, Some(anchor.to_owned())),
                None => (target.trim(), None),
            };
            let file = resolve(&page, file);
            found.push(Include { page: page.clone(), file, anchor });
        }
    }
    assert!(!found.is_empty(), "the book shows no program");
    found
}

/// A path that a page gives, from the root of the repository.
fn resolve(page: &Path, target: &str) -> PathBuf {
    let mut path = page.parent().unwrap_or(Path::new("")).to_path_buf();
    for part in Path::new(target).components() {
        match part {
            std::path::Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_include_names_a_file_and_an_anchor_in_it() {
    for Include { page, file, anchor } in includes() {
        let (page, text) = (page.display(), repo::read(&file));
        let Some(anchor) = anchor else { continue };
        for mark in [format!("ANCHOR: {anchor}"), format!("ANCHOR_END: {anchor}")] {
            let times = text.lines().filter(|line| line.trim().ends_with(&mark)).count();
            assert_eq!(times, 1, "{page}: `{mark}` in {}", file.display());
        }
    }
}

#[test]
fn every_anchor_is_shown() {
    let shown: BTreeSet<(PathBuf, Option<String>)> =
        includes().into_iter().map(|include| (include.file, include.anchor)).collect();
    for file in repo::files("examples", &[".rs"]) {
        for line in repo::read(&file).lines() {
            if let Some(anchor) = line.trim().strip_prefix("// ANCHOR: ") {
                let part = (file.clone(), Some(anchor.to_owned()));
                assert!(shown.contains(&part), "{}: no page shows `{anchor}`", file.display());
            }
        }
    }
}

/// Whoever types a program from the book has all of it. The larger programs are shown in parts.
#[test]
fn programs_are_shown_as_a_whole() {
    const IN_PARTS: [&str; 2] = ["thumbnails", "wordcount"];
    for file in repo::files("examples", &[".rs"]) {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        if file.parent() != Some(Path::new("examples")) || IN_PARTS.contains(&&*stem) {
            continue;
        }
        let mut is_shown = false;
        for line in repo::read(&file).lines().map(str::trim) {
            if line.starts_with("// ANCHOR") {
                is_shown = line.starts_with("// ANCHOR: ");
            } else if !(is_shown
                || line.is_empty()
                || ["//", "#!["].iter().any(|s| line.starts_with(s)))
            {
                panic!("{}: no page shows `{line}`", file.display());
            }
        }
    }
}

#[test]
fn every_page_is_in_the_summary_once() {
    let summary = repo::read(format!("{PAGES}/SUMMARY.md"));
    let links = summary.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let mut linked: Vec<PathBuf> = links.map(|link| Path::new(PAGES).join(link)).collect();
    linked.sort();
    let mut pages = pages();
    pages.retain(|page| !page.ends_with("SUMMARY.md"));
    assert_eq!(linked, pages);
}

#[test]
fn every_example_is_on_a_page_with_its_output() {
    let shown: BTreeSet<PathBuf> = includes().into_iter().map(|include| include.file).collect();
    for (below, ending) in [("examples", ".rs"), ("examples/expected", ".out")] {
        let mut files = repo::files(below, &[ending]);
        files.retain(|file| file.parent() == Some(Path::new(below)));
        for file in files {
            assert!(shown.contains(&file), "no page shows {}", file.display());
        }
    }
}

/// The links of a text: `[..](TARGET)`. Not what a program of a page has in it.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        is_code ^= line.starts_with("```");
        if !is_code {
            let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            found.extend(targets.map(str::to_owned));
        }
    }
    found
}

/// What mdBook makes of a heading: lower case, words joined by hyphens, nothing else but letters, digits, `-` and `_`.
fn anchors(page: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut is_code = false;
    for line in repo::read(page).lines() {
        is_code ^= line.starts_with("```");
        let heading = line.trim_start_matches('#').strip_prefix(' ');
        if let Some(heading) = heading.filter(|_| line.starts_with('#') && !is_code) {
            let kept = heading.to_lowercase().replace(' ', "-");
            found.insert(
                kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect(),
            );
        }
    }
    found
}

#[test]
fn every_link_leads_to_a_page_and_a_heading() {
    let known = pages();
    for page in &known {
        for link in links(&repo::read(page)).iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { resolve(page, file) };
            assert!(known.contains(&target), "{}: `{link}` leads out of the book", page.display());
            let is_there = anchor.is_empty() || anchors(&target).contains(anchor);
            assert!(is_there, "{}: no heading for `{link}`", page.display());
        }
    }
}

/// What people read before they have the book.
#[test]
fn every_link_of_the_other_texts_leads_to_a_file() {
    for text in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "UNSAFE.md", "CHANGELOG.md"] {
        for link in links(&repo::read(text)).iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = Path::new(if file.is_empty() { text } else { file });
            assert!(repo::root().join(target).exists(), "{text}: `{link}`");
            let is_there = anchor.is_empty() || anchors(target).contains(anchor);
            assert!(is_there, "{text}: no heading for `{link}`");
        }
    }
}

/// `tests/FILE.rs::TEST` in the README.
#[test]
fn every_test_that_the_readme_names_exists() {
    let text = repo::read("README.md");
    let named: Vec<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|w| w.starts_with("tests/") && w.contains(".rs"))
        .collect();
    assert!(named.len() > 8, "{named:?}");
    for name in named {
        let (file, test) = name.split_once("::").unwrap_or((name, ""));
        let there = repo::read(file);
        assert!(there.contains(&format!("fn {test}")), "README.md: no test `{name}`");
    }
}

/// The options that a macro takes are those that its message to a misspelt one lists.
#[test]
fn every_option_is_in_the_grammar() {
    for (grammar, message) in [
        ("psync-macros/src/parallel/grammar.txt", "tests/ui/parallel/options/misspelt.stderr"),
        ("psync-macros/src/process/grammar.txt", "tests/ui/process/options/misspelt.stderr"),
    ] {
        let (grammar, message) = (repo::read(grammar), repo::read(message));
        let listed = message.split(" takes ").nth(1).and_then(|rest| rest.lines().next());
        let options: Vec<&str> = listed.expect("a list").split('`').skip(1).step_by(2).collect();
        assert!(options.len() > 5, "{message}");
        for option in options {
            let words = grammar.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            assert!(words.into_iter().any(|word| word == option), "no `{option}` in:\n{grammar}");
        }
    }
}

#[test]
fn all_code_and_output_is_included() {
    for page in pages() {
        let mut fence: Option<Vec<String>> = None;
        for line in repo::read(&page).lines() {
            match (&mut fence, line.starts_with("```")) {
                (None, true) => fence = Some(vec![line.to_owned()]),
                (Some(lines), false) => lines.push(line.to_owned()),
                (Some(lines), true) => {
                    let own = lines[1..].iter().find(|line| {
                        !line.starts_with("{{#include ")
                            && !line.starts_with("$ ")
                            && !line.is_empty()
                    });
                    assert!(own.is_none(), "{}: `{}` is typed", page.display(), own.unwrap());
                    fence = None;
                }
                (None, false) => {}
            }
        }
    }
}
