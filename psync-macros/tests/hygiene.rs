//! Expansions where nothing has its usual meaning: no prelude, another name for psync, and every obvious name taken.

mod stub;

use stub as renamed;

#[no_implicit_prelude]
#[allow(dead_code, unused, reason = "the names are there to be in the way")]
#[allow(non_camel_case_types, reason = "the names are there to be in the way")]
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "the names are there to be in the way"
)]
mod strange {
    mod std {}
    mod core {}
    mod psync {}
    struct Option;
    struct Result;
    struct Some;
    struct Ok;
    struct Err;
    struct Box;
    trait Sized {}
    struct Output;
    struct Call;
    struct Process;
    struct Options;
    trait Default {}
    trait Send {}
    trait FnOnce {}
    trait Clone {}
    trait Copy {}
    fn drop() {}
    fn one() {}
    fn each() {}
    fn parallel() {}
    macro_rules! unreachable {
        () => {};
    }

    use crate::renamed::__private as other;
    use ::psync_macros::{parallel, process, shared};

    #[shared(crate = crate::renamed)]
    pub(super) struct Field {
        owner: other::Lock,
        #[guarded_by(owner)]
        held: u32,
        #[guarded_by(owner)]
        timeout: u32,
        done: other::Event,
    }

    #[shared(crate = crate::renamed)]
    enum Colour {
        Some,
        None,
    }

    #[shared(crate = crate::renamed)]
    static HELD: other::Event = other::Event::new();

    #[process(crate = crate::renamed, set(args.done), lock(options as scope))]
    pub(super) fn work(
        args: &Field,
        options: &other::Mutex<u32>,
        arg0: u32,
        guard0: u32,
        guard1: u32,
    ) -> u32 {
        *scope += arg0;
        let guard2 = guard0;
        guard1 + guard2 + *scope
    }

    #[process(crate = crate::renamed)]
    fn never(scope: &mut [u32], options: u32) {}

    #[process(crate = crate::renamed)]
    fn r#match(r#type: u32) -> u32 {
        r#type
    }

    #[::core::prelude::v1::test]
    fn nothing_gets_in_the_way() {
        let field = <Field as ::core::default::Default>::default();
        let total = <other::Mutex<u32> as ::core::default::Default>::default();
        let group = 3;
        let value0 = 4;
        let results = parallel! {
            with crate = crate::renamed;
            r#value1: for value0 in [group, value0] => work(&field, &total, value0, 1, 1),
            value0: process(group, &total) { let _ = total; group },
            named: r#match(7),
        }
        .unwrap();
        ::core::assert_eq!(results.value1.len(), 2);
        ::core::assert_eq!((results.value0, results.named), (3, 7));
        ::core::assert!(!HELD.is_set());
        let mut owner = field.lock_owner().unwrap();
        *owner.held += 1;
        *owner.timeout += *owner.held;
        ::core::mem::drop(owner);
        ::core::assert!(field.lock_owner_timeout(::core::time::Duration::ZERO).is_ok());
    }
}
