//! Every public item is shown in an example of the reference: types, functions, traits and variants by their names, methods by a call.

mod repo;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use syn::{ImplItem, Item, TraitItem, UseTree, Visibility};

const FACADE: &str = "src/lib.rs";
const RUNTIME: &str = "psync-runtime/src";

/// What a `use` brings: the last name of each path, and the modules that it names by `self`.
fn leaves(tree: &UseTree, above: &str, found: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &path.ident.to_string(), found),
        UseTree::Name(name) if name.ident == "self" => {
            found.insert(above.to_owned());
        }
        UseTree::Name(name) => {
            found.insert(name.ident.to_string());
        }
        UseTree::Group(group) => group.items.iter().for_each(|item| leaves(item, above, found)),
        UseTree::Rename(_) | UseTree::Glob(_) => {}
    }
}

fn parse(path: &Path) -> syn::File {
    syn::parse_file(&repo::read(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_hidden(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("doc")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "hidden")
    })
}

/// The visible names that the files of a module, or its `pub use`, bring.
fn of_module(file: &syn::File) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in &file.items {
        match item {
            Item::Use(item) if is_public(&item.vis) && !is_hidden(&item.attrs) => {
                leaves(&item.tree, "", &mut names);
            }
            Item::Fn(item) if is_public(&item.vis) => {
                names.insert(item.sig.ident.to_string());
            }
            Item::Enum(item) if is_public(&item.vis) => {
                names.insert(item.ident.to_string());
            }
            Item::Struct(item) if is_public(&item.vis) => {
                names.insert(item.ident.to_string());
            }
            _ => {}
        }
    }
    names
}

/// What users can name.
fn exported() -> BTreeSet<String> {
    let mut names = of_module(&parse(Path::new(FACADE)));
    // The macros have their names from the other crate, and the facade itself has no items.
    names.retain(|name| name != "psync_macros" && name != "prelude");
    let runtime = repo::files(RUNTIME, &[".rs"]);
    let modules: Vec<String> =
        names.iter().filter(|name| name.starts_with(|c: char| c.is_lowercase())).cloned().collect();
    for module in modules {
        let is_it = |path: &&std::path::PathBuf| {
            path.ends_with(format!("{module}.rs")) || path.ends_with(format!("{module}/mod.rs"))
        };
        let below =
            [format!("{RUNTIME}/{module}/mod.rs"), format!("{RUNTIME}/process/{module}.rs")];
        for path in runtime.iter().filter(is_it) {
            if below.iter().any(|below| path == Path::new(below)) && names.remove(&module) {
                names.extend(of_module(&parse(path)));
            }
        }
    }
    names
}

/// All programs in the documentation, as words. A word is taken with the dot or the colons in front of it, so that calls can be told from other uses.
fn shown() -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut texts = repo::files(RUNTIME, &[".rs"]);
    texts.extend(["psync-macros/src/lib.rs", FACADE].map(Into::into));
    for path in texts {
        let mut is_code = false;
        for line in repo::read(&path).lines().map(str::trim_start) {
            let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
                is_code = false;
                continue;
            };
            let text = text.trim_start();
            if text.starts_with("```") {
                is_code =
                    !is_code && !text.starts_with("```text") && !text.starts_with("```console");
            } else if is_code {
                note_words(text, &mut words);
            }
        }
    }
    words
}

fn note_words(line: &str, words: &mut BTreeSet<String>) {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = line;
    while let Some(start) = rest.find(is_letter) {
        let end = rest[start..].find(|c| !is_letter(c)).map_or(rest.len(), |end| start + end);
        let (before, word) = (&rest[..start], &rest[start..end]);
        words.insert(word.to_owned());
        if before.ends_with('.') || before.ends_with("::") {
            words.insert(format!(".{word}"));
        }
        rest = &rest[end..];
    }
}

/// The methods of exported types: type and method.
fn methods(exported: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in repo::files(RUNTIME, &[".rs"]) {
        if repo::is_test_file(&path) {
            continue;
        }
        for item in parse(&path).items {
            match item {
                Item::Impl(item) if item.trait_.is_none() && !is_hidden(&item.attrs) => {
                    let syn::Type::Path(name) = &*item.self_ty else { continue };
                    let Some(name) = name.path.segments.last() else { continue };
                    let methods = item.items.iter().filter_map(|item| match item {
                        ImplItem::Fn(f) if is_public(&f.vis) && !is_hidden(&f.attrs) => {
                            Some(f.sig.ident.to_string())
                        }
                        _ => None,
                    });
                    found.entry(name.ident.to_string()).or_default().extend(methods);
                }
                Item::Trait(item) if is_public(&item.vis) => {
                    let methods = item.items.iter().filter_map(|item| match item {
                        TraitItem::Fn(f) if !is_hidden(&f.attrs) => Some(f.sig.ident.to_string()),
                        _ => None,
                    });
                    found.entry(item.ident.to_string()).or_default().extend(methods);
                }
                _ => {}
            }
        }
    }
    found.retain(|name, _| exported.contains(name));
    found
}

#[test]
fn every_public_item_is_shown() {
    let (exported, shown) = (exported(), shown());
    assert!(exported.len() > 80, "{exported:?}");
    let missing: Vec<&String> = exported.iter().filter(|name| !shown.contains(*name)).collect();
    assert!(missing.is_empty(), "in no example: {missing:#?}");
}

#[test]
fn every_public_method_is_shown() {
    let (exported, shown) = (exported(), shown());
    let methods = methods(&exported);
    assert!(methods.values().map(BTreeSet::len).sum::<usize>() > 250, "{methods:#?}");
    let missing: Vec<String> = methods
        .iter()
        .flat_map(|(owner, methods)| methods.iter().map(move |method| (owner, method)))
        .filter(|(_, method)| !shown.contains(&format!(".{method}")))
        .map(|(owner, method)| format!("{owner}::{method}"))
        .collect();
    assert!(missing.is_empty(), "in no example: {missing:#?}");
}

#[test]
fn words_are_told_from_calls() {
    let mut words = BTreeSet::new();
    note_words("let a = B::c(d.e()); // f", &mut words);
    let expected = ["let", "a", "B", "c", ".c", "d", "e", ".e", "f"].map(str::to_owned);
    assert_eq!(words, expected.into());
}
