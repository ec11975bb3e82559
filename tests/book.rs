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

#[test]
fn every_link_leads_to_a_page() {
    for page in pages() {
        for link in repo::read(&page).split("](").skip(1).filter_map(|rest| rest.split(')').next())
        {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") {
                let target = resolve(&page, file);
                assert!(repo::root().join(&target).exists(), "{}: `{link}`", page.display());
            }
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
