//! `#[shared]` on a static: one value for all processes of the program.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::visit_mut::VisitMut as _;
use syn::{Attribute, Expr, Token, Type, Visibility, parse_quote};

use super::expand::Storable;
use super::hints;
use crate::diag::Diag;
use crate::messages;
use crate::options::{Accepts, Krate};

/// The options, for the parser and its messages.
const ACCEPTS: Accepts = Accepts { owner: "`#[shared]` on a static", names: &["crate"] };

/// A static as written, which the compiler lets pass without a value as long as a macro may add one.
pub(super) struct Static {
    attrs: Vec<Attribute>,
    vis: Visibility,
    mutability: Option<Token![mut]>,
    ident: Ident,
    /// `_` if there is none.
    ty: Type,
    expr: Option<Expr>,
    end: Token![;],
}

impl Parse for Static {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        input.parse::<Token![static]>()?;
        let (mutability, ident) = (input.parse()?, input.parse()?);
        let has_type = input.parse::<Option<Token![:]>>()?.is_some();
        let ty = if has_type { input.parse()? } else { parse_quote!(_) };
        let has_value = input.parse::<Option<Token![=]>>()?.is_some();
        let expr = if has_value { Some(input.parse()?) } else { None };
        Ok(Self { attrs, vis, mutability, ident, ty, expr, end: input.parse()? })
    }
}

/// The whole macro for a static.
pub(super) fn run(args: TokenStream, item: &mut Static, written: TokenStream) -> TokenStream {
    if matches!(item.ty, Type::Infer(_)) {
        // The compiler knows which type is missing.
        return written;
    }
    let mut diag = Diag::default();
    messages::once("shared", &mut item.attrs, &mut diag);
    let krate = Krate::alone(args, &ACCEPTS, &mut diag);
    check(item, &mut diag);
    let tokens = expand(item, &krate.runtime(), diag.is_clean());
    diag.attach(tokens)
}

fn check(item: &Static, diag: &mut Diag) {
    if let Some(token) = &item.mutability {
        diag.error(
            token,
            "processes would race for it; leave `mut` out, and write `Value<T>`, `Mutex<T>` or an atomic as the type",
        );
    }
    if item.expr.is_none() {
        diag.error(
            item.end,
            format_args!(
                "`{}` needs a first value; write `= value` before the `;`",
                item.ident.unraw()
            ),
        );
    }
    hints::item(&item.ident.unraw().to_string(), &item.ty, diag);
}

/// The static as written, of the type that leads to the value of the program. After a mistake it has the right type, and no value.
fn expand(item: &Static, rt: &TokenStream, is_clean: bool) -> TokenStream {
    let Static { attrs, vis, ident, expr, .. } = item;
    let label = ident.unraw().to_string();
    let mut ty = item.ty.clone();
    Storable.visit_type_mut(&mut ty);
    let value = if is_clean {
        quote!(#rt::SharedStatic::new(#rt::fits::<#ty>(), #label, || -> #ty { #expr }))
    } else {
        quote!(#rt::SharedStatic::refused(#label))
    };
    quote!(#(#attrs)* #vis static #ident: #rt::SharedStatic<#ty> = #value;)
}
