//! HTTP as the providers need it: a request with a body, a reply of bounded size, within a time.
//!
//! Nothing is called that is not checked: [`address`] says which addresses are refused, and
//! [`transport`] connects to exactly those that were checked.

mod address;
mod client;
mod transport;
mod url;
mod watch;

pub(crate) use client::{Client, Request};
pub(crate) use url::Url;
