//! The wiring of a `#[process]` function: what runs around its body.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::parse::{Parse as _, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprReference, Token, Type};

use crate::hygiene::{self, numbered, spanned};
use crate::options::parenthesized;

/// One step around the body, in the order written.
pub(crate) struct Wire {
    /// The word that the user wrote.
    key: Ident,
    /// The event, semaphore or the like.
    subject: Expr,
    kind: Kind,
}

enum Kind {
    Wait,
    Acquire,
    Barrier,
    /// With the name that the guard has in the body.
    Lock(Option<Ident>),
    Set,
}

impl Wire {
    /// Reads the parentheses behind `word`; `None` if no step has this name.
    pub(super) fn parse(key: &Ident, input: ParseStream<'_>) -> syn::Result<Option<Self>> {
        let (kind, example) = match key.to_string().as_str() {
            "wait" => (Kind::Wait, "wait(event)"),
            "acquire" => (Kind::Acquire, "acquire(semaphore)"),
            "barrier" => (Kind::Barrier, "barrier(barrier)"),
            "set" => (Kind::Set, "set(event)"),
            "lock" => {
                let (subject, name) =
                    parenthesized(key, input, "lock(mutex as name)", Self::parse_lock)?;
                return Ok(Some(Self { key: key.clone(), subject, kind: Kind::Lock(name) }));
            }
            _ => return Ok(None),
        };
        let subject = parenthesized(key, input, example, Expr::parse)?;
        Ok(Some(Self { key: key.clone(), subject, kind }))
    }

    /// `mutex as name`, which looks like a cast to the parser.
    fn parse_lock(input: ParseStream<'_>) -> syn::Result<(Expr, Option<Ident>)> {
        let written: Expr = input.parse()?;
        let Expr::Cast(cast) = written else {
            return Err(syn::Error::new_spanned(
                written,
                "the guard needs a name; write `lock(mutex as name)`",
            ));
        };
        match &*cast.ty {
            Type::Infer(_) => Ok((*cast.expr, None)),
            Type::Path(path) => match path.path.get_ident() {
                Some(name) => Ok((*cast.expr, Some(name.clone()))),
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
    match &wire.kind {
        Kind::Wait => {
            let call = wire.call("wait", rt);
            quote!(#call;)
        }
        Kind::Barrier => {
            let call = wire.call("barrier", rt);
            quote!(#call;)
        }
        Kind::Acquire => {
            let call = wire.call("acquire", rt);
            quote!(let #guard = #call;)
        }
        Kind::Set => {
            let call = wire.call("set_after", rt);
            quote!(let #guard = #call;)
        }
        Kind::Lock(None) => {
            let call = wire.call("lock", rt);
            quote!(let #guard = #call;)
        }
        Kind::Lock(Some(name)) => {
            let call = wire.call("lock", rt);
            // The body may only read; nobody complains about names with an underscore.
            let is_quiet = name.to_string().starts_with('_');
            let used = (!is_quiet).then(|| quote!(let _ = &mut #name;));
            quote!(let mut #name = #call; #used)
        }
    }
}

impl Wire {
    pub(super) const fn is_lock(&self) -> bool {
        matches!(self.kind, Kind::Lock(_))
    }

    /// `function(&subject)`, of which a wrong type is shown at the subject.
    fn call(&self, function: &str, rt: &TokenStream) -> TokenStream {
        let function = Ident::new(function, Span::call_site());
        let function = quote!(#rt::#function);
        let function = match self.kind {
            // The compiler has two reasons to refuse what is no lock; at the same place they count as one.
            Kind::Lock(_) => spanned(function, &self.subject),
            _ => spanned(function, &self.key),
        };
        let reference = ExprReference {
            attrs: Vec::new(),
            and_token: Token![&](self.subject.span().resolved_at(Span::call_site())),
            mutability: None,
            // In parentheses where the expression needs them.
            expr: Box::new(self.subject.clone()),
        };
        let argument = hygiene::parenthesized(quote!(#reference), self.subject.span());
        quote!(#function #argument)
    }
}
