//! Classes of characters.

use std::iter::Peekable;
use std::str::Chars;

/// Ranges of characters, or all characters outside of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

const DIGIT: &[(char, char)] = &[('0', '9')];
const SPACE: &[(char, char)] = &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

/// POSIX's classes, of ASCII, sorted within.
const NAMED: &[(&str, &[(char, char)])] = &[
    ("alnum", &[('0', '9'), ('A', 'Z'), ('a', 'z')]),
    ("alpha", &[('A', 'Z'), ('a', 'z')]),
    ("ascii", &[('\x01', '\x7f')]),
    ("blank", &[('\t', '\t'), (' ', ' ')]),
    ("cntrl", &[('\x01', '\x1f'), ('\x7f', '\x7f')]),
    ("digit", DIGIT),
    ("graph", &[('!', '~')]),
    ("lower", &[('a', 'z')]),
    ("print", &[(' ', '~')]),
    ("punct", &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
    ("space", &[('\t', '\r'), (' ', ' ')]),
    ("upper", &[('A', 'Z')]),
    ("word", WORD),
    ("xdigit", &[('0', '9'), ('A', 'F'), ('a', 'f')]),
];

impl Class {
    /// The class that a letter after a backslash stands for.
    pub(super) fn of_escape(letter: char) -> Option<Self> {
        let ranges = match letter {
            'd' | 'D' => DIGIT,
            's' | 'S' => SPACE,
            'w' | 'W' => WORD,
            _ => return None,
        };
        Some(Self { negated: letter.is_ascii_uppercase(), ranges: ranges.to_vec() })
    }

    /// Reads a class from behind its opening bracket on.
    pub(super) fn parse(chars: &mut Peekable<Chars<'_>>) -> Result<Self, String> {
        let mut class = Self { negated: chars.next_if_eq(&'^').is_some(), ranges: Vec::new() };
        let mut first = true;
        loop {
            let c = chars.next().ok_or("missing closing ]")?;
            match c {
                ']' if !first => return Ok(class),
                '[' if chars.peek() == Some(&':') => class.add(named(chars)?),
                '\\' if chars.peek().is_some_and(|c| Self::of_escape(*c).is_some()) => {
                    let class_of_letter = chars.next().and_then(Self::of_escape);
                    class.add(class_of_letter.unwrap_or_default());
                }
                c => {
                    let low = member(c, chars)?;
                    let high = range_end(chars)?.unwrap_or(low);
                    if high < low {
                        return Err(format!("invalid character class range: {low}-{high}"));
                    }
                    class.ranges.push((low, high));
                }
            }
            first = false;
        }
    }

    fn add(&mut self, other: Self) {
        self.ranges.extend(other.positive());
    }

    /// The same characters, not negated. The ranges of a negated class are sorted and do not touch.
    fn positive(self) -> Vec<(char, char)> {
        if !self.negated {
            return self.ranges;
        }
        let before = |c: char| char::from_u32(u32::from(c) - 1);
        let after = |c: char| char::from_u32(u32::from(c) + 1);
        let mut outside = Vec::new();
        // NUL is in no text.
        let mut low = Some('\x01');
        for (from, to) in self.ranges {
            if let (Some(low), Some(high)) = (low, before(from))
                && low <= high
            {
                outside.push((low, high));
            }
            low = after(to);
        }
        outside.extend(low.map(|low| (low, char::MAX)));
        outside
    }

    /// The host's notation.
    pub(super) fn notation(&self) -> String {
        let mut text = String::from(if self.negated { "[^" } else { "[" });
        for (low, high) in &self.ranges {
            text.push_str(&character(*low));
            if low < high {
                text.push('-');
                text.push_str(&character(*high));
            }
        }
        text.push(']');
        text
    }
}

fn character(c: char) -> String {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => c.into(),
        // The host has no text with NUL, nor patterns with it.
        '\0' => "\\u0001".into(),
        c if u32::from(c) > 0xffff => format!("\\U{:08X}", u32::from(c)),
        c => format!("\\u{:04X}", u32::from(c)),
    }
}

/// Reads `:name:]` or `:^name:]`.
fn named(chars: &mut Peekable<Chars<'_>>) -> Result<Class, String> {
    chars.next();
    let negated = chars.next_if_eq(&'^').is_some();
    let name: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_alphabetic)).collect();
    let closed = chars.next() == Some(':') && chars.next() == Some(']');
    let known = NAMED.iter().find(|(known, _)| *known == name).filter(|_| closed);
    let (_, ranges) = known.ok_or_else(|| format!("invalid character class: [:{name}:]"))?;
    Ok(Class { negated, ranges: ranges.to_vec() })
}

fn member(c: char, chars: &mut Peekable<Chars<'_>>) -> Result<char, String> {
    if c != '\\' {
        return Ok(c);
    }
    let c = chars.next().ok_or("trailing \\")?;
    escaped(c, chars)
}

/// Reads `-x` if it comes next, unless the hyphen is the last member.
fn range_end(chars: &mut Peekable<Chars<'_>>) -> Result<Option<char>, String> {
    let mut ahead = chars.clone();
    if ahead.next() != Some('-') || matches!(ahead.peek(), None | Some(']')) {
        return Ok(None);
    }
    chars.next();
    let c = chars.next().ok_or("missing closing ]")?;
    member(c, chars).map(Some)
}

/// The character that an escape stands for; `c` is what comes after the backslash.
pub(super) fn escaped(c: char, chars: &mut Peekable<Chars<'_>>) -> Result<char, String> {
    Ok(match c {
        'a' => '\x07',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        'x' => {
            let digits: String = if chars.next_if_eq(&'{').is_some() {
                let digits =
                    std::iter::from_fn(|| chars.next_if(char::is_ascii_hexdigit)).collect();
                chars.next_if_eq(&'}').ok_or("invalid escape sequence: \\x")?;
                digits
            } else {
                chars.by_ref().take(2).collect()
            };
            let code = u32::from_str_radix(&digits, 16).ok().filter(|code| *code > 0);
            code.and_then(char::from_u32).ok_or("invalid escape sequence: \\x")?
        }
        '1'..='9' => return Err(format!("back references are not supported: \\{c}")),
        'p' | 'P' => return Err("Unicode classes are not supported".into()),
        c if c.is_alphanumeric() => return Err(format!("invalid escape sequence: \\{c}")),
        c => c,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notation(class: &str) -> String {
        Class::parse(&mut class[1..].chars().peekable()).expect(class).notation()
    }

    #[test]
    fn classes_are_ranges() {
        for (from, to) in [
            ("[abc]", "[abc]"),
            ("[^a-z]", "[^a-z]"),
            ("[]a]", r"[\u005Da]"),
            ("[a-]", r"[a\u002D]"),
            (r"[\d_]", r"[0-9\u005F]"),
            (r"[^\D]", r"[^\u0001-\u002F\u003A-\U0010FFFF]"),
            ("[[:alpha:]]", "[A-Za-z]"),
            (r"[\]\\]", r"[\u005D\u005C]"),
            (r"[\x{4e00}-\x{9fff}]", r"[\u4E00-\u9FFF]"),
            ("[[.a.]]", r"[\u005B\u002Ea\u002E]"),
        ] {
            // What stands behind the class is not looked at.
            assert_eq!(notation(from), to, "{from}");
        }
    }
}
