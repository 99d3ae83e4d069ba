//! PostgreSQL's text-search configurations: words of a text by parser and dictionaries.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::{CStr, c_char};
use std::{ptr, slice};

use crc32fast::Hasher;
use pgrx::PgSqlErrorCode::{ERRCODE_NAME_TOO_LONG, ERRCODE_UNDEFINED_OBJECT};
use pgrx::pg_sys::{self, Datum, DictSubState, Oid, ParsedText, ParsedWord, TSLexeme};

use super::catalog::{dictionary_options, text_search_name};
use super::encoding::{decode, decode_c, encode};
use super::error::Report;
use super::memory::{new_context, within};

/// Bytes of a text that are parsed at a time, or more if no white space follows them.
/// PostgreSQL counts positions to 16,383, and no 20,000 bytes have as many words.
const CHUNK: usize = 20_000;

/// Bytes of the largest chunk, if it has an end.
const MAX_CHUNK: usize = 1 << 20;

/// Bytes of the longest name that is looked for: schema and name, quoted, with every quote doubled.
const MAX_NAME: usize = 4 * pg_sys::NAMEDATALEN as usize;

/// Bytes of words that PostgreSQL does not look up any more.
const MAX_WORD: usize = 2047;

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
            let name = if name.contains('"') { name.to_owned() } else { format!("\"{name}\"") };
            let message = format!("text search configuration {name} does not exist");
            return Err(Report::new(ERRCODE_UNDEFINED_OBJECT, message));
        }
        Ok(Configuration(oid))
    }

    /// Its OID.
    pub fn oid(self) -> Oid {
        self.0
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
        let (parser, lists) = self.dictionaries();
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

    /// Calls `sink` with each word of `text` that the parser finds and each of its lexemes: the lexeme,
    /// start, and end, in bytes of `text`. A dictionary that looks at several words at a time, as a
    /// thesaurus does, is passed over.
    ///
    /// # Errors
    /// As [`Configuration::lexemes`].
    pub fn words(self, text: &str, sink: &mut dyn FnMut(&str, usize, usize)) -> Result<(), Report> {
        let encoded = encode(text)?;
        let mut rest = encoded.as_bytes();
        let mut place = Place::default();
        while !rest.is_empty() {
            pgrx::check_for_interrupts!();
            let (chunk, tail) = rest.split_at(cut(rest));
            // SAFETY: as in `parse`.
            unsafe {
                let context = new_context(pg_sys::CurrentMemoryContext, c"vector_ext words");
                let first = encoded.as_bytes().len() - rest.len();
                let found = within(context, || self.words_of(chunk))?;
                for (from, to, lexeme) in found {
                    let start = place.of(encoded.as_bytes(), first + from)?;
                    let end = place.of(encoded.as_bytes(), first + to)?;
                    sink(&lexeme, start, end);
                }
                pg_sys::MemoryContextDelete(context);
            }
            rest = tail;
        }
        Ok(())
    }

    /// The words of one chunk: start and end in the chunk, and a lexeme.
    fn words_of(self, chunk: &[u8]) -> Result<Vec<(usize, usize, String)>, Report> {
        let mut found = Vec::new();
        let length = Datum::from(chunk.len() as i32);
        // SAFETY: calls of the functions of a parser as PostgreSQL makes them. Entries of its caches
        // stay where they are. The parser tells places in `chunk`, which it does not change.
        unsafe {
            let parser = (*pg_sys::lookup_ts_config_cache(self.0)).prsId;
            let parser = pg_sys::lookup_ts_parser_cache(parser);
            let none = Oid::INVALID;
            let text = Datum::from(chunk.as_ptr());
            let state = pg_sys::FunctionCall2Coll(&raw mut (*parser).prsstart, none, text, length);
            loop {
                let (mut word, mut length): (*mut c_char, i32) = (ptr::null_mut(), 0);
                let (at, size) = (Datum::from(&raw mut word), Datum::from(&raw mut length));
                let next = &raw mut (*parser).prstoken;
                let kind = pg_sys::FunctionCall3Coll(next, none, state, at, size).value() as i32;
                let Ok(kind @ 1..) = usize::try_from(kind) else { break };
                let length = usize::try_from(length).unwrap_or(0);
                let start = (word as usize).wrapping_sub(chunk.as_ptr() as usize);
                let Some(bytes) = chunk.get(start..).and_then(|rest| rest.get(..length)) else {
                    continue;
                };
                for lexeme in self.lexemes_of(kind, bytes)? {
                    found.push((start, start + length, lexeme));
                }
            }
            pg_sys::FunctionCall1Coll(&raw mut (*parser).prsend, none, state);
        }
        Ok(found)
    }

    /// The lexemes that the dictionaries for a type of token give for a word.
    fn lexemes_of(self, kind: usize, word: &[u8]) -> Result<Vec<String>, Report> {
        let mut lexemes = Vec::new();
        if word.len() >= MAX_WORD {
            return Ok(lexemes);
        }
        let mut word = word.to_vec();
        // The list is copied: a dictionary may look up another configuration.
        for dictionary in self.dictionaries().1.into_iter().nth(kind).unwrap_or_default() {
            let mut state = DictSubState::default();
            // SAFETY: a call of a dictionary as PostgreSQL makes it. It gives null for an unknown
            // word, or an array that ends with a null lexeme.
            unsafe {
                let dictionary = pg_sys::lookup_ts_dictionary_cache(dictionary);
                let mut lexeme: *mut TSLexeme = pg_sys::FunctionCall4Coll(
                    &raw mut (*dictionary).lexize,
                    Oid::INVALID,
                    Datum::from((*dictionary).dictData),
                    Datum::from(word.as_mut_ptr()),
                    Datum::from(word.len() as i32),
                    Datum::from(&raw mut state),
                )
                .cast_mut_ptr();
                if lexeme.is_null() || state.getnext {
                    continue;
                }
                if u32::from((*lexeme).flags) & pg_sys::TSL_FILTER != 0 {
                    if !(*lexeme).lexeme.is_null() {
                        word = CStr::from_ptr((*lexeme).lexeme).to_bytes().to_vec();
                    }
                    continue;
                }
                while !(*lexeme).lexeme.is_null() {
                    lexemes.push(decode_c((*lexeme).lexeme)?);
                    lexeme = lexeme.add(1);
                }
                break;
            }
        }
        Ok(lexemes)
    }

    /// The parser, and for each type of token the dictionaries.
    fn dictionaries(self) -> (Oid, Vec<Vec<Oid>>) {
        // SAFETY: the entry is valid until the next look-up of a configuration, and has `lenmap`
        // lists with as many dictionaries as each says.
        unsafe {
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
            (entry.prsId, lists.iter().map(dictionaries).collect())
        }
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

/// Converts places in the encoding of the database to places in UTF-8. Converting goes on from the
/// last place.
#[derive(Default)]
struct Place {
    encoded: usize,
    utf8: usize,
}

impl Place {
    fn of(&mut self, text: &[u8], encoded: usize) -> Result<usize, Report> {
        let (from, to) = (self.encoded.min(encoded), self.encoded.max(encoded));
        let between = decode(text.get(from..to).unwrap_or_default())?.len();
        self.utf8 = if encoded >= self.encoded {
            self.utf8.saturating_add(between)
        } else {
            self.utf8.saturating_sub(between)
        };
        self.encoded = encoded;
        Ok(self.utf8)
    }
}

/// Where to end a chunk: behind the first ASCII white space after `CHUNK` bytes, or behind the first
/// ASCII character after `MAX_CHUNK`. In all encodings of databases, a byte of ASCII is a character
/// of its own. What has neither is one word to PostgreSQL.
fn cut(text: &[u8]) -> usize {
    let behind = |from: usize, ends: fn(&u8) -> bool| {
        let rest = text.get(from..)?;
        rest.iter().position(ends).map(|end| from + end + 1)
    };
    let space = behind(CHUNK, u8::is_ascii_whitespace).filter(|&end| end <= MAX_CHUNK);
    space.or_else(|| behind(MAX_CHUNK, u8::is_ascii)).unwrap_or(text.len())
}
