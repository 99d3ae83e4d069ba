//! Classes of characters that tokenizers tell apart.
//!
//! The library `tokenizers` has them from tables of Unicode 8 and 9. Characters that are younger are in
//! none of its classes, so they are in none of these.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// Characters, as ranges in their order.
struct Ranges(Vec<(char, char)>);

impl Ranges {
    /// What a class of a regular expression has.
    fn new(class: &str) -> Self {
        let hir = regex_syntax::parse(class).map(regex_syntax::hir::Hir::into_kind);
        match hir {
            Ok(HirKind::Class(Class::Unicode(class))) => {
                Self(class.iter().map(|range| (range.start(), range.end())).collect())
            }
            // The classes below are all of Unicode.
            _ => Self(Vec::new()),
        }
    }

    fn contains(&self, c: char) -> bool {
        let after = self.0.partition_point(|(start, _)| *start <= c);
        after.checked_sub(1).is_some_and(|at| c <= self.0[at].1)
    }
}

static PUNCTUATION: LazyLock<Ranges> =
    LazyLock::new(|| Ranges::new(r"[\p{P}\x{166d}&&\p{Age=8.0}]"));
static MARKS: LazyLock<Ranges> = LazyLock::new(|| Ranges::new(r"[\p{M}&&\p{Age=9.0}]"));
static NARROW_MARKS: LazyLock<Ranges> = LazyLock::new(|| Ranges::new(r"[\p{Mn}&&\p{Age=8.0}]"));
static OTHER: LazyLock<Ranges> =
    LazyLock::new(|| Ranges::new(r"[[\p{Cc}\p{Cf}\p{Co}]&&\p{Age=8.0}]"));

/// Punctuation as BERT has it: with all symbols of ASCII.
pub(super) fn is_punctuation(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_punctuation() } else { PUNCTUATION.contains(c) }
}

/// Marks of all kinds.
pub(super) fn is_mark(c: char) -> bool {
    !c.is_ascii() && MARKS.contains(c)
}

/// Marks without a width of their own, such as accents: those that BERT removes.
pub(super) fn is_narrow_mark(c: char) -> bool {
    !c.is_ascii() && NARROW_MARKS.contains(c)
}

/// Control characters as BERT has them.
pub(super) fn is_control(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        _ if c.is_ascii() => c.is_ascii_control(),
        _ => OTHER.contains(c),
    }
}

/// Chinese characters as BERT has them.
pub(super) fn is_chinese(c: char) -> bool {
    matches!(
        c,
        '\u{4e00}'..='\u{9fff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{20000}'..='\u{2a6df}'
            | '\u{2a700}'..='\u{2b73f}'
            | '\u{2b740}'..='\u{2b81f}'
            | '\u{2b920}'..='\u{2ceaf}'
            | '\u{f900}'..='\u{faff}'
            | '\u{2f800}'..='\u{2fa1f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_of_unicode() {
        assert!(is_punctuation('\u{166d}') && !is_punctuation('\u{61d}'));
        assert!(is_punctuation('$') && is_punctuation('\u{2014}') && !is_punctuation('\u{20ac}'));
        assert!(is_mark('\u{301}') && !is_mark('a') && !is_mark('\u{e9}'));
        // A vowel sign that has a width, an accent of Unicode 9, and one of Unicode 14.
        assert!(is_mark('\u{903}') && is_mark('\u{8e0}') && !is_mark('\u{8ca}'));
        assert!(is_narrow_mark('\u{301}'));
        assert!(!is_narrow_mark('\u{903}') && !is_narrow_mark('\u{8e0}'));
        assert!(is_control('\u{200d}') && is_control('\0') && is_control('\u{e000}'));
        assert!(!is_control('\n') && !is_control('\u{378}') && !is_control(' '));
    }
}
