//! Parts of a text, for tokenizers that need memory in proportion to what they read.

/// Bytes of a part.
const CHUNK: usize = 64 << 10;

/// Splits `text` into parts of at most 64 kB that begin with a letter or digit after white space,
/// where no tokenizer joins tokens. A text that has no such place in 64 kB is cut between any two
/// characters.
pub(super) fn chunks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (chunk, tail) = rest.split_at_checked(cut(rest))?;
        rest = tail;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn cut(text: &str) -> usize {
    if text.len() <= CHUNK {
        return text.len();
    }
    let end = text.floor_char_boundary(CHUNK);
    let mut begins = false;
    for (at, c) in text.get(..end).unwrap_or(text).char_indices().rev() {
        if begins && c.is_ascii_whitespace() {
            // White space of ASCII has one byte.
            return at.saturating_add(1);
        }
        begins = c.is_alphanumeric();
    }
    end
}
