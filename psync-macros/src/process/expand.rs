//! Prints a `#[process]` function: the function with its wiring, and its companion in the namespace of types.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, FnArg, Lifetime, Type, TypeReference};

use super::ast::{Entry, FnShell, Param, Pass};
use super::{check, wiring};
use crate::hygiene::{self, local, numbered, spanned};

/// The function and everything that can start it.
pub(super) fn entry(entry: &Entry) -> TokenStream {
    let rt = entry.options.krate.runtime();
    let function = function(entry, &rt);
    let items = [
        spec(entry, &rt),
        child_side(entry, &rt),
        prepare(entry, &rt),
        scoped_starters(entry, &rt),
        starters(entry, &rt),
    ];
    let companion = companion(entry, &items.into_iter().collect());
    quote!(#function #companion)
}

/// Same names and signatures as `entry`, no behaviour: keeps one mistake from becoming twenty.
pub(super) fn stub(entry: &Entry) -> TokenStream {
    let rt = entry.options.krate.runtime();
    let function = stub_function(entry, &rt);
    if entry.is_method() {
        return function;
    }
    let companion = companion(entry, &stub_starters(entry, &rt));
    quote!(#function #companion)
}

/// The user's function, without what the compiler would report as well.
fn stub_function(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let is_sized = entry.params.iter().all(|param| check::unsized_value(param).is_none());
    if entry.options.wires.is_empty() && is_sized {
        return function(entry, rt);
    }
    let FnShell { attrs, vis, sig, body } = &entry.shell;
    // That wiring does not go with `const` has been said.
    let mut sig = syn::Signature { constness: None, ..sig.clone() };
    let typed = sig.inputs.iter_mut().filter_map(|arg| match arg {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    for (arg, param) in typed.zip(&entry.params) {
        *arg.ty = stub_type(param);
    }
    let body = hygiene::prefixed(body, &wiring::statements(&entry.options.wires, rt));
    quote!(#(#attrs)* #vis #sig #body)
}

/// The type of a parameter, in a box if its size is not known.
fn stub_type(param: &Param) -> Type {
    let ty = &param.ty;
    match check::unsized_value(param) {
        Some(_) => syn::parse_quote!(::std::boxed::Box<#ty>),
        None => ty.clone(),
    }
}

/// The user's function, with statements in front of its body.
fn function(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let FnShell { attrs, vis, sig, body } = &entry.shell;
    let wiring = wiring::statements(&entry.options.wires, rt);
    let body = if wiring.is_empty() { body.clone() } else { hygiene::prefixed(body, &wiring) };
    let by_value = entry.params.iter().any(|param| matches!(param.pass, Pass::Value));
    let allow = by_value.then(|| {
        quote!(#[allow(clippy::needless_pass_by_value, reason = "arguments by value are what crosses to another process")])
    });
    let locks = entry.options.wires.iter().any(wiring::Wire::is_lock).then(|| {
        quote!(#[allow(clippy::significant_drop_tightening, reason = "the lock is held for the whole body")])
    });
    quote!(#(#attrs)* #allow #locks #vis #sig #body)
}

/// An empty enum of the function's name: a namespace for `spawn` and the others that also works inside a function's body.
fn companion(entry: &Entry, items: &TokenStream) -> TokenStream {
    let FnShell { attrs, vis, sig, .. } = &entry.shell;
    let (vis, name) = (hygiene::quiet(vis), hygiene::quiet_name(&sig.ident));
    let cfgs: Vec<&Attribute> = attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect();
    let doc = format!(" Starts the function `{}` in processes of its own.", sig.ident.unraw());
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #vis enum #name {}

        #(#cfgs)*
        impl #name { #items }
    }
}

/// What is the same for every start of the function.
fn spec(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let default = || entry.shell.sig.ident.unraw().to_string().to_token_stream();
    let name = entry.options.name.get().map_or_else(default, ToTokens::to_token_stream);
    let daemon = option(entry.options.daemon.get());
    // A constant of its own, so that the compiler has nothing to tell about a value of another type but that.
    let method = entry
        .options
        .start_method
        .get()
        .map(|method| quote!(const __START_METHOD: #rt::StartMethod = #method;));
    let start_method = option(method.as_ref().map(|_| quote!(Self::__START_METHOD)));
    quote! {
        #method
        const __SPEC: #rt::Spec = #rt::Spec { name: #name, daemon: #daemon, start_method: #start_method };
    }
}

fn option(value: Option<impl ToTokens>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}

/// The function that the new process runs: it takes what has crossed and calls the user's function.
fn child_side(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let sig = &entry.shell.sig;
    let (generics, turbofish, bounds) = generics(entry, rt);
    let (name, output) = (&sig.ident, &entry.output);
    let locals: Vec<Ident> = (0..entry.params.len()).map(|i| numbered("arg", i)).collect();
    let received = entry.params.iter().map(|param| received(&param.ty, &param.pass, rt));
    let passed = entry.params.iter().zip(&locals).map(|(param, local)| match &param.pass {
        Pass::Value => quote!(#local),
        Pass::Lend(_) | Pass::LendMut(_) => quote!(#local.get()),
    });
    let args = local("args");
    quote! {
        fn __entry #generics (#args: (#(#received,)*)) -> #output #bounds {
            let (#(#locals,)*) = #args;
            #name #turbofish (#(#passed),*)
        }
    }
}

fn received(ty: &Type, pass: &Pass, rt: &TokenStream) -> TokenStream {
    match pass {
        Pass::Value => quote!(#ty),
        Pass::Lend(elem) => quote!(#rt::Lent<'static, #elem>),
        Pass::LendMut(elem) => quote!(#rt::LentMut<'static, #elem>),
    }
}

/// The one place where the arguments, the function and its result meet the runtime's bounds: a type that cannot cross is
/// reported once, at the type, however many ways there are to start the function.
fn prepare(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let (generics, turbofish, bounds) = generics(entry, rt);
    let (scoped, output) = (scoped(&generics), &entry.output);
    // The compiler shows an argument that cannot cross where its type is inferred: with these spans, at the type.
    let spans = entry.params.iter().map(|param| match &param.pass {
        Pass::Value => param.ty.span(),
        Pass::Lend(elem) | Pass::LendMut(elem) => elem.span(),
    });
    let spans: Vec<Span> = spans.map(|span| span.resolved_at(Span::call_site())).collect();
    let locals: Vec<Ident> =
        spans.iter().enumerate().map(|(i, at)| format_ident!("__arg{i}", span = *at)).collect();
    let types = entry.params.iter().map(|param| match &param.pass {
        Pass::Value => param.ty.to_token_stream(),
        Pass::Lend(elem) => quote!(#rt::Lent<'scope, #elem>),
        Pass::LendMut(elem) => quote!(#rt::LentMut<'scope, #elem>),
    });
    let sent = entry.params.iter().zip(&locals).map(|(param, local)| match param.pass {
        Pass::Value => spanned(quote!(#rt::Owned(#local)), &param.ty),
        Pass::Lend(_) | Pass::LendMut(_) => quote!(#local),
    });
    let call = format_ident!("call{}", locals.len());
    let inferred = spans.iter().map(|at| quote_spanned!(*at=> _, _,));
    quote! {
        fn __prepare #scoped (#(#locals: #types),*) -> #rt::Call<'scope, #output> #bounds {
            #rt::#call::<#(#inferred)* #output>(&Self::__SPEC, #(#sent,)* Self::__entry #turbofish)
        }
    }
}

/// `__call`, which `parallel!` uses, and `spawn_in`: both wait for borrows to end.
fn scoped_starters(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let vis = hygiene::quiet(&entry.shell.vis);
    let (generics, _, bounds) = generics(entry, rt);
    let (scoped, output) = (scoped(&generics), &entry.output);
    let names: Vec<Ident> = entry.params.iter().map(Param::quiet_name).collect();
    let types = entry.params.iter().map(|param| match &param.pass {
        Pass::Value => param.ty.to_token_stream(),
        Pass::Lend(elem) => quote!(&'scope #elem),
        Pass::LendMut(elem) => quote!(&'scope mut #elem),
    });
    let types: Vec<TokenStream> = types.collect();
    let lent = entry.params.iter().zip(&names).map(|(Param { pass, .. }, name)| match pass {
        Pass::Value => quote!(#name),
        Pass::Lend(_) => quote!(#rt::Lent::new(#name)),
        Pass::LendMut(_) => quote!(#rt::LentMut::new(#name)),
    });
    let scope = local("scope");
    quote! {
        #[doc(hidden)]
        #vis fn __call #scoped (#(#names: #types),*) -> #rt::Call<'scope, #output> #bounds {
            Self::__prepare(#(#lent),*)
        }
        #[doc = " Starts the function in a process that ends before the scope does; it may borrow until then."]
        #vis fn spawn_in #scoped (
            #scope: &'scope #rt::Scope<'scope, '_>, #(#names: #types),*
        ) -> ::core::result::Result<#rt::Process<#output>, #rt::SpawnError> #bounds {
            #rt::Call::spawn_in(Self::__call(#(#names),*), #scope, #rt::Options::new())
        }
    }
}

/// `spawn`, `spawn_with` and `run`, which take owners in place of borrows.
fn starters(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let names: Vec<Ident> = entry.params.iter().map(Param::quiet_name).collect();
    let lent = entry.params.iter().zip(&names).map(|(Param { pass, .. }, name)| match pass {
        Pass::Value | Pass::LendMut(_) => quote!(#name),
        Pass::Lend(elem) if is_str(elem) => quote!(#rt::Lent::new(#name)),
        Pass::Lend(_) => quote!(#rt::Lent::of_owner(#name)),
    });
    let prepared = quote!(Self::__prepare(#(#lent),*));
    let (generics, _, bounds) = generics(entry, rt);
    let options = local("options");
    let bodies = [
        quote!(Self::spawn_with(#rt::Options::new(), #(#names),*)),
        quote!(#rt::Call::spawn(#prepared, #options)),
        quote!(#rt::Call::run(#prepared, #rt::Options::new())),
    ];
    if !entry.lends_mut() {
        return detached(entry, &generics, &bounds, &bodies, rt);
    }
    // A bound that cannot hold, whose message says what to call instead.
    let never = quote!(for<'never> #rt::MutBorrow: #rt::Detachable);
    let bounds = if bounds.is_empty() { quote!(where #never) } else { quote!(#bounds #never) };
    let unreachable = quote!(::core::unreachable!());
    detached(
        entry,
        &generics,
        &bounds,
        &[unreachable.clone(), unreachable.clone(), unreachable],
        rt,
    )
}

/// The starters that take owners, with the given bodies.
fn detached(
    entry: &Entry,
    generics: &TokenStream,
    bounds: &TokenStream,
    [spawn, spawn_with, run]: &[TokenStream; 3],
    rt: &TokenStream,
) -> TokenStream {
    let (vis, output, options) =
        (hygiene::quiet(&entry.shell.vis), &entry.output, local("options"));
    let names: Vec<Ident> = entry.params.iter().map(Param::quiet_name).collect();
    let owners = entry.params.iter().map(|Param { ty, pass, .. }| match pass {
        Pass::Lend(elem) if !is_str(elem) => {
            quote!(&(impl #rt::Lends<#elem> + ?::core::marker::Sized))
        }
        _ => quote!(#ty),
    });
    let owners: Vec<TokenStream> = owners.collect();
    let spawned = quote!(::core::result::Result<#rt::Process<#output>, #rt::SpawnError>);
    quote! {
        #[doc = " Starts the function in a process of its own."]
        #vis fn spawn #generics (#(#names: #owners),*) -> #spawned #bounds { #spawn }
        #[doc = " Starts the function in a process of its own, with options for this start."]
        #vis fn spawn_with #generics (#options: #rt::Options, #(#names: #owners),*) -> #spawned #bounds { #spawn_with }
        #[doc = " Starts the function in a process of its own and waits for its result."]
        #[track_caller]
        #vis fn run #generics (#(#names: #owners),*) -> ::core::result::Result<#output, #rt::ProcessError> #bounds { #run }
    }
}

/// Text crosses as a copy, so nobody needs to own it until the process has ended.
fn is_str(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("str"))
}

/// The generic parameters, the same as arguments, and the bounds: the user's, and what the runtime asks of generic types.
fn generics(entry: &Entry, rt: &TokenStream) -> (TokenStream, TokenStream, TokenStream) {
    let mut declared = entry.shell.sig.generics.clone();
    // All bounds in one place: two places are one too many for lints.
    let moved = declared.type_params_mut().filter_map(|param| {
        let (name, bounds) = (&param.ident, std::mem::take(&mut param.bounds));
        param.colon_token = None;
        (!bounds.is_empty()).then(|| quote!(#name: #bounds))
    });
    let moved: Vec<TokenStream> = moved.collect();
    let (params, args, user) = declared.split_for_impl();
    let turbofish = args.as_turbofish();
    let written =
        user.map(|clause| clause.predicates.iter().collect::<Vec<_>>()).unwrap_or_default();
    let crossing = entry.params.iter().filter(|param| entry.is_generic(&param.ty)).map(
        |Param { ty, pass, .. }| match pass {
            Pass::Value => (hygiene::quiet(ty), quote!(Crosses)),
            Pass::Lend(elem) => (hygiene::quiet(elem), quote!(Lend)),
            Pass::LendMut(elem) => (hygiene::quiet(elem), quote!(LendMut)),
        },
    );
    let crossing = crossing.map(|(ty, bound)| quote!(#ty: #rt::#bound + 'static));
    let output = hygiene::quiet(&entry.output);
    let returning = entry.is_generic(&entry.output).then(|| quote!(#output: #rt::Returns));
    let all: Vec<TokenStream> = moved
        .into_iter()
        .chain(written.iter().map(ToTokens::to_token_stream))
        .chain(crossing)
        .chain(returning)
        .collect();
    let bounds = if all.is_empty() { TokenStream::new() } else { quote!(where #(#all,)*) };
    (hygiene::quiet(&params), quote!(#turbofish), bounds)
}

/// Generic parameters with the lifetime of the lent arguments in front.
fn scoped(generics: &TokenStream) -> TokenStream {
    let inner: TokenStream = generics.clone().into_iter().skip(1).collect();
    if inner.is_empty() { quote!(<'scope>) } else { quote!(<'scope, #inner) }
}

/// The starters with the types as written and no bounds, so that calls of them are not reported as well.
fn stub_starters(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let vis = hygiene::quiet(&entry.shell.vis);
    let (generics, _, bounds) = entry.shell.sig.generics.split_for_impl();
    let mut output = entry.output.clone();
    Nameable.visit_type_mut(&mut output);
    let names: Vec<Ident> = entry.params.iter().map(Param::quiet_name).collect();
    let types: Vec<Type> = entry.params.iter().map(stub_type).collect();
    let (scope, options, spawned) = (
        local("scope"),
        local("options"),
        quote!(::core::result::Result<#rt::Process<#output>, #rt::SpawnError>),
    );
    quote! {
        #vis fn spawn #generics (#(#names: #types),*) -> #spawned #bounds { ::core::unreachable!() }
        #vis fn spawn_with #generics (#options: #rt::Options, #(#names: #types),*) -> #spawned #bounds { ::core::unreachable!() }
        #vis fn run #generics (#(#names: #types),*) -> ::core::result::Result<#output, #rt::ProcessError> #bounds {
            ::core::unreachable!()
        }
        #vis fn spawn_in #generics (#scope: &#rt::Scope<'_, '_>, #(#names: #types),*) -> #spawned #bounds { ::core::unreachable!() }
        #[doc(hidden)]
        #vis fn __call #generics (#(#names: #types),*) -> #rt::Call<'static, #output> #bounds { ::core::unreachable!() }
    }
}

/// Makes of a result's type one that can be named anywhere: with lifetimes, and boxed where it is only known by what it does.
struct Nameable;

impl VisitMut for Nameable {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::ImplTrait(opaque) = ty {
            let bounds = &opaque.bounds;
            *ty = syn::parse_quote!(::std::boxed::Box<dyn #bounds>);
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(Lifetime::new("'static", proc_macro2::Span::call_site()));
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }
}
