//! Prints a `#[process]` function: the function with its wiring, and its companion in the namespace of types.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Lifetime, Type, TypeReference};

use super::ast::{Entry, FnShell, Pass};
use super::wiring;
use crate::hygiene::{self, local, numbered, spanned};

/// The function and everything that can start it.
pub(super) fn entry(entry: &Entry) -> TokenStream {
    let rt = entry.options.krate.runtime();
    let function = function(&entry.shell, &wiring::statements(&entry.options.wires, &rt));
    let items = [spec(entry, &rt), child_side(entry, &rt), call(entry, &rt), starters(entry, &rt)];
    let companion = companion(entry, &items.into_iter().collect());
    quote!(#function #companion)
}

/// Same names and signatures as `entry`, no behaviour: keeps one mistake from becoming twenty.
pub(super) fn stub(entry: &Entry) -> TokenStream {
    let rt = entry.options.krate.runtime();
    let function = function(&entry.shell, &wiring::statements(&entry.options.wires, &rt));
    if entry.is_method() {
        return function;
    }
    let companion = companion(entry, &stub_starters(entry, &rt));
    quote!(#function #companion)
}

/// The user's function, with statements in front of its body.
fn function(shell: &FnShell, wiring: &TokenStream) -> TokenStream {
    let FnShell { attrs, vis, sig, body } = shell;
    if wiring.is_empty() {
        return quote!(#(#attrs)* #vis #sig #body);
    }
    let body = hygiene::prefixed(body, wiring);
    quote!(#(#attrs)* #vis #sig #body)
}

/// An empty enum of the function's name: a namespace for `spawn` and the others that also works inside a function's body.
fn companion(entry: &Entry, items: &TokenStream) -> TokenStream {
    let FnShell { attrs, vis, sig, .. } = &entry.shell;
    let name = &sig.ident;
    let cfgs: Vec<&Attribute> = attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect();
    let doc = format!("Starts the function `{}` in processes of its own.", name.unraw());
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #[allow(
            non_camel_case_types, missing_debug_implementations, clippy::empty_enums,
            reason = "a namespace with the function's name, which has no values"
        )]
        #vis enum #name {}

        #(#cfgs)*
        #[allow(
            dead_code, unused_variables, private_interfaces, clippy::all, clippy::pedantic,
            reason = "generated for every function, used or not"
        )]
        impl #name { #items }
    }
}

/// What is the same for every start of the function.
fn spec(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let name = match entry.options.name.get() {
        Some(name) => quote!(#name),
        None => {
            let name = entry.shell.sig.ident.unraw().to_string();
            quote!(#name)
        }
    };
    let daemon = option(entry.options.daemon.get());
    let start_method = option(entry.options.start_method.get());
    quote! {
        const __SPEC: #rt::Spec = #rt::Spec { name: #name, daemon: #daemon, start_method: #start_method };
    }
}

fn option(value: Option<&impl quote::ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
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
/// reported once, however many ways there are to start the function.
fn call(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let FnShell { vis, .. } = &entry.shell;
    let (generics, turbofish, bounds) = generics(entry, rt);
    let scoped = scoped(&generics);
    let output = &entry.output;
    let sent: Vec<TokenStream> =
        entry.params.iter().map(|param| sent(&param.ty, &param.pass, rt)).collect();
    let names: Vec<&Ident> = entry.params.iter().map(|param| &param.name).collect();
    let types = entry.params.iter().map(|param| borrowed(&param.ty, &param.pass));
    let lent = entry.params.iter().map(|param| {
        let name = &param.name;
        match param.pass {
            Pass::Value => quote!(#name),
            Pass::Lend(_) => quote!(#rt::Lent::new(#name)),
            Pass::LendMut(_) => quote!(#rt::LentMut::new(#name)),
        }
    });
    let values = entry.params.iter().filter(|param| matches!(param.pass, Pass::Value));
    let crossing = values.map(|param| {
        spanned(quote!(#rt::assert_crosses), &param.ty)
            .into_iter()
            .chain({
                let ty = &param.ty;
                quote!(::<#ty>();)
            })
            .collect::<TokenStream>()
    });
    let args = local("args");
    let returning = spanned(quote!(#rt::assert_returns), output);
    quote! {
        fn __prepare #scoped (#args: (#(#sent,)*)) -> #rt::Call<'scope, #output> #bounds {
            #(#crossing)*
            #returning::<#output>();
            #rt::call(&Self::__SPEC, Self::__entry #turbofish, #args)
        }
        #[doc(hidden)]
        #vis fn __call #scoped (#(#names: #types),*) -> #rt::Call<'scope, #output> #bounds {
            Self::__prepare((#(#lent,)*))
        }
    }
}

/// What is sent: as received, but borrowed only for as long as the caller lends it.
fn sent(ty: &Type, pass: &Pass, rt: &TokenStream) -> TokenStream {
    match pass {
        Pass::Value => quote!(#ty),
        Pass::Lend(elem) => quote!(#rt::Lent<'scope, #elem>),
        Pass::LendMut(elem) => quote!(#rt::LentMut<'scope, #elem>),
    }
}

/// A parameter of the functions that can wait for a borrow to end.
fn borrowed(ty: &Type, pass: &Pass) -> TokenStream {
    match pass {
        Pass::Value => quote!(#ty),
        Pass::Lend(elem) => quote!(&'scope #elem),
        Pass::LendMut(elem) => quote!(&'scope mut #elem),
    }
}

/// A parameter of the functions that cannot.
fn owned(ty: &Type, pass: &Pass, rt: &TokenStream) -> TokenStream {
    match pass {
        Pass::Value | Pass::LendMut(_) => quote!(#ty),
        Pass::Lend(Type::Slice(slice)) => quote!(&#rt::Shared<#slice>),
        Pass::Lend(elem) => quote!(&<#elem as #rt::Lend>::Owner),
    }
}

/// `spawn`, `spawn_with`, `run` and `spawn_in`.
fn starters(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let vis = &entry.shell.vis;
    let (generics, _, bounds) = generics(entry, rt);
    let scoped = scoped(&generics);
    let output = &entry.output;
    let names: Vec<&Ident> = entry.params.iter().map(|param| &param.name).collect();
    let borrowed: Vec<TokenStream> =
        entry.params.iter().map(|param| borrowed(&param.ty, &param.pass)).collect();
    let scope = local("scope");
    let detached = detached(entry, rt);
    quote! {
        #detached
        #[doc = "Starts the function in a process that ends before the scope does; it may borrow until then."]
        #vis fn spawn_in #scoped (
            #scope: &'scope #rt::Scope<'scope, '_>, #(#names: #borrowed),*
        ) -> ::core::result::Result<#rt::Process<#output>, #rt::SpawnError> #bounds {
            #rt::Call::spawn_in(Self::__call(#(#names),*), #scope, #rt::Options::new())
        }
    }
}

/// The starters that do not wait for the process, or not in a way that the borrow checker knows of.
fn detached(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let vis = &entry.shell.vis;
    let (generics, _, bounds) = generics(entry, rt);
    let output = &entry.output;
    let names: Vec<&Ident> = entry.params.iter().map(|param| &param.name).collect();
    let owned: Vec<TokenStream> =
        entry.params.iter().map(|param| owned(&param.ty, &param.pass, rt)).collect();
    let lent = entry.params.iter().map(|param| {
        let name = &param.name;
        match param.pass {
            Pass::Lend(_) => quote!(#rt::Lent::of_owner(#name)),
            Pass::Value | Pass::LendMut(_) => quote!(#name),
        }
    });
    let options = local("options");
    let (start, run, bounds) = if entry.lends_mut() {
        // A bound that cannot hold, whose message says what to call instead.
        let never = quote!(for<'never> #rt::MutBorrow: #rt::Detachable);
        let bounds = if bounds.is_empty() { quote!(where #never) } else { quote!(#bounds #never) };
        (quote!(::core::unreachable!()), quote!(::core::unreachable!()), bounds)
    } else {
        let prepared = quote!(Self::__prepare((#(#lent,)*)));
        (
            quote!(#rt::Call::spawn(#prepared, #options)),
            quote!(#rt::Call::run(#prepared, #rt::Options::new())),
            bounds,
        )
    };
    let spawned = quote!(::core::result::Result<#rt::Process<#output>, #rt::SpawnError>);
    let plain = if entry.lends_mut() {
        quote!(::core::unreachable!())
    } else {
        quote!(Self::spawn_with(#rt::Options::new(), #(#names),*))
    };
    quote! {
        #[doc = "Starts the function in a process of its own."]
        #vis fn spawn #generics (#(#names: #owned),*) -> #spawned #bounds { #plain }
        #[doc = "Starts the function in a process of its own, with options for this start."]
        #vis fn spawn_with #generics (#options: #rt::Options, #(#names: #owned),*) -> #spawned #bounds { #start }
        #[doc = "Starts the function in a process of its own and waits for its result."]
        #vis fn run #generics (#(#names: #owned),*) -> ::core::result::Result<#output, #rt::ProcessError> #bounds { #run }
    }
}

/// The generic parameters, the same as arguments, and the bounds: the user's, and what the runtime asks of generic types.
fn generics(entry: &Entry, rt: &TokenStream) -> (TokenStream, TokenStream, TokenStream) {
    let declared = &entry.shell.sig.generics;
    let (params, args, user) = declared.split_for_impl();
    let turbofish = args.as_turbofish();
    let written =
        user.map(|clause| clause.predicates.iter().collect::<Vec<_>>()).unwrap_or_default();
    let crossing = entry.params.iter().filter(|param| entry.is_generic(&param.ty)).map(|param| {
        match &param.pass {
            Pass::Value => {
                let ty = &param.ty;
                quote!(#ty: #rt::Serialize + #rt::DeserializeOwned + 'static)
            }
            Pass::Lend(slice @ Type::Slice(_)) => {
                quote!(#slice: #rt::Lend<Owner = #rt::Shared<#slice>> + 'static)
            }
            Pass::Lend(elem) => quote!(#elem: #rt::Lend + 'static),
            Pass::LendMut(elem) => quote!(#elem: #rt::LendMut + 'static),
        }
    });
    let output = &entry.output;
    let returning = entry.is_generic(output).then(
        || quote!(#output: #rt::Serialize + #rt::DeserializeOwned + ::core::marker::Send + 'static),
    );
    let all: Vec<TokenStream> = written
        .iter()
        .map(|predicate| quote!(#predicate))
        .chain(crossing)
        .chain(returning)
        .collect();
    let bounds = if all.is_empty() { TokenStream::new() } else { quote!(where #(#all,)*) };
    (quote!(#params), quote!(#turbofish), bounds)
}

/// Generic parameters with the lifetime of the lent arguments in front.
fn scoped(generics: &TokenStream) -> TokenStream {
    let inner: TokenStream = generics.clone().into_iter().skip(1).collect();
    if inner.is_empty() { quote!(<'scope>) } else { quote!(<'scope, #inner) }
}

/// The starters with the types as written and no bounds, so that calls of them are not reported as well.
fn stub_starters(entry: &Entry, rt: &TokenStream) -> TokenStream {
    let vis = &entry.shell.vis;
    let (generics, _, bounds) = entry.shell.sig.generics.split_for_impl();
    let mut output = entry.output.clone();
    StaticReferences.visit_type_mut(&mut output);
    let names: Vec<&Ident> = entry.params.iter().map(|param| &param.name).collect();
    let types: Vec<&Type> = entry.params.iter().map(|param| &param.ty).collect();
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

/// Gives references a lifetime that is valid everywhere.
struct StaticReferences;

impl VisitMut for StaticReferences {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(Lifetime::new("'static", proc_macro2::Span::call_site()));
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }
}
