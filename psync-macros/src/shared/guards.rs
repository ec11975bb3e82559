//! What `#[guarded_by(lock)]` generates: for each lock a guard struct with the guarded fields, and the ways to take it.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{GenericParam, Member};

use super::ast::{Field, Model};
use super::expand::Bodies;
use crate::hygiene::{local, parenthesized, quiet, quiet_name, spanned};

/// One lock and the fields that it guards.
struct Pen<'m> {
    lock: &'m Ident,
    /// The number of its field in the struct.
    number: Literal,
    fields: Vec<&'m Field>,
}

/// The guards of all locks.
pub(super) fn expand(
    model: &Model,
    fields: &[Field],
    bodies: Bodies,
    rt: &TokenStream,
) -> TokenStream {
    pens(fields)
        .iter()
        .map(|pen| {
            let guard = guard(model, pen, bodies, rt);
            let methods = methods(model, pen, bodies, rt);
            quote!(#guard #methods)
        })
        .collect()
}

/// In the order in which the locks are first named.
fn pens(fields: &[Field]) -> Vec<Pen<'_>> {
    let mut pens: Vec<Pen<'_>> = Vec::new();
    for field in fields {
        let Some(lock) = &field.guard else { continue };
        match pens.iter_mut().find(|pen| pen.lock == lock) {
            Some(pen) => pen.fields.push(field),
            None => pens.push(Pen { lock, number: number(fields, lock), fields: vec![field] }),
        }
    }
    pens
}

/// Which field is the lock `lock`. If there is none, that has been filed, and any number does.
pub(super) fn number(fields: &[Field], lock: &Ident) -> Literal {
    let is_lock = |field: &Field| matches!(&field.member, Member::Named(name) if name == lock);
    Literal::usize_unsuffixed(fields.iter().position(is_lock).unwrap_or_default())
}

/// `FarmPen` for the lock `pen` of `Farm`.
fn guard_name(model: &Model, pen: &Pen<'_>) -> Ident {
    let lock = pen.lock.unraw().to_string();
    let words: String = lock
        .split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect::<String>())
                .unwrap_or_default()
        })
        .collect();
    quiet_name(&format_ident!("{}{words}", model.name.unraw(), span = model.name.span()))
}

/// The guard struct. Its fields are not plain references: those could be swapped out of it and used after the lock is gone.
fn guard(model: &Model, pen: &Pen<'_>, bodies: Bodies, rt: &TokenStream) -> TokenStream {
    let (vis, name, farm) = (quiet(&model.vis), guard_name(model, pen), &model.name);
    let (_, args, bounds) = model.generics.split_for_impl();
    let (declared, applied) = (with_lifetime(model, true), with_lifetime(model, false));
    let doc = format!(
        "The fields of `{farm}` that `{}` guards, for as long as it is held.",
        pen.lock.unraw()
    );
    let members: Vec<TokenStream> = pen.fields.iter().map(|field| quiet(&field.member)).collect();
    let fields = pen.fields.iter().zip(&members).map(|(Field { attrs, ty, .. }, member)| {
        // The guard is public if the struct is, and its fields with it: a crate may ask that they be documented.
        let is_documented = attrs.iter().any(|attr| attr.path().is_ident("doc"));
        let doc = (!is_documented).then(|| {
            let doc = format!(" The field of this name of `{farm}`.");
            quote!(#[doc = #doc])
        });
        quote!(#(#attrs)* #doc pub #member: #rt::Held<'guard, #ty>)
    });
    let (owner, hold, formatter) = (local("owner"), local("hold"), local("formatter"));
    let number = &pen.number;
    // A parameter of the struct need not be one of these fields.
    let whole = (!model.generics.params.is_empty()).then(|| {
        let phantom = quote!(::core::marker::PhantomData);
        (quote!(__owner: #phantom<&'guard #farm #args>,), quote!(__owner: #phantom,))
    });
    let (owner_type, owner_value) = whole.unzip();
    let body = bodies.choose(quote! {
        let #owner = #hold.owner();
        Self { #(#members: #hold.field(&#owner.#members),)* #owner_value __lock: #hold.rest() }
    });
    // For `unwrap_err` and its like, so whatever the fields are.
    let (label, lock_label) = (name.unraw().to_string(), pen.lock.unraw().to_string());
    let described = bodies.choose(quote! {
        #formatter.debug_struct(#label).field(#lock_label, &self.__lock).finish_non_exhaustive()
    });
    quote! {
        #[doc = #doc]
        #[must_use = "the lock is released when this is dropped"]
        #vis struct #name #declared #bounds { #(#fields,)* #owner_type __lock: #rt::LockGuard<'guard> }

        impl #declared #name #applied #bounds {
            #[inline]
            fn __over(mut #hold: #rt::Hold<'guard, #farm #args, #number>) -> Self { #body }
        }

        impl #declared #rt::FieldsGuard for #name #applied #bounds {
            fn lock_guard(&self) -> &#rt::LockGuard<'_> { &self.__lock }
            fn is_whole(&self) -> bool { #rt::is_whole(&self.__lock, &[#(self.#members.share()),*]) }
        }

        impl #declared ::core::fmt::Debug for #name #applied #bounds {
            fn fmt(&self, #formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { #described }
        }
    }
}

/// The generics of the struct with the guard's lifetime in front, as a declaration or as arguments.
fn with_lifetime(model: &Model, declared: bool) -> TokenStream {
    let params = model.generics.params.iter().map(|param| match param {
        GenericParam::Type(param) if declared => {
            let (ident, bounds) = (&param.ident, &param.bounds);
            quote!(#ident: 'guard + #bounds)
        }
        GenericParam::Type(param) => {
            let ident = &param.ident;
            quote!(#ident)
        }
        GenericParam::Const(param) if declared => {
            let (ident, ty) = (&param.ident, &param.ty);
            quote!(const #ident: #ty)
        }
        GenericParam::Const(param) => {
            let ident = &param.ident;
            quote!(#ident)
        }
        GenericParam::Lifetime(lifetime) => quote!(#lifetime),
    });
    quote!(<'guard, #(#params),*>)
}

/// `lock_pen` and its variants, on the struct.
fn methods(model: &Model, pen: &Pen<'_>, bodies: Bodies, rt: &TokenStream) -> TokenStream {
    let (farm, lock, base) = (&model.name, pen.lock, pen.lock.unraw());
    let (params, args, bounds) = model.generics.split_for_impl();
    let (guard, elided, number) = (guard_name(model, pen), elided(model), &pen.number);
    let over = quote!(#guard::__over);
    let method = |name: String, doc: String, param: TokenStream, body: TokenStream| {
        let name = quiet_name(&Ident::new(&name, lock.span()));
        let (vis, body) = (quiet(&model.vis), bodies.choose(body));
        quote! {
            #[doc = #doc]
            #[track_caller]
            #vis fn #name(&self, #param) -> ::core::result::Result<#guard #elided, #rt::LockError> { #body }
        }
    };
    let take = method(
        format!("lock_{base}"),
        format!(" Waits for `{base}` and gives the fields that it guards."),
        TokenStream::new(),
        quote!(#rt::lock_fields(self, #over)),
    );
    let attempt = method(
        format!("try_lock_{base}"),
        format!(" Gives the fields that `{base}` guards if nobody holds it."),
        TokenStream::new(),
        quote!(#rt::try_lock_fields(self, #over)),
    );
    let timed = method(
        format!("lock_{base}_timeout"),
        format!(" Waits for `{base}` no longer than `timeout`."),
        quote!(timeout: #rt::Duration),
        quote!(#rt::lock_fields_timeout(self, timeout, #over)),
    );
    let repair = method(
        format!("lock_{base}_or_repair"),
        format!(
            " As [`Self::lock_{base}`], but `repair` makes the fields whole first if a holder died or panicked."
        ),
        quote!(repair: impl ::core::ops::FnOnce(&mut #guard #elided)),
        quote!(#rt::lock_fields_or_repair(self, #over, repair)),
    );
    // The one place that names the field: if it is not a `Lock`, that is one error.
    let field = parenthesized(spanned(quote!(&self.#lock), lock), lock.span());
    let lock_of = spanned(quote!(#rt::lock_of), lock);
    let guards = matches!(bodies, Bodies::Real).then(|| {
        quote! {
            impl #params #rt::Guards<#number> for #farm #args #bounds {
                const PLACE: usize = ::core::mem::offset_of!(Self, #lock);
                fn lock_of_fields(&self) -> &#rt::Lock { #lock_of #field }
            }
        }
    });
    quote! {
        #guards

        impl #params #farm #args #bounds {
            #take #attempt #timed #repair
        }
    }
}

/// The generic arguments of the guard with a lifetime that the signature provides.
fn elided(model: &Model) -> TokenStream {
    let args = model.generics.params.iter().map(|param| match param {
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
        GenericParam::Lifetime(param) => &param.lifetime.ident,
    });
    quote!(<'_, #(#args),*>)
}
