//! Golden expansions of `#[shared]`, and its messages.

use proc_macro2::TokenStream;
use quote::quote;

use super::ast::Model;
use super::{check, run};
use crate::diag::Diag;
use crate::golden;

fn messages(args: TokenStream, item: TokenStream) -> Vec<String> {
    let mut diag = Diag::default();
    if let Some(model) = Model::parse(args, item, &mut diag) {
        check::model(&model, &mut diag);
    }
    diag.messages()
}

#[test]
fn a_struct_with_guarded_fields() {
    let item = quote! {
        /// A farm.
        pub struct Farm {
            pub bell: Event,
            #[init(Semaphore::new(2))]
            swings: Semaphore,
            pen: Lock,
            /// Counted every evening.
            #[guarded_by(pen)]
            acorns: u32,
            #[guarded_by(pen)]
            #[init(7)]
            walnuts: u32,
        }
    };
    golden::items("shared_guarded", &run(TokenStream::new(), item));
}

#[test]
fn a_generic_struct() {
    let item = quote! {
        struct Slot<T: Copy, const N: usize> where T: Default { big_lock: Lock, #[guarded_by(big_lock)] value: T, all: [T; N] }
    };
    golden::items("shared_generic", &run(quote!(crate = renamed), item));
}

#[test]
fn a_static() {
    let item = quote! {
        /// How often it was asked for.
        #[allow(dead_code)]
        pub(crate) static HITS: Value<u64> = Value::new(0);
    };
    golden::items("shared_static", &run(quote!(crate = renamed), item));
    let wrong = quote!(
        static mut NAMES: (String, &str) = (String::new(), "");
    );
    let expansion = syn::parse2::<syn::File>(run(TokenStream::new(), wrong)).expect("items");
    assert_eq!(expansion.items.len(), 4, "the static, and three mistakes");
}

#[test]
fn tuples_units_and_a_default_of_its_own() {
    golden::items(
        "shared_tuple",
        &run(
            TokenStream::new(),
            quote!(
                #[derive(Default)]
                #[repr(align(64))]
                struct Pair(u32, pub f64);
            ),
        ),
    );
    golden::items(
        "shared_unit",
        &run(
            quote!(default = false),
            quote!(
                #[repr(C)]
                struct Nothing;
            ),
        ),
    );
}

#[test]
fn fieldless_enums() {
    golden::items(
        "shared_enum",
        &run(
            TokenStream::new(),
            quote!(
                pub enum Colour {
                    Red,
                    Green = 7,
                }
            ),
        ),
    );
    golden::items(
        "shared_enum_copy",
        &run(
            TokenStream::new(),
            quote!(
                #[derive(Clone, Copy)]
                #[repr(i8)]
                enum Sign {
                    Minus = -1,
                    Plus = 1,
                }
            ),
        ),
    );
}

#[test]
fn several_locks_and_what_they_guard() {
    let item = quote! {
        /// Where they are kept.
        pub(crate) struct Store {
            pub till: Lock,
            /// What is in the till.
            #[guarded_by(till)]
            cents: [u64; 4],
            #[guarded_by(till)]
            last: Text<32>,
            shelf_lock: Lock,
            #[guarded_by(shelf_lock)]
            #[init(Shelf::full())]
            shelf: Shelf,
        }
    };
    golden::items("shared_two_locks", &run(TokenStream::new(), item));
}

#[test]
fn options_and_a_wrong_enum() {
    let by_hand = quote!(
        struct Limits {
            most: u32,
        }
    );
    golden::items(
        "shared_default_by_hand",
        &run(quote!(default = false, crate = renamed), by_hand),
    );
    let enum_ = quote!(
        enum Shape<T> {
            Point,
            Circle(f64),
        }
    );
    golden::items("shared_enum_stub", &run(TokenStream::new(), enum_));
}

#[test]
fn a_mistake_leaves_the_struct_and_the_signatures() {
    let item = quote!(
        struct Farm {
            pen: Lock,
            #[guarded_by(pne)]
            acorns: u32,
            name: &str,
        }
    );
    golden::items("shared_stub", &run(TokenStream::new(), item));
}

#[test]
fn what_everybody_tries_first_is_refused_by_name() {
    let item = quote! {
        struct Wrong {
            name: String,
            list: std::vec::Vec<u8>,
            inner: Mutex<(u8, [Box<u8>; 2])>,
            std: std::sync::Mutex<u8>,
            pointer: *mut u8,
            text: &'static str,
            call: fn(),
            letter: char,
            count: NonZeroU32,
            fine: Value<u32>,
            mine: my::String,
        }
    };
    let found = messages(TokenStream::new(), item);
    let starts = [
        "field `name`: `String` cannot live in shared memory, its text is in this process's own memory; write `Text<N>`",
        "field `list`: `Vec` cannot live in shared memory",
        "field `inner`: `Box` cannot live in shared memory",
        "field `std`: `Mutex` cannot live in shared memory, it works between threads only; write `psync::Mutex<T>`",
        "field `pointer`: a pointer cannot live in shared memory",
        "field `text`: a reference cannot live in shared memory",
        "field `call`: a function pointer cannot live in shared memory",
        "field `letter`: `char` cannot live in shared memory",
        "field `count`: `NonZeroU32` cannot live in shared memory",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (message, start) in found.iter().zip(starts) {
        assert!(message.starts_with(start), "{message:?} instead of {start:?}");
    }
}

#[test]
fn locks_exist_and_are_not_guarded_themselves() {
    let item = quote! {
        struct Farm {
            #[guarded_by(gate)] a: u32,
            #[guarded_by(b)] b: u32,
            #[guarded_by(b)] c: u32,
            #[guarded_by] d: u32,
            #[guarded_by(x, y)] e: u32,
            #[init] f: u32,
            #[init(1)] #[init(2)] g: u32,
            #[cfg(unix)] h: u32,
        }
    };
    assert_eq!(
        messages(TokenStream::new(), item),
        [
            "expected the name of a field, as in `#[guarded_by(lock)]`",
            "expected the name of a field, as in `#[guarded_by(lock)]`",
            "expected the value, as in `#[init(Barrier::new(3))]`",
            "`init` is set twice; keep one of them",
            "there is no field `gate`; add `gate: Lock` to the struct",
            "a lock cannot guard itself; name a field of the type `Lock`",
            "`b` is guarded itself, so nobody can take it; leave its `#[guarded_by]` out",
            "a field of a `#[shared]` struct cannot depend on `cfg`; put it on two versions of the struct",
        ]
    );
    let tuple = messages(
        TokenStream::new(),
        quote!(
            struct Pair(Lock, #[guarded_by(lock)] u32);
        ),
    );
    assert_eq!(
        tuple,
        ["`#[guarded_by]` needs fields with names; the guard has fields of the same names"]
    );
}

#[test]
fn layouts_and_defaults_contradict_each_other() {
    let found = messages(
        quote!(default = false),
        quote!(
            #[repr(packed)]
            struct A<'a> {
                #[init(1)]
                a: u32,
            }
        ),
    );
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("shared memory outlives every borrow"));
    assert_eq!(found[1], "`#[shared]` fixes the layout to `repr(C)`; leave `packed` out");
    assert!(
        found[2]
            .starts_with("`#[init]` has no effect here: `default = false` leaves `Default` out")
    );
}

#[test]
fn enums_with_more_than_a_byte_are_refused() {
    let found = messages(
        TokenStream::new(),
        quote!(
            #[repr(u32)]
            enum Shape {
                Point,
                Circle(f64),
                Big = 300,
            }
        ),
    );
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(
        found[0]
            .contains("write a struct with a fieldless `#[shared]` enum and the data as fields")
    );
    assert_eq!(found[1], "a `#[shared]` enum is one byte; choose a value from 0 to 255");
    assert_eq!(found[2], "more than one byte can be half-written; leave `u32` out or write `u8`");
    assert_eq!(
        messages(
            TokenStream::new(),
            quote!(
                enum Never {}
            )
        )
        .len(),
        1
    );
}

#[test]
fn other_items_are_handed_back() {
    for item in [
        quote!(
            const N: u32 = 3;
        ),
        quote!(union U { a: u8 }),
        quote!(
            fn work() {}
        ),
        quote!(
            type A = B;
        ),
    ] {
        assert_eq!(messages(TokenStream::new(), item.clone()).len(), 1);
        assert!(run(TokenStream::new(), item.clone()).to_string().starts_with(&item.to_string()));
    }
    assert!(
        messages(
            quote!(defualt),
            quote!(
                struct A;
            )
        )[0]
        .starts_with("unknown option `defualt`")
    );
}
