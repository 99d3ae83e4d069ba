//! The address of a server as its options give it.

use ureq::http::Uri;

use super::address::Reach;
use crate::Invalid;

const LONGEST: usize = 2000;

/// An address of HTTP or HTTPS without a query, to which paths are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    base: String,
    reach: Reach,
}

impl Url {
    /// `text`, if it is an address that may be called. Without `allow_http`, HTTP is only for this
    /// host.
    ///
    /// # Errors
    /// [`Invalid`], which does not repeat what could be a password.
    pub(crate) fn new(text: &str, allow_http: bool) -> Result<Self, Invalid> {
        let invalid = |hint: &str| Invalid {
            hint: Some(hint.into()),
            ..Invalid::new("invalid value for option \"url\"")
        };
        let form = "The value must be such as https://host/path or http://localhost:8080.";
        let uri: Uri = match text.len() <= LONGEST {
            true => text.parse().map_err(|_| invalid(form))?,
            false => return Err(invalid(form)),
        };
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(invalid(form));
        };
        if authority.as_str().contains('@') {
            return Err(invalid("Set the option \"api_key\" of a user mapping to a key."));
        }
        if uri.query().is_some() || text.contains('#') || authority.host().is_empty() {
            return Err(invalid(form));
        }
        let reach = match scheme {
            "https" => Reach::Anywhere,
            "http" if allow_http => Reach::Anywhere,
            "http" if is_local(authority.host()) => Reach::ThisHost,
            "http" => {
                return Err(invalid(
                    "Use https, because http shows keys and texts to the network, or set the \
                     option \"allow_http\" to true.",
                ));
            }
            _ => return Err(invalid(form)),
        };
        Ok(Self { base: text.trim_end_matches('/').into(), reach })
    }

    /// The address with `path`, which begins with a slash, at its end.
    pub(crate) fn with(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Whether the path ends so.
    pub(crate) fn ends_with(&self, end: &str) -> bool {
        self.base.ends_with(end)
    }

    /// Whether calls are encrypted.
    pub(crate) fn is_https(&self) -> bool {
        self.base.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }

    /// Which addresses it may lead to.
    pub(crate) fn reach(&self) -> Reach {
        self.reach
    }
}

/// Whether a host is written as this one. What it resolves to is checked when it is called.
fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(super::address::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_host() {
        for url in [
            "http://localhost:1/v1",
            "http://127.8.9.1",
            "http://[::1]:80/",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert_eq!(Url::new(url, false).expect(url).reach(), Reach::ThisHost);
            assert_eq!(Url::new(url, true).expect(url).reach(), Reach::Anywhere);
        }
        for url in [
            "http://example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://128.0.0.1",
        ] {
            let error = Url::new(url, false).expect_err(url);
            assert!(error.hint.expect("a hint").contains("allow_http"), "{url}");
            assert!(Url::new(url, true).is_ok(), "{url}");
        }
        assert_eq!(
            Url::new("https://example.com/v1/", false).expect("valid").with("/x"),
            "https://example.com/v1/x"
        );
    }

    #[test]
    fn other_urls_are_refused_without_repeating_them() {
        for url in [
            "",
            "example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://",
            "https:///x",
            "https://hidden:hidden@example.com",
            "https://example.com/?hidden=1",
            "https://example.com/#hidden",
            "https://exa mple.com",
            "https://example.com/\r\nhidden: 1",
            "unix:///hidden",
        ] {
            let error = Url::new(url, true).expect_err(url);
            assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
        }
    }
}
