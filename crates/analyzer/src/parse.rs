//! Reads the JSON of an analyzer. Milvus's rules, but unknown keys are refused everywhere, and not
//! only beside `tokenizer` and `filter`.

mod filters;
mod parameters;
mod tokenizers;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::MAX_DEFINITION;
use crate::specification::{FilterKind, Jieba, Language, Specification, TokenizerKind};
use parameters::Parameters;

/// Reads the definition of an analyzer.
pub(crate) fn specification(json: &str) -> Result<Specification> {
    if json.len() > MAX_DEFINITION {
        let message = format!(
            "definition of the analyzer has {} bytes, but at most {MAX_DEFINITION} are allowed",
            json.len()
        );
        return Err(Error::new(ErrorKind::Limit, message));
    }
    if json.trim().is_empty() {
        return Ok(standard(BTreeSet::new()));
    }
    let value: Value = serde_json::from_str(json).map_err(|error| {
        let message = format!("definition of the analyzer is not valid JSON: {error}");
        Error::new(ErrorKind::Syntax, message).hint(EXAMPLE)
    })?;
    let Value::Object(map) = &value else {
        let message = "definition of an analyzer must be a JSON object";
        return Err(Error::new(ErrorKind::Syntax, message).hint(EXAMPLE));
    };
    let analyzer = Parameters::new("analyzer", map);
    if analyzer.is_empty() {
        return Ok(standard(BTreeSet::new()));
    }
    if analyzer.has("type") { built_in(&analyzer) } else { custom(&analyzer) }
}

const EXAMPLE: &str =
    r#"Examples: {"type": "english"}, {"tokenizer": "standard", "filter": ["lowercase"]}."#;

fn built_in(analyzer: &Parameters<'_>) -> Result<Specification> {
    let name = analyzer.required_string("type")?;
    let make = match name {
        "standard" => standard,
        "english" => english,
        "chinese" => chinese,
        "arabic" | "thai" => {
            let message = format!("built-in analyzer \"{name}\" is not supported");
            return Err(Error::unsupported(message).hint(BUILT_IN));
        }
        other => {
            let message = format!("unknown built-in analyzer \"{other}\"");
            return Err(Error::invalid(message).hint(BUILT_IN));
        }
    };
    analyzer.allow(&["type", "stop_words"])?;
    Ok(make(filters::stop_words(analyzer)?.unwrap_or_default()))
}

const BUILT_IN: &str = "Built-in analyzers are standard, english, and chinese. \
     Other analyzers are defined by \"tokenizer\" and \"filter\".";

fn standard(stop_words: BTreeSet<String>) -> Specification {
    let filters = with_stop_words(vec![FilterKind::Lowercase], stop_words);
    Specification { tokenizer: TokenizerKind::Standard, filters }
}

/// Stop words are removed after stemming, as Milvus does it.
fn english(stop_words: BTreeSet<String>) -> Specification {
    let filters = vec![
        FilterKind::Lowercase,
        FilterKind::Stemmer(Language::English),
        FilterKind::Stop(BTreeSet::from(["_english_".to_owned()])),
    ];
    Specification {
        tokenizer: TokenizerKind::Standard,
        filters: with_stop_words(filters, stop_words),
    }
}

fn chinese(stop_words: BTreeSet<String>) -> Specification {
    Specification {
        tokenizer: TokenizerKind::Jieba(Jieba::default()),
        filters: with_stop_words(vec![FilterKind::CnAlphaNumOnly], stop_words),
    }
}

fn with_stop_words(mut filters: Vec<FilterKind>, words: BTreeSet<String>) -> Vec<FilterKind> {
    if !words.is_empty() {
        filters.push(FilterKind::Stop(words));
    }
    filters
}

fn custom(analyzer: &Parameters<'_>) -> Result<Specification> {
    analyzer.allow(&["tokenizer", "filter"])?;
    Ok(Specification {
        tokenizer: tokenizers::tokenizer(analyzer)?,
        filters: filters::filters(analyzer)?,
    })
}
