//! `#[process]`: a function, and beside it the ways to start it in a process of its own.

mod ast;
mod check;
mod expand;
#[cfg(test)]
mod tests;
mod wiring;

use proc_macro2::TokenStream;

use crate::diag::Diag;
use ast::Entry;

/// The whole macro, over tokens that exist outside of a compiler as well.
pub(crate) fn run(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    let Some(entry) = Entry::parse(args, item.clone(), &mut diag) else {
        return diag.attach(item);
    };
    check::entry(&entry, &mut diag);
    let tokens = if diag.is_clean() { expand::entry(&entry) } else { expand::stub(&entry) };
    diag.attach(tokens)
}
