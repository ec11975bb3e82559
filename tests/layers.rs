//! The runtime's modules are layers: each imports only from itself and from those below (ARCHITECTURE.md).

mod repo;

use proc_macro2::{TokenStream, TokenTree};
use std::path::Path;

/// From the lowest to the highest.
const LAYERS: [&str; 10] = [
    "primitive",
    "error",
    "sys",
    "shm",
    "sync",
    "channel",
    "process",
    "pool",
    "manager",
    "__private",
];

/// What the crate's root exports, and the layer that it comes from.
const EXPORTS: [(&str, &str); 3] = [("Error", "error"), ("Result", "error"), ("OsError", "sys")];

const SOURCES: &str = "psync-runtime/src";

#[test]
fn no_module_imports_from_a_layer_above() {
    let mut wrong = Vec::new();
    for path in repo::files(SOURCES, &[".rs"]) {
        let module = module_of(&path);
        let Some(layer) = module.first() else { continue };
        let own = rank(layer).unwrap_or_else(|| panic!("`{layer}` is no layer of ARCHITECTURE.md"));
        for name in imports(&repo::read(&path), module.len()) {
            match rank(&name) {
                None => wrong.push(format!("{}: `crate::{name}` is no layer", path.display())),
                // Neither needs the other, and their order means nothing.
                Some(_) if layer == "manager" && name == "pool" => {
                    wrong.push(format!("{}: `manager` and `pool` are strangers", path.display()));
                }
                Some(seen) if seen > own => {
                    wrong.push(format!("{}: `{layer}` may not use `{name}`", path.display()));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_layers_are_those_of_the_architecture() {
    let listed = LAYERS.map(|layer| format!("`{layer}`")).join(" < ");
    assert!(repo::read("ARCHITECTURE.md").contains(&listed), "ARCHITECTURE.md lists other layers");
    let root = repo::read(format!("{SOURCES}/lib.rs"));
    let modules = root.lines().filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';'));
    let mut modules: Vec<&str> = modules.collect();
    let mut layers = LAYERS;
    modules.sort_unstable();
    layers.sort_unstable();
    assert_eq!(modules, layers);
}

#[test]
fn every_way_to_import_is_seen() {
    let source = r"
        //! Not in comments: crate::no, and not in documentation: [x](crate::no).
        use crate::{a::{x, y}, b, c::z as crate_no};
        use super::super::{d, e::x};
        fn f() -> crate::g::T { crate::h(super::inside, $crate::i::x!()) }
        mod tests { use super::super::super::j::x; use super::super::inside; }
    ";
    assert_eq!(imports(source, 2), ["a", "b", "c", "d", "e", "g", "h", "i", "j"]);
}

/// Its place in the order.
fn rank(name: &str) -> Option<usize> {
    let export = EXPORTS.iter().find(|(export, _)| *export == name);
    let name = export.map_or(name, |(_, layer)| layer);
    LAYERS.iter().position(|layer| *layer == name)
}

/// The module that a file is, as a path from the crate.
fn module_of(path: &Path) -> Vec<String> {
    let inside = path.strip_prefix(SOURCES).expect("it is one of the sources").with_extension("");
    let parts = inside.iter().map(|part| part.to_string_lossy().into_owned());
    parts.filter(|part| part != "mod" && part != "lib").collect()
}

/// The top-level modules that a source names, by `crate::` or by as many `super::` as lead there from `depth`.
fn imports(source: &str, depth: usize) -> Vec<String> {
    let tokens: TokenStream = source.parse().expect("the compiler accepts it");
    let mut names = Vec::new();
    walk(&tokens.into_iter().collect::<Vec<_>>(), depth, &mut names);
    names
}

fn walk(tokens: &[TokenTree], depth: usize, names: &mut Vec<String>) {
    let mut at = 0;
    while at < tokens.len() {
        let mut rest = &tokens[at..];
        let mut level = depth;
        while level > 0
            && let Some(after) = step(rest, "super")
        {
            (rest, level) = (after, level - 1);
        }
        if let Some(after) = step(rest, "crate") {
            (rest, level) = (after, 0);
        }
        let moved = tokens.len() - at - rest.len();
        if moved > 0 {
            if level == 0 {
                first_names(rest, names);
            }
            at += moved;
            continue;
        }
        if let TokenTree::Group(group) = &rest[0] {
            let inside: Vec<_> = group.stream().into_iter().collect();
            let is_module = at >= 2 && is_ident(&tokens[at - 2], "mod");
            walk(&inside, depth + usize::from(is_module), names);
        }
        at += 1;
    }
}

/// What follows `word::`, if that is what comes next.
fn step<'a>(tokens: &'a [TokenTree], word: &str) -> Option<&'a [TokenTree]> {
    match tokens {
        [first, TokenTree::Punct(a), TokenTree::Punct(b), rest @ ..]
            if is_ident(first, word) && a.as_char() == ':' && b.as_char() == ':' =>
        {
            Some(rest)
        }
        _ => None,
    }
}

fn is_ident(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// The name that comes next, or those at the head of each part of `{.., ..}`.
fn first_names(tokens: &[TokenTree], names: &mut Vec<String>) {
    match tokens.first() {
        Some(TokenTree::Ident(ident)) => names.push(ident.to_string()),
        Some(TokenTree::Group(group)) => {
            let mut is_head = true;
            for token in group.stream() {
                match token {
                    TokenTree::Ident(ident) if is_head => {
                        names.push(ident.to_string());
                        is_head = false;
                    }
                    TokenTree::Punct(comma) if comma.as_char() == ',' => is_head = true,
                    _ => {}
                }
            }
        }
        _ => {}
    }
}
