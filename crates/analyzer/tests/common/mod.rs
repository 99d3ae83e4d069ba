//! What the tests share.

#![allow(dead_code)] // not every test program uses everything

use analyzer::Analyzer;

/// A token that owns its text: text, start, end, position, positions spanned.
pub type Owned = (String, usize, usize, u32, u32);

pub fn analyzer(json: &str) -> Analyzer {
    Analyzer::from_json(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

pub fn tokens(analyzer: &Analyzer, text: &str) -> Vec<Owned> {
    let mut tokens = Vec::new();
    analyzer.tokens(text, &mut |token| {
        tokens.push((
            token.text.to_owned(),
            token.start,
            token.end,
            token.position,
            token.position_length,
        ));
    });
    tokens
}
