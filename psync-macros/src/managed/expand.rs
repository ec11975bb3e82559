//! Prints a managed block: as it was written, and beside it the proxy.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, ReturnType, Type, Visibility};

use super::ast::{Access, Block, Function, Param};
use crate::hygiene::{local, spanned};

/// The block and its proxy. What is wrong is left out of the proxy's functions, and the names stay.
pub(super) fn block(block: &Block) -> TokenStream {
    let item = &block.item;
    if item.trait_.is_some() {
        return quote!(#item);
    }
    let rt = block.krate.runtime();
    let proxy = format_ident!("{}Proxy", block.name.unraw(), span = block.name.span());
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
    let (vis, ty) = (visibility(block), &block.item.self_ty);
    let (_, _, clause) = block.item.generics.split_for_impl();
    let generics = &block.item.generics;
    let cfgs = attributes(&block.item.attrs, &["cfg"]);
    let doc = format!(" A handle of a `{}` that a manager's server owns.", block.name.unraw());
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #[allow(unreachable_pub, dead_code, reason = "it is as visible as the methods that it has")]
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
    // An object that cannot be shared between threads is shown as its type.
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
                fn serialize<Serializer: #rt::serde::Serializer>(
                    &self,
                    serializer: Serializer,
                ) -> ::core::result::Result<Serializer::Ok, Serializer::Error> {
                    #rt::serde::Serialize::serialize(&self.0, serializer)
                }
            }
            impl #lifetime #rt::serde::Deserialize<'de> for #proxy #args #clause {
                fn deserialize<Deserializer: #rt::serde::Deserializer<'de>>(
                    deserializer: Deserializer,
                ) -> ::core::result::Result<Self, Deserializer::Error> {
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
        #[allow(
            dead_code, missing_docs, unreachable_pub, private_interfaces, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction,
            reason = "generated for every public function, used or not"
        )]
        impl #params #proxy #args #clause { #(#methods)* }
    }
}

/// One function of the proxy.
fn method(block: &Block, function: &Function, rt: &TokenStream) -> TokenStream {
    let sig = &function.item.sig;
    let (name, vis) = (&sig.ident, &function.item.vis);
    let (generics, _, clause) = sig.generics.split_for_impl();
    let attrs = attributes(&function.item.attrs, &["cfg", "doc", "deprecated"]);
    let names: Vec<&Ident> = function.params.iter().map(|param| &param.name).collect();
    let types: Vec<&Type> = function.params.iter().map(|param| &*param.typed.ty).collect();
    let body = body(block, function, rt);
    let (receiver, output) = match function.access {
        Access::Make => {
            let manager = local("manager");
            (quote!(#manager: &#rt::Manager), quote!(Self))
        }
        _ => (quote!(&self), output(&sig.output)),
    };
    quote! {
        #(#attrs)*
        #vis fn #name #generics (#receiver #(, #names: #types)*) -> ::core::result::Result<#output, #rt::ManagerError> #clause {
            #body
        }
    }
}

fn output(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    }
}

/// Sends the arguments, and a function that calls the user's with them.
fn body(block: &Block, function: &Function, rt: &TokenStream) -> TokenStream {
    let (ty, name) = (&block.item.self_ty, &function.item.sig.ident);
    let names: Vec<&Ident> = function.params.iter().map(|param| &param.name).collect();
    let sent = function.params.iter().map(|Param { name, typed, is_text }| {
        let value = if *is_text { quote!(::std::string::String::from(#name)) } else { quote!(#name) };
        // The compiler shows a type that cannot cross at the parameter's.
        quote::quote_spanned!(typed.ty.span().resolved_at(proc_macro2::Span::call_site())=> #rt::Owned(#value))
    });
    let arguments = quote!(&(#(#sent,)*));
    let passed = function.params.iter().map(
        |Param { name, is_text, .. }| {
            if *is_text { quote!(&#name) } else { quote!(#name) }
        },
    );
    let passed = quote!(#(#passed),*);
    let object = local("object");
    match function.access {
        Access::Make => {
            let manager = local("manager");
            quote!(#rt::create::<#ty, _>(#manager, |(#(#names,)*)| <#ty>::#name(#passed), #arguments))
        }
        Access::Look => {
            quote!(self.0.look(|#object: &#ty, (#(#names,)*)| <#ty>::#name(#object, #passed), #arguments))
        }
        Access::Change => {
            quote!(self.0.change(|#object: &mut #ty, (#(#names,)*)| <#ty>::#name(#object, #passed), #arguments))
        }
        Access::Take => quote!(::core::unreachable!()),
    }
}

/// Those attributes that go for the proxy as well.
fn attributes<'a>(all: &'a [Attribute], names: &[&str]) -> Vec<&'a Attribute> {
    all.iter().filter(|attr| names.iter().any(|name| attr.path().is_ident(name))).collect()
}
