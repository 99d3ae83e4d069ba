//! Tokens equal those that Milvus's documentation and tests expect.

mod common;

use common::{analyzer, tokens};

/// The texts of the tokens, joined by bars.
fn words(json: &str, text: &str) -> String {
    let tokens = tokens(&analyzer(json), text);
    tokens.into_iter().map(|token| token.0).collect::<Vec<_>>().join("|")
}

/// Tokens of the tokenizer `standard` after the filters.
fn filtered(filters: &str, text: &str) -> String {
    words(&format!(r#"{{"tokenizer": "standard", "filter": [{filters}]}}"#), text)
}

#[test]
fn built_in_standard() {
    let text = "The Milvus vector database is built for scale!";
    assert_eq!(words("", text), "the|milvus|vector|database|is|built|for|scale");
    assert_eq!(words("{}", text), words(r#"{"type": "standard"}"#, text));
    let stop = r#"{"type": "standard", "stop_words": ["_english_", "milvus"]}"#;
    assert_eq!(words(stop, text), "vector|database|built|scale");
}

#[test]
fn built_in_english() {
    let english = r#"{"type": "english"}"#;
    assert_eq!(
        words(english, "Milvus is a vector database built for scale!"),
        "milvus|vector|databas|built|scale"
    );
    // Stop words are compared with stems: "being" is removed, because its stem is "be".
    assert_eq!(words(english, "Being this, these dogs were running"), "dog|were|run");
    let stop = r#"{"type": "english", "stop_words": ["run"]}"#;
    assert_eq!(words(stop, "the running dogs"), "dog");
}

#[cfg(feature = "jieba")]
#[test]
fn built_in_chinese() {
    let chinese = r#"{"type": "chinese"}"#;
    assert_eq!(words(chinese, "系统安全;,'';lxyz密码"), "系统|安全|系统安全|lxyz|密码");
    assert_eq!(
        words(chinese, "Milvus 是一个高性能、可扩展的向量数据库！"),
        "Milvus|是|一个|高性|性能|高性能|可|扩展|的|向量|数据|据库|数据库"
    );
}

#[test]
fn standard_and_whitespace() {
    let text = "The Milvus vector database is built for scale!";
    let standard = r#"{"tokenizer": "standard"}"#;
    assert_eq!(words(standard, text), "The|Milvus|vector|database|is|built|for|scale");
    assert_eq!(words(standard, "foo@bar.com x_y 32.3 don't"), "foo|bar|com|x|y|32|3|don|t");
    assert_eq!(
        words(standard, "éclair Straße Ελληνικά 中文 日本語"),
        "éclair|Straße|Ελληνικά|中文|日本語"
    );
    let whitespace = r#"{"tokenizer": {"type": "whitespace"}}"#;
    assert_eq!(words(whitespace, text), "The|Milvus|vector|database|is|built|for|scale!");
    assert_eq!(words(whitespace, " a\t b\u{a0}c\n"), "a|b\u{a0}c");
}

#[test]
fn offsets_and_positions() {
    let text = "the größer of, dogs";
    let found = tokens(&analyzer(r#"{"type": "english"}"#), text);
    let token = |word: &str, source: &str, position| {
        let start = text.find(source).expect("is in the text");
        (word.to_owned(), start, start + source.len(), position, 1)
    };
    // A dropped token leaves a gap in the positions.
    assert_eq!(found, [token("größer", "größer", 1), token("dog", "dogs", 3)]);
}

#[cfg(feature = "jieba")]
#[test]
fn jieba() {
    assert_eq!(words(r#"{"tokenizer": "jieba"}"#, "结巴分词器"), "结巴|分词|分词器");
    let own = r#"{"tokenizer": {"type": "jieba", "dict": ["结巴分词器"], "mode": "exact", "hmm": false}}"#;
    assert_eq!(words(own, "milvus结巴分词器中文测试"), "milvus|结巴分词器|中|文|测|试");
    let found = tokens(&analyzer(r#"{"tokenizer": "jieba"}"#), "a 系统安全");
    assert_eq!(found[2], ("系统".to_owned(), 2, 8, 2, 2));
    assert_eq!(found[4], ("系统安全".to_owned(), 2, 14, 2, 4));
}

#[cfg(feature = "icu")]
#[test]
fn icu() {
    let icu = r#"{"tokenizer": "icu"}"#;
    assert_eq!(words(icu, "Привет! Как дела?"), "Привет|!| |Как| |дела|?");
    let text = "tokenizer for global doc, 中文分词测试, 東京スカイツリーの最寄り駅はとうきょうスカイツリー駅です";
    assert_eq!(tokens(&analyzer(icu), text).len(), 24);
    let punctuation = r#"{"tokenizer": "icu", "filter": ["removepunct"]}"#;
    assert_eq!(words(punctuation, "Привет! Как дела?"), "Привет|Как|дела");
    let thai = tokens(&analyzer(icu), "ที่ระยะทาง");
    assert!(thai.len() > 1 && thai[1].3 == thai[0].4, "{thai:?}");
}

#[test]
fn filters_that_change_tokens() {
    assert_eq!(filtered(r#""lowercase""#, "ÀÉ ΟΔΟΣ İx ABC"), "àé|οδοσ|i̇x|abc");
    assert_eq!(filtered(r#""asciifolding""#, "Ça crème brûlée Łódź"), "Ca|creme|brulee|Lodz");
    assert_eq!(filtered(r#""decimaldigit""#, "price ١٢٣ baht ๔๕๖ ９"), "price|123|baht|456|9");
    let arabic = r#""arabic_normalization""#;
    assert_eq!(filtered(arabic, "أحمد مدرسة"), "احمد|مدرسه");
    assert_eq!(filtered(arabic, "عـــربي"), "عربي");
}

#[test]
fn filters_that_drop_tokens() {
    assert_eq!(filtered(r#""alphanumonly""#, "abc ab1 größe 中文"), "abc|ab1");
    assert_eq!(filtered(r#""cncharonly""#, "abc 中文 a中 日本の かな"), "中文|a中|日本の");
    assert_eq!(filtered(r#""cnalphanumonly""#, "abc 中文 かな é é1"), "abc|中文|é1");
    // The length is in bytes.
    assert_eq!(filtered(r#"{"type": "length", "max": 5}"#, "12345 123456 ééé éé"), "12345|éé");
    assert_eq!(
        filtered(r#"{"type": "regex", "expr": "^t.*[0-9]$"}"#, "test test1 milvus1"),
        "test1"
    );
    let stop = r#"{"type": "stop", "stop_words": ["of", "_german_"]}"#;
    assert_eq!(filtered(stop, "The end of und aber Aber"), "The|end|Aber");
    let removepunct = r#"{"tokenizer": "whitespace", "filter": ["removepunct"]}"#;
    assert_eq!(words(removepunct, "a. , b + c"), "b|+|c");
}

#[test]
fn stemmers() {
    let stem = |language: &str, text: &str| {
        filtered(&format!(r#""lowercase", {{"type": "stemmer", "language": "{language}"}}"#), text)
    };
    assert_eq!(stem("english", "running looks Generously"), "run|look|generous");
    assert_eq!(stem("German", "Häuser laufende"), "haus|laufend");
    assert_eq!(stem("french", "continuellement majestueuses"), "continuel|majestu");
    assert_eq!(stem("russian", "красивого книгами"), "красив|книг");
    assert_eq!(stem("dutch", "lichamelijk lopen"), "licham|lop");
}

#[test]
fn decompounder() {
    let split = |words: &str, text: &str| {
        filtered(&format!(r#"{{"type": "decompounder", "word_list": {words}}}"#), text)
    };
    assert_eq!(
        split(r#"["bank", "note"]"#, "banknote notebank banknotes"),
        "bank|note|note|bank|banknotes"
    );
    let german = r#"["dampf", "schiff", "fahrt", "brot", "backen", "automat"]"#;
    assert_eq!(
        split(german, "dampfschifffahrt brotbackautomat"),
        "dampf|schiff|fahrt|brotbackautomat"
    );
    // The longest word is taken, without going back.
    assert_eq!(split(r#"["foo", "foob", "bar"]"#, "foobar foobbar"), "foobar|foob|bar");
}

#[test]
fn filters_apply_in_order() {
    let text = "The RUNNING";
    let stop = r#"{"type": "stop", "stop_words": ["the"]}"#;
    assert_eq!(filtered(&format!(r#"{stop}, "lowercase""#), text), "the|running");
    assert_eq!(filtered(&format!(r#""lowercase", {stop}"#), text), "running");
    let parts = r#"{"type": "decompounder", "word_list": ["foo", "BAR"]}, "lowercase",
        {"type": "stop", "stop_words": ["bar"]}, {"type": "length", "max": 3}"#;
    assert_eq!(filtered(parts, "fooBARfoo four"), "foo|foo");
}
