//! Fragments of a text in which matching tokens are marked: Milvus's lexical highlighter.

/// Most fragments of one text.
pub const MAX_FRAGMENTS: usize = 10_000;

/// How matches are marked, and what of the text is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Highlighter<'a> {
    /// Written before each match; the first match in a fragment gets the first tag, and so on in
    /// rotation. Nothing is written if there is no tag.
    pub pre_tags: Vec<&'a str>,
    /// Written after each match, in rotation.
    pub post_tags: Vec<&'a str>,
    /// Characters shown before the first match of a fragment.
    pub fragment_offset: usize,
    /// Characters of a fragment. It is longer if a match reaches over its end.
    pub fragment_size: usize,
    /// Most fragments returned.
    pub fragments: usize,
}

impl Default for Highlighter<'_> {
    /// Milvus's defaults.
    fn default() -> Self {
        Self {
            pre_tags: vec!["<em>"],
            post_tags: vec!["</em>"],
            fragment_offset: 0,
            fragment_size: 100,
            fragments: 5,
        }
    }
}

/// A fragment, in bytes of the text.
struct Fragment {
    start: usize,
    end: usize,
    matches: Vec<(usize, usize)>,
}

impl Highlighter<'_> {
    /// Returns the fragments of `text`, each beginning at a match, or `fragment_offset` characters
    /// before it. `matches` has start and end of the tokens that match, in bytes and any order;
    /// those that touch become one, and those that do not lie on characters are ignored.
    pub fn fragments(&self, text: &str, matches: &[(usize, usize)]) -> Vec<String> {
        self.cut(text, &merge(text, matches))
            .iter()
            .map(|fragment| self.mark(text, fragment))
            .collect()
    }

    fn cut(&self, text: &str, matches: &[(usize, usize)]) -> Vec<Fragment> {
        let mut fragments: Vec<Fragment> = Vec::new();
        for &(start, end) in matches {
            match fragments.last_mut() {
                Some(last) if start <= last.end => {
                    last.matches.push((start, end));
                    last.end = last.end.max(end);
                }
                _ => {
                    if fragments.len() >= self.fragments.min(MAX_FRAGMENTS) {
                        break;
                    }
                    let from = back(text, start, self.fragment_offset);
                    let size_end = forward(text, from, self.fragment_size);
                    let matches = vec![(start, end)];
                    fragments.push(Fragment { start: from, end: end.max(size_end), matches });
                }
            }
        }
        fragments
    }

    fn mark(&self, text: &str, fragment: &Fragment) -> String {
        let mut marked = String::new();
        let mut at = fragment.start;
        let mut pre_tags = self.pre_tags.iter().cycle();
        let mut post_tags = self.post_tags.iter().cycle();
        for &(start, end) in &fragment.matches {
            // A fragment may begin inside of a match of the fragment before it.
            marked.push_str(text.get(at..start).unwrap_or_default());
            marked.push_str(pre_tags.next().copied().unwrap_or_default());
            marked.push_str(text.get(start..end).unwrap_or_default());
            marked.push_str(post_tags.next().copied().unwrap_or_default());
            at = end;
        }
        marked.push_str(text.get(at..fragment.end).unwrap_or_default());
        marked
    }
}

/// The matches in ascending order; those that overlap or touch are one.
fn merge(text: &str, matches: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let on_characters = |&&(start, end): &&(usize, usize)| text.get(start..end).is_some();
    let mut sorted: Vec<(usize, usize)> = matches.iter().filter(on_characters).copied().collect();
    sorted.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::with_capacity(sorted.len());
    for (start, end) in sorted {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// The byte `characters` characters before `at`.
fn back(text: &str, at: usize, characters: usize) -> usize {
    let Some(last) = characters.checked_sub(1) else { return at };
    let before = text.get(..at).unwrap_or_default();
    before.char_indices().rev().nth(last).map_or(0, |(byte, _)| byte)
}

/// The byte `characters` characters after `at`.
fn forward(text: &str, at: usize, characters: usize) -> usize {
    let after = text.get(at..).unwrap_or_default();
    after.char_indices().nth(characters).map_or(text.len(), |(byte, _)| at.saturating_add(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Milvus supports full text search. Use BM25 for keyword relevance. Filters can narrow results.";

    fn braces() -> Highlighter<'static> {
        Highlighter { pre_tags: vec!["{"], post_tags: vec!["}"], ..Highlighter::default() }
    }

    fn find(word: &str) -> (usize, usize) {
        let start = TEXT.find(word).expect("is in the text");
        (start, start + word.len())
    }

    #[test]
    fn examples_of_milvus() {
        let bm25 = [find("BM25")];
        let expected = "{BM25} for keyword relevance. Filters can narrow results.";
        assert_eq!(braces().fragments(TEXT, &bm25), [expected]);
        let shifted =
            Highlighter { fragment_offset: 4, fragment_size: 60, fragments: 1, ..braces() };
        let expected = "Use {BM25} for keyword relevance. Filters can narrow results.";
        assert_eq!(shifted.fragments(TEXT, &bm25), [expected]);
    }

    #[test]
    fn fragments_end_at_their_size_or_with_a_match() {
        let short = Highlighter { fragment_size: 10, ..braces() };
        let matches = [find("Filters"), find("Milvus"), find("text"), find("full")];
        let expected = ["{Milvus} sup", "{full} {text} ", "{Filters} ca"];
        assert_eq!(short.fragments(TEXT, &matches), expected);
        let two = Highlighter { fragments: 2, ..short };
        assert_eq!(two.fragments(TEXT, &matches), expected[..2]);
        let none = Highlighter { fragment_size: 1, ..braces() };
        assert_eq!(none.fragments(TEXT, &[find("Milvus")]), ["{Milvus}"]);
        assert!(braces().fragments(TEXT, &[]).is_empty());
    }

    #[test]
    fn tags_rotate_and_matches_that_touch_are_one() {
        let tags =
            Highlighter { pre_tags: vec!["<", "["], post_tags: vec![">", "]", ")"], ..braces() };
        let text = "中文分词 测试 中文";
        let matches = [(0, 6), (6, 12), (3, 9), (13, 19), (20, 26)];
        assert_eq!(tags.fragments(text, &matches), ["<中文分词> [测试] <中文)"]);
    }

    #[test]
    fn offsets_off_characters_are_ignored() {
        assert!(braces().fragments("中文", &[(1, 3), (0, 99), (6, 3)]).is_empty());
    }
}
