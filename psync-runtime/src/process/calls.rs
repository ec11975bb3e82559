//! Calls and blocks with the arguments one by one, so that the compiler shows which of them cannot cross.

use super::{
    block::{Ends, block},
    call::{Argument, Call, Returns, call},
    start::Spec,
};

// What blocks are made with has its name once, in a line with a sentence: the compiler shows it to a body that uses what is not listed.
macro_rules! calls {
    ($listed:ident $says:literal $($call:ident $block:ident ($($arg:ident: $sent:ident $received:ident),*))+) => {$(
        /// Puts a function and its arguments together.
        #[allow(clippy::too_many_arguments, reason = "one for each that a function can have")]
        pub fn $call<'a, $($sent, $received,)* R>(
            spec: &'static Spec,
            $($arg: $sent,)*
            function: fn(($($received,)*)) -> R,
        ) -> Call<'a, R>
        where
            $($sent: Argument<Received = $received> + 'a, $received: 'static,)*
            R: Returns,
        {
            call(spec, ($($arg,)*), function)
        }

        #[doc = concat!("For as many captures as there are in `", stringify!($block), "`.")]
        pub mod $block {
            #[doc = $says]
            #[allow(clippy::too_many_arguments, reason = "one for each capture that a block can have")]
            pub fn $listed<'a, $($sent, $received,)* R, How>(
                $($arg: $sent,)*
                function: fn(($($received,)*)) -> R,
            ) -> super::Call<'a, R>
            where
                $($sent: super::Argument<Received = $received> + 'a, $received: 'static,)*
                R: super::Ends<How> + 'static,
            {
                super::block(($($arg,)*), function)
            }
        }
    )+};
}

calls! {
    // A row: how to call with so many arguments,
    // where blocks with so many captures are made,
    // and the types of each, as sent and as they arrive.
    captures_are_listed "A body has what its `process(..)` lists: write `process(name)` to clone, `process(&name)` to lend"

    call0 block0 ()
    call1 block1 (a: A A2)
    call2 block2 (a: A A2, b: B B2)
    call3 block3 (a: A A2, b: B B2, c: C C2)
    call4 block4 (a: A A2, b: B B2, c: C C2, d: D D2)
    call5 block5 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2)
    call6 block6 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2)
    call7 block7 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2)
    call8 block8 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2)
    call9 block9 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2)
    call10 block10 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2)
    call11 block11 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2)
    call12 block12 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2, l: L L2)
    call13 block13 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2, l: L L2, m: M M2)
    call14 block14 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2, l: L L2, m: M M2, n: N N2)
    call15 block15 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2, l: L L2, m: M M2, n: N N2, o: O O2)
    call16 block16 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2, l: L L2, m: M M2, n: N N2, o: O O2, p: P P2)
}
