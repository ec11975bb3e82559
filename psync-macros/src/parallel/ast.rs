//! What stands in `parallel! { .. }`: options, and branches whose arguments and bodies are carried, not read.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Expr, ExprPath, Pat, Token, token};

use super::captures::Capture;
use crate::diag::Diag;
use crate::messages::BRANCH_FORMS;
use crate::options::{self, Accepts, Known, Krate, Opt};

/// The options of `parallel!`, for the parser and its messages.
const ACCEPTS: Accepts = Accepts {
    owner: "`parallel!`",
    names: &[
        "workers",
        "chunk",
        "deadline",
        "grace",
        "on_failure",
        "start_method",
        "progress",
        "crate",
    ],
};

/// What is said where a branch stands among the options.
const OPTIONS_END: &str = "the options end with `;`, and branches follow";

/// Everything in one `parallel!`.
pub(crate) struct Plan {
    pub(crate) options: Options,
    pub(crate) branches: Vec<Branch>,
    /// What was meant to be a branch: somebody may still be typing it.
    pub(crate) unfinished: Vec<Unfinished>,
}

/// A part of a branch that makes sense to an editor.
pub(crate) enum Unfinished {
    Value(Expr),
    /// A body, with the `for` in front of it.
    Body(Option<Box<Items>>, Group),
}

/// What follows `with`.
pub(crate) struct Options {
    pub(crate) workers: Opt<Expr>,
    pub(crate) chunk: Opt<Expr>,
    pub(crate) deadline: Opt<Expr>,
    pub(crate) grace: Opt<Expr>,
    pub(crate) on_failure: Opt<OnFailure>,
    pub(crate) start_method: Opt<Expr>,
    pub(crate) progress: Opt<Expr>,
    pub(crate) krate: Krate,
}

/// What happens to the others when a branch fails.
#[derive(Clone, Copy)]
pub(crate) enum OnFailure {
    Cancel,
    Finish,
}

/// One branch: one process, or one for each item.
pub(crate) struct Branch {
    pub(crate) label: Option<Ident>,
    pub(crate) items: Option<Items>,
    pub(crate) work: Work,
    /// Whether a mistake was found in it.
    pub(crate) is_wrong: bool,
}

/// `for pattern in source`.
pub(crate) struct Items {
    pub(crate) pattern: Pat,
    pub(crate) source: Expr,
}

/// What a process of the branch runs.
pub(crate) enum Work {
    /// A `#[process]` function and its arguments, in their parentheses.
    Call { path: ExprPath, args: Group },
    /// A body that stands in the branch, with the names that it brings along.
    Block { keyword: Ident, list: Group, captures: Vec<Capture>, body: Group },
}

impl Plan {
    /// The model of what could be understood, and how many mistakes the options had.
    pub(crate) fn parse(input: TokenStream, diag: &mut Diag) -> (Self, usize) {
        let mut plan =
            Self { options: Options::new(), branches: Vec::new(), unfinished: Vec::new() };
        let mut in_options = 0;
        let parser = |input: ParseStream<'_>| {
            plan.options.parse(input, diag);
            in_options = diag.count();
            while !input.is_empty() {
                let begin = input.fork();
                let branch = Branch::parse(input, diag);
                if let Some(branch) = diag.keep(branch) {
                    plan.branches.push(branch);
                    separator(input, diag);
                } else {
                    plan.unfinished.extend(unfinished(&begin));
                    options::skip(input);
                    next(input);
                }
            }
            Ok(())
        };
        // The loop above consumes everything, whatever it is.
        let end = parser.parse2(input);
        diag.at_end(end);
        (plan, in_options)
    }
}

/// A body without its list, or the tokens up to the next separator if they are an expression that has no other meaning outside of
/// `parallel!`.
fn unfinished(begin: ParseStream<'_>) -> Option<Unfinished> {
    if begin.peek(Ident::peek_any) && begin.peek2(Token![:]) && !begin.peek2(Token![::]) {
        begin.call(Ident::parse_any).ok()?;
        begin.parse::<Token![:]>().ok()?;
    }
    let items = if begin.peek(Token![for]) { Some(Items::head(begin).ok()?) } else { None };
    begin.parse::<Option<Token![=>]>>().ok()?;
    if begin.peek(token::Brace) {
        return Some(Unfinished::Body(items.map(Box::new), begin.parse().ok()?));
    }
    let expr = syn::parse2(options::skip(begin)).ok()?;
    let is_value = items.is_none()
        && matches!(expr, Expr::Path(_) | Expr::Field(_) | Expr::MethodCall(_) | Expr::Call(_));
    is_value.then_some(Unfinished::Value(expr))
}

/// A mistake at the next token, or at the end of what was read if there is none.
fn at_next(input: ParseStream<'_>, read: impl ToTokens, message: &str) -> syn::Error {
    if input.is_empty() { syn::Error::new_spanned(read, message) } else { input.error(message) }
}

/// Reads one separator, if there is one.
fn next(input: ParseStream<'_>) -> bool {
    let comma = input.parse::<Token![,]>().is_ok();
    comma || input.parse::<Token![;]>().is_ok()
}

/// Reads what separates two branches.
fn separator(input: ParseStream<'_>, diag: &mut Diag) {
    if !input.is_empty() && !next(input) {
        diag.push(input.error(if input.peek(Token![?]) || input.peek(Token![.]) {
            "outputs and failures are in the value of `parallel!`; write this behind its closing bracket"
        } else {
            "expected `,` between two branches"
        }));
        options::skip(input);
        next(input);
    }
}

impl Options {
    const fn new() -> Self {
        Self {
            workers: Opt::named("workers"),
            chunk: Opt::named("chunk"),
            deadline: Opt::named("deadline"),
            grace: Opt::named("grace"),
            on_failure: Opt::named("on_failure"),
            start_method: Opt::named("start_method"),
            progress: Opt::named("progress"),
            krate: Krate::new(),
        }
    }

    /// Reads `with ..;`, unless the first branch is a function of that name.
    fn parse(&mut self, input: ParseStream<'_>, diag: &mut Diag) {
        let announced = input.fork().parse::<Ident>().is_ok_and(|word| word == "with");
        if announced && input.peek2(Token![;]) {
            diag.push(input.error("the options are missing, as in `with workers = 4;`"));
            options::skip(input);
            next(input);
            return;
        }
        if !announced || !input.peek2(Ident::peek_any) {
            return;
        }
        let Some(with) = diag.keep(input.parse::<Ident>()) else { return };
        let before = diag.count();
        options::parse(input, &ACCEPTS, diag, |key, input, diag| {
            let starts_a_branch = !ACCEPTS.names.contains(&key.to_string().as_str())
                && (input.peek(token::Paren) || input.peek(Token![::]) || input.peek(Token![:]));
            if starts_a_branch || key == "for" {
                return Err(syn::Error::new_spanned(key, OPTIONS_END));
            }
            self.fill(key, input, diag)
        });
        if input.parse::<Token![;]>().is_err() && diag.count() == before {
            diag.error(with, OPTIONS_END);
        }
    }

    fn fill(&mut self, key: &Ident, input: ParseStream<'_>, diag: &mut Diag) -> syn::Result<Known> {
        let (cell, example) = match key.to_string().as_str() {
            "workers" => (&mut self.workers, "workers = 4"),
            "chunk" => (&mut self.chunk, "chunk = 16"),
            "deadline" => (&mut self.deadline, "deadline = Duration::from_secs(60)"),
            "grace" => (&mut self.grace, "grace = Duration::from_secs(2)"),
            "start_method" => (&mut self.start_method, "start_method = StartMethod::Spawn"),
            "progress" => (&mut self.progress, "progress = true"),
            "on_failure" => {
                let word: TokenTree = options::assigned(key, input, "on_failure = finish")?;
                self.on_failure.put(key, OnFailure::named(&word)?, diag);
                return Ok(Known::Yes);
            }
            "crate" => {
                self.krate.fill(key, input, diag)?;
                return Ok(Known::Yes);
            }
            _ => return Ok(Known::No),
        };
        cell.put(key, options::assigned(key, input, example)?, diag);
        Ok(Known::Yes)
    }
}

impl OnFailure {
    fn named(word: &TokenTree) -> syn::Result<Self> {
        match word.to_string().as_str() {
            "cancel" => Ok(Self::Cancel),
            "finish" => Ok(Self::Finish),
            _ => Err(syn::Error::new_spanned(
                word,
                "`on_failure` is one of the words `cancel` and `finish`",
            )),
        }
    }
}

impl Branch {
    fn parse(input: ParseStream<'_>, diag: &mut Diag) -> syn::Result<Self> {
        for attribute in input.call(Attribute::parse_outer)? {
            diag.error(
                attribute,
                "a branch cannot have attributes; put them around `parallel!`, or into a body",
            );
        }
        let labelled =
            input.peek(Ident::peek_any) && input.peek2(Token![:]) && !input.peek2(Token![::]);
        let label = if labelled { Some(input.parse()?) } else { None };
        if labelled {
            input.parse::<Token![:]>()?;
        }
        let items = if input.peek(Token![for]) { Some(Items::parse(input)?) } else { None };
        let before = diag.count();
        let work = Work::parse(input, diag)?;
        Ok(Self { label, items, work, is_wrong: diag.count() > before })
    }
}

impl Items {
    /// Reads `for pattern in source =>`.
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let items = Self::head(input)?;
        if !input.peek(Token![=>]) {
            let message =
                "expected `=>` and what to run for each item, as in `for x in items => work(x)`";
            return Err(at_next(input, &items.source, message));
        }
        let arrow = input.parse::<Token![=>]>()?;
        if input.is_empty() {
            let message = "what to run for each item is missing, as in `for x in items => work(x)`";
            return Err(syn::Error::new_spanned(arrow, message));
        }
        Ok(items)
    }

    /// Reads `for pattern in source`.
    fn head(input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse::<Token![for]>()?;
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        if !input.peek(Token![in]) {
            let message = "expected `in` and the items, as in `for x in items => work(x)`";
            return Err(at_next(input, &pattern, message));
        }
        input.parse::<Token![in]>()?;
        let source = Expr::parse_without_eager_brace(input)?;
        Ok(Self { pattern, source })
    }
}

impl Work {
    fn parse(input: ParseStream<'_>, diag: &mut Diag) -> syn::Result<Self> {
        if input.peek(Token![for]) {
            return Err(input.error(
                "a branch has one `for`; write it over pairs, as in `for (x, y) in pairs => work(x, y)`",
            ));
        }
        if input.peek(token::Brace) {
            return Err(input.error("a body needs its list of captures; write `process() { .. }`"));
        }
        if input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]) {
            return Err(input.error(
                "a closure cannot be started; write `process(captures) { .. }`, with the names that it uses as captures",
            ));
        }
        if input.peek(Token![let]) {
            return Err(input.error(
                "a branch is not a statement; write `let` before `parallel!`, or in a body",
            ));
        }
        if !input.peek(Ident::peek_any) && !input.peek(Token![::]) && !input.peek(Token![<]) {
            return Err(input.error(BRANCH_FORMS));
        }
        let begin = input.fork();
        let path: ExprPath = input.parse().map_err(|error| match begin.parse::<TokenTree>() {
            Ok(first) if input.is_empty() => syn::Error::new_spanned(first, BRANCH_FORMS),
            _ => syn::Error::new(error.span(), BRANCH_FORMS),
        })?;
        if !input.peek(token::Paren) {
            // A path alone is incomplete, anything else behind it is another kind of expression.
            return Err(if input.is_empty() || input.peek(Token![,]) || input.peek(Token![;]) {
                syn::Error::new_spanned(
                    &path,
                    format_args!("the arguments are missing; {BRANCH_FORMS}"),
                )
            } else if path.path.is_ident("process")
                && (input.peek(Ident::peek_any) || input.peek(token::Bracket))
            {
                input.error("captures stand in parentheses, as in `process(name) { .. }`")
            } else if input.peek(Token![.]) {
                input.error("a method cannot be started; write `process(captures) { .. }` with the call in its body, or a `#[process]` function")
            } else if input.peek(Token![!]) {
                input.error("a macro cannot be started; write `process(captures) { .. }` with the call in its body")
            } else if input.peek(Token![=]) {
                input.error("a branch is given a name with `:`, as in `name: work(args)`")
            } else {
                input.error(BRANCH_FORMS)
            });
        }
        let args: Group = input.parse()?;
        let ends = input.is_empty()
            || input.peek(Token![,])
            || input.peek(Token![;])
            || input.peek(token::Brace);
        if path.path.is_ident("process") && !ends {
            return Err(input.error("the body of `process(..)` stands in braces"));
        }
        if !path.path.is_ident("process") && input.peek(token::Brace) {
            let message = "only `process(captures)` has a body; write that, or `,` after the call";
            return Err(syn::Error::new_spanned(path, message));
        }
        match path.path.get_ident() {
            Some(keyword) if keyword == "process" && input.peek(token::Brace) => Ok(Self::Block {
                keyword: keyword.clone(),
                captures: Capture::parse_all(args.stream(), diag),
                list: args,
                body: input.parse()?,
            }),
            _ => Ok(Self::Call { path, args }),
        }
    }

    /// What failures call the branch if it has no label of its own.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Call { path, .. } => path
                .path
                .segments
                .last()
                .map(|segment| segment.ident.unraw().to_string())
                .unwrap_or_default(),
            Self::Block { .. } => "process".to_owned(),
        }
    }
}

impl Branch {
    /// The tokens that stand for the branch in a message about it as a whole.
    pub(crate) fn head(&self) -> TokenStream {
        match (&self.items, &self.work) {
            (Some(items), _) => items.pattern.to_token_stream(),
            (None, Work::Call { path, .. }) => path.to_token_stream(),
            (None, Work::Block { keyword, .. }) => keyword.to_token_stream(),
        }
    }
}
