//! Names that a body uses and does not list. The macro cannot tell a variable of the surroundings from a constant or a function, so the
//! compiler finds them; but what the pattern of the same `for` binds is a variable for sure, and so is `self`.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, ExprLit, ExprPath, Item, Lit, LitStr, Macro, PatIdent, Token, UseGlob,
};

use super::ast::{Branch, Items, Work};
use super::captures::Capture;
use crate::diag::Diag;

/// Macros of the standard library whose arguments are expressions, and which of them is a text that uses names as well.
const OF_EXPRESSIONS: &[(&str, Option<usize>)] = &[
    ("assert", Some(1)),
    ("assert_eq", Some(2)),
    ("assert_ne", Some(2)),
    ("dbg", None),
    ("debug_assert", Some(1)),
    ("debug_assert_eq", Some(2)),
    ("debug_assert_ne", Some(2)),
    ("eprint", Some(0)),
    ("eprintln", Some(0)),
    ("format", Some(0)),
    ("format_args", Some(0)),
    ("panic", Some(0)),
    ("print", Some(0)),
    ("println", Some(0)),
    ("todo", Some(0)),
    ("unimplemented", Some(0)),
    ("unreachable", Some(0)),
    ("vec", None),
    ("write", Some(1)),
    ("writeln", Some(1)),
];

/// Files each variable that the body of a branch takes without having listed it, where it is used first.
pub(super) fn names(branch: &Branch, diag: &mut Diag) {
    let Work::Block { captures, body, .. } = &branch.work else { return };
    // What does not parse is unfinished, or reported by the compiler.
    let Ok(statements) = Block::parse_within.parse2(body.stream()) else { return };
    let mut uses = Uses::default();
    for statement in &statements {
        uses.visit_stmt(statement);
    }
    if uses.unclear {
        return;
    }
    let items = branch.items.iter().flat_map(bound);
    let unlisted: Vec<Ident> = items
        .filter(|name| captures.iter().all(|capture| capture.name != *name))
        .filter(|name| !uses.bound.contains(name))
        .collect();
    let mut missing: Vec<&(Ident, TokenStream)> = Vec::new();
    for found in &uses.used {
        if unlisted.contains(&found.0) && missing.iter().all(|earlier| earlier.0 != found.0) {
            missing.push(found);
        }
    }
    let listed = captures.iter().map(Capture::to_string);
    let list: Vec<String> = listed.chain(missing.iter().map(|found| found.0.to_string())).collect();
    for (name, at) in missing {
        let list = list.join(", ");
        diag.error(
            at,
            format_args!(
                "the body uses `{name}`, which is not listed; write `process({list}) {{ .. }}`"
            ),
        );
    }
    if let Some(at) = &uses.self_value {
        diag.error(at, "`self` cannot be captured; bind what is needed with `let` before `parallel!`, and list that");
    }
}

/// The variables of a `for`. What is written like a type or a constant may be one.
fn bound(items: &Items) -> Vec<Ident> {
    let mut uses = Uses::default();
    uses.visit_pat(&items.pattern);
    uses.bound
        .into_iter()
        .filter(|name| name.to_string().starts_with(|c: char| c.is_lowercase() || c == '_'))
        .collect()
}

/// What the tokens of a body tell about names.
#[derive(Default)]
struct Uses {
    /// With what is to be shown.
    used: Vec<(Ident, TokenStream)>,
    /// Anywhere in the body: a use of the same name elsewhere gets the benefit of the doubt.
    bound: HashSet<Ident>,
    self_value: Option<ExprPath>,
    /// A part of the body may not be compiled, or names come from a place that is not seen.
    unclear: bool,
}

impl Uses {
    fn r#use(&mut self, name: &Ident, at: &impl ToTokens) {
        self.used.push((name.clone(), at.to_token_stream()));
    }

    /// Every word of something that may bring names counts as one.
    fn doubt(&mut self, tokens: TokenStream) {
        for tree in tokens {
            match tree {
                TokenTree::Ident(name) => {
                    self.bound.insert(name);
                }
                TokenTree::Group(group) => self.doubt(group.stream()),
                _ => {}
            }
        }
    }

    /// Names in braces, as in `"{name}"` and `"{name:?}"`.
    fn text(&mut self, text: &LitStr) {
        let value = text.value().replace("{{", "");
        for part in value.split('{').skip(1) {
            let name = part.split(['}', ':']).next().unwrap_or_default().trim();
            if let Ok(name) = syn::parse_str::<Ident>(name) {
                self.r#use(&name, text);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        match path.path.get_ident() {
            Some(name) if name == "self" => {
                self.self_value.get_or_insert_with(|| path.clone());
            }
            Some(name) => self.r#use(name, path),
            None => {}
        }
    }

    fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
        self.bound.insert(pat.ident.clone());
        visit::visit_pat_ident(self, pat);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        let name = mac.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        let known = OF_EXPRESSIONS.iter().find(|(known, _)| *known == name);
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        let (Some((_, text)), Ok(args)) = (known, parser.parse2(mac.tokens.clone())) else {
            self.doubt(mac.tokens.clone());
            return;
        };
        for (index, arg) in args.iter().enumerate() {
            match arg {
                Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) if *text == Some(index) => {
                    self.text(literal);
                }
                // `name = value` names an argument and is not an assignment.
                Expr::Assign(assign) => {
                    self.doubt(assign.left.to_token_stream());
                    self.visit_expr(&assign.right);
                }
                other => self.visit_expr(other),
            }
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        self.unclear |= attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr");
    }

    /// An item does not see variables; but it has a name, and may bring others.
    fn visit_item(&mut self, item: &'ast Item) {
        if let Item::Use(item) = item {
            self.visit_item_use(item);
        }
        self.doubt(item.to_token_stream());
    }

    fn visit_use_glob(&mut self, _: &'ast UseGlob) {
        self.unclear = true;
    }
}
