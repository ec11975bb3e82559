//! Golden expansions of `parallel!`, and its messages.

use proc_macro2::TokenStream;
use quote::quote;

use super::ast::Plan;
use super::{check, run};
use crate::diag::Diag;
use crate::golden;

fn messages(input: TokenStream) -> Vec<String> {
    let mut diag = Diag::default();
    let (mut plan, _) = Plan::parse(input, &mut diag);
    check::plan(&mut plan, &mut diag);
    diag.messages()
}

#[test]
fn a_call_alone() {
    golden::expression("parallel_alone", &run(quote!(m::ring(&farm))));
}

#[test]
fn replicated_and_generic() {
    let input = quote! {
        for (i, name) in names.iter().enumerate() => monkey(&farm, name.to_string(), i),
        sum::<u64>(&values);
    };
    golden::expression("parallel_branches", &run(input));
}

#[test]
fn options_and_names() {
    let input = quote! {
        with deadline = Duration::from_secs(3), grace = GRACE, on_failure = finish, start_method = StartMethod::Spawn, crate = renamed;
        turns: for name in NAMES => monkey(&farm, name),
        bell: ring(&farm),
    };
    golden::expression("parallel_named", &run(input));
}

#[test]
fn inline_bodies() {
    let input = quote! {
        process() { 1 },
        for n in 0..3 => process(n, &farm) { farm.fed.update(|fed| fed + n)? }
    };
    golden::expression("parallel_blocks", &run(input));
}

#[test]
fn at_most_so_many_at_a_time() {
    let input = quote! {
        with workers = psync::cpu_count(), chunk = 8, progress = true;
        for path in paths => hash(path)
    };
    golden::expression("parallel_workers", &run(input));
}

#[test]
fn several_captures_and_an_item() {
    golden::expression(
        "parallel_captures",
        &run(quote!(for (i, name) in names => process(i, name, &farm, limit) { farm.feed(i) })),
    );
}

#[test]
fn an_unfinished_branch_leaves_what_is_understood() {
    golden::expression(
        "parallel_unfinished",
        &run(quote!(ring(&farm), bell: farm.be, for x in xs => process(x) { x })),
    );
}

#[test]
fn a_wrong_option_leaves_the_branches() {
    golden::expression("parallel_wrong_option", &run(quote!(with wrokers = 3; ring(&farm))));
}

#[test]
fn a_wrong_branch_leaves_only_the_errors() {
    golden::expression("parallel_wrong_branch", &run(quote!(ring(&farm), farm.ring())));
}

#[test]
fn a_wrong_list_leaves_the_body() {
    golden::expression(
        "parallel_wrong_captures",
        &run(quote!(for n in names => process(&farm, n, n + 1) { farm.feed(n) }, { farm.bell })),
    );
}

#[test]
fn a_function_may_be_called_with_or_process() {
    assert!(messages(quote!(with(1), process(2))).is_empty());
}

#[test]
fn mistakes_in_several_branches_are_reported_together() {
    let input = quote! {
        with wrokers = 3, grace = , on_failure = "cancel";
        ring,
        farm.ring(),
        for x in xs { work(x) },
        { 3 },
        5,
        process(&mut a, mut b, c + 1, self) { },
        a() b(),
        |x| x
    };
    assert_eq!(
        messages(input),
        [
            "unknown option `wrokers`, did you mean `workers`? `parallel!` takes `workers`, `chunk`, `deadline`, `grace`, `on_failure`, \
             `start_method`, `progress` and `crate`",
            "the value of `grace` is missing; write `grace = Duration::from_secs(2)`",
            "`on_failure` is one of the words `cancel` and `finish`",
            "the arguments are missing; a branch is `work(args)`, `for x in items => work(args)` or `process(captures) { .. }`",
            "a method cannot be started; write `process(captures) { .. }` with the call in its body, or a `#[process]` function",
            "expected `=>` and what to run for each item, as in `for x in items => work(x)`",
            "a body needs its list of captures; write `process() { .. }`",
            "a branch is `work(args)`, `for x in items => work(args)` or `process(captures) { .. }`",
            "a capture cannot be lent mutably; write a `#[process]` function with a `&mut [T]` parameter",
            "a capture is a name alone; write `let mut name = name;` in the body",
            "a capture is a name alone; bind the value with `let` before `parallel!`",
            "`self` cannot be captured; bind what is needed with `let` before `parallel!`",
            "expected `,` between two branches",
            "a closure cannot be started; write `process(captures) { .. }`, with the names that it uses as captures",
        ]
    );
}

#[test]
fn names_are_all_or_none_and_different() {
    assert_eq!(
        messages(quote!(a: work(), ring(), a: work())),
        [
            "this branch has no name but others do; write `name: ` before it, or leave out all names",
            "two branches are named `a`; each name becomes a field of the value",
        ]
    );
}

#[test]
fn nothing_leaves_the_arguments_of_a_for() {
    let input = quote! {
        for x in xs? => work(x?, || y?, return, async { z.await }),
        work(x?)
    };
    let found = messages(input);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("`?` cannot leave from the arguments of a `for` branch"));
    assert!(found[1].starts_with("`return` cannot leave"));
}

#[test]
fn an_empty_block_has_nothing_to_run() {
    assert_eq!(
        messages(TokenStream::new()),
        ["there is nothing to run; write at least one branch, such as `work(args)`"]
    );
    assert_eq!(messages(quote!(with grace = G)), ["the options end with `;`, and branches follow"]);
}

#[test]
fn seventeen_branches_are_too_many() {
    let branches = (0..17).map(|_| quote!(work()));
    assert_eq!(
        messages(quote!(#(#branches),*)),
        ["at most 16 branches; run equal work with `for x in items => work(x)`"]
    );
}

#[test]
fn unfinished_arguments_are_carried_along() {
    let tokens = run(quote!(work(farm.))).to_string();
    assert!(tokens.contains("(farm .)"), "{tokens}");
}

#[test]
fn what_a_for_binds_is_missed_in_the_list() {
    let input = quote! {
        for (i, name) in names => process(&farm) { println!("{i:>3}: {}", name); farm.feed(i, limit) },
        for i in 0..3 => process() { let i = 3; i },
        for i in 0..3 => process() { fn i() {} i() },
        for i in 0..3 => process() { bind!(i = 3); i },
        for i in 0..3 => process() { use names::*; i },
        for i in 0..3 => process() { #[cfg(windows)] feed(i); },
        for LIMIT in 0..3 => process() { LIMIT },
        for i in 0..3 => process() { assert_eq!("{i}", TEXT, "{{i}} {:?}", vec!["{i}"]); },
        for i in 0..3 => process() { println!("{i}", i = 3); },
        for i in 0..3 => process(i) { i + self.limit },
    };
    assert_eq!(
        messages(input),
        [
            "the body uses `i`, which is not listed; write `process(&farm, i, name) { .. }`",
            "the body uses `name`, which is not listed; write `process(&farm, i, name) { .. }`",
            "`self` cannot be captured; bind what is needed with `let` before `parallel!`, and list that",
        ]
    );
}

#[test]
fn what_looks_like_a_branch_is_told_apart() {
    let input = quote! {
        with;
        #[cfg(unix)] work(1),
        work(1)?,
        work(1).unwrap(),
        proces(x) { x },
        process(x; y) { x },
        process[x] { x },
        process x { x },
        for x in xs => for y in ys => work(x, y),
        for x in xs =>
    };
    assert_eq!(
        messages(input),
        [
            "the options are missing, as in `with workers = 4;`",
            "a branch cannot have attributes; put them around `parallel!`, or into a body",
            "outputs and failures are in the value of `parallel!`; write this behind its closing bracket",
            "outputs and failures are in the value of `parallel!`; write this behind its closing bracket",
            "only `process(captures)` has a body; write that, or `,` after the call",
            "captures are separated by `,`",
            "captures stand in parentheses, as in `process(name) { .. }`",
            "captures stand in parentheses, as in `process(name) { .. }`",
            "a branch has one `for`; write it over pairs, as in `for (x, y) in pairs => work(x, y)`",
            "what to run for each item is missing, as in `for x in items => work(x)`",
        ]
    );
}
