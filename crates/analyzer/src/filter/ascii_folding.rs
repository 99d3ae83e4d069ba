//! Replaces characters by those of ASCII that look or sound like them, as Lucene does.

use std::sync::LazyLock;

/// Characters, in ascending order, and what replaces each.
static TABLE: LazyLock<Vec<(char, &str)>> = LazyLock::new(|| {
    let mut table: Vec<(char, &str)> = include_str!("../../data/ascii_folding.txt")
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .flat_map(|(ascii, characters)| characters.chars().map(move |c| (c, ascii)))
        .collect();
    table.sort_unstable_by_key(|entry| entry.0);
    table
});

pub(super) fn fold(text: &str, folded: &mut String) -> bool {
    if text.is_ascii() {
        return false;
    }
    for c in text.chars() {
        match replacement(c) {
            Some(ascii) => folded.push_str(ascii),
            None => folded.push(c),
        }
    }
    true
}

fn replacement(c: char) -> Option<&'static str> {
    if c.is_ascii() {
        return None;
    }
    let found = TABLE.binary_search_by_key(&c, |entry| entry.0).ok()?;
    TABLE.get(found).map(|entry| entry.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_a_function_to_ascii() {
        assert_eq!(TABLE.len(), 1242);
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(TABLE.iter().all(|(c, ascii)| !c.is_ascii() && ascii.is_ascii()));
    }

    #[test]
    fn characters_are_replaced() {
        let mut folded = String::new();
        assert!(fold("Ærøskøbing ½ ß ﬃ ⒛ 中", &mut folded));
        assert_eq!(folded, "AEroskobing ½ ss ffi 20. 中");
        assert!(!fold("plain", &mut folded));
    }
}
