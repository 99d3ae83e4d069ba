//! Access to a JSON object with errors that name the object and the key.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Options of an analyzer, a tokenizer, or a filter.
pub(super) struct Parameters<'a> {
    /// What the options belong to.
    owner: &'a str,
    map: &'a Map<String, Value>,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(owner: &'a str, map: &'a Map<String, Value>) -> Self {
        Self { owner, map }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    pub(super) fn value(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    /// Refuses keys that are not in `known`.
    pub(super) fn allow(&self, known: &[&str]) -> Result<()> {
        match self.map.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let message = format!("unknown option \"{key}\" of {}", self.owner);
                Err(Error::invalid(message).hint(format!("Options are {}.", known.join(", "))))
            }
        }
    }

    /// Refuses `key`, which names a file.
    pub(super) fn refuse_file(&self, key: &str, instead: &str) -> Result<()> {
        if !self.has(key) {
            return Ok(());
        }
        let message = format!("option \"{key}\" of {} is not supported", self.owner);
        Err(Error::unsupported(message).hint(format!("Write the words in \"{instead}\".")))
    }

    pub(super) fn required_string(&self, key: &str) -> Result<&'a str> {
        match self.value(key) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(self.wrong(key, "a string")),
            None => Err(Error::invalid(format!("{} needs the option \"{key}\"", self.owner))),
        }
    }

    pub(super) fn string(&self, key: &str) -> Result<Option<&'a str>> {
        if self.has(key) { self.required_string(key).map(Some) } else { Ok(None) }
    }

    pub(super) fn boolean(&self, key: &str) -> Result<Option<bool>> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(self.wrong(key, "true or false")),
        }
    }

    /// A number that is an integer and at least 0.
    pub(super) fn required_number(&self, key: &str) -> Result<u64> {
        match self.value(key) {
            None => Err(Error::invalid(format!("{} needs the option \"{key}\"", self.owner))),
            Some(value) => {
                value.as_u64().ok_or_else(|| self.wrong(key, "an integer that is at least 0"))
            }
        }
    }

    /// The words of an array. Empty words are left out: no token is empty.
    pub(super) fn words(&self, key: &str) -> Result<Option<BTreeSet<String>>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let Value::Array(items) = value else {
            return Err(self.wrong(key, "an array of strings"));
        };
        let mut words = BTreeSet::new();
        for item in items {
            match item {
                Value::String(word) if word.is_empty() => {}
                Value::String(word) => {
                    words.insert(word.clone());
                }
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_) => return Err(self.wrong(key, "an array of strings")),
            }
        }
        Ok(Some(words))
    }

    /// The error that `key` has another type than `expected`.
    pub(super) fn wrong(&self, key: &str, expected: &str) -> Error {
        Error::invalid(format!("option \"{key}\" of {} must be {expected}", self.owner))
    }
}
