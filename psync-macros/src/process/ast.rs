//! What a `#[process]` function is made of: the function as written, its options, and how each parameter crosses.

use proc_macro2::{Group, Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Expr, FnArg, GenericParam, LitBool, LitStr, Pat, ReturnType, Signature, Token, Type,
    Visibility,
};

use super::wiring::Wire;
use crate::diag::Diag;
use crate::hygiene::{numbered, quiet_name};
use crate::messages;
use crate::options::{self, Accepts, Known, Krate, Opt};

/// The options of `#[process]`, for the parser and its messages.
const ACCEPTS: Accepts = Accepts {
    owner: "`#[process]`",
    names: &[
        "wait",
        "acquire",
        "barrier",
        "lock",
        "set",
        "name",
        "daemon",
        "start_method",
        "crate",
    ],
};

/// A `#[process]` function.
pub(crate) struct Entry {
    pub(crate) shell: FnShell,
    pub(crate) options: Options,
    pub(crate) params: Vec<Param>,
    /// What its process gives back.
    pub(crate) output: Type,
}

/// A function whose body is carried through untouched, so that unfinished code still expands.
pub(crate) struct FnShell {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

/// What stands in the parentheses of the attribute.
pub(crate) struct Options {
    pub(crate) wires: Vec<Wire>,
    pub(crate) name: Opt<LitStr>,
    pub(crate) daemon: Opt<bool>,
    pub(crate) start_method: Opt<Expr>,
    pub(crate) krate: Krate,
}

/// One parameter, under the name that the generated functions give it.
pub(crate) struct Param {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) pass: Pass,
}

/// How an argument gets into the other process.
pub(crate) enum Pass {
    /// Written and read by serde.
    Value,
    /// `&T`: a place in shared memory; the type is `T`.
    Lend(Type),
    /// `&mut T`: the same, exclusively.
    LendMut(Type),
}

impl Entry {
    /// Builds the model; `None` if the item is not a function with a body, in which case the mistake has been filed.
    pub(crate) fn parse(args: TokenStream, item: TokenStream, diag: &mut Diag) -> Option<Self> {
        let options = Options::parse(args, diag);
        let mut shell = diag.keep(syn::parse2::<FnShell>(item))?;
        messages::once("process", &mut shell.attrs, diag);
        let params = shell
            .sig
            .inputs
            .iter()
            .enumerate()
            .filter_map(|(i, arg)| Param::new(i, arg, diag))
            .collect();
        let output = match &shell.sig.output {
            ReturnType::Default => Type::Verbatim(quote!(())),
            // Stable Rust does not have `!` as the argument of another type.
            ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)) => {
                let rt = options.krate.runtime();
                Type::Verbatim(quote!(#rt::Never))
            }
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        Some(Self { shell, options, params, output })
    }

    /// Whether the function exclusively borrows, so that it can only be started where its end is awaited.
    pub(crate) fn lends_mut(&self) -> bool {
        self.params.iter().any(|param| matches!(param.pass, Pass::LendMut(_)))
    }

    /// Whether `ty` depends on a generic parameter of the function.
    pub(crate) fn is_generic(&self, ty: &Type) -> bool {
        let generics = &self.shell.sig.generics;
        let names: Vec<&Ident> = (generics.type_params().map(|param| &param.ident))
            .chain(generics.const_params().map(|param| &param.ident))
            .collect();
        mentions(ty.to_token_stream(), &names)
    }

    /// Whether the function stands where the companion type cannot: inside an `impl`, which `self` gives away.
    pub(crate) fn is_method(&self) -> bool {
        self.shell.sig.receiver().is_some()
    }

    pub(crate) fn lifetimes(&self) -> impl Iterator<Item = &GenericParam> {
        self.shell
            .sig
            .generics
            .params
            .iter()
            .filter(|param| matches!(param, GenericParam::Lifetime(_)))
    }
}

/// Whether one of `names` occurs in the tokens of a type.
fn mentions(tokens: TokenStream, names: &[&Ident]) -> bool {
    tokens.into_iter().any(|tree| match tree {
        proc_macro2::TokenTree::Ident(ident) => names.contains(&&ident),
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), names),
        _ => false,
    })
}

impl Parse for FnShell {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !is_signature(input) {
            return Err(input.error("`#[process]` goes on a function"));
        }
        let sig = input.parse()?;
        if input.peek(Token![;]) {
            return Err(
                input.error("a `#[process]` function needs a body: it runs in the new process")
            );
        }
        Ok(Self { attrs, vis, sig, body: input.parse()? })
    }
}

/// Whether a function follows: a `fn` somewhere among its modifiers.
fn is_signature(input: ParseStream<'_>) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![unsafe])
        || (input.peek(Token![extern]) && !input.peek2(Token![crate]))
        || (input.peek(Token![const]) && (input.peek2(Token![fn]) || input.peek3(Token![fn])))
}

impl Options {
    fn parse(args: TokenStream, diag: &mut Diag) -> Self {
        let mut found = Self {
            wires: Vec::new(),
            name: Opt::named("name"),
            daemon: Opt::named("daemon"),
            start_method: Opt::named("start_method"),
            krate: Krate::new(),
        };
        options::attribute(args, &ACCEPTS, diag, |key, input, diag| found.fill(key, input, diag));
        found
    }

    fn fill(&mut self, key: &Ident, input: ParseStream<'_>, diag: &mut Diag) -> syn::Result<Known> {
        match key.to_string().as_str() {
            "name" => {
                self.name.put(key, options::assigned(key, input, "name = \"..\"")?, diag);
            }
            "daemon" if input.peek(Token![=]) => {
                let value = options::assigned::<LitBool>(key, input, "daemon = false")?.value;
                self.daemon.put(key, value, diag);
            }
            "daemon" => self.daemon.put(key, true, diag),
            "start_method" => {
                let method = options::assigned(key, input, "start_method = StartMethod::Spawn")?;
                self.start_method.put(key, method, diag);
            }
            "crate" => self.krate.fill(key, input, diag)?,
            _ => match Wire::parse(key, input)? {
                Some(wire) => self.wires.push(wire),
                None => return Ok(Known::No),
            },
        }
        Ok(Known::Yes)
    }
}

impl Param {
    /// `None` for `self`, which has no place in the generated functions and is a mistake by itself.
    fn new(index: usize, arg: &FnArg, diag: &mut Diag) -> Option<Self> {
        let typed = match arg {
            FnArg::Typed(typed) => typed,
            FnArg::Receiver(receiver) => {
                diag.error(
                    receiver.self_token,
                    "a `#[process]` function starts in a fresh process and has no `self`; write a plain function, and pass \
                     the data by value or as `Shared<T>`",
                );
                return None;
            }
        };
        let name = match &*typed.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat.ident.clone(),
            Pat::Wild(_) => numbered("arg", index),
            other => {
                diag.error(other, "a parameter of a `#[process]` function is a plain name; take it apart in the body");
                numbered("arg", index)
            }
        };
        Some(Self { name, ty: (*typed.ty).clone(), pass: Pass::of(&typed.ty) })
    }
}

impl Param {
    /// The name in generated functions, where it is not for lints.
    pub(crate) fn quiet_name(&self) -> Ident {
        quiet_name(&self.name)
    }
}

impl Pass {
    fn of(ty: &Type) -> Self {
        match ty {
            Type::Group(group) => Self::of(&group.elem),
            Type::Paren(paren) => Self::of(&paren.elem),
            Type::Reference(reference) if reference.mutability.is_some() => {
                Self::LendMut((*reference.elem).clone())
            }
            Type::Reference(reference) => Self::Lend((*reference.elem).clone()),
            _ => Self::Value,
        }
    }
}
