//! Numbers as C++ writes them: decimal, octal, hexadecimal, binary, and fractions.

use super::Span;
use super::token::{Keyword, Word};
use crate::error::Error;

/// Digits that a float has, whatever they are.
const EXACT_DIGITS: usize = 15;

/// Whether `text` begins with a number.
pub(crate) fn begins(text: &str) -> bool {
    let digits = text.strip_prefix('.').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
}

/// The number that `text` begins with, and its length.
pub(crate) fn scan(text: &str, start: usize) -> Result<(Word<'_>, usize), Error> {
    let length = before_keyword(&text[..length(text)]);
    let number = &text[..length];
    let span = Span { start, end: start + length };
    let invalid = || Error::syntax(span, format!("'{}' is not a number", excerpt(number)));
    let lower = number.to_ascii_lowercase();
    let word = if let Some(hex) = lower.strip_prefix("0x") {
        if hex.contains(['.', 'p']) {
            Some(Word::Float(hex_float(hex).ok_or_else(invalid)?))
        } else {
            integer(hex, 16)
        }
    } else if let Some(binary) = lower.strip_prefix("0b") {
        integer(binary, 2)
    } else if lower.contains(['.', 'e']) {
        // Rust reads what C++ writes, but for signs, which do not get here.
        Some(Word::Float(lower.parse().map_err(|_| invalid())?))
    } else if lower.len() > 1 && lower.starts_with('0') {
        integer(&lower[1..], 8)
    } else {
        integer(&lower, 10)
    };
    match word {
        Some(Word::Float(float)) if !float.is_finite() => {
            Err(Error::syntax(span, format!("'{}' is out of range", excerpt(number))))
        }
        Some(Word::Float(_)) if !lower.starts_with("0x") && digits(number) > EXACT_DIGITS => {
            Ok((Word::Decimal(number), length))
        }
        Some(word) => Ok((word, length)),
        None if lower.bytes().all(|byte| byte.is_ascii_digit()) && !lower.starts_with('0') => {
            Err(Error::syntax(span, format!("'{}' is out of range", excerpt(number))))
        }
        None => Err(invalid()),
    }
}

/// Digits of the number before its exponent, without leading zeros.
fn digits(number: &str) -> usize {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit);
    digits.skip_while(|digit| *digit == b'0').count()
}

/// Bytes of what looks like one number, so that errors name all of it: letters, digits, points, and
/// a sign after an exponent's letter.
fn length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let exponent = |byte: u8| match byte.to_ascii_lowercase() {
        b'e' => !hexadecimal,
        b'p' => hexadecimal,
        _ => false,
    };
    (0..bytes.len())
        .find(|&at| match bytes[at] {
            b'+' | b'-' => at == 0 || !exponent(bytes[at - 1]),
            byte => !(byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_'),
        })
        .unwrap_or(bytes.len())
}

/// Length of what stands before the operator that the run ends with, as in `1or`, or else of all.
fn before_keyword(run: &str) -> usize {
    let word = |at: &usize| Keyword::of(&run[*at..]).is_some();
    (1..run.len()).find(word).unwrap_or(run.len())
}

fn integer(digits: &str, radix: u32) -> Option<Word<'static>> {
    let unsigned = !digits.starts_with('+');
    u64::from_str_radix(digits, radix).ok().filter(|_| unsigned).map(Word::Integer)
}

/// `1.8p3`, the part after `0x`: digits of base 16, a power of 2 in base 10.
fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let exponent = exponent.parse::<i32>().ok()?;
    let scale = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    Some(value * 2f64.powi(exponent.checked_sub(scale)?))
}

fn excerpt(number: &str) -> String {
    number.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_notations_are_read() {
        for (text, word) in [
            ("0", Word::Integer(0)),
            ("42", Word::Integer(42)),
            ("017", Word::Integer(15)),
            ("0x1F", Word::Integer(31)),
            ("0b101", Word::Integer(5)),
            ("9223372036854775808", Word::Integer(1 << 63)),
            ("1.", Word::Float(1.0)),
            (".5", Word::Float(0.5)),
            ("1.5e-3", Word::Float(0.0015)),
            ("1E5", Word::Float(1e5)),
            ("0x1.8p3", Word::Float(12.0)),
            ("0X.8P-1", Word::Float(0.25)),
            ("0.00123456789012345", Word::Float(0.00123456789012345)),
            ("1234567890123456.5", Word::Decimal("1234567890123456.5")),
        ] {
            assert_eq!(scan(text, 0), Ok((word, text.len())), "{text}");
        }
        assert_eq!(scan("1+2", 0), Ok((Word::Integer(1), 1)));
        assert_eq!(scan("0xe+2", 0), Ok((Word::Integer(14), 3)));
        assert_eq!(scan("1or id==2", 0), Ok((Word::Integer(1), 1)));
        assert_eq!(scan("1.5e3AND x", 0), Ok((Word::Float(1500.0), 5)));
        assert_eq!(scan("1.or x", 0), Ok((Word::Float(1.0), 2)));
        assert_eq!(scan("0x1Eor x", 0), Ok((Word::Integer(30), 4)));
    }

    #[test]
    fn others_are_refused() {
        for text in ["08", "1_000", "1abc", "0x", "0b2", "1e", "1e+", "1.2.3", "0x1.8", "1e999"] {
            assert_eq!(scan(text, 7).expect_err(text).position, 7, "{text}");
        }
        let error = scan("18446744073709551616", 0).expect_err("too large");
        assert_eq!(error.message, "'18446744073709551616' is out of range");
    }
}
