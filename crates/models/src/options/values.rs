//! The values of options, and the errors of those that are not allowed.

use std::path::PathBuf;
use std::time::Duration;

use super::Truncate;
use crate::Invalid;
use crate::provider::Provider;

const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);
/// Longest value that is repeated in a message, in characters.
const LONGEST_VALUE: usize = 100;

/// The beginning of a value, for a message.
pub(super) fn shown(value: &str) -> String {
    value.chars().take(LONGEST_VALUE).collect()
}

pub(super) fn value_error(name: &str, value: &str) -> Invalid {
    Invalid::new(format!("invalid value for option \"{name}\": \"{}\"", shown(value)))
}

pub(super) fn value_error_with_hint(name: &str, value: &str, hint: impl Into<String>) -> Invalid {
    Invalid { hint: Some(hint.into()), ..value_error(name, value) }
}

pub(super) fn required(name: &str, provider: &str) -> Invalid {
    Invalid::new(format!("option \"{name}\" is required for provider \"{provider}\""))
}

pub(super) fn whole(name: &str, value: &str, most: usize) -> Result<usize, Invalid> {
    value.parse().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| {
        value_error_with_hint(name, value, format!("The value must be between 1 and {most}."))
    })
}

pub(super) fn boolean(name: &str, value: &str) -> Result<bool, Invalid> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => Err(value_error_with_hint(name, value, "The value must be true or false.")),
    }
}

pub(super) fn timeout(value: &str) -> Result<Duration, Invalid> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let factor = match value[digits..].trim() {
        "ms" => Some(1),
        "s" => Some(1000),
        "min" => Some(60_000),
        _ => None,
    };
    let number: Option<u64> = value[..digits].parse().ok();
    let time = number.zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    time.map(Duration::from_millis)
        .filter(|time| !time.is_zero() && *time <= LONGEST_TIMEOUT)
        .ok_or_else(|| {
            let hint = "The value must be a time with a unit, such as 500ms, 30s, or 2min, up to \
                        60min.";
            value_error_with_hint("timeout", value, hint)
        })
}

pub(super) fn truncate(value: &str) -> Result<Truncate, Invalid> {
    match value {
        "none" => Ok(Truncate::None),
        "start" => Ok(Truncate::Start),
        "end" => Ok(Truncate::End),
        _ => {
            Err(value_error_with_hint("truncate", value, "The value must be none, start, or end."))
        }
    }
}

/// The provider's word for a task.
pub(super) fn task(provider: &dyn Provider, value: &str) -> Result<String, Invalid> {
    let tasks = provider.tasks();
    let task = tasks.iter().find(|(ours, theirs)| *ours == value || *theirs == value);
    task.map(|(_, theirs)| (*theirs).into()).ok_or_else(|| {
        let ours: Vec<&str> = tasks.iter().map(|(ours, _)| *ours).collect();
        value_error_with_hint("task", value, format!("Tasks are: {}.", ours.join(", ")))
    })
}

pub(super) fn api_version(value: &str) -> Result<String, Invalid> {
    let valid = (1..=40).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    valid.then(|| value.into()).ok_or_else(|| {
        value_error_with_hint("api_version", value, "The value must be such as 2024-10-21.")
    })
}

pub(super) fn path(value: &str) -> Result<PathBuf, Invalid> {
    let path = PathBuf::from(value);
    let valid = path.is_absolute() && !value.contains('\0');
    valid
        .then_some(path)
        .ok_or_else(|| value_error_with_hint("path", value, "The value must be an absolute path."))
}

pub(super) fn variable(value: &str) -> Option<String> {
    let valid = !value.is_empty() && !value.contains(['=', '\0']);
    valid.then(|| value.into())
}

pub(super) fn sha256(value: &str) -> Result<[u8; 32], Invalid> {
    let mut hash = [0; 32];
    let digits = value.as_bytes().as_chunks::<2>().0;
    let valid = value.len() == 64
        && hash.iter_mut().zip(digits).all(|(byte, digits)| {
            let digits = std::str::from_utf8(digits).ok().filter(|two| !two.contains('+'));
            digits.and_then(|two| u8::from_str_radix(two, 16).ok()).map(|v| *byte = v).is_some()
        });
    valid.then_some(hash).ok_or_else(|| {
        value_error_with_hint("sha256", value, "The value must be 64 hexadecimal digits.")
    })
}
