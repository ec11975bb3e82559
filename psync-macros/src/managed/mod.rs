//! `#[managed]`: an `impl` block, and beside it a proxy through which its methods are called in a manager's server.

mod ast;
mod check;
mod expand;
mod named;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::diag::Diag;
use ast::Block;

/// The whole macro, over tokens that exist outside of a compiler as well.
pub(crate) fn run(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    let Some(mut block) = Block::parse(args, item.clone(), &mut diag) else {
        return diag.attach(item);
    };
    check::block(&mut block, &mut diag);
    let expanded = expand::block(&block);
    diag.attach(expanded)
}
