//! Lists of stop words, by the names that Milvus gives them, and the filter that drops them.

use std::collections::{BTreeSet, HashSet};

/// Names and contents of the lists.
pub(crate) const LISTS: &[(&str, &str)] = &[
    ("_danish_", include_str!("../../data/stop/danish.txt")),
    ("_dutch_", include_str!("../../data/stop/dutch.txt")),
    ("_english_", include_str!("../../data/stop/english.txt")),
    ("_finnish_", include_str!("../../data/stop/finnish.txt")),
    ("_french_", include_str!("../../data/stop/french.txt")),
    ("_german_", include_str!("../../data/stop/german.txt")),
    ("_hungarian_", include_str!("../../data/stop/hungarian.txt")),
    ("_italian_", include_str!("../../data/stop/italian.txt")),
    ("_norwegian_", include_str!("../../data/stop/norwegian.txt")),
    ("_portuguese_", include_str!("../../data/stop/portuguese.txt")),
    ("_russian_", include_str!("../../data/stop/russian.txt")),
    ("_spanish_", include_str!("../../data/stop/spanish.txt")),
    ("_swedish_", include_str!("../../data/stop/swedish.txt")),
];

/// Whether `word` is written like the name of a list.
pub(crate) fn is_name(word: &str) -> bool {
    word.len() > 2 && word.starts_with('_') && word.ends_with('_')
}

/// The words of a list.
pub(crate) fn list(name: &str) -> Option<impl Iterator<Item = &'static str>> {
    LISTS.iter().find(|(known, _)| *known == name).map(|(_, words)| words.lines())
}

/// A set of words. Case matters.
pub(crate) struct StopWords {
    words: HashSet<Box<str>>,
    /// Most tokens are longer than every stop word.
    longest: usize,
}

impl StopWords {
    /// The words given, and those of the lists that are given by name.
    pub(super) fn new(given: &BTreeSet<String>) -> Self {
        let mut words: HashSet<Box<str>> = HashSet::new();
        for word in given {
            match list(word) {
                Some(list) => words.extend(list.map(Box::from)),
                None => {
                    words.insert(word.as_str().into());
                }
            }
        }
        let longest = words.iter().map(|word| word.len()).max().unwrap_or(0);
        Self { words, longest }
    }

    pub(super) fn contains(&self, token: &str) -> bool {
        token.len() <= self.longest && self.words.contains(token)
    }
}
