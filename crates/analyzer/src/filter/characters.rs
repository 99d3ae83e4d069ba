//! Filters that look at the characters of a token.

use std::sync::LazyLock;

use regex_syntax::Parser;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Lower case, character by character: unlike `str::to_lowercase`, a final sigma is no exception.
pub(super) fn lowercase(text: &str, lower: &mut String) -> bool {
    if !text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        return false;
    }
    if text.is_ascii() {
        lower.push_str(text);
        lower.make_ascii_lowercase();
    } else {
        lower.extend(text.chars().flat_map(char::to_lowercase));
    }
    true
}

pub(super) fn is_ascii_alphanumeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

pub(super) fn has_han(text: &str) -> bool {
    text.chars().any(|c| HAN.contains(c))
}

pub(super) fn has_han_or_ascii_alphanumeric(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_alphanumeric() || HAN.contains(c))
}

pub(super) fn has_no_punctuation(text: &str) -> bool {
    !text.chars().any(|c| c.is_whitespace() || PUNCTUATION.contains(c))
}

/// Digits of all scripts become those of ASCII.
pub(super) fn decimal_digits(text: &str, digits: &mut String) -> bool {
    if !text.chars().any(|c| !c.is_ascii() && DIGITS.contains(c)) {
        return false;
    }
    digits.extend(text.chars().map(|c| match DIGITS.start(c) {
        // Unicode has the ten digits of a script in a row, and rows follow each other.
        Some(zero) if !c.is_ascii() => {
            let value = u32::from(c).saturating_sub(u32::from(zero)) % 10;
            char::from_digit(value, 10).unwrap_or(c)
        }
        _ => c,
    }));
    true
}

/// Unifies letters of Arabic that writers exchange, and drops marks for vowels and stretching.
pub(super) fn normalize_arabic(text: &str, normal: &mut String) -> bool {
    if !text.chars().any(|c| arabic(c) != Some(c)) {
        return false;
    }
    normal.extend(text.chars().filter_map(arabic));
    true
}

fn arabic(c: char) -> Option<char> {
    match c {
        // Alef with madda or hamza, teh marbuta, alef maksura.
        '\u{622}' | '\u{623}' | '\u{625}' => Some('\u{627}'),
        '\u{629}' => Some('\u{647}'),
        '\u{649}' => Some('\u{64a}'),
        // Tatweel and harakat.
        '\u{640}' | '\u{64b}'..='\u{65f}' => None,
        other => Some(other),
    }
}

static HAN: LazyLock<Characters> = LazyLock::new(|| Characters::new(r"\p{Han}"));
static PUNCTUATION: LazyLock<Characters> = LazyLock::new(|| Characters::new(r"\p{Punctuation}"));
static DIGITS: LazyLock<Characters> = LazyLock::new(|| Characters::new(r"\p{Nd}"));

/// A set of characters, as ranges in ascending order.
struct Characters(Vec<(char, char)>);

impl Characters {
    /// The characters of a class of regular expressions.
    fn new(class: &str) -> Self {
        let hir = Parser::new().parse(class);
        let Ok(HirKind::Class(Class::Unicode(class))) = hir.map(Hir::into_kind) else {
            return Self(Vec::new());
        };
        Self(class.iter().map(|range| (range.start(), range.end())).collect())
    }

    fn contains(&self, c: char) -> bool {
        self.start(c).is_some()
    }

    /// The first character of the range that `c` is in.
    fn start(&self, c: char) -> Option<char> {
        let after = self.0.partition_point(|range| range.0 <= c);
        let range = self.0.get(after.checked_sub(1)?)?;
        (c <= range.1).then_some(range.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_characters() {
        for class in [&HAN, &PUNCTUATION, &DIGITS] {
            assert!(class.0.len() > 15);
        }
        assert!(HAN.contains('中') && !HAN.contains('a') && !HAN.contains('あ'));
        assert!(PUNCTUATION.contains('。') && PUNCTUATION.contains('_'));
        assert!(!PUNCTUATION.contains('+'), "a symbol is no punctuation");
        assert!(DIGITS.0.iter().all(|(from, to)| (*to as u32 - *from as u32) % 10 == 9));
    }
}
