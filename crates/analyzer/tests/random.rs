//! No text and no definition makes an analyzer panic, and tokens lie in their text.

mod common;

use analyzer::Analyzer;
use common::{Owned, analyzer, tokens};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

const PIECES: &[&str] = &[
    "the",
    "Running",
    "ÀÉ",
    "ß",
    "İ",
    "ΟΔΟΣ",
    " ",
    "  ",
    "\r\n",
    "\t",
    "\u{a0}",
    "\u{3000}",
    ".",
    "-",
    "_",
    "'",
    "3.14",
    "50%",
    "١٢٣",
    "ﬃ",
    "中文",
    "系统安全",
    "数据库",
    "東京",
    "とうきょう",
    "カタカナ",
    "한국어",
    "ที่ระยะทาง",
    "ភាសាខ្មែរ",
    "👩‍🔬",
    "🇨🇳",
    "1️⃣",
    "e\u{301}",
    "\u{200d}",
    "\u{feff}",
    "\0",
    "WES-5.4.5",
    "foobar",
    "أحمد",
    "عـــ",
    "a",
    "yyying",
    "தமிழ்",
    "çalışıyorum",
];

/// Text of words, and of arbitrary characters.
fn text(rng: &mut SmallRng, pieces: usize) -> String {
    let mut text = String::new();
    for _ in 0..rng.random_range(0..=pieces) {
        match rng.random_range(0..8) {
            0 => text.push(rng.random()),
            1 => text.push(char::from_u32(rng.random_range(0x4e00..0x9fd6)).unwrap_or('中')),
            2 => text.push(rng.random_range('a'..='z')),
            3 => text.push(' '),
            _ => text.push_str(PIECES.choose(rng).expect("has pieces")),
        }
    }
    text
}

fn analyzers() -> Vec<Analyzer> {
    let mut definitions = vec![
        r#"{"type": "standard"}"#.to_owned(),
        r#"{"type": "english", "stop_words": ["run"]}"#.to_owned(),
        r#"{"tokenizer": "whitespace", "filter": ["asciifolding", "lowercase", "decimaldigit",
            "arabic_normalization", "removepunct"]}"#
            .to_owned(),
        r#"{"tokenizer": "standard", "filter": ["lowercase",
            {"type": "decompounder", "word_list": ["foo", "bar", "系", "统", "a"]},
            {"type": "regex", "expr": "\\w"}, {"type": "length", "max": 20}]}"#
            .to_owned(),
    ];
    for language in [
        "arabic",
        "danish",
        "dutch",
        "english",
        "finnish",
        "french",
        "german",
        "greek",
        "hungarian",
        "italian",
        "norwegian",
        "portuguese",
        "romanian",
        "russian",
        "spanish",
        "swedish",
        "tamil",
        "turkish",
    ] {
        let stemmer = format!(r#"{{"type": "stemmer", "language": "{language}"}}"#);
        definitions.push(format!(r#"{{"tokenizer": "whitespace", "filter": [{stemmer}]}}"#));
    }
    if cfg!(feature = "jieba") {
        definitions.push(r#"{"type": "chinese"}"#.to_owned());
        let exact = r#"{"tokenizer": {"type": "jieba", "dict": ["系统安全"], "mode": "exact"}}"#;
        definitions.push(exact.to_owned());
    }
    if cfg!(feature = "icu") {
        definitions.push(r#"{"tokenizer": "icu", "filter": ["removepunct"]}"#.to_owned());
        definitions.push(r#"{"tokenizer": "icu"}"#.to_owned());
    }
    definitions.iter().map(|json| analyzer(json)).collect()
}

fn check(analyzer: &Analyzer, text: &str) -> Vec<Owned> {
    let found = tokens(analyzer, text);
    let overlap = analyzer.definition().contains("jieba");
    for token in &found {
        assert!(!token.0.is_empty() && token.4 > 0, "{analyzer:?} {token:?}");
        assert!(
            token.1 < token.2 && text.get(token.1..token.2).is_some(),
            "{analyzer:?} {token:?}"
        );
    }
    if !overlap {
        let ordered = |pair: &[Owned]| {
            // The parts of a compound share offsets and position.
            (pair[0].2 <= pair[1].1 && pair[0].3 < pair[1].3) || pair[0].3 == pair[1].3
        };
        assert!(found.windows(2).all(ordered), "{analyzer:?} {found:?}");
    }
    found
}

#[test]
fn tokens_of_random_text() {
    let analyzers = analyzers();
    fuzz::run("analyzer-text", |case| {
        let text = text(&mut case.rng, 40);
        case.input(&text);
        for analyzer in &analyzers {
            check(analyzer, &text);
        }
    });
}

/// A naive `standard` with `lowercase`.
#[test]
fn standard_equals_the_definition() {
    let standard = analyzer("");
    fuzz::run("analyzer-standard", |case| {
        let text = text(&mut case.rng, 40);
        case.input(&text);
        let expected: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(|word| word.chars().flat_map(char::to_lowercase).collect())
            .collect();
        let found = tokens(&standard, &text);
        assert!(found.iter().map(|token| &token.0).eq(&expected));
        assert!(found.iter().enumerate().all(|(index, token)| token.3 as usize == index));
    });
}

/// Long texts are read in parts, which no token shows.
#[test]
fn long_texts() {
    let mut rng = rand::SeedableRng::seed_from_u64(5);
    let word = |rng: &mut SmallRng| text(rng, 3) + "x ";
    let long: String = (0..30_000).map(|_| word(&mut rng)).collect();
    for analyzer in analyzers() {
        check(&analyzer, &long);
    }
    let standard = tokens(&analyzer(""), &long);
    assert!(standard.len() > 30_000);
    // Cut between any two characters.
    let solid = "中".repeat(100_000);
    for analyzer in analyzers() {
        check(&analyzer, &solid);
    }
}

#[test]
fn random_definitions() {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"type\"",
        "\"tokenizer\"",
        "\"filter\"",
        "\"standard\"",
        "\"jieba\"",
        "\"stop\"",
        "\"stop_words\"",
        "\"_english_\"",
        "\"regex\"",
        "\"expr\"",
        "\"(a*)*\"",
        "\"length\"",
        "\"max\"",
        "1",
        "-1",
        "\"stemmer\"",
        "\"language\"",
        "\"french\"",
        "true",
        "null",
        "\"lowercase\"",
        "\"dict\"",
        "\"\"",
        "\"\\u0000\"",
    ];
    let seeds: Vec<String> =
        analyzers().iter().map(|analyzer| analyzer.definition().to_owned()).collect();
    fuzz::run("analyzer-definition", |case| {
        let json = if case.rng.random_bool(0.5) {
            let length = case.rng.random_range(0..30);
            (0..length).map(|_| *words.choose(&mut case.rng).expect("has words")).collect()
        } else {
            let seed = seeds.choose(&mut case.rng).expect("has seeds");
            let mut bytes = seed.clone().into_bytes();
            fuzz::scribble(&mut case.rng, &mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        };
        // Reading the dictionary again for each takes too long.
        if json.contains("dict") {
            return;
        }
        case.input(&json);
        if let Ok(made) = Analyzer::from_json(&json) {
            assert_eq!(analyzer(made.definition()).definition(), made.definition());
            check(&made, "The running 中文 ÀÉ.");
        }
    });
}

#[test]
fn pauses_come_also_if_no_token_is_left() {
    let none = analyzer(r#"{"tokenizer": "standard", "filter": [{"type": "length", "max": 0}]}"#);
    let mut pauses = 0;
    none.tokens_with_pauses(&"word ".repeat(100_000), &mut || pauses += 1, &mut |_| unreachable!());
    assert!((20..50).contains(&pauses), "{pauses}");
}
