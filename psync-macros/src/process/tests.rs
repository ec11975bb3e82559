//! Golden expansions of `#[process]`, and its messages.

use proc_macro2::TokenStream;
use quote::quote;

use super::ast::Entry;
use super::{check, run};
use crate::diag::Diag;
use crate::golden;

/// The messages for a function with these options, in order.
fn messages(args: TokenStream, item: TokenStream) -> Vec<String> {
    let mut diag = Diag::default();
    if let Some(entry) = Entry::parse(args, item, &mut diag) {
        check::entry(&entry, &mut diag);
    }
    diag.messages()
}

#[test]
fn by_value_lent_and_text() {
    let item = quote! {
        /// Swings.
        pub(crate) fn monkey(farm: &Farm, mut name: String, greeting: &str, _: u8) -> u32 { name.len() as u32 }
    };
    golden::items("process_arguments", &run(TokenStream::new(), item));
}

#[test]
fn wiring_in_the_order_written() {
    let args = quote!(
        wait(farm.bell),
        acquire(farm.swings),
        barrier(farm.gate),
        lock(farm.total as total),
        lock(farm.pen as _),
        set(farm.done),
        name = "ape",
        daemon,
        start_method = StartMethod::Spawn,
        crate = renamed
    );
    golden::items(
        "process_wiring",
        &run(
            args,
            quote!(
                fn monkey(farm: &Farm) {
                    *total += 1;
                }
            ),
        ),
    );
}

#[test]
fn generic_and_exclusive() {
    let item = quote! {
        fn scale<T, const N: usize>(part: &mut [T], by: &[T; N], seed: Vec<T>) -> T where T: Copy { seed[N] }
    };
    golden::items("process_generic", &run(TokenStream::new(), item));
}

#[test]
fn no_arguments_and_cfg() {
    golden::items(
        "process_plain",
        &run(
            TokenStream::new(),
            quote!(
                #[cfg(unix)]
                #[inline]
                fn work() {}
            ),
        ),
    );
}

#[test]
fn a_mistake_leaves_the_function_and_the_signatures() {
    let item = quote!(
        fn work(farm: &Farm, n: u32) -> u32 {
            n
        }
    );
    golden::items("process_stub", &run(quote!(daemon = 3, nmae = "x"), item));
}

#[test]
fn a_function_that_never_returns() {
    let item = quote!(
        pub fn leave(code: i32) -> ! {
            std::process::exit(code)
        }
    );
    golden::items("process_never", &run(TokenStream::new(), item));
}

#[test]
fn options_of_the_process() {
    let args =
        quote!(name = "one of many", daemon, start_method = StartMethod::Spawn, crate = renamed);
    golden::items(
        "process_options",
        &run(
            args,
            quote!(
                fn work() -> Result<u32, String> {
                    Ok(1)
                }
            ),
        ),
    );
}

#[test]
fn constants_as_parameters() {
    let item = quote! {
        fn sum<T, const N: usize>(values: &[[T; N]], tag: Tag<N>) -> T where T: Copy { values[0][0] }
    };
    golden::items("process_constants", &run(TokenStream::new(), item));
}

#[test]
fn several_mistakes_in_the_options_are_reported_together() {
    let args = quote!(dameon, name = 3, wait(a b), lock(m), daemon, daemon = false, acquire);
    let found = messages(
        args,
        quote!(
            fn work() {}
        ),
    );
    assert_eq!(
        found,
        [
            "unknown option `dameon`, did you mean `daemon`? `#[process]` takes `wait`, `acquire`, `barrier`, `lock`, `set`, \
             `name`, `daemon`, `start_method` and `crate`",
            "not a value of `name`; write `name = \"..\"`",
            "unexpected token; one value goes here",
            "the guard needs a name; write `lock(mutex as name)`",
            "`daemon` is set twice; keep one of them",
            "`acquire` says what it is about; write `acquire(semaphore)`",
        ]
    );
}

#[test]
fn several_mistakes_in_the_signature_are_reported_together() {
    let item = quote! {
        async unsafe fn work<'a>(&self, (a, b): (u8, u8), x: Option<&'a str>, y: impl Copy, z: &mut str) -> &str {}
    };
    let found = messages(TokenStream::new(), item);
    let starts = [
        "a `#[process]` function starts in a fresh process and has no `self`",
        "a parameter of a `#[process]` function is a plain name",
        "a `#[process]` function cannot be `async`",
        "a `#[process]` function cannot be `unsafe`",
        "a `#[process]` function has no lifetime parameters",
        "a reference can only be a parameter's whole type",
        "the new process must know the type; use a generic parameter",
        "text crosses as a copy, so changes to it would be lost",
        "the result comes back from another process and cannot borrow",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (message, start) in found.iter().zip(starts) {
        assert!(message.starts_with(start), "{message:?} instead of {start:?}");
    }
}

#[test]
fn other_items_are_handed_back() {
    for (item, message) in [
        (
            quote!(
                struct Work;
            ),
            "`#[process]` goes on a function",
        ),
        (
            quote!(
                const N: u32 = 3;
            ),
            "`#[process]` goes on a function",
        ),
        (
            quote!(
                fn work();
            ),
            "a `#[process]` function needs a body: it runs in the new process",
        ),
    ] {
        assert_eq!(messages(TokenStream::new(), item.clone()), [message]);
        assert!(run(TokenStream::new(), item.clone()).to_string().starts_with(&item.to_string()));
    }
}

#[test]
fn const_is_fine_without_wiring() {
    assert!(
        messages(
            TokenStream::new(),
            quote!(
                const fn work(n: u32) -> u32 {
                    n
                }
            )
        )
        .is_empty()
    );
    assert_eq!(
        messages(
            quote!(wait(e)),
            quote!(
                const fn work(e: &Event) {}
            )
        )
        .len(),
        1
    );
}

#[test]
fn too_many_parameters() {
    let params = (0..17).map(|i| quote::format_ident!("p{i}"));
    let found = messages(TokenStream::new(), quote!(fn work(#(#params: u8),*) {}));
    assert_eq!(
        found,
        ["a `#[process]` function has at most 16 parameters; group some of them in a struct"]
    );
}

#[test]
fn unfinished_bodies_are_carried_along() {
    let tokens = run(TokenStream::new(), quote!(fn work(n: u32) { n. })).to_string();
    assert!(tokens.contains("fn work (n : u32) { n . }"), "{tokens}");
}
