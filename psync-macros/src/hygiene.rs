//! Names that the macros invent, in a colour that the user's names do not have.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};

/// A local variable that no user code can see or meet.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The `index`-th of a family of local variables.
pub(crate) fn numbered(name: &str, index: usize) -> Ident {
    format_ident!("{name}{index}", span = Span::mixed_site())
}

/// Tokens with the span of another piece of code, so that a type error about them is shown there.
pub(crate) fn spanned(tokens: TokenStream, at: &impl ToTokens) -> TokenStream {
    let span = syn::spanned::Spanned::span(at);
    tokens
        .into_iter()
        .map(|mut tree| {
            tree.set_span(span.resolved_at(tree.span()));
            tree
        })
        .collect()
}

/// The user's tokens where they name something generated: as before for who looks them up, and foreign for lints, which would complain about
/// what the user has not written. An `#[allow]` could do the same, but not where a crate forbids a lint.
pub(crate) fn quiet(tokens: &impl ToTokens) -> TokenStream {
    let foreign = |mut tree: TokenTree| {
        if let TokenTree::Group(group) = &tree {
            let mut inside = Group::new(group.delimiter(), quiet(&group.stream()));
            inside.set_span(group.span());
            tree = TokenTree::Group(inside);
        }
        tree.set_span(tree.span().resolved_at(Span::call_site()));
        tree
    };
    tokens.to_token_stream().into_iter().map(foreign).collect()
}

/// The same for a name.
pub(crate) fn quiet_name(name: &Ident) -> Ident {
    let mut name = name.clone();
    name.set_span(name.span().resolved_at(Span::call_site()));
    name
}

/// A block with statements in front. The braces stay the user's, and there is no second pair that a lint could call unnecessary.
pub(crate) fn prefixed(block: &Group, statements: &TokenStream) -> Group {
    let inside = statements.clone().into_iter().chain(block.stream()).collect();
    let mut prefixed = Group::new(Delimiter::Brace, inside);
    prefixed.set_span(block.span());
    prefixed
}

/// Parentheses of our own with the span of another piece of code, which is where the compiler shows what is wrong about the whole.
pub(crate) fn parenthesized(inside: TokenStream, at: Span) -> Group {
    enclosed(Delimiter::Parenthesis, inside, at)
}

/// The same with other brackets.
pub(crate) fn enclosed(brackets: Delimiter, inside: TokenStream, at: Span) -> Group {
    let mut group = Group::new(brackets, inside);
    group.set_span(at.resolved_at(Span::call_site()));
    group
}
