//! Prints a `#[shared]` type: the item with a fixed layout, and the traits that say what it may be used for.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{GenericParam, Generics, Lifetime, Member, Type, TypeReference};

use super::ast::{Data, Field, Model, Style};
use super::{enums, guards};
use crate::hygiene::spanned;

/// Whether functions do what they say, or only have the right signatures because a mistake has been filed.
#[derive(Clone, Copy)]
pub(super) enum Bodies {
    Real,
    Stub,
}

impl Bodies {
    pub(super) fn choose(self, real: TokenStream) -> TokenStream {
        match self {
            Self::Real => real,
            Self::Stub => quote!(::core::unreachable!()),
        }
    }
}

/// The item and what it implements.
pub(super) fn model(model: &Model) -> TokenStream {
    let rt = model.options.krate.runtime();
    match &model.data {
        Data::Enum(variants) => enums::expand(model, variants, &rt),
        Data::Struct { style, fields } => {
            let item = item(model, *style, fields, &rt);
            let traits = [
                shm_safe(model, fields, &rt),
                zeroable(model, fields, &rt),
                default(model, *style, fields, Bodies::Real, &rt),
            ];
            let guards = guards::expand(model, fields, Bodies::Real, &rt);
            let undropped = undropped(model, &rt);
            quote!(#item const _: () = { #(#traits)* #undropped }; #guards)
        }
    }
}

/// Same names and signatures, no behaviour: keeps one mistake from becoming twenty.
pub(super) fn stub(model: &Model) -> TokenStream {
    let rt = model.options.krate.runtime();
    let name = &model.name;
    let generics = match &model.data {
        Data::Struct { .. } => bounded(&model.generics, &rt),
        // Parameters have been refused: that no variant uses them would be a second message about the same mistake.
        Data::Enum(_) => Generics::default(),
    };
    let (params, args, bounds) = generics.split_for_impl();
    let item = match &model.data {
        Data::Struct { style, fields } => item(model, *style, fields, &rt),
        Data::Enum(variants) => {
            let (attrs, vis) = (&model.attrs, &model.vis);
            quote!(#(#attrs)* #vis enum #name { #(#variants,)* })
        }
    };
    if model.generics.params.iter().any(|param| matches!(param, GenericParam::Lifetime(_))) {
        // Nothing that borrows can implement the traits, not even in name.
        return item;
    }
    let rest = match &model.data {
        Data::Struct { style, fields } => {
            let guards = if *style == Style::Named {
                guards::expand(model, fields, Bodies::Stub, &rt)
            } else {
                TokenStream::new()
            };
            let default = default(model, *style, fields, Bodies::Stub, &rt);
            quote!(#default #guards)
        }
        Data::Enum(_) => TokenStream::new(),
    };
    quote! {
        #item
        unsafe impl #params ::core::marker::Send for #name #args #bounds {}
        unsafe impl #params ::core::marker::Sync for #name #args #bounds {}
        unsafe impl #params #rt::ShmSafe for #name #args #bounds { const FINGERPRINT: u64 = 0; }
        unsafe impl #params #rt::Zeroable for #name #args #bounds {}
        #rest
    }
}

/// The struct as written, with the layout fixed and the guarded fields behind their lock.
fn item(model: &Model, style: Style, fields: &[Field], rt: &TokenStream) -> TokenStream {
    let Model { attrs, vis, name, generics, .. } = model;
    let fixed =
        model.reprs().iter().any(|repr| matches!(repr.to_string().as_str(), "C" | "transparent"));
    let repr = (!fixed).then(|| quote!(#[repr(C)]));
    let (_, _, bounds) = generics.split_for_impl();
    let fields = fields.iter().map(|field| self::field(field, fields, rt));
    match style {
        Style::Named => {
            quote!(#(#attrs)* #repr #vis struct #name #generics #bounds { #(#fields,)* })
        }
        Style::Tuple => {
            quote!(#(#attrs)* #repr #vis struct #name #generics (#(#fields,)*) #bounds;)
        }
        Style::Unit => quote!(#(#attrs)* #repr #vis struct #name #generics #bounds;),
    }
}

fn field(field: &Field, all: &[Field], rt: &TokenStream) -> TokenStream {
    let Field { attrs, vis, member, ty, guard, .. } = field;
    let mut ty = ty.clone();
    // What has been refused must not be reported by the compiler as well.
    Storable.visit_type_mut(&mut ty);
    let name = match member {
        Member::Named(name) => Some(quote!(#name:)),
        Member::Unnamed(_) => None,
    };
    if let Some(lock) = guard {
        let number = guards::number(all, lock);
        quote!(#(#attrs)* #[doc(hidden)] #name #rt::Guarded<#ty, Self, #number>)
    } else {
        quote!(#(#attrs)* #vis #name #ty)
    }
}

/// Makes of a type one that a field can have anywhere: with lifetimes, and of a known size.
pub(super) struct Storable;

impl VisitMut for Storable {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        match ty {
            Type::Slice(slice) => {
                let elem = &slice.elem;
                *ty = syn::parse_quote!([#elem; 0]);
            }
            Type::TraitObject(_) => *ty = syn::parse_quote!(()),
            _ => visit_mut::visit_type_mut(self, ty),
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(Lifetime::new("'static", proc_macro2::Span::call_site()));
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }
}

/// The generics with `ShmSafe` asked of every type parameter, since a field may hold it.
fn bounded(generics: &Generics, rt: &TokenStream) -> Generics {
    let mut generics = generics.clone();
    let params: Vec<_> = generics.type_params().map(|param| param.ident.clone()).collect();
    if !params.is_empty() {
        let predicates = &mut generics.make_where_clause().predicates;
        predicates.extend(
            params
                .iter()
                .map(|param| -> syn::WherePredicate { syn::parse_quote!(#param: #rt::ShmSafe) }),
        );
    }
    generics
}

/// The layout's fingerprint names every field, and asks its type to be `ShmSafe` on the way.
fn shm_safe(model: &Model, fields: &[Field], rt: &TokenStream) -> TokenStream {
    let name = &model.name;
    let label = name.to_string();
    let generics = bounded(&model.generics, rt);
    let (params, args, bounds) = generics.split_for_impl();
    let parts = fields.iter().map(|field| {
        let (label, member, ty) = (field.label(), &field.member, &field.ty);
        quote!((#label, #rt::fingerprint_of::<#ty>(), ::core::mem::offset_of!(Self, #member)))
    });
    quote! {
        unsafe impl #params #rt::ShmSafe for #name #args #bounds {
            const FINGERPRINT: u64 = #rt::fingerprint(
                #label, &[#(#parts),*], ::core::mem::size_of::<Self>(), ::core::mem::align_of::<Self>(),
            );
        }
    }
}

/// Clashes with an `impl Drop`: shared memory is never dropped, since any process may be killed.
fn undropped(model: &Model, rt: &TokenStream) -> TokenStream {
    let name = &model.name;
    let (params, args, bounds) = model.generics.split_for_impl();
    // Shown at the name.
    let header = quote!(impl #params #rt::SharedMemoryIsNeverDropped for #name #args);
    let header = spanned(header, name);
    quote!(#header #bounds {})
}

/// `Zeroable` if every field is.
fn zeroable(model: &Model, fields: &[Field], rt: &TokenStream) -> TokenStream {
    let name = &model.name;
    let generics = if_all(
        &bounded(&model.generics, rt),
        fields.iter().map(|field| &field.ty),
        &quote!(#rt::Zeroable),
    );
    let (params, args, bounds) = generics.split_for_impl();
    quote!(unsafe impl #params #rt::Zeroable for #name #args #bounds {})
}

/// `Default` if every field has one or an `#[init(..)]`, unless somebody else writes it.
fn default(
    model: &Model,
    style: Style,
    fields: &[Field],
    bodies: Bodies,
    rt: &TokenStream,
) -> TokenStream {
    if model.derives("Default") || model.options.default.get() == Some(&false) {
        return TokenStream::new();
    }
    let name = &model.name;
    let generics = bounded(&model.generics, rt);
    let asked = match bodies {
        Bodies::Real => fields.iter().filter(|field| field.init.is_none()).collect(),
        Bodies::Stub => Vec::new(),
    };
    let generics = if_all(
        &generics,
        asked.into_iter().map(|field| &field.ty),
        &quote!(::core::default::Default),
    );
    let (params, args, bounds) = generics.split_for_impl();
    let values = fields.iter().map(|field| {
        let (member, ty) = (&field.member, &field.ty);
        let default = || quote!(<#ty as ::core::default::Default>::default());
        let value = field.init.as_ref().map_or_else(default, ToTokens::to_token_stream);
        if field.guard.is_some() {
            quote!(#member: #rt::Guarded::new(#value))
        } else {
            quote!(#member: #value)
        }
    });
    let value = if style == Style::Unit { quote!(Self) } else { quote!(Self { #(#values),* }) };
    let body = bodies.choose(value);
    quote! {
        #[automatically_derived]
        impl #params ::core::default::Default for #name #args #bounds {
            fn default() -> Self { #body }
        }
    }
}

/// Adds `Type: Trait` for each type. The binder keeps the compiler from rejecting the whole `impl` where a bound on a concrete
/// type does not hold: there, the trait is just not implemented.
fn if_all<'m>(
    generics: &Generics,
    types: impl Iterator<Item = &'m Type>,
    bound: &TokenStream,
) -> Generics {
    let mut generics = generics.clone();
    // What is missing is shown at the field's type.
    let predicates = types.map(|ty| {
        let bound = spanned(bound.clone(), ty);
        syn::parse_quote!(for<'holds> #ty: #bound)
    });
    let predicates: Vec<syn::WherePredicate> = predicates.collect();
    if !predicates.is_empty() {
        generics.make_where_clause().predicates.extend(predicates);
    }
    generics
}
