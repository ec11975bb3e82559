//! Writes out `Self`, which in the proxy's own block is another type than in the one that the user has written.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprPath, Path, Type, TypePath};

/// See the module: the type of the block.
pub(super) struct Named<'a>(pub(super) &'a Type);

impl Named<'_> {
    /// The type as it is written outside of its block.
    pub(super) fn outside(&self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        Self(self.0).visit_type_mut(&mut ty);
        ty
    }

    /// What is to be written for a path that begins with `Self`.
    fn written_out(&self, path: &Path) -> Option<TokenStream> {
        let first = path.segments.first().filter(|first| first.ident == "Self")?;
        let ty = self.0;
        let ty = located(quote!(#ty), first.ident.span());
        let rest: Vec<_> = path.segments.iter().skip(1).collect();
        Some(if rest.is_empty() { ty } else { quote!(<#ty>::#(#rest)::*) })
    }
}

impl VisitMut for Named<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(TypePath { qself: None, path, .. }) = ty
            && let Some(written) = self.written_out(path)
            && let Ok(written) = syn::parse2(written)
        {
            *ty = written;
            return;
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Expr::Path(ExprPath { qself: None, path, .. }) = expr
            && let Some(written) = self.written_out(path)
            && let Ok(written) = syn::parse2(written)
        {
            *expr = written;
            return;
        }
        visit_mut::visit_expr_mut(self, expr);
    }
}

/// The tokens where the user has written `Self`.
fn located(tokens: TokenStream, span: Span) -> TokenStream {
    let at = |mut tree: TokenTree| {
        tree.set_span(span.resolved_at(tree.span()));
        tree
    };
    tokens.into_iter().map(at).collect()
}
