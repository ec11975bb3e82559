//! Calls and blocks with the arguments one by one, so that the compiler shows which of them cannot cross.

use super::{
    block::Ends,
    call::{Argument, Call, Returns, call},
    start::Spec,
};

macro_rules! calls {
    ($($call:ident $block:ident ($($arg:ident: $sent:ident $received:ident),*))+) => {$(
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

        /// Puts the body of a block and its captures together. If the body uses anything else, the compiler says so and shows this name.
        #[allow(clippy::too_many_arguments, reason = "one for each capture that a block can have")]
        pub fn $block<'a, $($sent, $received,)* R, How>(
            $($arg: $sent,)*
            function: fn(($($received,)*)) -> R,
        ) -> Call<'a, R>
        where
            $($sent: Argument<Received = $received> + 'a, $received: 'static,)*
            R: Ends<How> + 'static,
        {
            super::block::block(($($arg,)*), function)
        }
    )+};
}

calls! {
    call0 captures_are_listed_0 ()
    call1 captures_are_listed_1 (a: A A2)
    call2 captures_are_listed_2 (a: A A2, b: B B2)
    call3 captures_are_listed_3 (a: A A2, b: B B2, c: C C2)
    call4 captures_are_listed_4 (a: A A2, b: B B2, c: C C2, d: D D2)
    call5 captures_are_listed_5 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2)
    call6 captures_are_listed_6 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2)
    call7 captures_are_listed_7 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2)
    call8 captures_are_listed_8 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2)
    call9 captures_are_listed_9 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2)
    call10 captures_are_listed_10 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2)
    call11 captures_are_listed_11 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2)
    call12 captures_are_listed_12 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2, l: L L2)
    call13 captures_are_listed_13 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2, l: L L2, m: M M2)
    call14 captures_are_listed_14 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2, l: L L2, m: M M2, n: N N2)
    call15 captures_are_listed_15 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2, l: L L2, m: M M2, n: N N2, o: O O2)
    call16 captures_are_listed_16 (a: A A2, b: B B2, c: C C2, d: D D2, e: E E2, f: F F2, g: G G2, h: H H2, i: I I2, j: J J2, k: K K2, l: L L2, m: M M2, n: N N2, o: O O2, p: P P2)
}
