//! Properties of every expansion: what is well-formed becomes code that parses, and nothing at all makes a macro panic.

use std::{fmt::Write as _, str::FromStr as _};

use proc_macro2::{Span, TokenStream, TokenTree};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{managed, parallel, process, shared};

/// The spans of the mistakes that an expansion reports.
fn mistakes(expansion: TokenStream) -> Vec<(Span, String)> {
    let mut found = Vec::new();
    let mut trees = expansion.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Ident(ident) if ident == "compile_error" => {
                let message = trees.by_ref().find(|tree| matches!(tree, TokenTree::Group(_)));
                found.push((ident.span(), message.map(|it| it.to_string()).unwrap_or_default()));
            }
            TokenTree::Group(group) => found.extend(mistakes(group.stream())),
            _ => {}
        }
    }
    found
}

/// An expansion of items without mistakes.
fn is_clean(expansion: TokenStream) -> Result<(), TestCaseError> {
    let text = expansion.to_string();
    prop_assert!(mistakes(expansion.clone()).is_empty(), "{text}");
    let parsed = syn::parse2::<syn::File>(expansion);
    prop_assert!(
        parsed.is_ok(),
        "{}: {text}",
        parsed.err().map(|it| it.to_string()).unwrap_or_default()
    );
    Ok(())
}

fn tokens(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What is told about where something is missing.
const AT_WHOLE: &[&str] = &[
    "end of input",
    "nothing to run",
    "\"expected ",
    "write `crate = path`",
    "goes on an `impl` block",
];

/// Mistakes are shown somewhere in what was written; at the whole, if a parser that is not ours says that it ended too early.
fn are_placed(written: &str, expansion: TokenStream) -> Result<(), TestCaseError> {
    for (span, message) in mistakes(expansion) {
        let at_whole = AT_WHOLE.iter().any(|it| message.contains(it));
        let text = span.source_text().unwrap_or_default();
        prop_assert!(
            at_whole || !text.is_empty() && written.contains(&text),
            "{message} at {text:?} of {written}"
        );
    }
    Ok(())
}

// ---- what is well-formed

const NAMES: &[&str] =
    &["a", "bell", "r#type", "Self_", "n", "owner", "held", "args", "options", "scope"];
const PLAIN: &[&str] = &[
    "u32",
    "bool",
    "[u8; 4]",
    "(u8, f64)",
    "Event",
    "crate::Place",
    "Mutex<[T; 3]>",
    "List<Text<8>, 2>",
    "Value<i64>",
    "T",
    "[T; N]",
];
const EXPRS: &[&str] = &[
    "1",
    "farm.bell",
    "&a",
    "Semaphore::new(2)",
    "f(|x| x + 1)",
    "{ 3 }",
    "if a { 1 } else { 2 }",
    "a as u8",
    "[0; 3]",
    "x?",
    "S { a: 1 }",
];
const VALUES: &[&str] = &[
    "u32",
    "String",
    "Vec<T>",
    "Option<(u8, T)>",
    "[u8; N]",
    "&str",
    "&Farm",
    "&[T]",
    "&mut [u8]",
    "&mut T",
    "()",
    "fn_like::Type",
];
const VISIBILITIES: &[&str] = &["", "pub", "pub(crate)", "pub(in crate::a)"];
const GENERICS: &[(&str, &str)] = &[
    ("", ""),
    ("<T>", ""),
    ("<T: Copy + Send, const N: usize>", "where T: Default, [T; N]: Sized"),
    ("<const N: usize>", ""),
];

/// Some of the words, each at most once, so that nothing has the same name twice.
fn distinct(
    words: &'static [&'static str],
    most: usize,
) -> impl Strategy<Value = Vec<&'static str>> {
    Just(words.to_vec()).prop_shuffle().prop_flat_map(move |words| {
        (0..=most.min(words.len())).prop_map(move |n| words[..n].to_vec())
    })
}

fn fields() -> impl Strategy<Value = String> {
    let field = (
        select(PLAIN),
        select(VISIBILITIES),
        any::<bool>(),
        proptest::option::of(select(EXPRS)),
        any::<bool>(),
    );
    (distinct(NAMES, 8), vec(field, 8)).prop_map(|(names, fields)| {
        let mut text = String::from("lock: Lock,");
        for (name, (ty, vis, guarded, init, docs)) in names.iter().zip(fields) {
            if docs {
                text.push_str("/// A field.\n");
            }
            if guarded {
                text.push_str("#[guarded_by(lock)] ");
            }
            if let Some(init) = init {
                let _ = write!(text, "#[init({init})] ");
            }
            let _ = write!(text, "{vis} {name}: {ty},");
        }
        text
    })
}

fn functions() -> impl Strategy<Value = (String, String)> {
    let params = (distinct(NAMES, 8), vec(select(VALUES), 8));
    let wire = prop_oneof![
        select(EXPRS).prop_map(|it| format!("wait({it})")),
        select(EXPRS).prop_map(|it| format!("acquire({it})")),
        select(EXPRS).prop_map(|it| format!("barrier({it})")),
        select(EXPRS).prop_map(|it| format!("set({it})")),
        // A cast of a cast, and what looks like the end of a statement, are what they are in Rust.
        select(&["farm.pen", "&a", "f(x)"][..]).prop_map(|it| format!("lock({it} as guard)")),
        select(&["farm.pen", "&a", "f(x)"][..]).prop_map(|it| format!("lock({it} as _)")),
    ];
    let options = proptest::sample::subsequence(
        vec!["name = \"x\"", "daemon", "start_method = StartMethod::Spawn", "crate = a::b"],
        0..=4,
    );
    let outputs = select(&["", "-> u32", "-> Result<T, String>", "-> !", "-> ()"][..]);
    (params, vec(wire, 0..4), options, select(GENERICS), outputs, select(VISIBILITIES)).prop_map(
        |((names, types), wires, options, (generics, bounds), output, vis)| {
            let params: Vec<String> =
                names.iter().zip(types).map(|(name, ty)| format!("{name}: {ty}")).collect();
            let args = wires
                .into_iter()
                .chain(options.into_iter().map(str::to_owned))
                .collect::<Vec<_>>()
                .join(", ");
            let item = format!(
                "#[inline] {vis} fn work{generics}({}) {output} {bounds} {{ body(); unfinished. }}",
                params.join(", ")
            );
            (args, item)
        },
    )
}

/// An `impl` block with at least one function to call, and whatever else may be in one.
fn blocks() -> impl Strategy<Value = String> {
    const OWNED: &[&str] = &["u32", "String", "Vec<T>", "&str", "[u8; N]", "()", "Option<(u8, T)>"];
    const HEADS: &[(&str, &str)] = &[
        ("(&self", "-> u32"),
        ("(&mut self", "-> Result<Vec<T>, String>"),
        ("(self: &Self", ""),
        ("(self: &mut Self", "-> !"),
        ("(", "-> Self"),
        // These are the block's own.
        ("(", "-> u8"),
    ];
    let function = (
        select(HEADS),
        distinct(&["a", "r#type", "_", "held", "manager", "object", "mut b"], 7),
        vec(select(OWNED), 7),
        select(&["pub", "pub(crate)", "pub(in crate::a)", ""][..]),
        select(&["", "/// Docs.\n", "#[cfg(unix)]", "#[must_use] const"][..]),
        any::<bool>(),
    );
    let function = function.prop_map(|((head, output), names, types, vis, attr, generic)| {
        let (attr, constness) =
            attr.strip_suffix("const").map_or((attr, ""), |attr| (attr, "const"));
        let params: Vec<String> =
            names.iter().zip(types).map(|(name, ty)| format!("{name}: {ty}")).collect();
        let separator = if head.ends_with('(') || params.is_empty() { "" } else { ", " };
        let (generics, bounds) =
            if generic { ("<U, const M: usize>", "where U: Clone") } else { ("", "") };
        (
            format!("{attr} {vis} {constness} fn"),
            format!(
                "{generics}{head}{separator}{}) {output} {bounds} {{ body() }}",
                params.join(", ")
            ),
        )
    });
    let ty = select(&["Farm", "r#type", "a::b::Farm<T>", "(Farm)", "crate::Farm<[T; 3]>"][..]);
    (select(GENERICS), ty, vec(function, 0..5)).prop_map(|((generics, bounds), ty, functions)| {
        let functions: Vec<String> = functions
            .into_iter()
            .enumerate()
            .map(|(n, (start, rest))| format!("{start} f{n}{rest}"))
            .collect();
        format!(
            "/// Docs.\nimpl{generics} {ty} {bounds} {{ const A: u8 = 1; pub fn r#match(&self) {{}} {} type B = u8; }}",
            functions.join(" ")
        )
    })
}

fn plans() -> impl Strategy<Value = String> {
    let call = prop_oneof![
        select(
            &["work(&farm, 1)", "a::b::work::<u32>(x?)", "<A>::work()", "r#match(a, { b }, |c| d)"]
                [..]
        )
        .prop_map(str::to_owned),
        (distinct(NAMES, 4), vec(any::<bool>(), 4)).prop_map(|(names, lent)| {
            let captures: Vec<String> = names
                .iter()
                .zip(lent)
                .map(|(name, lent)| if lent { format!("&{name}") } else { (*name).to_owned() })
                .collect();
            format!("process({}) {{ let x = ; x. }}", captures.join(", "))
        }),
    ];
    let items = select(
        &[
            "for x in 0..3 =>",
            "for (i, x) in xs.iter().enumerate() =>",
            "for S { a, .. } | T(a) in [s; 2] =>",
        ][..],
    );
    let branch = (proptest::option::weighted(0.4, items), call).prop_map(|(items, call)| {
        // What may be left inside of a call's arguments may not be left where several are started.
        format!(
            "{} {}",
            items.unwrap_or_default(),
            if items.is_some() { call.replace('?', "") } else { call }
        )
    });
    let options = proptest::sample::subsequence(
        vec![
            "workers = 2",
            "chunk = f()",
            "deadline = D",
            "grace = G::new(3)",
            "on_failure = finish",
            "start_method = S",
            "progress = true",
            "crate = a",
        ],
        0..=8,
    );
    (options, vec(branch, 1..6), any::<bool>(), select(&[",", ";"][..])).prop_map(
        |(options, branches, named, separator)| {
            let with = if options.is_empty() {
                String::new()
            } else {
                format!("with {};", options.join(", "))
            };
            let branches: Vec<String> = branches
                .iter()
                .enumerate()
                .map(|(i, it)| if named { format!("name{i}: {it}") } else { it.clone() })
                .collect();
            format!("{with} {}", branches.join(separator))
        },
    )
}

// ---- what is anything at all

const WORDS: &[&str] = &[
    "fn",
    "struct",
    "enum",
    "union",
    "pub",
    "async",
    "unsafe",
    "const",
    "static",
    "where",
    "for",
    "in",
    "with",
    "process",
    "self",
    "Self",
    "as",
    "mut",
    "ref",
    "dyn",
    "impl",
    "let",
    "if",
    "x",
    "farm",
    "lock",
    "wait",
    "acquire",
    "barrier",
    "set",
    "name",
    "daemon",
    "start_method",
    "crate",
    "default",
    "workers",
    "deadline",
    "on_failure",
    "finish",
    "u32",
    "String",
    "#",
    "!",
    ".",
    ",",
    ";",
    ":",
    "::",
    "=",
    "=>",
    "->",
    "&",
    "|",
    "||",
    "<",
    ">",
    "?",
    "+",
    "*",
    "..",
    "'a",
    "'static",
    "1",
    "0.5",
    "\"text\"",
    "'c'",
    "true",
    "#[init(1)]",
    "#[guarded_by(lock)]",
    "#[cfg(unix)]",
    "#[repr(C)]",
    "_",
    "@",
    "$",
];

fn soup() -> impl Strategy<Value = String> {
    let word = select(WORDS).prop_map(str::to_owned);
    let text = vec(word, 0..12).prop_map(|words| words.join(" "));
    text.prop_recursive(3, 24, 6, |inner| {
        let group = (inner, select(&[("(", ")"), ("[", "]"), ("{", "}")][..]))
            .prop_map(|(inner, (open, close))| format!("{open} {inner} {close}"));
        let part = prop_oneof![3 => select(WORDS).prop_map(str::to_owned), 2 => group];
        vec(part, 0..10).prop_map(|parts| parts.join(" "))
    })
}

/// Soup where a macro looks more closely: behind the beginning of something it knows.
fn flavoured(beginnings: &'static [&'static str]) -> impl Strategy<Value = String> {
    (select(beginnings), soup()).prop_map(|(beginning, soup)| {
        let mut open = Vec::new();
        for c in beginning.chars() {
            match c {
                '{' => open.push('}'),
                '(' => open.push(')'),
                '[' => open.push(']'),
                '}' | ')' | ']' => drop(open.pop()),
                _ => {}
            }
        }
        let closing: String = open.into_iter().rev().collect();
        format!("{beginning} {soup} {closing}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn well_formed_structs_become_code((generics, bounds) in select(GENERICS), fields in fields(), vis in select(VISIBILITIES), default in any::<bool>()) {
        let args = if default || fields.contains("#[init") { "" } else { "default = false" };
        is_clean(shared::run(tokens(args), tokens(&format!("/// Docs.\n{vis} struct Farm{generics} {bounds} {{ {fields} }}"))))?;
    }

    #[test]
    fn well_formed_enums_become_code(names in distinct(NAMES, 9), vis in select(VISIBILITIES), first in 0..9_u8) {
        let item = format!("{vis} enum Colour {{ Zero = {first}, {} }}", names.join(", "));
        is_clean(shared::run(TokenStream::new(), tokens(&item)))?;
    }

    #[test]
    fn well_formed_functions_become_code((args, item) in functions()) {
        // The body is carried, whatever it is, so it is replaced by one that parses.
        let item = item.replace("unfinished.", "");
        is_clean(process::run(tokens(&args), tokens(&item)))?;
    }

    #[test]
    fn well_formed_blocks_become_code(args in select(&["", "crate = a::b"][..]), block in blocks()) {
        is_clean(managed::run(tokens(args), tokens(&block)))?;
    }

    #[test]
    fn well_formed_plans_become_code(plan in plans()) {
        let expansion = parallel::run(tokens(&plan.replace("let x = ; x.", "let x = 1; x")));
        is_clean(quote::quote!(fn value() { #expansion }))?;
    }

    #[test]
    fn unfinished_bodies_are_no_mistake((args, item) in functions(), plan in plans()) {
        prop_assert!(mistakes(process::run(tokens(&args), tokens(&item))).is_empty());
        prop_assert!(mistakes(parallel::run(tokens(&plan))).is_empty());
    }

    #[test]
    fn no_item_makes_shared_panic(args in soup(), item in flavoured(&["", "struct Farm {", "struct Farm", "struct Farm(", "enum Colour {", "#[repr(C)] enum", "struct Farm { lock: Lock, #[guarded_by(lock)]"])) {
        are_placed(&format!("{args} {item}"), shared::run(tokens(&args), tokens(&item)))?;
    }

    #[test]
    fn no_item_makes_process_panic(args in flavoured(&["", "wait(", "lock(", "daemon,", "name ="]), item in flavoured(&["", "fn work(", "fn work<", "fn work() {", "pub fn work(farm: &Farm) ->", "async", "fn work("])) {
        are_placed(&format!("{args} {item}"), process::run(tokens(&args), tokens(&item)))?;
    }

    #[test]
    fn no_item_makes_managed_panic(args in flavoured(&["", "crate =", "crate = a,"]), item in flavoured(&["", "impl", "impl Farm {", "impl<T> Farm<T> { pub fn", "impl Farm { pub fn work(&self,", "impl Farm { pub fn work(self:", "impl Farm { pub fn work(&mut self) ->", "impl Farm { pub fn make() -> Self {} pub", "impl Farm for", "impl ("])) {
        are_placed(&format!("{args} {item}"), managed::run(tokens(&args), tokens(&item)))?;
    }

    #[test]
    fn whatever_stands_in_a_block_is_told_where_it_is(block in blocks(), soup in soup()) {
        let item = block.replace("type B = u8;", &soup);
        are_placed(&item, managed::run(TokenStream::new(), tokens(&item)))?;
    }

    #[test]
    fn nothing_makes_parallel_panic(text in flavoured(&["", "with", "with workers =", "for x in", "for x in xs =>", "process(", "work(), process() {", "name:", "with grace = G; a(), for"])) {
        are_placed(&text, parallel::run(tokens(&text)))?;
    }
}
