//! The one sink for mistakes: every stage files into it and goes on, so that all of them are reported together.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far in one use of a macro.
#[derive(Default)]
pub(crate) struct Diag {
    errors: Option<syn::Error>,
    filed: usize,
}

impl Diag {
    /// Files a mistake that is visible at `at`.
    pub(crate) fn error(&mut self, at: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(at, message));
    }

    /// Files a mistake that has been described already.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.filed += 1;
        match &mut self.errors {
            Some(all) => all.combine(error),
            None => self.errors = Some(error),
        }
    }

    /// Keeps the value of a fallible step, or files its error and lets the caller go on.
    pub(crate) fn keep<T>(&mut self, step: syn::Result<T>) -> Option<T> {
        step.map_err(|error| self.push(error)).ok()
    }

    /// Files what a parser says at the end of its input, unless something was filed before: it then stumbles over the same tokens.
    pub(crate) fn at_end(&mut self, end: syn::Result<()>) {
        if self.is_clean() {
            self.keep(end);
        }
    }

    /// How many mistakes have been filed: two counts tell whether a stage found any.
    pub(crate) fn count(&self) -> usize {
        self.filed
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_none()
    }

    /// The items of an attribute macro, followed by the mistakes.
    pub(crate) fn attach(self, mut tokens: TokenStream) -> TokenStream {
        tokens.extend(self.into_compile_errors());
        tokens
    }

    /// The mistakes as tokens. As the tail of a block they have the compiler's error type, which silences whatever the value
    /// would be used for.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.errors.map(syn::Error::into_compile_error).unwrap_or_default()
    }

    /// The texts of the mistakes, in the order in which they were filed.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<String> {
        self.errors.iter().flatten().map(|error| error.to_string()).collect()
    }
}
