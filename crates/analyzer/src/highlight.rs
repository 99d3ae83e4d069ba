//! Fragments of a text in which matching tokens are marked: Milvus's lexical highlighter.

use crate::error::{Error, ErrorKind, Result};

/// Bytes of all fragments of a text. A short text can ask for many and large tags.
const MAX_BYTES: usize = 64 << 20;

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
struct Fragment<'m> {
    start: usize,
    end: usize,
    matches: &'m [(usize, usize)],
}

impl Highlighter<'_> {
    /// Returns the fragments of `text`, each beginning at a match, or `fragment_offset` characters
    /// before it. `matches` has start and end of the tokens that match, in bytes and any order;
    /// those that touch become one, and those that do not lie on characters are ignored.
    ///
    /// # Errors
    /// If the fragments have more than 64 MB.
    pub fn fragments(&self, text: &str, mut matches: Vec<(usize, usize)>) -> Result<Vec<String>> {
        merge(text, &mut matches);
        let fragments = self.cut(text, &matches);
        let size = fragments.iter().map(|fragment| self.size(fragment));
        let size = size.fold(0, usize::saturating_add);
        if size > MAX_BYTES {
            let message = format!("highlighted fragments have {size} bytes, max {MAX_BYTES}");
            return Err(Error::new(ErrorKind::Limit, message)
                .hint("Ask for fewer or shorter fragments, or use shorter tags."));
        }
        Ok(fragments.iter().map(|fragment| self.mark(text, fragment)).collect())
    }

    fn cut<'m>(&self, text: &str, matches: &'m [(usize, usize)]) -> Vec<Fragment<'m>> {
        let mut fragments: Vec<Fragment<'m>> = Vec::new();
        let mut rest = matches;
        while let Some(&(start, mut last)) = rest.first() {
            if fragments.len() >= self.fragments.min(MAX_FRAGMENTS) {
                break;
            }
            let from = back(text, start, self.fragment_offset);
            let size_end = forward(text, from, self.fragment_size);
            let mut count: usize = 0;
            for &(start, end) in rest {
                if count > 0 && start > last.max(size_end) {
                    break;
                }
                last = end;
                count = count.saturating_add(1);
            }
            let (matches, tail) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            fragments.push(Fragment { start: from, end: last.max(size_end), matches });
            rest = tail;
        }
        fragments
    }

    fn size(&self, fragment: &Fragment<'_>) -> usize {
        let tags = fragment.matches.iter().zip(self.tags());
        let tags = tags.map(|(_, (pre, post))| pre.len().saturating_add(post.len()));
        tags.fold(fragment.end.saturating_sub(fragment.start), usize::saturating_add)
    }

    fn mark(&self, text: &str, fragment: &Fragment<'_>) -> String {
        let mut marked = String::new();
        let mut at = fragment.start;
        for (&(start, end), (pre, post)) in fragment.matches.iter().zip(self.tags()) {
            for part in [text.get(at..start), Some(pre), text.get(start..end), Some(post)] {
                marked.push_str(part.unwrap_or_default());
            }
            at = end;
        }
        marked.push_str(text.get(at..fragment.end).unwrap_or_default());
        marked
    }

    /// The tags of the matches of a fragment.
    fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        (0..).map(|index| (rotated(&self.pre_tags, index), rotated(&self.post_tags, index)))
    }
}

fn rotated<'a>(tags: &[&'a str], index: usize) -> &'a str {
    let index = index.checked_rem(tags.len());
    index.and_then(|index| tags.get(index).copied()).unwrap_or_default()
}

/// Puts the matches in ascending order, and makes one of those that overlap or touch.
fn merge(text: &str, matches: &mut Vec<(usize, usize)>) {
    matches.retain(|&(start, end)| text.get(start..end).is_some());
    matches.sort_unstable();
    matches.dedup_by(|next, last| {
        let touches = next.0 <= last.1;
        if touches {
            last.1 = last.1.max(next.1);
        }
        touches
    });
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

    fn fragments(highlighter: &Highlighter, text: &str, matches: &[(usize, usize)]) -> Vec<String> {
        highlighter.fragments(text, matches.to_vec()).expect("are not large")
    }

    fn find(word: &str) -> (usize, usize) {
        let start = TEXT.find(word).expect("is in the text");
        (start, start + word.len())
    }

    #[test]
    fn examples_of_milvus() {
        let bm25 = [find("BM25")];
        let expected = "{BM25} for keyword relevance. Filters can narrow results.";
        assert_eq!(fragments(&braces(), TEXT, &bm25), [expected]);
        let shifted =
            Highlighter { fragment_offset: 4, fragment_size: 60, fragments: 1, ..braces() };
        let expected = "Use {BM25} for keyword relevance. Filters can narrow results.";
        assert_eq!(fragments(&shifted, TEXT, &bm25), [expected]);
    }

    #[test]
    fn fragments_end_at_their_size_or_with_a_match() {
        let short = Highlighter { fragment_size: 10, ..braces() };
        let matches = [find("Filters"), find("Milvus"), find("text"), find("full")];
        let expected = ["{Milvus} sup", "{full} {text} ", "{Filters} ca"];
        assert_eq!(fragments(&short, TEXT, &matches), expected);
        let two = Highlighter { fragments: 2, ..short };
        assert_eq!(fragments(&two, TEXT, &matches), expected[..2]);
        let none = Highlighter { fragment_size: 1, ..braces() };
        assert_eq!(fragments(&none, TEXT, &[find("Milvus")]), ["{Milvus}"]);
        assert!(fragments(&braces(), TEXT, &[]).is_empty());
    }

    #[test]
    fn tags_rotate_and_matches_that_touch_are_one() {
        let tags =
            Highlighter { pre_tags: vec!["<", "["], post_tags: vec![">", "]", ")"], ..braces() };
        let text = "中文分词 测试 中文";
        let matches = [(0, 6), (6, 12), (3, 9), (13, 19), (20, 26)];
        assert_eq!(fragments(&tags, text, &matches), ["<中文分词> [测试] <中文)"]);
    }

    #[test]
    fn offsets_off_characters_are_ignored() {
        assert!(fragments(&braces(), "中文", &[(1, 3), (0, 99), (6, 3)]).is_empty());
    }

    #[test]
    fn large_output_is_refused() {
        let tag = "x".repeat(1 << 20);
        let large = Highlighter { pre_tags: vec![&tag], ..braces() };
        let text = "a ".repeat(100);
        let matches: Vec<_> = (0..100).map(|word| (2 * word, 2 * word + 1)).collect();
        assert!(large.fragments(&text, matches[..30].to_vec()).is_ok());
        let error = large.fragments(&text, matches).expect_err("is large");
        assert_eq!(error.kind, ErrorKind::Limit);
    }
}
