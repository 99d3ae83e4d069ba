//! Keys of providers, which no message shows.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use crate::{Error, ErrorKind};

/// Longest file of a key, in bytes.
const LONGEST_FILE: u64 = 8192;
/// Parts of a key that are at least as long, in bytes, are removed from messages.
const SHORTEST_PART: usize = 8;

/// A key. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Secret {
    /// A key, if it can be sent in a header.
    pub(crate) fn new(key: &str) -> Option<Self> {
        let sendable = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        sendable.then(|| Self(key.into()))
    }

    /// The key itself, to be sent.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` without the key, and without parts of it.
    pub(crate) fn removed_from(&self, text: &str) -> String {
        let shortest = SHORTEST_PART.min(self.0.len());
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            // Keys are ASCII, so whatever is part of one ends between characters.
            let part = (shortest..=rest.len().min(self.0.len()))
                .take_while(|&len| rest.is_char_boundary(len) && self.0.contains(&rest[..len]))
                .last();
            match part {
                Some(len) => {
                    clean.push_str("[secret]");
                    rest = &rest[len..];
                }
                None => {
                    clean.push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        clean
    }
}

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// There is none.
    None,
    /// Option `api_key`.
    Given(Secret),
    /// Option `api_key_env`: the name of a variable.
    Environment(String),
    /// Option `api_key_file`.
    File(PathBuf),
}

impl KeySource {
    /// The key, if there is one; `server` is for messages.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the variable or file cannot be read, or has no key in it.
    pub(crate) fn key(&self, server: &str) -> Result<Option<Secret>, Error> {
        let (text, option) = match self {
            Self::None => return Ok(None),
            Self::Given(secret) => return Ok(Some(secret.clone())),
            Self::Environment(name) => (std::env::var(name).ok(), "api_key_env"),
            Self::File(path) => (read(path), "api_key_file"),
        };
        let key = text.and_then(|text| Secret::new(text.trim()));
        key.map(Some).ok_or_else(|| Error {
            kind: ErrorKind::File,
            message: format!("could not read the key of model server \"{server}\""),
            hint: Some(format!(
                "Check what the option \"{option}\" of the user mapping refers to: it must be \
                 readable by the database server and contain nothing but the key."
            )),
            input: None,
        })
    }
}

/// The text of a regular file that is short enough.
fn read(path: &PathBuf) -> Option<String> {
    // Opening a pipe would wait for whoever writes to it.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(LONGEST_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_removed_from_messages() {
        let key = Secret::new("sk-0123456789abcdef").expect("a key");
        let text = "é bad key sk-0123456789abcdef, or sk-01234***89abcdef é; sk-0 is no key";
        let clean = "é bad key [secret], or [secret]***[secret] é; sk-0 is no key";
        assert_eq!(key.removed_from(text), clean);
        assert_eq!(format!("{key:?}"), "[secret]");
        assert_eq!(Secret::new("ab").expect("a key").removed_from("abba"), "[secret]ba");
    }

    #[test]
    fn a_key_fits_into_a_header() {
        for bad in ["", "a b", "a\r\nhost: b", "\u{e9}", "a\0"] {
            assert_eq!(Secret::new(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_key_is_read_from_a_file() {
        let path = std::env::temp_dir().join(format!("models-key-{}", std::process::id()));
        std::fs::write(&path, "secret-key\n").expect("a file");
        let key = KeySource::File(path.clone()).key("s");
        assert_eq!(key, Ok(Secret::new("secret-key")));
        std::fs::write(&path, "two keys").expect("a file");
        let error = KeySource::File(path.clone()).key("s").expect_err("no key");
        assert_eq!(error.kind, ErrorKind::File);
        assert!(!format!("{error:?}").contains("two keys"));
        std::fs::remove_file(&path).expect("a file");
        assert!(KeySource::File(path).key("s").is_err());
        assert!(KeySource::File("/dev/stdin".into()).key("s").is_err());
        assert!(KeySource::Environment("MODELS_NO_SUCH_KEY".into()).key("s").is_err());
    }
}
