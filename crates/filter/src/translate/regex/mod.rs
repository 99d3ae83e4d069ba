//! Regular expressions: from RE2's language, which Milvus has, to PostgreSQL's.
//!
//! What matters is whether some part of a text matches, so groups need not capture and quantifiers
//! need not be greedy. RE2's classes are of ASCII, its `.` does not match a line end, and it has
//! neither look-around nor back references: what is refused there is refused here too. Refused here
//! only: Unicode classes (`\pL`), flags elsewhere than at the begin, counts beyond 255.

mod class;

use std::iter::Peekable;
use std::str::Chars;

use class::Class;

/// Groups inside each other.
const MAX_GROUPS: usize = 100;

/// The largest count that the host's quantifiers have.
const MAX_COUNT: u32 = 255;

/// The host's notation of `pattern`, or what is wrong with it.
pub(crate) fn translate(pattern: &str) -> Result<String, String> {
    let (flags, pattern) = Flags::split(pattern)?;
    let mut translator = Translator {
        chars: pattern.chars().peekable(),
        dot: if flags.dot_matches_newline { "." } else { "[^\\n]" },
        out: flags.director(),
        groups: 0,
    };
    translator.alternatives()?;
    Ok(translator.out)
}

/// The flags at the begin of a pattern.
#[derive(Default)]
struct Flags {
    ignore_case: bool,
    multi_line: bool,
    dot_matches_newline: bool,
}

impl Flags {
    /// Splits `(?flags)` off, if a pattern begins so.
    fn split(pattern: &str) -> Result<(Self, &str), String> {
        let mut all = Self::default();
        let mut rest = pattern;
        while let Some((flags, after)) =
            rest.strip_prefix("(?").and_then(|rest| rest.split_once(')'))
            && !flags.is_empty()
            && flags.bytes().all(|byte| byte.is_ascii_alphabetic())
        {
            for flag in flags.chars() {
                match flag {
                    'i' => all.ignore_case = true,
                    'm' => all.multi_line = true,
                    's' => all.dot_matches_newline = true,
                    'U' => {} // Greed does not matter here.
                    _ => return Err(format!("invalid flag: {flag}")),
                }
            }
            rest = after;
        }
        Ok((all, rest))
    }

    /// The same for the host.
    fn director(&self) -> String {
        match (self.ignore_case, self.multi_line) {
            (false, false) => String::new(),
            (true, false) => "(?i)".into(),
            (false, true) => "(?w)".into(),
            (true, true) => "(?iw)".into(),
        }
    }
}

struct Translator<'a> {
    chars: Peekable<Chars<'a>>,
    dot: &'static str,
    out: String,
    groups: usize,
}

impl Translator<'_> {
    fn alternatives(&mut self) -> Result<(), String> {
        // What a quantifier would repeat.
        let mut atom = false;
        while let Some(c) = self.chars.next() {
            atom = match c {
                '|' => {
                    self.out.push('|');
                    false
                }
                '(' => {
                    self.open_group()?;
                    false
                }
                ')' => {
                    self.groups = self.groups.checked_sub(1).ok_or("unexpected )")?;
                    self.out.push(')');
                    true
                }
                '*' | '+' | '?' | '{' => match self.quantifier(c)? {
                    Some(quantifier) if atom => {
                        self.out.push_str(&quantifier);
                        false
                    }
                    Some(quantifier) => {
                        return Err(format!("no argument for repetition operator: {quantifier}"));
                    }
                    None => self.literal(c),
                },
                '[' => {
                    self.out.push_str(&Class::parse(&mut self.chars)?.notation());
                    true
                }
                '.' => self.push(self.dot),
                '^' => self.push("(?:^)"),
                '$' => self.push("(?:$)"),
                '\\' => self.escape()?,
                c => self.literal(c),
            };
        }
        if self.groups > 0 { Err("missing closing )".into()) } else { Ok(()) }
    }

    fn push(&mut self, atom: &str) -> bool {
        self.out.push_str(atom);
        true
    }

    fn literal(&mut self, c: char) -> bool {
        if c.is_ascii_punctuation() {
            self.out.push('\\');
        }
        self.out.push(c);
        true
    }

    /// What comes after `(`. All groups become groups that capture nothing.
    fn open_group(&mut self) -> Result<(), String> {
        self.groups += 1;
        if self.groups > MAX_GROUPS {
            return Err("groups are nested too deep".into());
        }
        if self.chars.next_if_eq(&'?').is_some() {
            self.chars.next_if_eq(&'P');
            match self.chars.next() {
                Some(':') => {}
                Some('<') if !matches!(self.chars.peek(), Some('=' | '!')) => {
                    let word = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
                    while self.chars.next_if(word).is_some() {}
                    if self.chars.next() != Some('>') {
                        return Err("invalid named capture group".into());
                    }
                }
                Some('<' | '=' | '!') => return Err("look-around is not supported".into()),
                _ => return Err("flags are supported at the begin of a pattern only".into()),
            }
        }
        self.out.push_str("(?:");
        Ok(())
    }

    /// The quantifier that begins with `first`, or `None` when it is a brace that counts nothing.
    fn quantifier(&mut self, first: char) -> Result<Option<String>, String> {
        let quantifier = match first {
            '{' => match self.count()? {
                Some(count) => count,
                None => return Ok(None),
            },
            _ => first.to_string(),
        };
        // Greed does not matter here.
        self.chars.next_if_eq(&'?');
        let mut ahead = self.chars.clone();
        let nested = match ahead.next() {
            Some('*' | '+' | '?') => true,
            Some('{') => split_count(ahead).is_some(),
            _ => false,
        };
        if nested { Err("bad repetition operator".into()) } else { Ok(Some(quantifier)) }
    }

    /// Reads `n}`, `n,}` or `n,m}` if one of them comes next.
    fn count(&mut self) -> Result<Option<String>, String> {
        let Some((length, low, high)) = split_count(self.chars.clone()) else { return Ok(None) };
        let high_or_low = high.flatten().unwrap_or(low);
        if low.max(high_or_low) > MAX_COUNT {
            return Err(format!("repetition count is too large, max {MAX_COUNT}"));
        }
        if high_or_low < low {
            return Err("invalid repetition size".into());
        }
        for _ in 0..length {
            self.chars.next();
        }
        Ok(Some(match high {
            None => format!("{{{low}}}"),
            Some(None) => format!("{{{low},}}"),
            Some(Some(high)) => format!("{{{low},{high}}}"),
        }))
    }

    /// What comes after a backslash.
    fn escape(&mut self) -> Result<bool, String> {
        let c = self.chars.next().ok_or("trailing \\")?;
        if let Some(class) = Class::of_escape(c) {
            return Ok(self.push(&class.notation()));
        }
        Ok(match c {
            'b' => self.push("\\y"),
            'B' => self.push("\\Y"),
            'A' => self.push("\\A"),
            'z' => self.push("\\Z"),
            'Q' => {
                let mut atom = false;
                while let Some(c) = self.chars.next() {
                    if c == '\\' && self.chars.next_if_eq(&'E').is_some() {
                        break;
                    }
                    atom = self.literal(c);
                }
                atom
            }
            'E' => false,
            _ => {
                let c = class::escaped(c, &mut self.chars)?;
                self.literal(c)
            }
        })
    }
}

/// Length, least and greatest count of what stands after a brace that counts. The greatest is `None`
/// where there is no comma, and `Some(None)` where nothing follows it.
#[allow(clippy::type_complexity)]
fn split_count(chars: impl Iterator<Item = char>) -> Option<(usize, u32, Option<Option<u32>>)> {
    let text: String = chars.take_while(|c| *c != '}').take(24).collect();
    let number = |digits: &str| {
        let all = digits.bytes().all(|byte| byte.is_ascii_digit());
        (all && !digits.is_empty()).then(|| digits.parse().unwrap_or(u32::MAX))
    };
    let (low, high) = match text.split_once(',') {
        None => (&*text, None),
        Some((low, "")) => (low, Some(None)),
        Some((low, high)) => (low, Some(Some(number(high)?))),
    };
    Some((text.len() + 1, number(low)?, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_become_the_hosts() {
        for (from, to) in [
            ("abc", "abc"),
            ("a.c", r"a[^\n]c"),
            ("(?s)a.c", "a.c"),
            ("(?i)(?m)^a$", r"(?iw)(?:^)a(?:$)"),
            (r"\d+", "[0-9]+"),
            (r"\bword\b", r"\yword\y"),
            (r"\Aa\z", r"\Aa\Z"),
            ("(?P<n>a|b)*?c", "(?:a|b)*c"),
            ("(?<n>a)(?:b)(c)", "(?:a)(?:b)(?:c)"),
            ("a{2}b{2,}c{2,3}?", "a{2}b{2,}c{2,3}"),
            ("a{,3}{", r"a\{\,3\}\{"),
            (r"\Qa.b*\E+", r"a\.b\*+"),
            (r"a\.\x41\x{42}\n", "a\\.AB\n"),
            ("'; --", r"\'\; \-\-"),
            ("", ""),
            ("a||b", "a||b"),
        ] {
            assert_eq!(translate(from).as_deref(), Ok(to), "{from}");
        }
    }

    #[test]
    fn what_re2_refuses_is_refused() {
        for bad in [
            "*a",
            "a**",
            "a{2}{3}",
            "(",
            ")",
            "(?=a)",
            "(?!a)",
            "(?<=a)",
            "(?<!a)",
            r"(a)\1",
            "[a",
            "[z-a]",
            r"\",
            r"\y",
            "a{3,2}",
            "***:a",
            "***=a",
            "(?x)a",
            "a|*",
            "(*a)",
            r"\x",
            r"\xg0",
            "[[:foo:]]",
            r"\x00",
        ] {
            translate(bad).expect_err(bad);
        }
    }

    #[test]
    fn what_the_host_has_not_is_refused() {
        for bad in ["a{256}", r"\pL", r"\p{Greek}", "a(?i)b", "(?i:a)", r"\C"] {
            translate(bad).expect_err(bad);
        }
        translate(&"(".repeat(1000)).expect_err("deep");
    }
}
