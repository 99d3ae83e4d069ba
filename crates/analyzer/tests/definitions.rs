//! Definitions: what is refused and why, and the canonical form.

mod common;

use analyzer::{Analyzer, ErrorKind, MAX_DEFINITION, MAX_FILTERS};
use common::analyzer;

#[track_caller]
fn refused(json: &str, kind: ErrorKind, message: &str) {
    let error = Analyzer::from_json(json).expect_err("is refused");
    assert_eq!((error.kind, error.message.as_str()), (kind, message));
    assert!(error.hint.is_none_or(|hint| hint.ends_with('.')));
}

#[track_caller]
fn invalid(json: &str, message: &str) {
    refused(json, ErrorKind::Invalid, message);
}

#[track_caller]
fn unsupported(json: &str, message: &str) {
    refused(json, ErrorKind::Unsupported, message);
}

#[test]
fn not_a_definition() {
    refused("[]", ErrorKind::Syntax, "definition of an analyzer must be a JSON object");
    let error = Analyzer::from_json("{").expect_err("is no JSON");
    assert_eq!(error.kind, ErrorKind::Syntax);
    assert!(Analyzer::from_json(&"[".repeat(10_000)).is_err());
    let long = " ".repeat(MAX_DEFINITION + 1);
    assert_eq!(Analyzer::from_json(&long).expect_err("is long").kind, ErrorKind::Limit);
}

#[test]
fn analyzers() {
    invalid(r#"{"type": "klingon"}"#, "unknown built-in analyzer \"klingon\"");
    unsupported(r#"{"type": "thai"}"#, "built-in analyzer \"thai\" is not supported");
    invalid(r#"{"type": 1}"#, "option \"type\" of analyzer must be a string");
    invalid(r#"{"type": "english", "filter": []}"#, "unknown option \"filter\" of analyzer");
    invalid(r#"{"filter": []}"#, "analyzer needs the option \"tokenizer\" or \"type\"");
    invalid(r#"{"tokenizer": "standard", "x": 1}"#, "unknown option \"x\" of analyzer");
    let words = r#"{"type": "standard", "stop_words": "a"}"#;
    invalid(words, "option \"stop_words\" of analyzer must be an array of strings");
}

#[test]
fn tokenizers() {
    let refuse = |tokenizer: &str, kind, message: &str| {
        refused(&format!(r#"{{"tokenizer": {tokenizer}}}"#), kind, message);
    };
    refuse(
        "1",
        ErrorKind::Invalid,
        "option \"tokenizer\" of analyzer must be a string or an object",
    );
    refuse(r#""x""#, ErrorKind::Invalid, "unsupported tokenizer: \"x\"");
    refuse("{}", ErrorKind::Invalid, "tokenizer needs the option \"type\"");
    for name in ["lindera", "language_identifier", "thai", "grpc", "char_group"] {
        let message = format!("tokenizer \"{name}\" is not supported");
        refuse(&format!(r#"{{"type": "{name}", "x": 1}}"#), ErrorKind::Unsupported, &message);
    }
    let mode = r#"{"type": "jieba", "mode": "all"}"#;
    let message = "option \"mode\" of tokenizer \"jieba\" must be \"search\" or \"exact\"";
    refuse(mode, ErrorKind::Invalid, message);
    let hmm = r#"{"type": "jieba", "hmm": "true"}"#;
    refuse(hmm, ErrorKind::Invalid, "option \"hmm\" of tokenizer \"jieba\" must be true or false");
    let file = r#"{"type": "jieba", "extra_dict_file": {"type": "local", "path": "/etc/passwd"}}"#;
    let message = "option \"extra_dict_file\" of tokenizer \"jieba\" is not supported";
    refuse(file, ErrorKind::Unsupported, message);
}

#[test]
fn filters() {
    let refuse = |filter: &str, kind, message: &str| {
        let json = format!(r#"{{"tokenizer": "standard", "filter": [{filter}]}}"#);
        refused(&json, kind, message);
    };
    invalid(
        r#"{"tokenizer": "standard", "filter": "x"}"#,
        "option \"filter\" of analyzer must be an array",
    );
    refuse("1", ErrorKind::Invalid, "filter must be a string or an object");
    refuse(r#""upper""#, ErrorKind::Invalid, "unsupported filter: \"upper\"");
    refuse(r#""synonym""#, ErrorKind::Unsupported, "filter \"synonym\" is not supported");
    refuse(r#""length""#, ErrorKind::Invalid, "filter \"length\" needs the option \"max\"");
    let length = r#"{"type": "length", "max": -1}"#;
    let message = "option \"max\" of filter \"length\" must be an integer that is at least 0";
    refuse(length, ErrorKind::Invalid, message);
    let stemmer = r#"{"type": "stemmer", "language": "klingon"}"#;
    let message = "unsupported language of filter \"stemmer\": \"klingon\"";
    refuse(stemmer, ErrorKind::Invalid, message);
    let stop = r#"{"type": "stop", "stop_words": ["_klingon_"]}"#;
    refuse(stop, ErrorKind::Unsupported, "unknown list of stop words \"_klingon_\"");
    let file = r#"{"type": "stop", "stop_words_file": {}}"#;
    let message = "option \"stop_words_file\" of filter \"stop\" is not supported";
    refuse(file, ErrorKind::Unsupported, message);
    let words = r#"{"type": "decompounder", "word_list": [""]}"#;
    refuse(words, ErrorKind::Invalid, "filter \"decompounder\" needs a \"word_list\" with words");
    let look_around = r#"{"type": "regex", "expr": "^(?!test)"}"#;
    let message = "invalid regular expression of filter \"regex\": look-around, including look-ahead and look-behind, is not supported";
    refuse(look_around, ErrorKind::Invalid, message);
    let large = r#"{"type": "regex", "expr": "(\\w{100}){100}"}"#;
    let json = format!(r#"{{"tokenizer": "standard", "filter": [{large}]}}"#);
    assert_eq!(Analyzer::from_json(&json).expect_err("is large").kind, ErrorKind::Invalid);
    let many = vec![r#""lowercase""#; MAX_FILTERS + 1].join(",");
    refuse(&many, ErrorKind::Limit, "analyzer has 33 filters, but at most 32 are allowed");
}

#[test]
fn canonical_form() {
    let canonical = |json: &str| {
        let made = analyzer(json);
        assert_eq!(analyzer(made.definition()).definition(), made.definition());
        made.definition().to_owned()
    };
    assert_eq!(canonical(""), r#"{"filter":["lowercase"],"tokenizer":"standard"}"#);
    let english = r#"{"tokenizer": {"type": "standard"}, "filter": [{"type": "lowercase"},
        {"type": "stemmer", "language": "English"},
        {"type": "stop", "stop_words": ["", "_english_"]}]}"#;
    assert_eq!(canonical(english), canonical(r#"{"type": "english"}"#));
    assert_ne!(canonical(r#"{"type": "standard"}"#), canonical(r#"{"tokenizer": "standard"}"#));
    canonical(
        r#"{"tokenizer": "whitespace", "filter": ["asciifolding", "alphanumonly", "cncharonly",
        "cnalphanumonly", "removepunct", "decimaldigit", "arabic_normalization",
        {"type": "length", "max": 7}, {"type": "decompounder", "word_list": ["b", "a"]},
        {"type": "regex", "expr": "\""}]}"#,
    );
    #[cfg(feature = "jieba")]
    {
        let options = r#"{"tokenizer": {"type": "jieba", "dict": ["b", "a"], "hmm": false}}"#;
        canonical(options);
        let default =
            r#"{"tokenizer": {"type": "jieba", "dict": ["_default_"], "mode": "search"}}"#;
        assert_eq!(canonical(default), r#"{"filter":[],"tokenizer":"jieba"}"#);
    }
}
