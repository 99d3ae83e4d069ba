//! Tables of replacements of characters, as SentencePiece compiles them into its models.
//!
//! The format: four bytes with the length of a double-array trie, the trie, and replacements that each
//! end with a zero byte, at whose positions the trie's values are.
//! <https://github.com/google/sentencepiece/blob/master/src/normalizer.cc>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use unicode_segmentation::UnicodeSegmentation;

use super::json::Bad;
use super::text::Text;

/// Graphemes of more bytes are replaced character by character, as `tokenizers` does.
const LONGEST_GRAPHEME: usize = 5;

/// A table.
#[derive(Debug)]
pub(super) struct CharsMap {
    trie: Vec<u32>,
    replacements: String,
}

impl CharsMap {
    /// A table in base 64.
    pub(super) fn new(text: &str) -> Result<Self, Bad> {
        let bad = || Bad::new("normalizer \"Precompiled\" has no valid table");
        let longest = text.len().div_ceil(4) * 3;
        let mut bytes = memory::filled(longest, 0).map_err(Bad::out_of_memory)?;
        let len = STANDARD.decode_slice(text, &mut bytes).map_err(|_| bad())?;
        bytes.truncate(len);
        let (len, rest) = bytes.split_first_chunk::<4>().ok_or_else(bad)?;
        let len = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| bad())?;
        let (trie, replacements) = rest.split_at_checked(len).ok_or_else(bad)?;
        let (units, []) = trie.as_chunks::<4>() else {
            return Err(bad());
        };
        let trie = memory::collected(units.iter().map(|unit| u32::from_le_bytes(*unit)));
        let replacements = memory::copied(replacements).map_err(Bad::out_of_memory)?;
        Ok(Self {
            trie: trie.map_err(Bad::out_of_memory)?,
            replacements: String::from_utf8(replacements).map_err(|_| bad())?,
        })
    }

    /// The replacement of the shortest beginning of `text` that has one.
    fn replacement(&self, text: &str) -> Option<&str> {
        let unit = |node: usize| self.trie.get(node).map(|unit| *unit as usize);
        let offset = |unit: usize| (unit >> 10) << ((unit & (1 << 9)) >> 6);
        let mut node = offset(unit(0)?);
        for byte in text.bytes().take_while(|byte| *byte != 0) {
            node ^= usize::from(byte);
            let found = unit(node)?;
            if found & ((1 << 31) | 0xff) != usize::from(byte) {
                return None;
            }
            node ^= offset(found);
            if (found >> 8) & 1 == 1 {
                let start = unit(node)? & ((1 << 31) - 1);
                let rest = self.replacements.get(start..)?;
                return rest.split('\0').next();
            }
        }
        None
    }

    /// `text` with everything replaced that has a replacement.
    ///
    /// # Errors
    /// [`Bad`] if that is longer than `most`, or memory is refused.
    pub(super) fn apply(&self, text: &str, most: usize) -> Result<String, Bad> {
        let mut changed = Text::new(text.len(), most)?;
        for grapheme in text.graphemes(true) {
            if grapheme.len() <= LONGEST_GRAPHEME
                && let Some(replacement) = self.replacement(grapheme)
            {
                changed.push_str(replacement)?;
                continue;
            }
            for c in grapheme.chars() {
                match self.replacement(c.encode_utf8(&mut [0; 4])) {
                    Some(replacement) => changed.push_str(replacement)?,
                    None => changed.push(c)?,
                }
            }
        }
        Ok(changed.into_string())
    }
}
