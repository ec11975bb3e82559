//! What a `#[shared]` type is made of: the item without the attributes that are ours, and what those said.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, Fields, Generics, Item, LitBool, Member, Path, Token, Type, Variant,
    Visibility,
};

use crate::diag::Diag;
use crate::messages;
use crate::options::{self, Accepts, Known, Krate, Opt};

/// What is said to an item of any other kind.
const WRONG_ITEM: &str = "`#[shared]` goes on a struct, a fieldless enum or a static";

/// The options of `#[shared]`, for the parser and its messages.
const ACCEPTS: Accepts = Accepts { owner: "`#[shared]`", names: &["default", "crate"] };

/// A `#[shared]` type.
pub(crate) struct Model {
    pub(crate) options: Options,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    pub(crate) data: Data,
}

/// What stands in the parentheses of the attribute.
pub(crate) struct Options {
    pub(crate) default: Opt<bool>,
    pub(crate) krate: Krate,
}

pub(crate) enum Data {
    Struct { style: Style, fields: Vec<Field> },
    Enum(Vec<Variant>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Named,
    Tuple,
    Unit,
}

/// A field, without `#[init]` and `#[guarded_by]`.
pub(crate) struct Field {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) member: Member,
    pub(crate) ty: Type,
    pub(crate) init: Option<Expr>,
    pub(crate) guard: Option<Ident>,
}

impl Model {
    /// Builds the model; `None` if the item is of another kind, in which case the mistake has been filed.
    pub(crate) fn parse(args: TokenStream, item: TokenStream, diag: &mut Diag) -> Option<Self> {
        let options = Options::parse(args, diag);
        match diag.keep(syn::parse2::<Item>(item))? {
            Item::Struct(mut item) => {
                messages::once("shared", &mut item.attrs, diag);
                let data = Data::of_struct(item.fields, diag);
                Some(Self {
                    options,
                    attrs: item.attrs,
                    vis: item.vis,
                    name: item.ident,
                    generics: item.generics,
                    data,
                })
            }
            Item::Enum(mut item) => {
                messages::once("shared", &mut item.attrs, diag);
                let data = Data::Enum(item.variants.into_iter().collect());
                Some(Self {
                    options,
                    attrs: item.attrs,
                    vis: item.vis,
                    name: item.ident,
                    generics: item.generics,
                    data,
                })
            }
            other => {
                refuse(&other, diag);
                None
            }
        }
    }

    /// The traits in `#[derive(..)]`, by their last segment.
    pub(crate) fn derives(&self, name: &str) -> bool {
        let paths = |attr: &Attribute| {
            attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok()
        };
        let derived = self
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("derive"))
            .filter_map(paths)
            .flatten();
        derived.into_iter().any(|path| path.segments.last().is_some_and(|last| last.ident == name))
    }

    /// Whether a field says `#[init]`.
    pub(crate) fn has_inits(&self) -> bool {
        matches!(&self.data, Data::Struct { fields, .. } if fields.iter().any(|field| field.init.is_some()))
    }

    /// Takes a trait out of `#[derive(..)]`: what the compiler would say about it has been filed already.
    pub(crate) fn underive(&mut self, name: &str) {
        self.attrs.retain_mut(|attr| {
            if !attr.path().is_ident("derive") {
                return true;
            }
            let parser = Punctuated::<Path, Token![,]>::parse_terminated;
            let Ok(paths) = attr.parse_args_with(parser) else { return true };
            let is_other = |path: &Path| path.segments.last().is_none_or(|last| last.ident != name);
            let others: Vec<Path> = paths.into_iter().filter(is_other).collect();
            attr.meta = syn::parse_quote!(derive(#(#others),*));
            !others.is_empty()
        });
    }

    /// What is inside `#[repr(..)]`, one entry for each word.
    pub(crate) fn reprs(&self) -> Vec<TokenStream> {
        let parser = Punctuated::<syn::Meta, Token![,]>::parse_terminated;
        let reprs = self.attrs.iter().filter(|attr| attr.path().is_ident("repr"));
        reprs
            .filter_map(|attr| attr.parse_args_with(parser).ok())
            .flatten()
            .map(|meta| meta.to_token_stream())
            .collect()
    }
}

/// Says what to use instead for an item that cannot be shared.
fn refuse(item: &Item, diag: &mut Diag) {
    match item {
        Item::Union(item) => diag.error(
            item.union_token,
            "a union does not say which of its fields is alive, so it cannot be shared; write a struct",
        ),
        Item::Type(item) => diag.error(item.type_token, "`#[shared]` goes on the type itself, not on another name of it"),
        Item::Fn(item) => diag.error(item.sig.fn_token, WRONG_ITEM),
        Item::Mod(item) => diag.error(item.mod_token, WRONG_ITEM),
        Item::Trait(item) => diag.error(item.trait_token, WRONG_ITEM),
        Item::Impl(item) => diag.error(item.impl_token, WRONG_ITEM),
        Item::Const(item) => diag.error(item.const_token, WRONG_ITEM),
        Item::Use(item) => diag.error(item.use_token, WRONG_ITEM),
        other => diag.error(other, WRONG_ITEM),
    }
}

impl Options {
    fn parse(args: TokenStream, diag: &mut Diag) -> Self {
        let mut found = Self { default: Opt::named("default"), krate: Krate::new() };
        options::attribute(args, &ACCEPTS, diag, |key, input, diag| found.fill(key, input, diag));
        found
    }

    fn fill(&mut self, key: &Ident, input: ParseStream<'_>, diag: &mut Diag) -> syn::Result<Known> {
        match key.to_string().as_str() {
            "default" => {
                let value = options::assigned::<LitBool>(key, input, "default = false")?.value;
                self.default.put(key, value, diag);
            }
            "crate" => self.krate.fill(key, input, diag)?,
            _ => return Ok(Known::No),
        }
        Ok(Known::Yes)
    }
}

impl Data {
    fn of_struct(fields: Fields, diag: &mut Diag) -> Self {
        let style = match &fields {
            Fields::Named(_) => Style::Named,
            Fields::Unnamed(_) => Style::Tuple,
            Fields::Unit => Style::Unit,
        };
        let fields = fields
            .into_iter()
            .enumerate()
            .map(|(index, field)| Field::new(index, field, diag))
            .collect();
        Self::Struct { style, fields }
    }
}

impl Field {
    fn new(index: usize, field: syn::Field, diag: &mut Diag) -> Self {
        let member = field.ident.map_or_else(|| Member::from(index), Member::Named);
        let (mut init, mut guard) = (Opt::named("init"), Opt::named("guarded_by"));
        let mut attrs = Vec::new();
        for attr in field.attrs {
            if let Some(key) = attr.path().get_ident().filter(|key| *key == "init") {
                if let Some(value) = diag.keep(one_argument::<Expr>(
                    &attr,
                    "the value, as in `#[init(Barrier::new(3))]`",
                )) {
                    init.put(key, value, diag);
                }
            } else if let Some(key) = attr.path().get_ident().filter(|key| *key == "guarded_by") {
                if let Some(lock) = diag.keep(one_argument::<Ident>(
                    &attr,
                    "the name of a field, as in `#[guarded_by(lock)]`",
                )) {
                    guard.put(key, lock, diag);
                }
            } else if attr.path().get_ident().is_some_and(is_almost_guarded_by) {
                diag.error(attr.path(), "there is no such attribute; did you mean `guarded_by`?");
            } else {
                attrs.push(attr);
            }
        }
        Self { attrs, vis: field.vis, member, ty: field.ty, init: init.take(), guard: guard.take() }
    }

    /// How messages call the field.
    pub(crate) fn label(&self) -> String {
        match &self.member {
            Member::Named(name) => name.to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        }
    }
}

/// A slip of the pen. The name is too long to be another's by chance.
fn is_almost_guarded_by(key: &Ident) -> bool {
    messages::nearest(&key.to_string(), &["guarded_by"]).is_some()
}

/// The argument of `#[init(..)]` and `#[guarded_by(..)]`.
fn one_argument<T: syn::parse::Parse>(attr: &Attribute, wanted: &str) -> syn::Result<T> {
    let list = attr.meta.require_list();
    let list =
        list.map_err(|_| syn::Error::new_spanned(attr.path(), format_args!("expected {wanted}")))?;
    if list.tokens.is_empty() {
        return Err(syn::Error::new_spanned(attr.path(), format_args!("expected {wanted}")));
    }
    list.parse_args()
        .map_err(|error| syn::Error::new(error.span(), format_args!("expected {wanted}")))
}
