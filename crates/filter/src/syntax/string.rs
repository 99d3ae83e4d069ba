//! The escapes of strings.

use super::Span;
use super::token::Quoted;
use crate::error::Error;

/// What a string means. Escapes are those of Go, in which Milvus reads them.
pub(crate) fn decode(quoted: Quoted<'_>, span: Span) -> Result<String, Error> {
    decode_with(quoted, span, |_| false)
}

/// As [`decode`], for the pattern of LIKE: `\%` and `\_` stay, to be read by LIKE.
pub(crate) fn decode_pattern(quoted: Quoted<'_>, span: Span) -> Result<String, Error> {
    decode_with(quoted, span, |escaped| matches!(escaped, '%' | '_'))
}

/// As [`decode`], for a regular expression: two backslashes are one, all others stay with what
/// follows them, to be read by the expression.
pub(crate) fn decode_regex(quoted: Quoted<'_>) -> String {
    if quoted.raw { quoted.body.into() } else { quoted.body.replace("\\\\", "\\") }
}

/// Where the byte `at` of a decoded regular expression stands in the word that it was decoded from,
/// with its prefix and quotes.
pub(crate) fn regex_origin(word: &str, at: usize) -> usize {
    let open = word.find(['"', '\'']).map_or(0, |quote| quote + 1);
    let raw = word.starts_with(['r', 'R']);
    let bytes = word.as_bytes();
    let mut origin = open;
    for _ in 0..at {
        let pair = !raw && bytes.get(origin..).is_some_and(|rest| rest.starts_with(br"\\"));
        origin += if pair { 2 } else { 1 };
    }
    origin
}

fn decode_with(
    quoted: Quoted<'_>,
    span: Span,
    kept: impl Fn(char) -> bool,
) -> Result<String, Error> {
    if quoted.raw {
        return checked(quoted.body.into(), span);
    }
    let invalid = || {
        Error::syntax(span, format!("invalid escape in string: {}", quoted.body))
            .hint("Write a backslash as \\\\, or the string as r\"…\".")
    };
    let mut bytes = Vec::with_capacity(quoted.body.len());
    let mut rest = quoted.body;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escaped = &rest[at + 1..];
        let first = escaped.chars().next().ok_or_else(invalid)?;
        rest = if kept(first) {
            bytes.push(b'\\');
            escaped
        } else {
            let length = escape(escaped, first, &mut bytes).ok_or_else(invalid)?;
            &escaped[length..]
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    checked(String::from_utf8(bytes).map_err(|_| invalid())?, span)
}

/// Appends what the escape at the begin of `text`, after the backslash, stands for. Returns its
/// length.
fn escape(text: &str, first: char, bytes: &mut Vec<u8>) -> Option<usize> {
    let simple = match first {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' | '\'' | '"' => u8::try_from(first).ok()?,
        _ => {
            let (skip, digits, radix) = match first {
                '0'..='7' => (0, 3, 8),
                'x' => (1, 2, 16),
                'u' => (1, 4, 16),
                'U' => (1, 8, 16),
                _ => return None,
            };
            let code = text.get(skip..skip + digits)?;
            if !code.chars().all(|c| c.is_digit(radix)) {
                return None;
            }
            let code = u32::from_str_radix(code, radix).ok()?;
            if matches!(first, 'u' | 'U') {
                let mut buffer = [0; 4];
                bytes.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut buffer).as_bytes());
            } else {
                bytes.push(u8::try_from(code).ok()?);
            }
            return Some(skip + digits);
        }
    };
    bytes.push(simple);
    Some(1)
}

/// PostgreSQL's texts hold no NUL.
fn checked(text: String, span: Span) -> Result<String, Error> {
    if text.contains('\0') {
        return Err(Error::syntax(span, "a string cannot contain the character NUL"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(body: &str) -> Result<String, Error> {
        decode(Quoted { body, raw: false }, Span::default())
    }

    #[test]
    fn escapes_are_those_of_go() {
        assert_eq!(decoded(r#"a\tb\\\"\'"#).as_deref(), Ok("a\tb\\\"'"));
        assert_eq!(decoded(r"\101\x42\u0043\U00000044").as_deref(), Ok("ABCD"));
        assert_eq!(decoded(r"\xe4\xb8\xad\u6587").as_deref(), Ok("中文"));
        for bad in
            [r"\d", r"\?", r"\x4", r"\u12", r"\ud800", r"\777", r"\18a", r"\xff", r"\0", "\\"]
        {
            decoded(bad).expect_err(bad);
        }
        assert!(decoded(r"\x00").expect_err("NUL").message.contains("NUL"));
    }

    #[test]
    fn regular_expressions_keep_single_backslashes() {
        let of = |body, raw| decode_regex(Quoted { body, raw });
        assert_eq!(of(r#"\d\\d\\\\\"\n"#, false), r#"\d\d\\\"\n"#);
        assert_eq!(of(r"\\d", true), r"\\d");
        assert_eq!(regex_origin(r#""\\d(""#, 2), 4);
        assert_eq!(regex_origin(r#"r"\\d(""#, 3), 5);
        assert_eq!(regex_origin(r#""é\\(""#, 3), 5);
    }

    #[test]
    fn raw_strings_and_patterns_keep_backslashes() {
        let raw = Quoted { body: r#"\d\""#, raw: true };
        assert_eq!(decode(raw, Span::default()).as_deref(), Ok(r#"\d\""#));
        let pattern = Quoted { body: r"50\%\\_\n", raw: false };
        assert_eq!(decode_pattern(pattern, Span::default()).as_deref(), Ok("50\\%\\_\n"));
    }
}
