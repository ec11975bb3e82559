//! What a type must not be to live in shared memory, as far as syntax can tell; the rest is the trait bound's business.

use syn::{GenericParam, Member};

use super::ast::{Data, Field, Model, Style};
use super::{enums, hints};
use crate::diag::Diag;
use crate::messages;

/// Files every mistake in the model.
pub(super) fn model(model: &Model, diag: &mut Diag) {
    for param in &model.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            diag.error(lifetime, messages::SHARED_LIFETIME);
        }
    }
    match &model.data {
        Data::Struct { style, fields } => {
            struct_reprs(model, diag);
            for field in fields {
                cfgs(field, diag);
                hints::field(field, diag);
                guard(field, *style, fields, diag);
            }
            defaults(model, fields, diag);
        }
        Data::Enum(variants) => enums::check(model, variants, diag),
    }
}

/// The layout is ours to fix; a stricter alignment does no harm.
fn struct_reprs(model: &Model, diag: &mut Diag) {
    for repr in model.reprs() {
        let text = repr.to_string();
        let compatible = text == "C" || text == "transparent" || text.starts_with("align");
        if !compatible {
            diag.error(
                repr,
                format_args!("`#[shared]` fixes the layout to `repr(C)`; leave `{text}` out"),
            );
        }
    }
}

/// A field that exists only sometimes would be missing in half of what is generated.
fn cfgs(field: &Field, diag: &mut Diag) {
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("cfg")) {
        diag.error(attr, "a field of a `#[shared]` struct cannot depend on `cfg`; put it on two versions of the struct");
    }
}

/// `#[guarded_by(lock)]` names another, unguarded field of the struct.
fn guard(field: &Field, style: Style, fields: &[Field], diag: &mut Diag) {
    let Some(lock) = &field.guard else { return };
    if style != Style::Named {
        diag.error(
            lock,
            "`#[guarded_by]` needs fields with names; the guard has fields of the same names",
        );
        return;
    }
    let named =
        fields.iter().find(|other| matches!(&other.member, Member::Named(name) if name == lock));
    match named {
        None => {
            let names: Vec<String> = fields.iter().map(Field::label).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let what = match messages::nearest(&lock.to_string(), &names) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("add `{lock}: Lock` to the struct"),
            };
            diag.error(lock, format_args!("there is no field `{lock}`; {what}"));
        }
        Some(other) if other.member == field.member => {
            diag.error(lock, "a lock cannot guard itself; name a field of the type `Lock`");
        }
        Some(other) if other.guard.is_some() => {
            diag.error(lock, format_args!("`{lock}` is guarded itself, so nobody can take it; leave its `#[guarded_by]` out"));
        }
        Some(_) => {}
    }
}

/// `#[init]` says nothing if somebody else writes `Default`.
fn defaults(model: &Model, fields: &[Field], diag: &mut Diag) {
    let by_hand = model.options.default.get() == Some(&false);
    if !by_hand && !model.derives("Default") {
        return;
    }
    let who = if by_hand {
        "`default = false` leaves `Default` out"
    } else {
        "`derive(Default)` does not know it"
    };
    for field in fields {
        if let Some(init) = &field.init {
            diag.error(
                init,
                format_args!("`#[init]` has no effect here: {who}; remove one of the two"),
            );
        }
    }
}
