//! What is wrong with a `parallel!` although each of its parts is well-formed.

use quote::ToTokens as _;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Expr, ExprAsync, ExprAwait, ExprClosure, ExprLit, ExprReturn, ExprTry, Item, Lit, Token,
};

use super::{
    ast::{Branch, Options, Plan, Work},
    unlisted,
};
use crate::diag::Diag;
use crate::options::Opt;

/// The largest tuple that the runtime runs.
const MOST_BRANCHES: usize = 16;

/// Files every mistake in the model.
pub(super) fn plan(plan: &mut Plan, diag: &mut Diag) {
    if plan.branches.is_empty() && diag.is_clean() {
        diag.push(syn::Error::new(
            proc_macro2::Span::call_site(),
            "there is nothing to run; write at least one branch, such as `work(args)`",
        ));
    }
    if let Some(extra) = plan.branches.get(MOST_BRANCHES) {
        diag.error(
            extra.head(),
            "at most 16 branches; run equal work with `for x in items => work(x)`",
        );
    }
    options(&plan.options, diag);
    labels(plan, diag);
    for branch in &mut plan.branches {
        let before = diag.count();
        repeated_args(branch, diag);
        captures(branch, diag);
        if diag.count() == before {
            unlisted::names(branch, diag);
        }
        branch.is_wrong |= diag.count() > before;
    }
}

/// Values of which a literal shows that they cannot be meant.
fn options(options: &Options, diag: &mut Diag) {
    duration("deadline", &options.deadline, diag);
    duration("grace", &options.grace, diag);
    count("workers", &options.workers, diag);
    count("chunk", &options.chunk, diag);
    if let Some(lit) = literal(&options.progress)
        && !matches!(lit, Lit::Bool(_))
    {
        diag.error(lit, "`progress` is a `bool`; write `progress = true`");
    }
    if let Some(method) = options.start_method.get() {
        crate::options::start_method(method, diag);
    }
}

fn literal(option: &Opt<Expr>) -> Option<&Lit> {
    match option.get() {
        Some(Expr::Lit(ExprLit { lit, .. })) => Some(lit),
        _ => None,
    }
}

fn duration(name: &str, option: &Opt<Expr>, diag: &mut Diag) {
    let Some(lit) = literal(option) else { return };
    let value = match lit {
        Lit::Int(_) => format!("from_secs({})", lit.to_token_stream()),
        Lit::Float(_) => format!("from_secs_f64({})", lit.to_token_stream()),
        _ => "from_secs(60)".to_owned(),
    };
    diag.error(lit, format_args!("`{name}` is a `Duration`; write `{name} = Duration::{value}`"));
}

fn count(name: &str, option: &Opt<Expr>, diag: &mut Diag) {
    match literal(option) {
        Some(Lit::Int(int)) if int.base10_digits() == "0" => {
            diag.error(int, format_args!("`{name}` is at least 1; with 0, no item would ever run"));
        }
        Some(Lit::Int(_)) | None => {}
        Some(lit) => diag.error(lit, format_args!("`{name}` is a number; write `{name} = 4`")),
    }
}

/// All or none, and no two alike.
fn labels(plan: &Plan, diag: &mut Diag) {
    let labels: Vec<_> = plan.branches.iter().filter_map(|branch| branch.label.as_ref()).collect();
    let unnamed = plan.branches.iter().find(|branch| branch.label.is_none());
    if let (false, Some(unnamed)) = (labels.is_empty(), unnamed) {
        diag.error(
            unnamed.head(),
            "this branch has no name but others do; write `name: ` before it, or leave out all names",
        );
    }
    for (index, label) in labels.iter().enumerate() {
        if labels.iter().take(index).any(|earlier| earlier == label) {
            diag.error(
                label,
                format_args!(
                    "two branches are named `{label}`; each name becomes a field of the value"
                ),
            );
        }
    }
}

/// Arguments of a `for` branch are evaluated once per item, after the first processes have started: nothing can leave there.
fn repeated_args(branch: &Branch, diag: &mut Diag) {
    let (Some(_), Work::Call { args, .. }) = (&branch.items, &branch.work) else { return };
    let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
    // What does not parse is reported by the compiler, which sees the same tokens.
    if let Ok(args) = parser.parse2(args.stream()) {
        let mut leaving = Leaving { diag };
        for arg in &args {
            leaving.visit_expr(arg);
        }
    }
}

fn captures(branch: &Branch, diag: &mut Diag) {
    let Work::Block { captures, .. } = &branch.work else { return };
    let sound = || captures.iter().filter(|capture| !capture.is_wrong);
    for (index, capture) in sound().enumerate() {
        if sound().take(index).any(|earlier| earlier.name == capture.name) {
            diag.error(
                &capture.name,
                format_args!("`{}` is captured twice; keep one of them", capture.name),
            );
        }
    }
    if let Some(extra) = captures.get(12) {
        diag.error(
            &extra.name,
            "at most 12 captures; group some of them in a struct or write a `#[process]` function",
        );
    }
}

/// Looks for expressions that leave the place they stand in.
struct Leaving<'d> {
    diag: &'d mut Diag,
}

const LEAVES: &str = "cannot leave from the arguments of a `for` branch, other processes are running already; prepare the \
                      items before `parallel!`";

impl<'ast> Visit<'ast> for Leaving<'_> {
    fn visit_expr_try(&mut self, expr: &'ast ExprTry) {
        self.diag.error(expr.question_token, format_args!("`?` {LEAVES}"));
        visit::visit_expr_try(self, expr);
    }

    fn visit_expr_return(&mut self, expr: &'ast ExprReturn) {
        self.diag.error(expr.return_token, format_args!("`return` {LEAVES}"));
    }

    fn visit_expr_await(&mut self, expr: &'ast ExprAwait) {
        self.diag.error(expr.await_token, format_args!("`await` {LEAVES}"));
        visit::visit_expr_await(self, expr);
    }

    // These have an inside of their own to leave.
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}
