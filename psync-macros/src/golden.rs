//! Golden tests: what a macro prints for each construct, kept as formatted files in `tests/golden`.

use std::path::PathBuf;

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{Expr, Safety, Signature};

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

/// What a machine would have to decide, or a reviewer to believe.
#[derive(Default)]
struct Thick(Vec<&'static str>);

impl<'ast> Visit<'ast> for Thick {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        match expr {
            Expr::Unsafe(_) => self.0.push("unsafe code"),
            Expr::If(_) | Expr::Match(_) => self.0.push("a branch"),
            Expr::ForLoop(_) | Expr::Loop(_) | Expr::While(_) => self.0.push("a loop"),
            _ => {}
        }
        visit::visit_expr(self, expr);
    }

    fn visit_signature(&mut self, sig: &'ast Signature) {
        if !matches!(sig.safety, Safety::Default) {
            self.0.push("an unsafe function");
        }
        visit::visit_signature(self, sig);
    }
}

#[test]
fn what_is_printed_is_thin() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // After a mistake, what was understood stands in a branch that is never taken.
        if name.contains("wrong") || name.contains("unfinished") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file");
        let mut thick = Thick::default();
        thick.visit_file(&syn::parse_file(&text).expect("it parses"));
        assert!(thick.0.is_empty(), "{name}: {:?}", thick.0);
        seen += 1;
    }
    assert!(seen >= 25, "only {seen} expansions are recorded");
}
