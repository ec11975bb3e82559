//! Shows what a macro prints: `PSYNC_EXPAND=monkey cargo check` writes the expansion of the item `monkey` to standard error.

use std::{env, fmt::Write as _};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The variable that asks for it: the name of an item, `parallel`, or `all`.
const VARIABLE: &str = "PSYNC_EXPAND";

/// What is longer is broken into lines.
const WIDTH: usize = 90;

/// Shows the expansion if somebody asks for it, and passes it on.
pub(crate) fn shown(of: &str, item: Option<&TokenStream>, expansion: TokenStream) -> TokenStream {
    if let Some(wanted) = env::var_os(VARIABLE) {
        let name = item.and_then(name).unwrap_or_else(|| of.to_owned());
        if wanted == "all" || wanted == *name {
            eprintln!("// {of}: {name}\n{}", laid_out(&expansion));
        }
    }
    expansion
}

/// The name of an item: the word behind its keyword.
fn name(item: &TokenStream) -> Option<String> {
    let mut words = item.clone().into_iter();
    let is_keyword = |tree: &TokenTree| {
        ["fn", "struct", "enum", "static"].iter().any(|keyword| tree.to_string() == *keyword)
    };
    words.find(is_keyword)?;
    words.next().map(|name| name.to_string())
}

/// The same tokens in lines that a person can read.
fn laid_out(tokens: &TokenStream) -> String {
    let mut page = Page { text: String::new(), line: String::new(), pending: TokenStream::new() };
    page.put(tokens.clone(), 0);
    page.text
}

struct Page {
    text: String,
    /// The line that is being written, as far as it is text already.
    line: String,
    /// And the rest of it.
    pending: TokenStream,
}

impl Page {
    fn put(&mut self, tokens: TokenStream, depth: usize) {
        let mut angles = 0_usize;
        let mut before = ' ';
        for tree in tokens {
            let mut mark = ' ';
            match tree {
                TokenTree::Group(group) if is_long(&group) => {
                    self.put_group(&group, depth);
                    continue;
                }
                TokenTree::Group(_) if before == '#' => mark = ']',
                TokenTree::Punct(ref punct) => mark = punct.as_char(),
                _ => {}
            }
            match mark {
                '<' => angles += 1,
                '>' if !matches!(before, '-' | '=') => angles = angles.saturating_sub(1),
                _ => {}
            }
            before = mark;
            self.pending.extend([tree]);
            if matches!(mark, ';' | ']') || mark == ',' && angles == 0 && depth > 0 {
                self.end_line(depth);
            }
        }
        self.end_line(depth);
    }

    fn put_group(&mut self, group: &Group, depth: usize) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace => (" {", "}"),
            Delimiter::None => ("", ""),
        };
        self.take_pending();
        self.line.push_str(open);
        self.end_line(depth);
        self.put(group.stream(), depth + 1);
        self.line.push_str(close);
        if group.delimiter() == Delimiter::Brace && depth == 0 {
            self.end_line(depth);
        }
    }

    fn take_pending(&mut self) {
        let words = std::mem::take(&mut self.pending).to_string();
        if !self.line.is_empty() && !words.is_empty() && !words.starts_with([',', ';', '.', '?']) {
            self.line.push(' ');
        }
        self.line.push_str(&words);
    }

    fn end_line(&mut self, depth: usize) {
        self.take_pending();
        let line = std::mem::take(&mut self.line);
        if !line.trim().is_empty() {
            // Writing to a string does not fail.
            let _ = writeln!(self.text, "{:width$}{}", "", line.trim(), width = depth * 4);
        }
    }
}

/// Whether a group is better broken into lines.
fn is_long(group: &Group) -> bool {
    let has_block = |tree: TokenTree| matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !group.stream().is_empty());
    let is_block = group.delimiter() == Delimiter::Brace && !group.stream().is_empty();
    is_block
        || group.to_string().len() > WIDTH
        || group.delimiter() != Delimiter::None && group.stream().into_iter().any(has_block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn lines_end_where_people_end_them() {
        let tokens = quote!(
            #[inline]
            fn work<A, B>(n: u32) -> u32 {
                let a = each(
                    "work",
                    |n| {
                        check(n);
                        twice(n)
                    },
                    [1, 2],
                );
                a + n
            }
        );
        let text = laid_out(&tokens);
        let lines: Vec<String> = text.lines().map(|line| line.replace(' ', "")).collect();
        let expected = [
            "#[inline]",
            "fnwork<A,B>(n:u32)->u32{",
            "leta=each(",
            "\"work\",",
            "|n|{",
            "check(n);",
            "twice(n)",
            "},",
            "[1,2],",
            ");",
            "a+n",
            "}",
        ];
        assert_eq!(lines, expected, "{text}");
        assert!(text.contains("\n            check"), "{text}");
        let words = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(words(&text), words(&tokens.to_string()), "nothing is lost or added");
    }

    #[test]
    fn items_are_known_by_their_names() {
        assert_eq!(
            name(&quote!(
                pub(crate) struct Farm<T> {
                    a: T,
                }
            )),
            Some("Farm".to_owned())
        );
        assert_eq!(
            name(&quote!(
                #[fn_like]
                async fn work() {}
            )),
            Some("work".to_owned())
        );
        assert_eq!(
            name(&quote!(
                mod inner {}
            )),
            None
        );
    }
}
