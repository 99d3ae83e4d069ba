//! Tokens of texts, and queries of PostgreSQL's text search for them.
//!
//! A query names tokens between quotes, joined by operators. Tokens are letters and digits only.

use std::collections::BTreeMap;

/// Bytes of the longest token: the host's documents hold no longer ones.
const MAX_TOKEN: usize = 2046;

/// The tokens that Milvus's analyzer `standard` makes of a text: runs of letters and digits, in lower
/// case.
pub fn tokens(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|run| !run.is_empty())
        .map(|run| run.chars().flat_map(char::to_lowercase).collect::<String>())
        .filter(|token| token.len() <= MAX_TOKEN)
}

/// Words of a loose phrase.
const MAX_WORDS: usize = 256;

/// How many orders of words a query for a loose phrase may name.
const MAX_ORDERS: usize = 1024;

/// Any of the tokens, or `None` when there is none.
pub(crate) fn any(tokens: &[String]) -> Option<String> {
    let tokens: Vec<_> = tokens.iter().map(|token| quoted(token)).collect();
    (!tokens.is_empty()).then(|| tokens.join(" | "))
}

/// The tokens in their order, each up to `slop` places off in sum. `None` when there are too many
/// ways to place them.
///
/// Moving a token from its place behind the one before by one costs 1, so that two tokens that have
/// changed places cost 2.
pub(crate) fn phrase(tokens: &[String], slop: u32) -> Option<String> {
    if tokens.len() > MAX_WORDS {
        return None;
    }
    let slop = i64::from(slop);
    let mut orders = Vec::new();
    place(tokens, slop, &mut vec![0], &mut orders)?;
    let mut queries: Vec<_> = orders.iter().filter_map(|places| in_order(tokens, places)).collect();
    queries.sort();
    queries.dedup();
    Some(queries.join(" | "))
}

/// Appends all ways to place the words that come after those placed already. `None` when there are
/// too many.
fn place(
    words: &[String],
    slop: i64,
    placed: &mut Vec<i64>,
    all: &mut Vec<Vec<i64>>,
) -> Option<()> {
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
fn in_order(words: &[String], places: &[i64]) -> Option<String> {
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

fn quoted(token: &str) -> String {
    format!("'{token}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        tokens(text).collect()
    }

    #[test]
    fn all_but_letters_and_digits_splits() {
        assert_eq!(
            of("foo@bar.com 4.5 well-known"),
            ["foo", "bar", "com", "4", "5", "well", "known"]
        );
        assert_eq!(of("http://a.b/C_d?e=F"), ["http", "a", "b", "c", "d", "e", "f"]);
        assert_eq!(of("ÉTÉ 中文,テスト 'x'"), ["été", "中文", "テスト", "x"]);
        assert_eq!(of(&"a".repeat(2047)), [""; 0]);
        assert_eq!(of(" ,; "), [""; 0]);
    }

    #[test]
    fn any_token_is_enough() {
        assert_eq!(any(&of(" ,; ")), None);
        assert_eq!(any(&of("it's ' | !x:* &")).as_deref(), Some("'it' | 's' | 'x'"));
    }

    #[test]
    fn loose_phrases_name_all_orders() {
        assert_eq!(phrase(&of("a b"), 0).as_deref(), Some("('a' <1> 'b')"));
        assert_eq!(phrase(&of("a b"), 1).as_deref(), Some("('a' <1> 'b') | ('a' <2> 'b')"));
        assert_eq!(
            phrase(&of("a b"), 2).as_deref(),
            Some("('a' <1> 'b') | ('a' <2> 'b') | ('a' <3> 'b') | ('b' <1> 'a')")
        );
        assert_eq!(phrase(&of("a"), 5).as_deref(), Some("('a')"));
        assert_eq!(phrase(&of("a b c d e"), 9), None);
        assert_eq!(phrase(&of("a b"), u32::MAX), None);
        assert_eq!(phrase(&of(&"a ".repeat(100)), 1).map(|_| ()), Some(()));
    }
}
