//! Every public item is shown in an example of the reference: functions by their names, methods by a call, types and traits by their names or an example of their own.

mod repo;

use quote::ToTokens as _;
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

/// The modules that users see.
const MODULES: [(&str, &str); 2] = [("log", "process/log.rs"), ("pool", "pool/mod.rs")];

/// What users can name.
fn exported() -> BTreeSet<String> {
    let mut names = of_module(&parse(Path::new(FACADE)));
    for (module, file) in MODULES {
        assert!(names.remove(module), "the facade has no `{module}`");
        names.extend(of_module(&parse(&Path::new(RUNTIME).join(file))));
    }
    names
}

/// Whether the documentation in these attributes has a program.
fn has_example(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("doc") && attribute.to_token_stream().to_string().contains("```")
    })
}

/// The types whose own documentation has an example, or that of one of their methods.
fn with_example() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in repo::files(RUNTIME, &[".rs"]) {
        for item in parse(&path).items {
            let (name, has) = match &item {
                Item::Struct(item) => (item.ident.to_string(), has_example(&item.attrs)),
                Item::Enum(item) => (item.ident.to_string(), has_example(&item.attrs)),
                Item::Trait(item) => (item.ident.to_string(), has_example(&item.attrs)),
                Item::Impl(item) => {
                    let syn::Type::Path(name) = &*item.self_ty else { continue };
                    let name = name.path.segments.last().map(|last| last.ident.to_string());
                    let is_one =
                        |item: &ImplItem| matches!(item, ImplItem::Fn(f) if has_example(&f.attrs));
                    (name.unwrap_or_default(), item.items.iter().any(is_one))
                }
                _ => continue,
            };
            if has {
                names.insert(name);
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
    let (exported, shown, own) = (exported(), shown(), with_example());
    assert!(exported.len() > 80, "{exported:?}");
    let is_missing = |name: &&String| !shown.contains(*name) && !own.contains(*name);
    let missing: Vec<&String> = exported.iter().filter(is_missing).collect();
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
