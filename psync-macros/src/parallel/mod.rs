//! `parallel!`: several processes at once, all of them ended when its value is there.

mod ast;
mod captures;
mod check;
mod expand;
#[cfg(test)]
mod tests;
mod unlisted;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diag::Diag;
use ast::Plan;

/// The whole macro, over tokens that exist outside of a compiler as well.
pub(crate) fn run(input: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    let (mut plan, in_options) = Plan::parse(input, &mut diag);
    check::plan(&mut plan, &mut diag);
    if diag.is_clean() {
        return expand::plan(&plan);
    }
    let branches_are_sound = diag.count() == in_options && !plan.branches.is_empty();
    let errors = diag.into_compile_errors();
    if branches_are_sound {
        let value = expand::plan(&plan);
        return quote!({ #errors #value });
    }
    let understood = expand::understood(&plan);
    quote!({ #understood #errors })
}
