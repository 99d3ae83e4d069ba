//! Reads `tokenizer`.

use serde_json::{Map, Value};

use super::Parameters;
use crate::error::{Error, Result};
use crate::specification::{Jieba, TokenizerKind};

pub(super) fn tokenizer(analyzer: &Parameters<'_>) -> Result<TokenizerKind> {
    let no_options = Map::new();
    let (name, map) = match analyzer.value("tokenizer") {
        Some(Value::String(name)) => (name.as_str(), &no_options),
        Some(Value::Object(map)) => {
            (Parameters::new("tokenizer", map).required_string("type")?, map)
        }
        Some(_) => return Err(analyzer.wrong("tokenizer", "a string or an object")),
        None => {
            let message = "analyzer needs the option \"tokenizer\" or \"type\"";
            return Err(Error::invalid(message).hint(TOKENIZERS));
        }
    };
    let owner = format!("tokenizer \"{name}\"");
    let options = Parameters::new(&owner, map);
    match name {
        "standard" => {
            if options.boolean("uax29")? == Some(true) {
                let message = "option \"uax29\" of tokenizer \"standard\" is not supported";
                return Err(Error::unsupported(message)
                    .hint("The tokenizer \"icu\" splits at the word boundaries of Unicode."));
            }
            options.allow(&["type", "uax29"])?;
            Ok(TokenizerKind::Standard)
        }
        "whitespace" => options.allow(&["type"]).map(|()| TokenizerKind::Whitespace),
        "icu" => options.allow(&["type"]).map(|()| TokenizerKind::Icu),
        "jieba" => jieba(&options).map(TokenizerKind::Jieba),
        "lindera" | "thai" | "language_identifier" | "char_group" | "grpc" => {
            let message = format!("tokenizer \"{name}\" is not supported");
            Err(Error::unsupported(message).hint(alternative(name)))
        }
        other => {
            let message = format!("unsupported tokenizer: \"{other}\"");
            Err(Error::invalid(message).hint(TOKENIZERS))
        }
    }
}

const TOKENIZERS: &str = "Tokenizers are standard, whitespace, jieba, and icu.";

fn alternative(tokenizer: &str) -> &'static str {
    match tokenizer {
        "lindera" => "The tokenizer \"icu\" finds words of Japanese and Korean texts.",
        "thai" => "The tokenizer \"icu\" finds words of Thai texts.",
        "language_identifier" => {
            "Create one index for each language, each with its own analyzer and a WHERE clause."
        }
        _ => TOKENIZERS,
    }
}

fn jieba(options: &Parameters<'_>) -> Result<Jieba> {
    options.refuse_file("extra_dict_file", "dict")?;
    options.allow(&["type", "dict", "mode", "hmm"])?;
    let mut jieba = Jieba::default();
    if let Some(mut words) = options.words("dict")? {
        if words.contains("_extend_default_") {
            let message = "dictionary \"_extend_default_\" of tokenizer \"jieba\" is not supported";
            return Err(Error::unsupported(message)
                .hint("Use \"_default_\", and add the words that it lacks."));
        }
        jieba.default_dictionary = words.remove("_default_");
        jieba.words = words;
    }
    jieba.search = match options.string("mode")? {
        None | Some("search") => true,
        Some("exact") => false,
        Some(_) => return Err(options.wrong("mode", "\"search\" or \"exact\"")),
    };
    jieba.hmm = options.boolean("hmm")?.unwrap_or(true);
    Ok(jieba)
}
