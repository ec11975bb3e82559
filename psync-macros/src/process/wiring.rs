//! The wiring of a `#[process]` function: what runs around its body.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::parse::{Parse as _, ParseStream};
use syn::{Expr, ExprReference, Token, Type};

use crate::hygiene::numbered;
use crate::options::parenthesized;

/// One step around the body, in the order written.
pub(crate) enum Wire {
    Wait(Expr),
    Acquire(Expr),
    Barrier(Expr),
    Lock(Expr, Option<Ident>),
    Set(Expr),
}

impl Wire {
    /// Reads the parentheses behind `word`; `None` if no step has this name.
    pub(super) fn parse(key: &Ident, input: ParseStream<'_>) -> syn::Result<Option<Self>> {
        let expr = |example| parenthesized(key, input, example, Expr::parse);
        Ok(Some(match key.to_string().as_str() {
            "wait" => Self::Wait(expr("wait(event)")?),
            "acquire" => Self::Acquire(expr("acquire(semaphore)")?),
            "barrier" => Self::Barrier(expr("barrier(barrier)")?),
            "set" => Self::Set(expr("set(event)")?),
            "lock" => parenthesized(key, input, "lock(mutex as name)", Self::parse_lock)?,
            _ => return Ok(None),
        }))
    }

    /// `mutex as name`, which looks like a cast to the parser.
    fn parse_lock(input: ParseStream<'_>) -> syn::Result<Self> {
        let written: Expr = input.parse()?;
        let Expr::Cast(cast) = written else {
            return Err(syn::Error::new_spanned(
                written,
                "the guard needs a name; write `lock(mutex as name)`",
            ));
        };
        match &*cast.ty {
            Type::Infer(_) => Ok(Self::Lock(*cast.expr, None)),
            Type::Path(path) => match path.path.get_ident() {
                Some(name) => Ok(Self::Lock(*cast.expr, Some(name.clone()))),
                None => Err(syn::Error::new_spanned(
                    path,
                    "the name of a guard is one word, as in `lock(mutex as name)`",
                )),
            },
            other => Err(syn::Error::new_spanned(
                other,
                "the name of a guard is one word, as in `lock(mutex as name)`",
            )),
        }
    }
}

/// The steps as statements. What has to be undone is a guard in a local, so that every way out of the body undoes it, in reverse.
pub(super) fn statements(wires: &[Wire], rt: &TokenStream) -> TokenStream {
    wires.iter().enumerate().map(|(index, wire)| statement(index, wire, rt)).collect()
}

fn statement(index: usize, wire: &Wire, rt: &TokenStream) -> TokenStream {
    let guard = numbered("guard", index);
    match wire {
        Wire::Wait(event) => {
            let event = reference(event);
            quote!(#rt::wait(#event);)
        }
        Wire::Barrier(barrier) => {
            let barrier = reference(barrier);
            quote!(#rt::barrier(#barrier);)
        }
        Wire::Acquire(semaphore) => {
            let semaphore = reference(semaphore);
            quote!(let #guard = #rt::acquire(#semaphore);)
        }
        Wire::Set(event) => {
            let event = reference(event);
            quote!(let #guard = #rt::set_after(#event);)
        }
        Wire::Lock(mutex, name) => {
            let mutex = reference(mutex);
            let Some(name) = name else {
                return quote!(let #guard = #rt::lock(#mutex););
            };
            quote! {
                #[allow(unused_mut, reason = "the body may only read")]
                let mut #name = #rt::lock(#mutex);
            }
        }
    }
}

/// `&expr`, with parentheses where the expression needs them.
fn reference(expr: &Expr) -> ExprReference {
    ExprReference {
        attrs: Vec::new(),
        and_token: <Token![&]>::default(),
        mutability: None,
        expr: Box::new(expr.clone()),
    }
}
