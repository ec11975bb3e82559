//! Fieldless enums: plain data as long as they are one byte, which cannot be half-written.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, ExprUnary, Fields, Lit, UnOp, Variant};

use super::ast::Model;
use crate::diag::Diag;

/// Files every mistake that only an enum can have.
pub(super) fn check(model: &Model, variants: &[Variant], diag: &mut Diag) {
    if variants.is_empty() {
        diag.error(
            &model.name,
            "an enum without variants has no values that could be shared; add a variant",
        );
    }
    if !model.generics.params.is_empty() {
        diag.error(
            &model.generics,
            "a fieldless enum has no use for generic parameters; leave them out",
        );
    }
    for variant in variants {
        if !matches!(variant.fields, Fields::Unit) {
            diag.error(
                &variant.fields,
                "a writer that is killed half-way would leave one variant with the data of another; write a struct with a \
                 fieldless `#[shared]` enum and the data as fields",
            );
        }
        for attr in variant.attrs.iter().filter(|attr| attr.path().is_ident("cfg")) {
            diag.error(attr, "a variant of a `#[shared]` enum cannot depend on `cfg`; put it on two versions of the enum");
        }
        if let Some((_, value)) = &variant.discriminant
            && literal(value).is_some_and(|value| !(-128..256).contains(&value))
        {
            diag.error(value, "a `#[shared]` enum is one byte; choose a value from 0 to 255");
        }
    }
    if let Some(extra) = variants.get(256) {
        diag.error(&extra.ident, "a `#[shared]` enum is one byte; at most 256 variants");
    }
    for repr in model.reprs() {
        let text = repr.to_string();
        if text != "u8" && text != "i8" {
            diag.error(
                repr,
                format_args!(
                    "more than one byte can be half-written; leave `{text}` out or write `u8`"
                ),
            );
        }
    }
}

/// Everything that the enum implements.
pub(super) fn expand(model: &Model, variants: &[Variant], rt: &TokenStream) -> TokenStream {
    let (attrs, vis, name) = (&model.attrs, &model.vis, &model.name);
    let repr = model.reprs().is_empty().then(|| quote!(#[repr(u8)]));
    let clone = (!model.derives("Clone")).then(|| quote!(#[derive(::core::clone::Clone)]));
    let copy = (!model.derives("Copy")).then(|| quote!(#[derive(::core::marker::Copy)]));
    let generics = &model.generics;
    let label = name.to_string();
    let parts = variants.iter().map(|variant| {
        let (name, label) = (&variant.ident, variant.ident.to_string());
        quote!((#label, Self::#name as u64, 0))
    });
    let zeroable = has_zero(variants).then(|| quote!(unsafe impl #rt::Zeroable for #name {}));
    quote! {
        #(#attrs)* #repr #clone #copy
        #vis enum #name #generics { #(#variants,)* }

        const _: () = {
            unsafe impl #rt::ShmSafe for #name {
                const FINGERPRINT: u64 = #rt::fingerprint(
                    #label, &[#(#parts),*], ::core::mem::size_of::<Self>(), ::core::mem::align_of::<Self>(),
                );
            }
            #zeroable
        };
    }
}

/// Whether some variant is known to be the byte 0. A value that is not a literal could be anything, so what follows it counts as unknown.
fn has_zero(variants: &[Variant]) -> bool {
    let mut next = Some(0);
    variants.iter().any(|variant| {
        let value = match &variant.discriminant {
            Some((_, expr)) => literal(expr),
            None => next,
        };
        next = value.map(|value| value + 1);
        value == Some(0)
    })
}

/// The value of an integer literal, also a negative one.
fn literal(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Byte(byte), .. }) => Some(i64::from(byte.value())),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => literal(expr).map(|value| -value),
        _ => None,
    }
}
