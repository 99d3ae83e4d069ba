//! PostgreSQL's text-search configurations: words of a text by parser and dictionaries.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::slice;

use crc32fast::Hasher;
use pgrx::PgSqlErrorCode::{ERRCODE_NAME_TOO_LONG, ERRCODE_UNDEFINED_OBJECT};
use pgrx::pg_sys::{self, Oid, ParsedText, ParsedWord};

use super::catalog::{dictionary_options, text_search_name};
use super::encoding::{decode, encode};
use super::error::Report;
use super::memory::{new_context, within};

/// Bytes of a text that are parsed at a time, or more if there is no space behind them.
/// PostgreSQL counts positions to 16,383, and no 20,000 bytes have as many words.
const CHUNK: usize = 20_000;

/// Bytes of the longest name that is looked for: schema and name, quoted, with every quote doubled.
const MAX_NAME: usize = 4 * pg_sys::NAMEDATALEN as usize;

/// A text-search configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration(Oid);

impl Configuration {
    /// The configuration of a name, which is looked for in the search path unless it has a schema.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<Configuration, Report> {
        if name.len() > MAX_NAME {
            let message = "name of a text search configuration is too long";
            return Err(Report::new(ERRCODE_NAME_TOO_LONG, message));
        }
        let c_name = encode(name)?;
        // SAFETY: a new `text` of a string that ends with NUL becomes a list of names.
        let oid = unsafe {
            let names = pg_sys::textToQualifiedNameList(pg_sys::cstring_to_text(c_name.as_ptr()));
            pg_sys::get_ts_config_oid(names, true)
        };
        if oid == Oid::INVALID {
            let message = format!("text search configuration \"{name}\" does not exist");
            return Err(Report::new(ERRCODE_UNDEFINED_OBJECT, message));
        }
        Ok(Configuration(oid))
    }

    /// The name with its schema, quoted.
    ///
    /// # Errors
    /// If a name is no text.
    pub fn qualified_name(self) -> Result<String, Report> {
        text_search_name(pg_sys::SysCacheIdentifier::TSCONFIGOID, self.0)
    }

    /// A checksum of the parser, and of the dictionaries of each type of token with their options.
    ///
    /// # Errors
    /// If a name is no text.
    pub fn fingerprint(self) -> Result<u32, Report> {
        // SAFETY: the entry is valid until the next look-up of a configuration, and has `lenmap`
        // lists with as many dictionaries as each says.
        let (parser, lists) = unsafe {
            let entry = &*pg_sys::lookup_ts_config_cache(self.0);
            let lists = if entry.map.is_null() {
                &[]
            } else {
                slice::from_raw_parts(entry.map, usize::try_from(entry.lenmap).unwrap_or(0))
            };
            let dictionaries = |list: &pg_sys::ListDictionary| {
                if list.dictIds.is_null() {
                    return Vec::new();
                }
                slice::from_raw_parts(list.dictIds, usize::try_from(list.len).unwrap_or(0)).to_vec()
            };
            (entry.prsId, lists.iter().map(dictionaries).collect::<Vec<_>>())
        };
        let mut hasher = Hasher::new();
        let cache = pg_sys::SysCacheIdentifier::TSPARSEROID;
        hasher.update(text_search_name(cache, parser)?.as_bytes());
        for (kind, list) in lists.iter().enumerate() {
            for &dictionary in list {
                let cache = pg_sys::SysCacheIdentifier::TSDICTOID;
                hasher.update(&(kind as u64).to_le_bytes());
                hasher.update(text_search_name(cache, dictionary)?.as_bytes());
                hasher.update(dictionary_options(dictionary)?.as_bytes());
                hasher.update(&[0]);
            }
        }
        Ok(hasher.finalize())
    }

    /// Calls `sink` with each lexeme of `text` and its position, which counts from 0 and includes
    /// stop words. PostgreSQL raises an error if a dictionary fails.
    ///
    /// # Errors
    /// If `text` or a lexeme cannot be converted between UTF-8 and the encoding of the database.
    pub fn lexemes(self, text: &str, sink: &mut dyn FnMut(&str, u32)) -> Result<(), Report> {
        let text = encode(text)?;
        let mut rest = text.as_bytes();
        let mut first: u32 = 0;
        while !rest.is_empty() {
            pgrx::check_for_interrupts!();
            let (chunk, tail) = rest.split_at(cut(rest));
            rest = tail;
            first = first.saturating_add(self.parse(chunk, &mut |word, position| {
                sink(word, first.saturating_add(position));
            })?);
        }
        Ok(())
    }

    /// The lexemes of one chunk. Returns how many positions they take.
    fn parse(self, chunk: &[u8], sink: &mut dyn FnMut(&str, u32)) -> Result<u32, Report> {
        // SAFETY: the context is a child of the current one, so that an error frees it, too. The
        // parser writes to `words`, which it enlarges, and reads `chunk` only.
        let (context, parsed) = unsafe {
            let context = new_context(pg_sys::CurrentMemoryContext, c"vector_ext lexemes");
            let parsed = within(context, || {
                let n_words = (chunk.len() / 6).clamp(2, 1 << 20);
                let mut parsed = ParsedText {
                    words: pg_sys::palloc(n_words * size_of::<ParsedWord>()).cast(),
                    lenwords: n_words as i32,
                    curwords: 0,
                    pos: 0,
                };
                let bytes = chunk.as_ptr().cast_mut().cast();
                pg_sys::parsetext(self.0, &raw mut parsed, bytes, chunk.len() as i32);
                parsed
            });
            (context, parsed)
        };
        // SAFETY: the parser has written as many words, each of `len` bytes.
        let words = unsafe { slice::from_raw_parts(parsed.words, parsed.curwords as usize) };
        for word in words {
            // SAFETY: as above; of the union, the parser sets `pos`.
            let (bytes, position) = unsafe {
                let bytes = slice::from_raw_parts(word.word.cast::<u8>(), usize::from(word.len));
                (bytes, u32::from(word.pos.pos))
            };
            if !bytes.is_empty() {
                sink(&decode(bytes)?, position.saturating_sub(1));
            }
        }
        // SAFETY: nothing in the context is used any more.
        unsafe { pg_sys::MemoryContextDelete(context) };
        Ok(u32::try_from(parsed.pos).unwrap_or(0))
    }
}

/// Where to end a chunk: behind the first ASCII white space after `CHUNK` bytes. In all encodings of
/// databases, such a byte is a character of its own.
fn cut(text: &[u8]) -> usize {
    let space = |byte: &u8| byte.is_ascii_whitespace();
    let behind = text.get(CHUNK..).and_then(|rest| rest.iter().position(space));
    behind.map_or(text.len(), |space| CHUNK + space + 1)
}
