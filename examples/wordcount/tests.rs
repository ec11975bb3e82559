//! How files are cut, on inputs that are hard to cut.

use super::{boundary, shares, words};
use std::collections::BTreeMap;

/// Inputs in which every byte is a place where cutting could go wrong.
pub(crate) fn hard_inputs() -> Vec<Vec<u8>> {
    let mut inputs: Vec<Vec<u8>> = [
        "",
        "a",
        " ",
        "one two  three, two; ONE one",
        "na\u{ef}ve \u{c4}pfel \u{4f60}\u{597d} \u{1f600}smile \u{3b1}\u{3b2}1\u{3b3}2",
        "one-word_two 3.14 \u{2014}dash\u{2014} e\u{301}acute \u{2160}\u{00bd}\u{0661}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    // No UTF-8: lone continuation bytes, starts without an end, surrogates, overlong forms.
    inputs.push(b"ab\xffcd \x80\x80 \xc3 \xc3x \xe4\xbd \xe4\xbd\xa0\xe4 \xed\xa0\x80 \xc0\xaf a\xf0\x9f\x98b \xc3".to_vec());
    inputs.push((0..=255).collect());
    inputs.push((0..2000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect());
    inputs
}

#[test]
fn it_does_not_matter_where_a_file_is_cut() {
    for input in hard_inputs().into_iter().filter(|input| input.len() < 300) {
        let whole: Vec<&str> = words(&input).collect();
        for first in 0..=input.len() {
            for second in first..=input.len() {
                let cuts = [0, first, second, input.len()].map(|at| boundary(&input, at));
                let pieces = cuts.windows(2).flat_map(|cut| words(&input[cut[0]..cut[1]]));
                assert!(pieces.eq(whole.iter().copied()), "{first}, {second} in {input:x?}");
            }
        }
    }
}

#[test]
fn any_number_of_processes_shares_everything_once() {
    let files = [("a", 10), ("empty", 0), ("b", 1), ("c", 100)];
    for processes in 1..20 {
        let files = files.map(|(path, len)| (path.into(), len)).to_vec();
        let shares = shares(files, processes);
        assert!(shares.len() <= processes);
        let pieces = shares.iter().flatten().map(|p| (p.path.to_str(), p.start, p.end));
        let mut next = BTreeMap::new();
        for (path, start, end) in pieces {
            let at = next.entry(path).or_insert(0);
            assert_eq!(*at, start);
            *at = end;
        }
        assert!(next.into_values().eq([10, 1, 100]));
    }
}
