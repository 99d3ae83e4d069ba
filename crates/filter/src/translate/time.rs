//! Points and spans of time in ISO 8601.

/// Years that a span of time may have, so that no date leaves the host's range by it.
const MAX_YEARS: i64 = 10_000;

/// Whether `text` is a point in time that the host reads as such: a date, perhaps a time, perhaps an
/// offset. Without an offset it is meant in the session's time zone.
pub(crate) fn is_instant(text: &str) -> bool {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    is_date(date) && time.is_none_or(|time| is_time_with_offset(time).unwrap_or(false))
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut part = |digits: usize| number(parts.next()?, digits);
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    parts.next().is_none() && year > 0 && (1..=12).contains(&month) && (1..=days).contains(&day)
}

fn is_time_with_offset(text: &str) -> Option<bool> {
    let (time, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (whole, fraction) = match time.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (time, None),
    };
    let mut parts = whole.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let second = parts.next().map_or(Some(0), |second| number(second, 2))?;
    let fraction = fraction.is_none_or(|digits| {
        (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let valid = parts.next().is_none() && hour < 24 && minute < 60 && second < 60 && fraction;
    Some(valid && is_offset(offset)?)
}

fn is_offset(text: &str) -> Option<bool> {
    if matches!(text, "" | "Z" | "z") {
        return Some(true);
    }
    let digits = &text[1..];
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None => (digits, "00"),
    };
    Some(number(hours, 2)? < 16 && number(minutes, 2)? < 60)
}

fn number(text: &str, digits: usize) -> Option<u32> {
    let all_digits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok())?
}

/// Whether `text` is a span of time, `P1Y2M3DT4H5M6S` with any of its parts, and not too long.
pub(crate) fn is_interval(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else { return false };
    let (days, time) = match text.split_once('T') {
        Some((days, time)) => (days, Some(time)),
        None => (text, None),
    };
    let seconds = [('Y', 31_622_400), ('M', 2_678_400), ('D', 86_400)];
    let Some(days) = sum(days, &seconds) else { return false };
    let time = match time {
        Some("") => return false,
        Some(time) => sum(time, &[('H', 3600), ('M', 60), ('S', 1)]),
        None => Some(0),
    };
    !text.is_empty() && time.is_some_and(|time| days + time <= MAX_YEARS * 31_622_400)
}

/// Seconds in a sequence of numbers with units, each of which may be missing.
fn sum(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut seconds = 0i64;
    for (unit, scale) in units {
        if let Some((number, rest)) = text.split_once(*unit) {
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let part = number.parse::<i64>().ok()?.checked_mul(*scale)?;
            seconds = seconds.checked_add(part)?;
            text = rest;
        }
    }
    text.is_empty().then_some(seconds.min(i64::MAX / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_complete_dates() {
        for good in [
            "2025-01-31",
            "2024-02-29T23:59:59",
            "2025-01-01T00:00:00Z",
            "2025-01-01 08:00:00.123456+08:00",
        ] {
            assert!(is_instant(good), "{good}");
        }
        for bad in [
            "",
            "now",
            "infinity",
            "2025-13-01",
            "2025-02-29",
            "0000-01-01",
            "2025-1-1",
            "2025-01-01T",
            "2025-01-01T24:00:00",
            "2025-01-01T00:00:00+",
            "2025-01-01T00:00:00+99:00",
            "2025-01-01T00:00:00 BC",
            "2025-01-01T00:00:00.",
            "٢٠٢٥-01-01",
        ] {
            assert!(!is_instant(bad), "{bad}");
        }
    }

    #[test]
    fn intervals_are_whole_numbers() {
        for good in ["P1D", "PT2H", "P1Y2M3DT4H5M6S", "P0D", "P10000Y"] {
            assert!(is_interval(good), "{good}");
        }
        for bad in ["", "P", "PT", "P1", "1D", "P-1D", "P1.5D", "P1H", "PT1D", "P1DT", "P10001Y"] {
            assert!(!is_interval(bad), "{bad}");
        }
        assert!(!is_interval("P9999999999999999999Y"));
        assert!(!is_interval("P9223372036854775807D"));
    }
}
