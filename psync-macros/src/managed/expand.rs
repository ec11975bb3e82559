//! Prints a managed block: as it was written, and beside it the proxy.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, ReturnType, Type, Visibility};

use super::ast::{Access, Block, Function, Param};
use super::named::Named;
use crate::hygiene::{local, quiet, quiet_name, spanned};

/// The block and its proxy. Of a function that is wrong the proxy has the signature, so that nothing more is said about it.
pub(super) fn block(block: &Block) -> TokenStream {
    let item = &block.item;
    if item.trait_.is_some() || item.generics.lifetimes().next().is_some() {
        return quote!(#item);
    }
    let rt = block.krate.runtime();
    let proxy = format_ident!("{}Proxy", block.name.unraw(), span = block.name.span());
    let proxy = quiet_name(&proxy);
    let declaration = declaration(block, &proxy, &rt);
    let traits = traits(block, &proxy, &rt);
    let methods = methods(block, &proxy, &rt);
    quote!(#item #declaration #traits #methods)
}

/// As visible as the most visible of its functions.
fn visibility(block: &Block) -> TokenStream {
    let all = || block.functions.iter().map(|function| &function.item.vis);
    let public = all().find(|vis| matches!(vis, Visibility::Public(_)));
    public.or_else(|| all().next()).map(ToTokens::to_token_stream).unwrap_or_default()
}

fn declaration(block: &Block, proxy: &Ident, rt: &TokenStream) -> TokenStream {
    let (vis, ty) = (quiet(&visibility(block)), &block.item.self_ty);
    let (_, _, clause) = block.item.generics.split_for_impl();
    let generics = &block.item.generics;
    let cfgs = attributes(&block.item.attrs, &["cfg"]);
    let doc = format!(" A handle of a `{}` that a manager's server owns.", block.name.unraw());
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #vis struct #proxy #generics (#rt::Handle<#ty>) #clause;
    }
}

/// What all proxies can do.
fn traits(block: &Block, proxy: &Ident, rt: &TokenStream) -> TokenStream {
    let ty = &block.item.self_ty;
    let (params, args, clause) = block.item.generics.split_for_impl();
    let mut with_lifetime = block.item.generics.clone();
    with_lifetime.params.insert(0, syn::parse_quote!('de));
    let (lifetime, _, _) = with_lifetime.split_for_impl();
    let cfgs = attributes(&block.item.attrs, &["cfg"]);
    // An object that cannot be shared between threads is shown as its type. Parameters have no colours: those that are added have names that nobody gives his own.
    let managed = spanned(quote!(#rt::Managed), ty);
    quote! {
        #(#cfgs)*
        const _: () = {
            impl #params #managed for #ty #clause {
                type Proxy = #proxy #args;
            }
            impl #params ::core::convert::From<#rt::Handle<#ty>> for #proxy #args #clause {
                fn from(handle: #rt::Handle<#ty>) -> Self {
                    Self(handle)
                }
            }
            impl #params ::core::convert::AsRef<#rt::Handle<#ty>> for #proxy #args #clause {
                fn as_ref(&self) -> &#rt::Handle<#ty> {
                    &self.0
                }
            }
            impl #params ::core::clone::Clone for #proxy #args #clause {
                fn clone(&self) -> Self {
                    Self(::core::clone::Clone::clone(&self.0))
                }
            }
            impl #params ::core::fmt::Debug for #proxy #args #clause {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::fmt::Debug::fmt(&self.0, f)
                }
            }
            impl #params #rt::serde::Serialize for #proxy #args #clause {
                fn serialize<__S: #rt::serde::Serializer>(
                    &self,
                    serializer: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    #rt::serde::Serialize::serialize(&self.0, serializer)
                }
            }
            impl #lifetime #rt::serde::Deserialize<'de> for #proxy #args #clause {
                fn deserialize<__D: #rt::serde::Deserializer<'de>>(
                    deserializer: __D,
                ) -> ::core::result::Result<Self, __D::Error> {
                    #rt::serde::Deserialize::deserialize(deserializer).map(Self)
                }
            }
        };
    }
}

fn methods(block: &Block, proxy: &Ident, rt: &TokenStream) -> TokenStream {
    let (params, args, clause) = block.item.generics.split_for_impl();
    let cfgs = attributes(&block.item.attrs, &["cfg"]);
    let methods = block.functions.iter().map(|function| method(block, function, rt));
    quote! {
        #(#cfgs)*
        impl #params #proxy #args #clause { #(#methods)* }
    }
}

/// One function of the proxy.
fn method(block: &Block, function: &Function, rt: &TokenStream) -> TokenStream {
    let sig = &function.item.sig;
    let (name, vis) = (quiet_name(&sig.ident), quiet(&function.item.vis));
    let (generics, _, clause) = sig.generics.split_for_impl();
    let attrs = attributes(&function.item.attrs, &["cfg", "doc", "deprecated"]);
    let names: Vec<&Ident> = function.params.iter().map(|param| &param.name).collect();
    let named = Named(&block.item.self_ty);
    let types = function.params.iter().map(|param| named.outside(&param.typed.ty));
    let body = body(block, function, rt);
    let (receiver, output) = match function.access {
        Access::Make => {
            let manager = local("manager");
            (quote!(#manager: &#rt::Manager), quote!(Self))
        }
        _ => (quote!(&self), output(function, &named, rt)),
    };
    quote! {
        #(#attrs)*
        #vis fn #name #generics (#receiver #(, #names: #types)*) -> ::core::result::Result<#output, #rt::ManagerError> #clause {
            #body
        }
    }
}

fn output(function: &Function, named: &Named<'_>, rt: &TokenStream) -> TokenStream {
    match &function.item.sig.output {
        // That is no type of its own yet.
        ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)) => quote!(#rt::Never),
        // What is only known by what it does can be no result of a function that returns nothing.
        ReturnType::Type(_, ty) if !(function.is_wrong && is_opaque(ty)) => {
            let ty = named.outside(ty);
            quote!(#ty)
        }
        _ => quote!(()),
    }
}

fn is_opaque(ty: &Type) -> bool {
    let is_impl = |tree| matches!(tree, TokenTree::Ident(word) if word == "impl");
    ty.to_token_stream().into_iter().any(is_impl)
}

/// Sends the arguments, and a function that calls the user's with them.
fn body(block: &Block, function: &Function, rt: &TokenStream) -> TokenStream {
    if function.is_wrong {
        return quote!(::core::unreachable!());
    }
    let (ty, name) = (&block.item.self_ty, &function.item.sig.ident);
    let names: Vec<&Ident> = function.params.iter().map(|param| &param.name).collect();
    let arguments = arguments(function, rt);
    let passed = function.params.iter().map(
        |Param { name, is_text, .. }| {
            if *is_text { quote!(&#name) } else { quote!(#name) }
        },
    );
    let passed = quote!(#(#passed),*);
    let object = local("object");
    if function.access == Access::Make {
        let manager = local("manager");
        return quote!(#rt::create::<#ty, _>(#manager, |(#(#names,)*)| <#ty>::#name(#passed), #arguments));
    }
    let (method, reference) = match function.access {
        Access::Look => ("look", quote!(&#ty)),
        _ => ("change", quote!(&mut #ty)),
    };
    // The compiler shows an argument that cannot cross at the name of the method that is called: of one, that is its type. A result that
    // cannot come back it shows where it is named.
    let method = Ident::new(method, at_arguments(function));
    let inside =
        quote!(|#object: #reference, (#(#names,)*)| <#ty>::#name(#object, #passed), #arguments);
    let output = output(function, &Named(ty), rt);
    quote!(self.0.#method::<_, #output>(#inside))
}

/// Where to show what is wrong about the arguments.
fn at_arguments(function: &Function) -> Span {
    let at = match &function.params[..] {
        [only] => only.typed.ty.span(),
        _ => function.item.sig.ident.span(),
    };
    at.resolved_at(Span::call_site())
}

/// The arguments as they are sent.
fn arguments(function: &Function, rt: &TokenStream) -> TokenStream {
    let sent = function.params.iter().map(|Param { name, is_text, .. }| {
        let value =
            if *is_text { quote!(::std::borrow::ToOwned::to_owned(#name)) } else { quote!(#name) };
        quote!(#rt::Owned(#value))
    });
    quote!(&(#(#sent,)*))
}

/// Those attributes that go for the proxy as well.
fn attributes<'a>(all: &'a [Attribute], names: &[&str]) -> Vec<&'a Attribute> {
    all.iter().filter(|attr| names.iter().any(|name| attr.path().is_ident(name))).collect()
}
