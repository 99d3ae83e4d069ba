//! Queries of PostgreSQL's text search.
//!
//! The host's own parser splits texts into words, so that words of queries are those of documents.
//! A query names words between quotes, joined by operators.

use std::collections::BTreeMap;

/// Longest word that documents are searched for: the host does not index longer ones.
const MAX_WORD: usize = 2000;

/// Words of a loose phrase.
const MAX_WORDS: usize = 256;

/// How many orders of words a query for a loose phrase may name.
const MAX_ORDERS: usize = 1024;

/// Any of the words of `text`, or `None` when it has none.
///
/// A run of characters without white space counts as one word (`3.14`), and so do the runs of letters
/// and digits within (`well-known`).
pub(crate) fn any_word(text: &str) -> Option<String> {
    let mut words = Vec::new();
    for run in runs(text) {
        words.push(run);
        let parts = run.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
        words.extend(parts.filter(|part| *part != run));
    }
    words.sort_unstable();
    words.dedup();
    let words: Vec<_> = words.into_iter().map(quoted).collect();
    (!words.is_empty()).then(|| words.join(" | "))
}

/// The words of `text` in their order, each up to `slop` places off in sum. `None` when there are too
/// many ways to place them.
///
/// Moving a word from its place behind the one before by one costs 1, so that two words that have
/// changed places cost 2.
pub(crate) fn phrase(text: &str, slop: u32) -> Option<String> {
    let words: Vec<_> = runs(text).collect();
    if words.len() > MAX_WORDS {
        return None;
    }
    let slop = i64::from(slop);
    let mut orders = Vec::new();
    place(&words, slop, &mut vec![0], &mut orders)?;
    let mut queries: Vec<_> = orders.iter().filter_map(|places| in_order(&words, places)).collect();
    queries.sort();
    queries.dedup();
    Some(queries.join(" | "))
}

/// Appends all ways to place the words that come after those placed already. `None` when there are
/// too many.
fn place(words: &[&str], slop: i64, placed: &mut Vec<i64>, all: &mut Vec<Vec<i64>>) -> Option<()> {
    if placed.len() >= words.len() {
        all.push(placed.clone());
        return (all.len() <= MAX_ORDERS).then_some(());
    }
    let last = *placed.last()?;
    for off in -slop..=slop {
        placed.push(last + 1 + off);
        place(words, slop - off.abs(), placed, all)?;
        placed.pop();
    }
    Some(())
}

/// The query for words at the given places. `None` when two of them share one.
fn in_order(words: &[&str], places: &[i64]) -> Option<String> {
    let by_place: BTreeMap<_, _> = places.iter().zip(words).collect();
    if by_place.len() < words.len() {
        return None;
    }
    let mut query = String::new();
    let mut last = None;
    for (place, word) in by_place {
        if let Some(last) = last {
            query.push_str(&format!(" <{}> ", place - last));
        }
        query.push_str(&quoted(word));
        last = Some(place);
    }
    Some(format!("({query})"))
}

/// How many words `text` has.
pub(crate) fn count(text: &str) -> usize {
    runs(text).count()
}

/// Runs of characters without white space that hold a letter or a digit.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let word = |run: &&str| run.len() <= MAX_WORD && run.contains(char::is_alphanumeric);
    text.split_whitespace().filter(word)
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted() {
        assert_eq!(any_word(" ,; "), None);
        assert_eq!(any_word("b a").as_deref(), Some("'a' | 'b'"));
        assert_eq!(
            any_word(r"it's a\b").as_deref(),
            Some(r"'a' | 'a\\b' | 'b' | 'it' | 'it''s' | 's'")
        );
        assert_eq!(any_word("' | !x:* &").as_deref(), Some("'!x:*' | 'x'"));
    }

    #[test]
    fn loose_phrases_name_all_orders() {
        assert_eq!(phrase("a b", 0).as_deref(), Some("('a' <1> 'b')"));
        assert_eq!(phrase("a b", 1).as_deref(), Some("('a' <1> 'b') | ('a' <2> 'b')"));
        assert_eq!(
            phrase("a b", 2).as_deref(),
            Some("('a' <1> 'b') | ('a' <2> 'b') | ('a' <3> 'b') | ('b' <1> 'a')")
        );
        assert_eq!(phrase("a", 5).as_deref(), Some("('a')"));
        assert_eq!(phrase("a b c d e", 9), None);
        assert_eq!(phrase("a b", u32::MAX), None);
        assert_eq!(phrase(&"a ".repeat(100), 1).map(|_| ()), Some(()));
    }
}
