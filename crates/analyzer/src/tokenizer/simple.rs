//! `standard` and `whitespace`: tokens are what stands between separators.

use crate::Token;

/// Splits at every character that is neither a letter nor a digit.
pub(super) fn standard(text: &str, sink: &mut dyn FnMut(Token<'_>)) {
    split(text, |byte| byte.is_ascii_alphanumeric(), char::is_alphanumeric, sink);
}

/// Splits at ASCII white space.
pub(super) fn whitespace(text: &str, sink: &mut dyn FnMut(Token<'_>)) {
    split(text, |byte| !byte.is_ascii_whitespace(), |_| true, sink);
}

/// Reports maximal runs of characters that belong to tokens: for ASCII `byte_belongs` tells, for
/// others `char_belongs`.
#[inline(always)]
fn split(
    text: &str,
    byte_belongs: impl Fn(u8) -> bool,
    char_belongs: impl Fn(char) -> bool,
    sink: &mut dyn FnMut(Token<'_>),
) {
    let bytes = text.as_bytes();
    let mut position: u32 = 0;
    let mut start = None;
    let mut at = 0;
    loop {
        // The character at `at`: whether it belongs to a token, and where it ends.
        let (belongs, next) = match bytes.get(at) {
            None => (false, at),
            Some(&byte) if byte < 0x80 => (byte_belongs(byte), at.saturating_add(1)),
            Some(_) => match text.get(at..).and_then(|rest| rest.chars().next()) {
                None => (false, at),
                Some(c) => (char_belongs(c), at.saturating_add(c.len_utf8())),
            },
        };
        match (start, belongs) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                if let Some(text) = text.get(from..at) {
                    sink(Token { text, start: from, end: at, position, position_length: 1 });
                    position = position.saturating_add(1);
                }
                start = None;
            }
            (None, false) | (Some(_), true) => {}
        }
        if next == at {
            return;
        }
        at = next;
    }
}
