//! What a managed `impl` block is made of: the block as written, its type, and what each public function does with the object.

use proc_macro2::{Ident, TokenStream};
use syn::{
    FnArg, ImplItem, ImplItemFn, ItemImpl, Pat, PatType, Receiver, ReceiverKind, ReturnType, Type,
    Visibility,
};

use crate::diag::Diag;
use crate::hygiene::{numbered, quiet_name};
use crate::options::{Accepts, Krate};

const ACCEPTS: Accepts = Accepts { owner: "`#[managed]`", names: &["crate"] };

/// A managed `impl` block.
pub(crate) struct Block {
    pub(crate) item: ItemImpl,
    /// The name of its type.
    pub(crate) name: Ident,
    pub(crate) krate: Krate,
    pub(crate) functions: Vec<Function>,
}

/// A public function that the proxy has as well.
pub(crate) struct Function {
    pub(crate) item: ImplItemFn,
    pub(crate) access: Access,
    pub(crate) params: Vec<Param>,
    /// Whether something is wrong about it: then the proxy has its name and no more.
    pub(crate) is_wrong: bool,
}

/// What a function does with the object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// `-> Self`, without `self`.
    Make,
    /// `&self`.
    Look,
    /// `&mut self`.
    Change,
    /// `self` in any other way.
    Take,
}

/// One parameter, under the name that the proxy's function gives it.
pub(crate) struct Param {
    pub(crate) name: Ident,
    pub(crate) typed: PatType,
    /// Whether it is a `&str`, which crosses as a `String`.
    pub(crate) is_text: bool,
}

impl Block {
    /// Builds the model; `None` if the item is no `impl` block of a type with a name, in which case the mistake has been filed.
    pub(crate) fn parse(args: TokenStream, item: TokenStream, diag: &mut Diag) -> Option<Self> {
        let krate = Krate::alone(args, &ACCEPTS, diag);
        let no_block = |error: syn::Error| {
            let message = "`#[managed]` goes on an `impl` block, the one with the methods that processes may call";
            syn::Error::new(error.span(), message)
        };
        let is_block = item
            .clone()
            .into_iter()
            .any(|tree| matches!(tree, proc_macro2::TokenTree::Ident(ident) if ident == "impl"));
        let parsed = syn::parse2::<ItemImpl>(item);
        let item = diag.keep(if is_block { parsed } else { parsed.map_err(no_block) })?;
        let Some(name) = name_of(&item.self_ty) else {
            diag.error(
                &item.self_ty,
                "only a type with a name of its own can be managed; wrap this one in a struct",
            );
            return None;
        };
        let functions = item.items.iter().filter_map(|item| Function::of(item, diag)).collect();
        Some(Self { item, name, krate, functions })
    }
}

fn name_of(ty: &Type) -> Option<Ident> {
    match ty {
        Type::Path(path) if path.qself.is_none() => {
            path.path.segments.last().map(|segment| segment.ident.clone())
        }
        Type::Group(group) => name_of(&group.elem),
        Type::Paren(paren) => name_of(&paren.elem),
        _ => None,
    }
}

impl Function {
    /// `None` for what the proxy does not have.
    fn of(item: &ImplItem, diag: &mut Diag) -> Option<Self> {
        let ImplItem::Fn(item) = item else { return None };
        if matches!(item.vis, Visibility::Inherited) {
            return None;
        }
        let access = match item.sig.receiver() {
            Some(receiver) => access(receiver),
            None if returns_self(&item.sig.output) => Access::Make,
            None => return None,
        };
        let typed = item.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        let before = diag.count();
        let params =
            typed.enumerate().map(|(index, typed)| Param::new(index, typed, diag)).collect();
        Some(Self { item: item.clone(), access, params, is_wrong: diag.count() != before })
    }
}

fn access(receiver: &Receiver) -> Access {
    let borrows = |is_mut: bool| if is_mut { Access::Change } else { Access::Look };
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => borrows(mutability.is_some()),
        ReceiverKind::Typed(_, ty) => match &**ty {
            Type::Reference(reference) if is_self(&reference.elem) => {
                borrows(reference.mutability.is_some())
            }
            _ => Access::Take,
        },
        _ => Access::Take,
    }
}

pub(super) fn is_self(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("Self"))
}

fn returns_self(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if is_self(ty))
}

impl Param {
    fn new(index: usize, typed: &PatType, diag: &mut Diag) -> Self {
        let name = match &*typed.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                quiet_name(&pat.ident)
            }
            Pat::Wild(_) => numbered("arg", index),
            other => {
                diag.error(
                    other,
                    "a parameter of a managed method is a plain name; take it apart in the body",
                );
                numbered("arg", index)
            }
        };
        Self { name, is_text: is_text(&typed.ty), typed: typed.clone() }
    }
}

fn is_text(ty: &Type) -> bool {
    let Type::Reference(reference) = ty else { return false };
    reference.mutability.is_none()
        && reference.lifetime.is_none()
        && matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str"))
}
