//! Reads `filter`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Parameters;
use crate::error::{Error, ErrorKind, Result};
use crate::filter::stop_words::{self, LISTS};
use crate::limits::MAX_FILTERS;
use crate::specification::{FilterKind, Language};

pub(super) fn filters(analyzer: &Parameters<'_>) -> Result<Vec<FilterKind>> {
    let items = match analyzer.value("filter") {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(analyzer.wrong("filter", "an array")),
    };
    if items.len() > MAX_FILTERS {
        let message =
            format!("analyzer has {} filters, but at most {MAX_FILTERS} are allowed", items.len());
        return Err(Error::new(ErrorKind::Limit, message));
    }
    let no_options = Map::new();
    let read = |item: &Value| match item {
        Value::String(name) => filter(name, &no_options),
        Value::Object(map) => filter(Parameters::new("filter", map).required_string("type")?, map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(Error::invalid("filter must be a string or an object"))
        }
    };
    items.iter().map(read).collect()
}

fn filter(name: &str, map: &Map<String, Value>) -> Result<FilterKind> {
    let owner = format!("filter \"{name}\"");
    let options = Parameters::new(&owner, map);
    let simple = |kind: FilterKind| options.allow(&["type"]).map(|()| kind);
    match name {
        "lowercase" => simple(FilterKind::Lowercase),
        "asciifolding" => simple(FilterKind::AsciiFolding),
        "alphanumonly" => simple(FilterKind::AlphaNumOnly),
        "cnalphanumonly" => simple(FilterKind::CnAlphaNumOnly),
        "cncharonly" => simple(FilterKind::CnCharOnly),
        "removepunct" => simple(FilterKind::RemovePunct),
        "decimaldigit" => simple(FilterKind::DecimalDigit),
        "arabic_normalization" => simple(FilterKind::ArabicNormalization),
        "length" => {
            options.allow(&["type", "max"])?;
            options.required_number("max").map(FilterKind::Length)
        }
        "stop" => {
            options.refuse_file("stop_words_file", "stop_words")?;
            options.allow(&["type", "stop_words"])?;
            Ok(FilterKind::Stop(stop_words(&options)?.unwrap_or_default()))
        }
        "stemmer" => {
            options.allow(&["type", "language"])?;
            language(options.required_string("language")?).map(FilterKind::Stemmer)
        }
        "decompounder" => decompounder(&options),
        "regex" => {
            options.allow(&["type", "expr"])?;
            Ok(FilterKind::Regex(options.required_string("expr")?.to_owned()))
        }
        "synonym" | "pinyin" => {
            let message = format!("filter \"{name}\" is not supported");
            Err(Error::unsupported(message).hint(FILTERS))
        }
        other => {
            let message = format!("unsupported filter: \"{other}\"");
            Err(Error::invalid(message).hint(FILTERS))
        }
    }
}

const FILTERS: &str = "Filters are lowercase, asciifolding, alphanumonly, cnalphanumonly, \
    cncharonly, removepunct, decimaldigit, arabic_normalization, length, stop, stemmer, \
    decompounder, and regex.";

/// The option `stop_words`, whose names of lists are checked.
pub(super) fn stop_words(options: &Parameters<'_>) -> Result<Option<BTreeSet<String>>> {
    let words = options.words("stop_words")?;
    for word in words.iter().flatten() {
        if stop_words::is_name(word) && stop_words::list(word).is_none() {
            let names: Vec<&str> = LISTS.iter().map(|(name, _)| *name).collect();
            return Err(Error::unsupported(format!("unknown list of stop words \"{word}\""))
                .hint(format!("Lists are {}.", names.join(", "))));
        }
    }
    Ok(words)
}

fn language(name: &str) -> Result<Language> {
    let lower = name.to_lowercase();
    Language::ALL.iter().copied().find(|language| language.name() == lower).ok_or_else(|| {
        let names: Vec<&str> = Language::ALL.iter().map(|language| language.name()).collect();
        Error::invalid(format!("unsupported language of filter \"stemmer\": \"{name}\""))
            .hint(format!("Languages are {}.", names.join(", ")))
    })
}

fn decompounder(options: &Parameters<'_>) -> Result<FilterKind> {
    options.refuse_file("word_list_file", "word_list")?;
    options.allow(&["type", "word_list"])?;
    match options.words("word_list")? {
        Some(words) if !words.is_empty() => Ok(FilterKind::Decompounder(words)),
        _ => Err(Error::invalid("filter \"decompounder\" needs a \"word_list\" with words")),
    }
}
