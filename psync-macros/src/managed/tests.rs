//! The golden expansion of `#[managed]`, and its messages.

use proc_macro2::TokenStream;
use quote::quote;

use super::ast::Block;
use super::{check, run};
use crate::diag::Diag;
use crate::golden;

/// The messages for a block, in order.
fn messages(item: TokenStream) -> Vec<String> {
    let mut diag = Diag::default();
    if let Some(mut block) = Block::parse(TokenStream::new(), item, &mut diag) {
        check::block(&mut block, &mut diag);
    }
    diag.messages()
}

#[test]
fn makers_lookers_and_changers() {
    let item = quote! {
        impl Account {
            /// Opens one.
            pub fn open(cents: i64) -> Self { Account { cents } }
            /// Adds to it.
            pub fn deposit(&mut self, cents: i64, reason: &str) -> Result<i64, String> { todo(cents, reason) }
            pub(crate) fn balance(&self) -> i64 { self.cents }
            pub fn limit() -> i64 { 100 }
            fn secret(&self) {}
        }
    };
    golden::items("managed_account", &run(TokenStream::new(), item));
}

#[test]
fn generic_blocks() {
    let item = quote! {
        impl<T: Item + Sync> Stack<T> where T: Clone {
            pub fn new() -> Self { Stack(Vec::new()) }
            pub fn push(&mut self, _: T) {}
        }
    };
    golden::items("managed_generic", &run(quote!(crate = renamed), item));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let item = quote! {
        impl Account {
            pub fn close(self) -> i64 { 0 }
            pub async fn later(&self) {}
            pub fn name(&self) -> &str { "" }
            pub fn add(&mut self, names: &[String], (a, b): (u8, u8)) {}
        }
    };
    let said = messages(item);
    assert_eq!(said.len(), 5, "{said:#?}");
}

#[test]
fn what_is_no_block_is_told() {
    assert_eq!(
        messages(quote!(
            struct Account;
        ))
        .len(),
        1
    );
    assert_eq!(
        messages(quote!(impl Clone for Account { fn clone(&self) -> Self { Account } })).len(),
        1
    );
    assert_eq!(messages(quote!(impl Account { fn secret(&self) {} })).len(), 1);
    assert_eq!(messages(quote!(impl [u8] { pub fn len(&self) -> usize { 0 } })).len(), 1);
}
