//! Options as typed cells that know their name and refuse to be set twice, and the one parser that fills them.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::token::Paren;
use syn::{Expr, ExprLit, Path, Token};

use crate::diag::Diag;
use crate::messages;

/// An option that may be given once.
pub(crate) struct Opt<T> {
    name: &'static str,
    set: Option<T>,
}

impl<T> Opt<T> {
    pub(crate) const fn named(name: &'static str) -> Self {
        Self { name, set: None }
    }

    /// Stores the value of the option that `key` spells; a second one is a mistake, and the first one stays.
    pub(crate) fn put(&mut self, key: &Ident, value: T, diag: &mut Diag) {
        if self.set.is_some() {
            diag.error(key, format_args!("`{}` is set twice; keep one of them", self.name));
        } else {
            self.set = Some(value);
        }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.set.as_ref()
    }

    pub(crate) fn take(self) -> Option<T> {
        self.set
    }
}

/// Whether a handler knew the option whose key it was shown.
pub(crate) enum Known {
    Yes,
    No,
}

/// The options that a macro takes, for the parser and for its messages.
pub(crate) struct Accepts {
    /// The macro, as the user writes it.
    pub(crate) owner: &'static str,
    pub(crate) names: &'static [&'static str],
}

/// Reads all that an attribute was given.
pub(crate) fn attribute(
    args: TokenStream,
    accepts: &Accepts,
    diag: &mut Diag,
    fill: impl FnMut(&Ident, ParseStream<'_>, &mut Diag) -> syn::Result<Known>,
) {
    let parser = |input: ParseStream<'_>| {
        parse(input, accepts, diag, fill);
        if input.is_empty() { Ok(()) } else { Err(input.error("expected `,` between two options")) }
    };
    let end = parser.parse2(args);
    diag.at_end(end);
}

/// Reads `key ..` separated by commas up to the end of the input or a `;`. A mistake in one option leaves the others standing.
pub(crate) fn parse(
    input: ParseStream<'_>,
    accepts: &Accepts,
    diag: &mut Diag,
    mut fill: impl FnMut(&Ident, ParseStream<'_>, &mut Diag) -> syn::Result<Known>,
) {
    while !at_end(input) {
        let key = Ident::parse_any(input).map_err(|error| {
            let takes = messages::listed(accepts.names);
            syn::Error::new(
                error.span(),
                format_args!("expected an option; {} takes {takes}", accepts.owner),
            )
        });
        let step = key.and_then(|key| match fill(&key, input, diag)? {
            Known::Yes => Ok(()),
            Known::No => {
                let message =
                    messages::unknown_option(&key.to_string(), accepts.owner, accepts.names);
                diag.error(&key, message);
                skip(input);
                Ok(())
            }
        });
        if diag.keep(step).is_none() {
            skip(input);
        }
        if !at_end(input) && input.parse::<Token![,]>().is_err() {
            diag.push(input.error("expected `,` between two options"));
            skip(input);
            // What was skipped ends at a comma, which belongs to it.
            let _ = input.parse::<Token![,]>();
        }
    }
}

fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![;])
}

/// Goes to the next `,` or `;` that is not inside brackets.
pub(crate) fn skip(input: ParseStream<'_>) -> TokenStream {
    let mut skipped = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) && !input.peek(Token![;]) {
        match input.parse::<TokenTree>() {
            Ok(tree) => skipped.extend([tree]),
            Err(_) => break,
        }
    }
    skipped
}

/// Reads `= value`; `example` is how the whole option is written.
pub(crate) fn assigned<T: Parse>(
    key: &Ident,
    input: ParseStream<'_>,
    example: &str,
) -> syn::Result<T> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new_spanned(
            key,
            format_args!("`{key}` needs a value; write `{example}`"),
        ));
    }
    let equals = input.parse::<Token![=]>()?;
    if at_end(input) || input.peek(Token![,]) {
        return Err(syn::Error::new_spanned(
            equals,
            format_args!("the value of `{key}` is missing; write `{example}`"),
        ));
    }
    let begin = input.fork();
    input.parse().map_err(|error: syn::Error| {
        let message = format_args!("not a value of `{key}`; write `{example}`");
        // A value that ends too early has no wrong token, so all of it is shown.
        match skip(&begin) {
            all if at_end(input) => syn::Error::new_spanned(all, message),
            _ => syn::Error::new(error.span(), message),
        }
    })
}

/// Reads `(value)`; `example` is how the whole option is written.
pub(crate) fn parenthesized<T>(
    key: &Ident,
    input: ParseStream<'_>,
    example: &str,
    value: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let needed = || {
        syn::Error::new_spanned(
            key,
            format_args!("`{key}` says what it is about; write `{example}`"),
        )
    };
    if !input.peek(Paren) {
        return Err(needed());
    }
    let content;
    syn::parenthesized!(content in input);
    if content.is_empty() {
        return Err(needed());
    }
    let value = value(&content)?;
    if content.is_empty() {
        Ok(value)
    } else {
        Err(content.error("unexpected token; one value goes here"))
    }
}

/// Files a value of `start_method` of which a literal shows that it is none.
pub(crate) fn start_method(value: &Expr, diag: &mut Diag) {
    let Expr::Lit(ExprLit { lit, .. }) = value else { return };
    let text = lit.to_token_stream().to_string().to_lowercase();
    let meant = match text.trim_matches('"') {
        "forkserver" | "fork_server" | "fork-server" => "ForkServer",
        "fork" => "Fork",
        _ => "Spawn",
    };
    diag.error(
        lit,
        format_args!(
            "`start_method` is a `StartMethod`; write `start_method = StartMethod::{meant}`"
        ),
    );
}

/// Where the generated code finds the runtime: `crate = path`, or the facade under its own name.
pub(crate) struct Krate(Opt<Path>);

impl Krate {
    pub(crate) const fn new() -> Self {
        Self(Opt::named("crate"))
    }

    /// What an attribute was given that takes nothing else.
    pub(crate) fn alone(args: TokenStream, accepts: &Accepts, diag: &mut Diag) -> Self {
        let mut krate = Self::new();
        attribute(args, accepts, diag, |key, input, diag| {
            if key != "crate" {
                return Ok(Known::No);
            }
            krate.fill(key, input, diag)?;
            Ok(Known::Yes)
        });
        krate
    }

    /// Reads `= path`.
    pub(crate) fn fill(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        diag: &mut Diag,
    ) -> syn::Result<()> {
        let wrong = |at| syn::Error::new(at, "`crate` says where psync is; write `crate = path`");
        if !input.peek(Token![=]) {
            return Err(wrong(key.span()));
        }
        input.parse::<Token![=]>()?;
        let path = input.call(Path::parse_mod_style).map_err(|error| wrong(error.span()))?;
        self.0.put(key, path, diag);
        Ok(())
    }

    /// The only path that generated code may start from, beside `::core`.
    pub(crate) fn runtime(&self) -> TokenStream {
        self.0.get().map_or_else(|| quote!(::psync::__private), |path| quote!(#path::__private))
    }
}
