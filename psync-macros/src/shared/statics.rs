//! `#[shared]` on a static: one value for all processes of the program.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::parse::{ParseStream, Parser as _};
use syn::visit_mut::VisitMut as _;
use syn::{ItemStatic, StaticMutability};

use super::expand::Storable;
use super::hints;
use crate::diag::Diag;
use crate::options::{self, Accepts, Known, Krate};

/// The options, for the parser and its messages.
const ACCEPTS: Accepts = Accepts { owner: "`#[shared]` on a static", names: &["crate"] };

/// The whole macro for a static.
pub(super) fn run(args: TokenStream, item: &ItemStatic) -> TokenStream {
    let mut diag = Diag::default();
    let krate = options(args, &mut diag);
    check(item, &mut diag);
    let tokens = expand(item, &krate.runtime(), diag.is_clean());
    diag.attach(tokens)
}

fn options(args: TokenStream, diag: &mut Diag) -> Krate {
    let mut krate = Krate::new();
    let fill = |key: &Ident, input: ParseStream<'_>, diag: &mut Diag| {
        if key != "crate" {
            return Ok(Known::No);
        }
        krate.fill(key, input, diag)?;
        Ok(Known::Yes)
    };
    let parser = |input: ParseStream<'_>| {
        options::parse(input, &ACCEPTS, diag, fill);
        if input.is_empty() { Ok(()) } else { Err(input.error("expected `,` between two options")) }
    };
    let end = parser.parse2(args);
    diag.at_end(end);
    krate
}

fn check(item: &ItemStatic, diag: &mut Diag) {
    if let StaticMutability::Mut(token) = &item.mutability {
        diag.error(
            token,
            "processes would race for it; leave `mut` out, and write `Value<T>`, `Mutex<T>` or an atomic as the type",
        );
    }
    hints::item(&item.ident.to_string(), &item.ty, diag);
}

/// The static as written, of the type that leads to the value of the program. After a mistake it has the right type, and no value.
fn expand(item: &ItemStatic, rt: &TokenStream, is_clean: bool) -> TokenStream {
    let ItemStatic { attrs, vis, ident, expr, .. } = item;
    let label = ident.to_string();
    let mut ty = item.ty.clone();
    Storable.visit_type_mut(&mut ty);
    let value = if is_clean {
        quote!(#rt::SharedStatic::new(#rt::fits::<#ty>(), #label, || -> #ty { #expr }))
    } else {
        quote!(#rt::SharedStatic::refused(#label))
    };
    quote!(#(#attrs)* #vis static #ident: #rt::SharedStatic<#ty> = #value;)
}
