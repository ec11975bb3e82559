//! `#[shared]`: structs and fieldless enums that may live in shared memory, and statics that do.

mod ast;
mod check;
mod enums;
mod expand;
mod guards;
mod hints;
mod statics;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::diag::Diag;
use ast::Model;

/// The whole macro, over tokens that exist outside of a compiler as well.
pub(crate) fn run(args: TokenStream, item: TokenStream) -> TokenStream {
    if let Ok(mut parsed) = syn::parse2::<statics::Static>(item.clone()) {
        return statics::run(args, &mut parsed, item);
    }
    let mut diag = Diag::default();
    let Some(mut model) = Model::parse(args, item.clone(), &mut diag) else {
        return diag.attach(item);
    };
    check::model(&model, &mut diag);
    if diag.is_clean() {
        return expand::model(&model);
    }
    if model.has_inits() {
        model.underive("Default");
    }
    diag.attach(expand::stub(&model))
}
