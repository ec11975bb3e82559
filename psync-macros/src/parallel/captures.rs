//! The list of `process(..)`: the names that a body brings along.

use std::fmt;

use proc_macro2::{Ident, TokenStream};
use syn::Token;
use syn::parse::{ParseStream, Parser as _};

use crate::diag::Diag;
use crate::options;

/// A name in the parentheses of `process(..)`.
pub(crate) struct Capture {
    pub(crate) how: How,
    pub(crate) name: Ident,
    /// Whether a mistake was found in it.
    pub(crate) is_wrong: bool,
}

/// How a capture gets into the body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Cloned,
    Lent,
    /// Refused where it is read.
    LentMut,
}

impl fmt::Display for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.how == How::Lent { "&" } else { "" };
        write!(f, "{mark}{}", self.name)
    }
}

impl Capture {
    pub(super) fn parse_all(tokens: TokenStream, diag: &mut Diag) -> Vec<Self> {
        let mut captures = Vec::new();
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                let capture = Self::parse(input, diag);
                let capture = diag.keep(capture);
                let rest = options::skip(input);
                if let Some(mut capture) = capture {
                    if !rest.is_empty() {
                        diag.error(&rest, "a capture is a name alone; bind the value with `let` before `parallel!`");
                        capture.is_wrong = true;
                    }
                    captures.push(capture);
                }
                if let Some(token) = input.parse::<Option<Token![;]>>()? {
                    diag.error(token, "captures are separated by `,`");
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        let end = parser.parse2(tokens);
        diag.at_end(end);
        captures
    }

    fn parse(input: ParseStream<'_>, diag: &mut Diag) -> syn::Result<Self> {
        let lent = input.parse::<Token![&]>().is_ok();
        let before = diag.count();
        let how = match (lent, input.parse::<Token![mut]>()) {
            (true, Ok(token)) => {
                diag.error(token, "a capture cannot be lent mutably; write a `#[process]` function with a `&mut [T]` parameter");
                How::LentMut
            }
            (false, Ok(token)) => {
                diag.error(
                    token,
                    "a capture is a name alone; write `let mut name = name;` in the body",
                );
                How::Cloned
            }
            (true, Err(_)) => How::Lent,
            (false, Err(_)) => How::Cloned,
        };
        if input.peek(Token![self]) {
            return Err(input.error(
                "`self` cannot be captured; bind what is needed with `let` before `parallel!`",
            ));
        }
        let name = input.parse().map_err(|error: syn::Error| {
            syn::Error::new(error.span(), "a capture is `name` for a clone or `&name` to lend; bind other values with `let` before")
        })?;
        Ok(Self { how, name, is_wrong: diag.count() > before })
    }
}
