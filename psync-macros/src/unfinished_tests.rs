//! Code that somebody is still typing: the tokens are in the expansion, where they were typed, so that editors can complete them.

use std::str::FromStr as _;

use proc_macro2::{LineColumn, Span, TokenStream, TokenTree};

use crate::{parallel, process, shared};

/// Tokens that know their places in `text`.
fn tokens(text: &str) -> TokenStream {
    TokenStream::from_str(text).expect("brackets that match")
}

/// The identifiers in an expansion that came from a text.
fn idents(expansion: TokenStream, found: &mut Vec<(String, Span)>) {
    for tree in expansion {
        match tree {
            TokenTree::Ident(ident) => found.push((ident.to_string(), ident.span())),
            TokenTree::Group(group) => idents(group.stream(), found),
            _ => {}
        }
    }
}

/// Asserts that each word of `text` that stands between `‹` and `›` is in the expansion with its own place.
#[track_caller]
fn keeps(text: &str, expand: impl Fn(TokenStream) -> TokenStream) {
    let plain = text.replace(['‹', '›'], "");
    let mut found = Vec::new();
    let source = tokens(&plain);
    let mut written = Vec::new();
    idents(source.clone(), &mut written);
    idents(expand(source), &mut found);
    let place = |span: &Span| -> LineColumn { span.start() };
    let mut marked = 0;
    for (before, rest) in
        text.match_indices('‹').map(|(at, mark)| (&text[..at], &text[at + mark.len()..]))
    {
        let word = rest.split('›').next().unwrap_or_default();
        let column = before.replace(['‹', '›'], "").chars().count();
        let at = |(name, span): &&(String, Span)| {
            name == word
                && place(span).column == column
                && span.source_text().as_deref() == Some(word)
        };
        assert!(written.iter().any(|it| at(&it)), "`{word}` is not at {column} of {plain:?}");
        assert!(found.iter().any(|it| at(&it)), "`{word}` is lost: {plain}\n{found:#?}");
        marked += 1;
    }
    assert!(marked > 0, "nothing is marked in {text:?}");
}

fn in_process(text: &str) {
    keeps(text, |item| process::run(TokenStream::new(), item));
}

#[test]
fn bodies_of_functions() {
    in_process("fn work(farm: &Farm) { ‹farm›. }");
    in_process("fn work(n: u32) -> u32 { let ‹half› = if ‹n› > 3 { ‹n›. } }");
    in_process("fn work(n: u32) -> u32 { match ‹n› { 1 => , _ => farm:: } }");
    in_process("fn work(n: u32) -> u32 { let x = ; ‹x› + }");
    // With a wrong option as well.
    keeps("fn work(farm: &Farm) { ‹farm›. }", |item| process::run(tokens("daemno"), item));
    // And with a wrong parameter.
    in_process("fn work(&self, farm: &Farm) { ‹farm›.fed. }");
}

#[test]
fn wiring_that_has_a_next_word() {
    let in_options = |item: &'static str| move |args| process::run(args, tokens(item));
    keeps("wait(‹farm›.‹b›)", in_options("fn work(farm: &Farm) {}"));
    keeps(
        "wait(‹farm›.bell), lock(‹farm›.‹p› as pen), nmae = 3",
        in_options("fn work(farm: &Farm) { pen. }"),
    );
}

#[test]
fn signatures_that_end_early_are_handed_back() {
    in_process("fn ‹work›(‹farm›: &‹Fa›)");
    in_process("pub fn ‹work›");
}

// Brackets that do not match never reach a macro, so these are as far as one can get.
#[test]
fn branches() {
    let in_parallel = |text| keeps(text, parallel::run);
    in_parallel("‹work›(‹farm›.)");
    in_parallel("‹ring›(&‹farm›), ‹mon›");
    in_parallel("‹ring›(&‹farm›), ‹farm›.‹ri›");
    in_parallel("ring: ‹ring›(&‹farm›), feed: ‹inner›::‹fe›");
    in_parallel("for n in ‹items›.‹it› => ‹work›(‹n›.)");
    in_parallel("‹ring›(&‹farm›), for n in items.");
    in_parallel("process(&‹farm›) { ‹farm›. }");
    in_parallel("process(&‹farm›, ‹n› + 1) { ‹farm›.‹fe›. }, ‹ring›(‹far›)");
    in_parallel("process(&mut farm, 3) { let x = ‹farm›.; ‹x› }");
    in_parallel("for (‹i›, n) in ‹names› => process(n, n) { ‹i›. }");
    in_parallel("for (i, ‹n›) in ‹names› => process(i) { ‹n›.len() + ‹farm›.b }");
    in_parallel("{ ‹farm›. }, feed: { ‹farm›.‹f› }");
    in_parallel("for ‹n› in ‹names› { ‹n›. }");
    in_parallel("for ‹n› in ‹names› => { ‹n›. }");
    in_parallel("with deadline = ‹Duration›::‹fr›, grce = 3; ‹ring›(‹far›)");
    in_parallel("with deadline = ; ‹ring›(‹far›)");
}

#[test]
fn fields() {
    keeps("struct Farm { bell: ‹Ev›, #[guarded_by(p)] acorns: ‹u32› }", |item| {
        shared::run(TokenStream::new(), item)
    });
    keeps(
        "struct Farm { #[init(‹Semaphore›::‹n›)] swings: ‹Semaphore›, ‹be› }",
        |item| shared::run(TokenStream::new(), item),
    );
}
