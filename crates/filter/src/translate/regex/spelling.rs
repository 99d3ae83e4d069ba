//! RE2's spelling, made that of `regex-syntax`.
//!
//! The two differ in few places: RE2's classes `\d`, `\s` and `\w` are of ASCII, a brace that counts
//! nothing is a character, classes have no operators, and there are `\Q…\E` and octal escapes.

use std::fmt::Write;

use super::Mistake;

/// A pattern for `regex-syntax`.
pub(super) struct Respelled {
    pub text: String,
    /// Where pieces of `text` begin, and what part of RE2's pattern each comes from.
    pieces: Vec<(usize, usize)>,
}

impl Respelled {
    /// The byte of RE2's pattern that the byte `at` of the text comes from.
    pub(super) fn origin(&self, at: usize) -> usize {
        let after = self.pieces.partition_point(|(start, _)| *start <= at);
        after.checked_sub(1).and_then(|index| self.pieces.get(index)).map_or(0, |piece| piece.1)
    }
}

/// Names of POSIX's classes.
const NAMED: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

pub(super) fn respell(pattern: &str) -> Result<Respelled, Mistake> {
    let out = Respelled { text: String::with_capacity(pattern.len()), pieces: Vec::new() };
    let mut speller = Speller { pattern, at: 0, out };
    while let Some(c) = speller.peek() {
        speller.piece();
        match c {
            '\\' => speller.escape()?,
            '[' => speller.class()?,
            '(' => speller.group()?,
            '{' => speller.brace(),
            c => speller.copy(c.len_utf8()),
        }
    }
    Ok(speller.out)
}

struct Speller<'a> {
    pattern: &'a str,
    at: usize,
    out: Respelled,
}

impl<'a> Speller<'a> {
    fn rest(&self) -> &'a str {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn next_if(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        self.at += if found { prefix.len() } else { 0 };
        found
    }

    /// What is written next comes from here.
    fn piece(&mut self) {
        self.out.pieces.push((self.out.text.len(), self.at));
    }

    fn push(&mut self, text: &str) {
        self.out.text.push_str(text);
    }

    fn copy(&mut self, length: usize) {
        let end = self.at.saturating_add(length).min(self.pattern.len());
        self.out.text.push_str(self.pattern.get(self.at..end).unwrap_or_default());
        self.at = end;
    }

    /// A character that means itself, in and out of classes.
    fn literal(&mut self, c: char) {
        // Writing to a string does not fail.
        let _ = write!(self.out.text, "\\x{{{:x}}}", u32::from(c));
    }

    /// An escape outside of classes.
    fn escape(&mut self) -> Result<(), Mistake> {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some('b' | 'B' | 'A' | 'z') => {
                self.push("\\");
                self.copy(1);
            }
            Some('Q') => {
                self.at += 1;
                while let Some(c) = self.peek().filter(|_| !self.next_if("\\E")) {
                    self.piece();
                    self.at += c.len_utf8();
                    self.literal(c);
                }
            }
            Some('C') => {
                return Err(Mistake::new(start, "\\C is not supported")
                    .hint("A text is made of characters here, not of bytes: write a dot."));
            }
            _ if self.class_escape(start)? => {}
            _ => {
                let c = self.escaped(start)?;
                self.literal(c);
            }
        }
        Ok(())
    }

    /// Reads the letter of an escape that stands for a class, if it is one.
    fn class_escape(&mut self, start: usize) -> Result<bool, Mistake> {
        let class = match self.peek() {
            Some('d') => "[0-9]",
            Some('D') => "[^0-9]",
            Some('s') => "[\\t\\n\\f\\r ]",
            Some('S') => "[^\\t\\n\\f\\r ]",
            Some('w') => "[0-9A-Za-z_]",
            Some('W') => "[^0-9A-Za-z_]",
            Some('p' | 'P') => {
                self.unicode_class(start)?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        self.at += 1;
        self.push(class);
        Ok(true)
    }

    /// `pL`, `p{Greek}`, `p{^Greek}`
    fn unicode_class(&mut self, start: usize) -> Result<(), Mistake> {
        let mut negated = self.next() == Some('P');
        let name = if self.next_if("{") {
            negated ^= self.next_if("^");
            self.rest().split_once('}').map(|(name, _)| name)
        } else {
            self.rest().get(..1)
        };
        let known =
            |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let Some(name) = name.filter(known).filter(|name| !name.is_empty()) else {
            return Err(Mistake::new(start, "invalid Unicode class")
                .hint("Write \\p{L}, \\p{Han} and the like."));
        };
        self.at += name.len();
        self.next_if("}");
        let letter = if negated { 'P' } else { 'p' };
        let _ = write!(self.out.text, "\\{letter}{{{name}}}");
        Ok(())
    }

    /// The character that an escape stands for, from behind its backslash on.
    fn escaped(&mut self, start: usize) -> Result<char, Mistake> {
        let invalid =
            |text: &str| Mistake::new(start, format!("invalid escape sequence: \\{text}"));
        let Some(c) = self.next() else {
            return Err(Mistake::new(start, "trailing backslash"));
        };
        Ok(match c {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => self.hexadecimal().ok_or_else(|| invalid("x"))?,
            '0' => self.octal(0),
            '1'..='7' if self.rest().starts_with(|c| ('0'..='7').contains(&c)) => {
                self.octal(u32::from(c) - u32::from('0'))
            }
            '1'..='9' => {
                return Err(Mistake::new(
                    start,
                    format!("back references are not supported: \\{c}"),
                ));
            }
            c if c.is_ascii_punctuation() && c != '_' || c.is_ascii_whitespace() => c,
            c => {
                return Err(invalid(&c.to_string()));
            }
        })
    }

    /// `41` or `{1F600}`
    fn hexadecimal(&mut self) -> Option<char> {
        let digits = if self.next_if("{") {
            let (digits, _) = self.rest().split_once('}')?;
            self.at += digits.len() + 1;
            digits
        } else {
            let digits = self.rest().get(..2)?;
            self.at += 2;
            digits
        };
        let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        all.then(|| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32))?
    }

    /// Up to two more octal digits; the code is less than 512.
    fn octal(&mut self, first: u32) -> char {
        let mut code = first;
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) else { break };
            self.at += 1;
            code = code * 8 + digit;
        }
        char::from_u32(code).unwrap_or_default()
    }

    /// A brace: it counts, or it is a character.
    fn brace(&mut self) {
        let length = self.rest().split_once('}').map(|(count, _)| count.len() + 1);
        let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let counts = |text: &str| match text.split_once(',') {
            Some((low, high)) => number(low) && (high.is_empty() || number(high)),
            None => number(text),
        };
        match length.filter(|length| counts(&self.rest()[1..length - 1])) {
            Some(length) => self.copy(length),
            None => {
                self.at += 1;
                self.literal('{');
            }
        }
    }

    /// What begins a group. `regex-syntax` reads names and flags, of which it knows more.
    fn group(&mut self) -> Result<(), Mistake> {
        if let Some(after) = self.rest().strip_prefix("(?") {
            if after.starts_with(['=', '!']) || after.starts_with("<=") || after.starts_with("<!") {
                return Err(Mistake::new(self.at, "look-around is not supported"));
            }
            let flags = after.split([':', ')', '<']).next().unwrap_or_default();
            let known = |c: char| "imsU-".contains(c);
            if flags != "P"
                && let Some(flag) = flags.chars().find(|c| !known(*c))
            {
                let message = format!("invalid flag: {flag}");
                return Err(Mistake::new(self.at, message).hint("The flags are i, m, s and U."));
            }
        }
        self.copy(1);
        Ok(())
    }

    /// A class in brackets. Its characters become escapes, so that none of them is an operator.
    fn class(&mut self) -> Result<(), Mistake> {
        let start = self.at;
        self.at += 1;
        let negated = self.next_if("^");
        self.push(if negated { "[^" } else { "[" });
        let mut first = true;
        loop {
            self.piece();
            let at = self.at;
            match self.peek() {
                None => return Err(Mistake::new(start, "missing closing ]")),
                Some(']') if !first => {
                    self.copy(1);
                    return Ok(());
                }
                Some('[') if self.named_class()? => {}
                Some('\\') if self.class_of_class(at)? => {}
                Some(_) => self.range()?,
            }
            first = false;
        }
    }

    /// Reads `[:name:]` if it is one.
    fn named_class(&mut self) -> Result<bool, Mistake> {
        let name = self.rest().strip_prefix("[:").and_then(|rest| rest.split_once(":]"));
        let Some((name, _)) = name else { return Ok(false) };
        if !NAMED.contains(&name.trim_start_matches('^')) {
            return Err(Mistake::new(self.at, format!("invalid character class: [:{name}:]")));
        }
        self.copy(name.len() + 4);
        Ok(true)
    }

    fn class_of_class(&mut self, start: usize) -> Result<bool, Mistake> {
        self.at += 1;
        let found = self.class_escape(start)?;
        self.at -= usize::from(!found);
        Ok(found)
    }

    /// A character, or two with a hyphen between.
    fn range(&mut self) -> Result<(), Mistake> {
        let start = self.at;
        let low = self.member()?;
        let rest = self.rest();
        if !rest.starts_with('-') || rest.starts_with("-]") || rest.len() == 1 {
            self.literal(low);
            return Ok(());
        }
        self.at += 1;
        let high = self.member()?;
        if high < low {
            let range = &self.pattern[start..self.at];
            return Err(Mistake::new(start, format!("invalid character class range: {range}")));
        }
        self.literal(low);
        self.push("-");
        self.literal(high);
        Ok(())
    }

    fn member(&mut self) -> Result<char, Mistake> {
        let start = self.at;
        match self.next() {
            Some('\\') => self.escaped(start),
            Some(c) => Ok(c),
            None => Err(Mistake::new(start, "missing closing ]")),
        }
    }
}
