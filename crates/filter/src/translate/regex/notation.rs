//! PostgreSQL's notation ("advanced regular expressions") of a parsed pattern.

use std::fmt::Write;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

use super::Mistake;

/// The largest count that the host's quantifiers have.
const MAX_QUANTIFIER: u32 = 255;

/// Bytes of the notation.
const MAX_TEXT: usize = 1 << 18;

/// A word's character.
const WORD: &str = "[0-9A-Za-z_]";

/// Matches nothing: a character behind the end.
const NEVER: &str = "(?:\\Zx)";

pub(super) fn write(hir: &Hir) -> Result<String, Mistake> {
    let mut writer = Writer { out: String::new() };
    // Line anchors are those of lines by this flag; all others are written otherwise.
    let looks = hir.properties().look_set();
    if looks.contains(Look::StartLF) || looks.contains(Look::EndLF) {
        writer.out.push_str("(?w)");
    }
    writer.write(hir)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
}

impl Writer {
    fn write(&mut self, hir: &Hir) -> Result<(), Mistake> {
        if self.out.len() > MAX_TEXT {
            return Err(Mistake::too_large());
        }
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => {
                let text = str::from_utf8(&literal.0).unwrap_or_default();
                for c in text.chars() {
                    self.literal(c);
                }
            }
            HirKind::Class(Class::Unicode(class)) => self.class(class),
            // None comes of patterns that match texts only.
            HirKind::Class(Class::Bytes(_)) => self.out.push_str(NEVER),
            HirKind::Look(look) => self.look(*look),
            HirKind::Repetition(repetition) => self.repetition(repetition)?,
            HirKind::Capture(capture) => self.grouped(&capture.sub)?,
            HirKind::Concat(parts) => {
                for part in parts {
                    match part.kind() {
                        HirKind::Alternation(_) => self.grouped(part)?,
                        _ => self.write(part)?,
                    }
                }
            }
            HirKind::Alternation(branches) => {
                for (index, branch) in branches.iter().enumerate() {
                    if index > 0 {
                        self.out.push('|');
                    }
                    self.write(branch)?;
                }
            }
        }
        Ok(())
    }

    fn grouped(&mut self, hir: &Hir) -> Result<(), Mistake> {
        self.out.push_str("(?:");
        self.write(hir)?;
        self.out.push(')');
        Ok(())
    }

    fn repetition(&mut self, repetition: &Repetition) -> Result<(), Mistake> {
        let Repetition { min, max, sub, .. } = repetition;
        // What matches no character matches it any number of times; the host repeats no anchors.
        let width = sub.properties().maximum_len();
        if width == Some(0) {
            return if *min > 0 { self.grouped(sub) } else { Ok(()) };
        }
        let start = self.out.len();
        self.grouped(sub)?;
        let atom = self.out.split_off(start);
        self.out.push_str(&repeated(&atom, *min, *max));
        Ok(())
    }

    fn literal(&mut self, c: char) {
        match c {
            // In no text of the host's.
            '\0' => self.out.push_str(NEVER),
            c if c.is_ascii_punctuation() => self.out.extend(['\\', c]),
            c => self.out.push(c),
        }
    }

    fn class(&mut self, class: &ClassUnicode) {
        let mut outside = class.clone();
        outside.negate();
        match (class.ranges(), outside.ranges()) {
            ([], _) => self.out.push_str(NEVER),
            (_, []) => self.out.push('.'),
            // Also characters that the database's encoding has and Unicode has not are outside.
            (inside, outside) if inside.last().is_some_and(|last| last.end() == char::MAX) => {
                self.ranges("[^", outside);
            }
            (inside, _) => self.ranges("[", inside),
        }
    }

    fn ranges(&mut self, open: &str, ranges: &[ClassUnicodeRange]) {
        self.out.push_str(open);
        for range in ranges {
            self.member(range.start());
            if range.start() < range.end() {
                self.out.push('-');
                self.member(range.end());
            }
        }
        self.out.push(']');
    }

    fn member(&mut self, c: char) {
        // Writing to a string does not fail.
        let _ = match u32::from(c) {
            _ if c.is_ascii_alphanumeric() => write!(self.out, "{c}"),
            // The host has no text with NUL, nor patterns with it.
            code @ ..=0xffff => write!(self.out, "\\u{:04X}", code.max(1)),
            code => write!(self.out, "\\U{code:08X}"),
        };
    }

    fn look(&mut self, look: Look) {
        let boundary = |first: [&str; 2], second: [&str; 2]| {
            let [(a, b), (c, d)] = [first, second].map(|[before, after]| (before, after));
            format!("(?:(?<{a}{WORD})(?{b}{WORD})|(?<{c}{WORD})(?{d}{WORD}))")
        };
        match look {
            Look::Start => self.out.push_str("\\A"),
            Look::End => self.out.push_str("\\Z"),
            Look::StartLF => self.out.push('^'),
            Look::EndLF => self.out.push('$'),
            Look::WordAscii | Look::WordUnicode => {
                self.out.push_str(&boundary(["=", "!"], ["!", "="]));
            }
            Look::WordAsciiNegate | Look::WordUnicodeNegate => {
                self.out.push_str(&boundary(["=", "="], ["!", "!"]));
            }
            // RE2 has no others, and spelling lets none through.
            _ => self.out.push_str(NEVER),
        }
    }
}

/// `atom{min,max}` with counts that the host has.
fn repeated(atom: &str, min: u32, max: Option<u32>) -> String {
    match (min, max) {
        (0, None) => format!("{atom}*"),
        (1, None) => format!("{atom}+"),
        (0, Some(1)) => format!("{atom}?"),
        (_, Some(0)) => String::new(),
        (min, None) if min <= MAX_QUANTIFIER => format!("{atom}{{{min},}}"),
        (min, None) => format!("{}{atom}*", counted(atom, min, min)),
        (min, Some(max)) if max <= MAX_QUANTIFIER => format!("{atom}{{{min},{max}}}"),
        (min, Some(max)) => counted(atom, min, min) + &counted(atom, 0, max.saturating_sub(min)),
    }
}

/// `high` times the atom, of which `low` (0 or as many) must be there.
fn counted(atom: &str, low: u32, high: u32) -> String {
    let (whole, rest) = (high / MAX_QUANTIFIER, high % MAX_QUANTIFIER);
    let one = |n: u32| match n {
        0 => String::new(),
        n => format!("{atom}{{{},{n}}}", if low == 0 { 0 } else { n }),
    };
    match whole {
        0 => one(rest),
        whole => format!("(?:{}){{{whole}}}{}", one(MAX_QUANTIFIER), one(rest)),
    }
}
