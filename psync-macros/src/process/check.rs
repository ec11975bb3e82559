//! What a function must not have to run in a process of its own, as far as syntax can tell; types are the compiler's business.

use syn::visit::{self, Visit};
use syn::{FnArg, Lifetime, Meta, Safety, Type, TypeImplTrait, TypeReference, TypeTraitObject};

use super::ast::{Entry, Param, Pass};
use crate::diag::Diag;
use crate::messages;
use crate::options;

/// Tuples of more elements do not implement serde's traits.
const MOST_PARAMETERS: usize = 16;

/// Files every mistake in the model.
pub(super) fn entry(entry: &Entry, diag: &mut Diag) {
    modifiers(entry, diag);
    generics(entry, diag);
    for param in &entry.params {
        parameter(param, diag);
    }
    if let Some(extra) = entry.shell.sig.inputs.iter().nth(MOST_PARAMETERS) {
        diag.error(
            extra,
            "a `#[process]` function has at most 16 parameters; group some of them in a struct",
        );
    }
    output(entry, diag);
    attributes(entry, diag);
    if entry.options.name.get().is_some_and(|name| name.value().contains('\0')) {
        diag.error(entry.options.name.get(), "the name of a process cannot contain a zero byte");
    }
    if let Some(method) = entry.options.start_method.get() {
        options::start_method(method, diag);
    }
}

/// `async`, `unsafe` and the like.
fn modifiers(entry: &Entry, diag: &mut Diag) {
    let sig = &entry.shell.sig;
    if let Some(asyncness) = sig.asyncness {
        diag.error(
            asyncness,
            "a `#[process]` function cannot be `async`; start the runtime of your choice in its body",
        );
    }
    if let Safety::Unsafe(token) = sig.safety {
        diag.error(
            token,
            "a `#[process]` function cannot be `unsafe`; wrap the unsafe part in its body",
        );
    }
    if let (Some(constness), false) = (sig.constness, entry.options.wires.is_empty()) {
        diag.error(
            constness,
            "wiring waits and locks, which a `const` function cannot; leave `const` out",
        );
    }
    if let Some(variadic) = &sig.variadic {
        diag.error(
            variadic,
            "a `#[process]` function has a fixed number of parameters; pass a `Vec`",
        );
    }
}

fn generics(entry: &Entry, diag: &mut Diag) {
    for lifetime in entry.lifetimes() {
        diag.error(lifetime, messages::PROCESS_LIFETIME);
    }
}

fn parameter(param: &Param, diag: &mut Diag) {
    if let Some(instead) = unsized_value(param) {
        diag.error(&param.ty, format_args!("a parameter has a known size; {instead}"));
        return;
    }
    let inner = match &param.pass {
        Pass::Value => &param.ty,
        Pass::Lend(elem) => elem,
        Pass::LendMut(elem) => {
            if matches!(elem, Type::Path(path) if path.path.is_ident("str")) {
                diag.error(&param.ty, "text crosses as a copy, so changes to it would be lost; take `&str` or `String`");
            }
            elem
        }
    };
    let mut nested = Nested { diag, lent: !matches!(param.pass, Pass::Value) };
    nested.visit_type(inner);
}

/// What to write instead of a type that only a reference can lead to.
pub(super) fn unsized_value(param: &Param) -> Option<&'static str> {
    match (&param.pass, &param.ty) {
        (Pass::Value, Type::Slice(_)) => {
            Some("write `&[T]` to lend it from shared memory, or `Vec<T>` to send it")
        }
        (Pass::Value, Type::Path(path)) if path.path.is_ident("str") => {
            Some("write `&str` or `String`")
        }
        (Pass::Value, Type::TraitObject(_)) => Some("write a type that is known to both processes"),
        _ => None,
    }
}

fn output(entry: &Entry, diag: &mut Diag) {
    let mut found = Borrowed { diag };
    found.visit_type(&entry.output);
}

/// Attributes whose meaning would be lost: a parameter that exists only sometimes changes every generated signature.
fn attributes(entry: &Entry, diag: &mut Diag) {
    for arg in &entry.shell.sig.inputs {
        let FnArg::Typed(typed) = arg else { continue };
        for attr in typed
            .attrs
            .iter()
            .filter(|attr| matches!(&attr.meta, Meta::List(list) if list.path.is_ident("cfg")))
        {
            diag.error(attr, "a parameter of a `#[process]` function cannot depend on `cfg`; put it on two versions of the function");
        }
    }
}

/// Looks for what cannot be inside a parameter's type.
struct Nested<'d> {
    diag: &'d mut Diag,
    lent: bool,
}

impl<'ast> Visit<'ast> for Nested<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        let message = if self.lent {
            "a reference to references cannot be lent: they would point into another process; lend the data itself"
        } else {
            "a reference can only be a parameter's whole type; write an owned type such as `String` or `Vec` here"
        };
        self.diag.error(reference, message);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.diag.error(
                lifetime,
                "a value that borrows cannot cross to another process; pass an owned one",
            );
        }
    }

    // By value, in a box, serde may be able to write one.
    fn visit_type_trait_object(&mut self, ty: &'ast TypeTraitObject) {
        if self.lent {
            self.diag.error(
                ty,
                "a trait object leads to code by addresses, which differ between processes; write an enum and match on it",
            );
        }
        visit::visit_type_trait_object(self, ty);
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        self.diag.error(
            ty,
            "the new process must know the type; use a generic parameter instead of `impl Trait`",
        );
    }
}

/// Looks for what cannot be inside the type of a result.
struct Borrowed<'d> {
    diag: &'d mut Diag,
}

impl<'ast> Visit<'ast> for Borrowed<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        self.diag.error(
            reference,
            "the result comes back from another process and cannot borrow; return an owned type such as `String` or `Vec`",
        );
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        self.diag.error(ty, "the starting process must know the type of the result; write it out instead of `impl Trait`");
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.diag.error(lifetime, "the result comes back from another process and cannot borrow; return an owned type");
        }
        visit::visit_lifetime(self, lifetime);
    }
}
