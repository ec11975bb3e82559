//! What cannot be managed, as far as syntax can tell; types are the compiler's business.

use syn::visit::{self, Visit};
use syn::{
    GenericParam, ImplItemFn, Lifetime, ReturnType, Safety, Type, TypeImplTrait, TypeReference,
};

use super::ast::{Access, Block, Function, Param, is_self};
use crate::diag::Diag;

/// Tuples of more elements do not implement serde's traits.
const MOST_PARAMETERS: usize = 16;

/// Files every mistake in the model.
pub(super) fn block(block: &mut Block, diag: &mut Diag) {
    let item = &block.item;
    if let Some((path, _)) = &item.trait_ {
        diag.error(path, "a proxy has methods of its own and implements no trait; put `#[managed]` on the `impl` block without one");
        return;
    }
    for param in &item.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            diag.error(
                lifetime,
                "a managed object lives in another process and cannot borrow; leave lifetimes out",
            );
        }
    }
    if block.functions.is_empty() && diag.is_clean() {
        diag.error(&item.self_ty, "there is nothing to call: no function here is `pub` and takes `&self` or `&mut self`, or returns `Self`");
    }
    for function in &mut block.functions {
        let before = diag.count();
        self::function(function, diag);
        function.is_wrong |= diag.count() != before;
    }
}

fn function(function: &Function, diag: &mut Diag) {
    modifiers(&function.item, diag);
    if function.access == Access::Take
        && let Some(receiver) = function.item.sig.receiver()
    {
        diag.error(
            receiver,
            "the object stays in the manager's server; take `&self` or `&mut self`",
        );
    }
    for lifetime in &function.item.sig.generics.params {
        if let GenericParam::Lifetime(lifetime) = lifetime {
            diag.error(lifetime, "what a managed method takes and returns goes to another process and cannot borrow; leave lifetimes out");
        }
    }
    for param in &function.params {
        parameter(param, diag);
    }
    if let Some(extra) = function.params.get(MOST_PARAMETERS) {
        diag.error(
            &extra.typed,
            "a managed method has at most 16 parameters; group some of them in a struct",
        );
    }
    if function.access != Access::Make {
        output(&function.item.sig.output, diag);
    }
}

fn modifiers(item: &ImplItemFn, diag: &mut Diag) {
    if let Some(asyncness) = item.sig.asyncness {
        diag.error(asyncness, "a managed method cannot be `async`: the server waits for its end on a thread of its own");
    }
    if let Safety::Unsafe(token) = item.sig.safety {
        diag.error(token, "a managed method cannot be `unsafe`, since any process may call it; wrap the unsafe part in its body");
    }
    if let Some(variadic) = &item.sig.variadic {
        diag.error(variadic, "a managed method has a fixed number of parameters; pass a `Vec`");
    }
}

fn parameter(param: &Param, diag: &mut Diag) {
    if !param.is_text {
        let message = "arguments cross to the manager's server, so they are taken by value; only `&str` may be borrowed";
        Crossing { diag, message }.visit_type(&param.typed.ty);
    }
}

fn output(output: &ReturnType, diag: &mut Diag) {
    let ReturnType::Type(_, ty) = output else { return };
    if is_self(ty) {
        diag.error(ty, "a method cannot return `Self`, which stays in the manager's server; have the caller make another object");
        return;
    }
    let message = "the result comes back from the manager's server and cannot borrow from the object; return an owned type such as `String` or `Vec`";
    Crossing { diag, message }.visit_type(ty);
}

/// Looks for what cannot cross.
struct Crossing<'d> {
    diag: &'d mut Diag,
    message: &'static str,
}

impl<'ast> Visit<'ast> for Crossing<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        self.diag.error(reference, self.message);
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        self.diag.error(
            ty,
            "the other process must know the type; write it out instead of `impl Trait`",
        );
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.diag.error(lifetime, self.message);
        }
    }

    fn visit_type(&mut self, ty: &'ast Type) {
        visit::visit_type(self, ty);
    }
}
