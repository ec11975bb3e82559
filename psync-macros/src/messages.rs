//! Texts that more than one place uses, and the rules they keep: lower case, what is wrong, then what to write, no full stop.

use syn::Attribute;

use crate::diag::Diag;

/// A list of words as a message shows it: `` `a`, `b` and `c` ``.
pub(crate) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// An option that the macro does not have.
pub(crate) fn unknown_option(option: &str, owner: &str, accepts: &[&str]) -> String {
    match nearest(option, accepts) {
        Some(meant) => format!(
            "unknown option `{option}`, did you mean `{meant}`? {owner} takes {}",
            listed(accepts)
        ),
        None => format!("unknown option `{option}`; {owner} takes {}", listed(accepts)),
    }
}

/// The accepted word that a slip of one or two letters could have turned into `word`.
pub(crate) fn nearest<'a>(word: &str, accepts: &[&'a str]) -> Option<&'a str> {
    let close = |other: &&&str| word.len() > 2 && distance(word, other) <= 1 + word.len() / 6;
    accepts.iter().find(close).copied()
}

/// The number of letters to insert, remove or exchange; two neighbours in the wrong order count as one.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let same = left[i - 1] == right[j - 1];
            let swapped =
                i > 1 && j > 1 && (left[i - 1], left[i - 2]) == (right[j - 2], right[j - 1]);
            let exchanged = rows[i - 1][j - 1] + usize::from(!same);
            let best = exchanged.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            row.push(if swapped { best.min(rows[i - 2][j - 2] + 1) } else { best });
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

/// Files the attribute `name` among those that follow it, and takes it out: it would expand what has been expanded.
pub(crate) fn once(name: &str, attrs: &mut Vec<Attribute>, diag: &mut Diag) {
    attrs.retain(|attr| {
        let path = attr.path();
        let is_ours = path.segments.len() == 1
            || path.segments.first().is_some_and(|first| first.ident == "psync");
        let again = is_ours && path.segments.last().is_some_and(|last| last.ident == name);
        if again {
            diag.error(path, format_args!("`#[{name}]` is written twice; keep one of them"));
        }
        !again
    });
}

/// A lifetime parameter on something that outlives every borrow.
pub(crate) const SHARED_LIFETIME: &str = "shared memory outlives every borrow, so a `#[shared]` type has no lifetime parameters; store the value itself or an index";

/// A lifetime parameter on a function that runs elsewhere.
pub(crate) const PROCESS_LIFETIME: &str = "a `#[process]` function has no lifetime parameters, each borrow lasts until the process has ended; leave the lifetime out";

/// The plural half of a message that several checks share.
pub(crate) const BRANCH_FORMS: &str =
    "a branch is `work(args)`, `for x in items => work(args)` or `process(captures) { .. }`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(listed(&["a"]), "`a`");
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
    }

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        assert_eq!(nearest("deamon", &["name", "daemon"]), Some("daemon"));
        assert_eq!(nearest("daemn", &["name", "daemon"]), Some("daemon"));
        assert_eq!(nearest("on_failur", &["on_failure"]), Some("on_failure"));
        assert_eq!(nearest("workers", &["grace"]), None);
    }
}
