//! Prints a `parallel!`: one call of the runtime, with what each branch starts as its argument.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned as _;
use syn::{ExprPath, PathArguments};

use super::ast::{Branch, Items, OnFailure, Options, Plan, Unfinished, Work};
use super::captures::{Capture, How};
use crate::hygiene::{self, numbered, parenthesized, prefixed, spanned};

/// The whole expression.
pub(super) fn plan(plan: &Plan) -> TokenStream {
    let rt = plan.options.krate.runtime();
    let settings = settings(&plan.options, &rt);
    let branches: Vec<TokenStream> =
        plan.branches.iter().map(|branch| self::branch(branch, &rt)).collect();
    let branches = match branches.as_slice() {
        [alone] => quote!(#alone),
        several => quote!((#(#several,)*)),
    };
    let value = quote!(#rt::parallel(#settings, #branches));
    match labels(plan) {
        Some(labels) => named(&value, &labels),
        None => value,
    }
}

/// What could be understood of a plan that cannot run, where nothing comes of it: editors look there for what is being typed.
pub(super) fn understood(plan: &Plan) -> TokenStream {
    let rt = plan.options.krate.runtime();
    let branches = plan.branches.iter().filter_map(|branch| match &branch.work {
        _ if !branch.is_wrong => Some(self::branch(branch, &rt)),
        Work::Block { captures, body, .. } => {
            Some(body_of(branch.items.as_ref(), &received(captures, &rt), body))
        }
        Work::Call { .. } => None,
    });
    let unfinished = plan.unfinished.iter().map(|unfinished| match unfinished {
        Unfinished::Value(value) => value.to_token_stream(),
        Unfinished::Body(items, body) => body_of(items.as_deref(), &TokenStream::new(), body),
    });
    let values: Vec<TokenStream> = branches.chain(unfinished).collect();
    if values.is_empty() {
        return TokenStream::new();
    }
    quote!(if false { #(let _ = #values;)* })
}

/// A body where it can use all of the surroundings: nothing is said of it as long as there is a mistake beside it.
fn body_of(items: Option<&Items>, statements: &TokenStream, body: &Group) -> TokenStream {
    let body = prefixed(body, statements);
    match items {
        None => quote!(|| #body),
        Some(Items { pattern, source }) => {
            quote!(for #pattern in #source { let _ = || #body; })
        }
    }
}

/// The captures as the body has them.
fn received(captures: &[Capture], rt: &TokenStream) -> TokenStream {
    let statements = captures.iter().map(|capture| {
        let (name, sent) = (&capture.name, sent(capture, rt));
        match capture.how {
            How::Cloned => quote!(let #name = (#sent).0;),
            How::Lent => quote!(let #name = (#sent).get();),
            How::LentMut => quote!(let #name = &mut #name;),
        }
    });
    statements.collect()
}

/// The names of the branches, if they have names.
fn labels(plan: &Plan) -> Option<Vec<&Ident>> {
    plan.branches.iter().map(|branch| branch.label.as_ref()).collect()
}

/// Turns the tuple of results into a struct with the branches' names as fields.
fn named(value: &TokenStream, labels: &[&Ident]) -> TokenStream {
    let types: Vec<Ident> = (0..labels.len()).map(|i| quote::format_ident!("T{i}")).collect();
    let locals: Vec<Ident> = (0..labels.len()).map(|i| numbered("value", i)).collect();
    let labels: Vec<Ident> = labels.iter().map(|label| hygiene::quiet_name(label)).collect();
    let pattern = match locals.as_slice() {
        [alone] => quote!(#alone),
        several => quote!((#(#several),*)),
    };
    quote! {
        #value.map(|#pattern| {
            #[derive(::core::fmt::Debug)]
            struct Output<#(#types),*> { #(#labels: #types),* }
            Output { #(#labels: #locals),* }
        })
    }
}

fn settings(options: &Options, rt: &TokenStream) -> TokenStream {
    let on_failure = options.on_failure.get().map(|it| match it {
        OnFailure::Cancel => quote!(#rt::OnFailure::Cancel),
        OnFailure::Finish => quote!(#rt::OnFailure::Finish),
    });
    let fields = [
        ("deadline", options.deadline.get().map(ToTokens::to_token_stream)),
        ("grace", options.grace.get().map(ToTokens::to_token_stream)),
        ("on_failure", on_failure),
        ("start_method", options.start_method.get().map(ToTokens::to_token_stream)),
        ("workers", options.workers.get().map(ToTokens::to_token_stream)),
        ("chunk", options.chunk.get().map(ToTokens::to_token_stream)),
        ("progress", options.progress.get().map(ToTokens::to_token_stream)),
    ];
    let calls = fields.into_iter().filter_map(|(name, value)| {
        let value = value?;
        // A value of the wrong type is shown alone.
        let at = value.span();
        let name = Ident::new(name, at.resolved_at(Span::call_site()));
        let value = parenthesized(value, at);
        Some(quote!(.#name #value))
    });
    quote!(#rt::Settings::new() #(#calls)*)
}

fn branch(branch: &Branch, rt: &TokenStream) -> TokenStream {
    let name = match &branch.label {
        Some(label) => syn::ext::IdentExt::unraw(label).to_string(),
        None => branch.work.name(),
    };
    let call = work(&branch.work, rt);
    let Some(items) = &branch.items else {
        let one = spanned(quote!(#rt::one), &branch.head());
        return quote!(#one(#name, #call));
    };
    let (pattern, source) = (&items.pattern, &items.source);
    // What is wrong about the items as a whole is shown at their source.
    let (each, bar) = (spanned(quote!(#rt::each), source), spanned(quote!(|), source));
    let args = parenthesized(quote!(#name, #source, #bar #pattern #bar #call), source.span());
    quote!(#each #args)
}

/// What starts one process: a prepared call.
fn work(work: &Work, rt: &TokenStream) -> TokenStream {
    match work {
        Work::Call { path, args } => {
            let (companion, turbofish) = companion(path);
            let method = spanned(quote!(::__call), path);
            quote!(#companion #method #turbofish #args)
        }
        Work::Block { keyword, list, captures, body } => {
            let sent = captures.iter().map(|capture| sent(capture, rt));
            let names = captures.iter().map(|capture| &capture.name);
            let lent = captures.iter().filter(|capture| capture.how == How::Lent);
            let opened =
                lent.map(|Capture { name, .. }| quote!(let #name = #name.get();)).collect();
            let body = prefixed(body, &opened);
            let block = format_ident!("block{}", captures.len());
            let block = spanned(quote!(#rt::#block::captures_are_listed), keyword);
            // A body that uses more than is listed is shown at the list, from the keyword on.
            let (bar, end) = (spanned(quote!(|), keyword), spanned(quote!(|), list));
            quote!(#block(#(#sent,)* #bar (#(#names,)*) #end #body))
        }
    }
}

/// The function's companion type; the generic arguments belong to what is called on it.
fn companion(path: &ExprPath) -> (ExprPath, PathArguments) {
    let mut companion = path.clone();
    let turbofish = match companion.path.segments.last_mut() {
        Some(last) => std::mem::replace(&mut last.arguments, PathArguments::None),
        None => PathArguments::None,
    };
    (companion, turbofish)
}

/// A method call, so that a name that is a reference itself is looked through.
fn sent(capture: &Capture, rt: &TokenStream) -> Group {
    let name = &capture.name;
    let (capture, method) = if capture.how == How::Lent {
        (quote!(LendCapture), quote!(__lend_capture))
    } else {
        (quote!(CloneCapture), quote!(__clone_capture))
    };
    let sent = spanned(quote!(#name.#method()), name);
    // What cannot cross is shown at its name.
    hygiene::enclosed(Delimiter::Brace, quote!(use #rt::#capture as _; #sent), name.span())
}
