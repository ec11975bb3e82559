//! Golden tests: what a macro prints for each construct, kept as formatted files in `tests/golden`.

use std::path::PathBuf;

use proc_macro2::TokenStream;

/// Compares the items in `tokens` with `tests/golden/<name>.rs`; `PSYNC_GOLDEN=write` refreshes the file instead.
#[track_caller]
pub(crate) fn items(name: &str, tokens: &TokenStream) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.rs"));
    let file = match syn::parse2::<syn::File>(tokens.clone()) {
        Ok(file) => file,
        Err(error) => panic!("the expansion does not parse: {error}\n{tokens}"),
    };
    let printed = prettyplease::unparse(&file);
    if std::env::var_os("PSYNC_GOLDEN").is_some_and(|mode| mode == "write") {
        std::fs::write(&path, printed).expect("the golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(printed == expected, "{name} has changed; PSYNC_GOLDEN=write accepts this:\n{printed}");
}

/// The same for an expression.
#[track_caller]
pub(crate) fn expression(name: &str, tokens: &TokenStream) {
    items(name, &quote::quote!(fn value() { let value = #tokens; }));
}
