//! Random filters: whatever they say, nothing panics, and nothing of them gets into the SQL.

use filter::{Column, Kind, Scalar, Table, Templates, Value, parse};
use rand::Rng;
use rand::rngs::SmallRng;

const WORDS: &[&str] = &[
    "i",
    "f",
    "b",
    "s",
    "ts",
    "a",
    "j",
    "x",
    "v",
    "$meta",
    "c",
    "n",
    "u",
    "m",
    "1or",
    "12345678901234567890.123",
    "1",
    "-1",
    "2.5",
    "1e400",
    "0x1f",
    "9223372036854775808",
    "'zq'",
    "\"zq'); DROP TABLE t; --\"",
    "r'\\zq\"'",
    "'\\u0041'",
    "true",
    "false",
    "null",
    "and",
    "or",
    "not",
    "&&",
    "||",
    "!",
    "in",
    "like",
    "=~",
    "!~",
    "exists",
    "is",
    "is null",
    "is not null",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "<<",
    ">>",
    "&",
    "|",
    "^",
    "~",
    "(",
    ")",
    "[",
    "]",
    "{n}",
    "{l}",
    "{zq}",
    ",",
    "=",
    "$",
    "$1",
    ";",
    "--",
    "/*",
    "ISO '2025-01-01'",
    "INTERVAL 'P1D'",
    "json_contains(",
    "array_contains_any(",
    "array_length(",
    "text_match(",
    "phrase_match(",
    "random_sample(0.5",
    "starts_with(",
    "minimum_should_match",
    "['zq']",
    "[0]",
    "é",
    "\u{0}",
    "'",
    "\"",
    "\\",
    "i == 1",
    "s like 'zq%'",
    "j['zq'] in [1, 'zq', [2]]",
    "1 < i <= 5",
    "a[0] > 1",
];

fn table() -> Table {
    let mut table = columns();
    table.extend([Column {
        type_name: "other.mood".into(),
        of_domain: true,
        ..Column::new("m", Kind::Scalar(Scalar::Other(7)))
    }]);
    table
}

fn columns() -> Table {
    Table::new()
        .column("c", Kind::Scalar(Scalar::Bpchar))
        .column("n", Kind::Scalar(Scalar::Numeric))
        .column("u", Kind::Array(Scalar::Other(8)))
        .column("i", Kind::Scalar(Scalar::Int2))
        .column("f", Kind::Scalar(Scalar::Float4))
        .column("b", Kind::Scalar(Scalar::Bool))
        .column("s", Kind::Scalar(Scalar::Varchar))
        .column("ts", Kind::Scalar(Scalar::Timestamptz))
        .column("a", Kind::Array(Scalar::Int4))
        .column("j", Kind::Json)
        .column("v", Kind::Vector)
        .column("$meta", Kind::Jsonb)
}

/// All that SQL texts are made of, but for names and numbers.
fn is_ours(sql: &str) -> bool {
    let sql = sql.replace("\"$meta\"", "");
    sql.chars().all(|c| c.is_ascii_alphanumeric() || " _$.:()[],\"<>=!~&|#@+-*/%".contains(c))
        && !sql.contains("zq")
        && !sql.contains("--")
        && !sql.contains("/*")
}

fn check(text: &str) -> bool {
    let templates =
        Templates::from([("n".into(), Value::Int(7)), ("l".into(), vec!["zq", "'"].into())]);
    let Ok(condition) = parse(text).and_then(|filter| filter.bind(&table(), &templates)) else {
        return false;
    };
    if let Ok(sql) = condition.to_sql("t", 1) {
        assert!(is_ours(&sql.text), "{text}: {}", sql.text);
        sql.parameters.iter().for_each(|parameter| drop(parameter.text()));
    }
    true
}

fn soup(rng: &mut SmallRng) -> String {
    let words = rng.random_range(1..24);
    let word = |_| WORDS[rng.random_range(0..WORDS.len())];
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn soups_of_words_do_no_harm() {
    let mut accepted = 0u64;
    fuzz::run("filter-words", |case| {
        let text = soup(&mut case.rng);
        case.input(&text);
        accepted += u64::from(check(&text));
    });
    assert!(accepted > 0, "no soup was a filter");
}

/// Pieces of regular expressions.
const PIECES: &[&str] = &[
    "a",
    "é",
    "(",
    ")",
    "(?:",
    "(?i)",
    "(?-s:",
    "(?P<n>",
    "[",
    "]",
    "[^",
    "[:alpha:]",
    "-",
    "\\",
    "\\\\",
    "\\d",
    "\\W",
    "\\b",
    "\\p{",
    "\\pL",
    "\\p{Han}",
    "\\Q",
    "\\E",
    "\\x{",
    "\\07",
    "}",
    "{",
    "{2}",
    "{3,}",
    "{0,900}",
    "*",
    "+",
    "?",
    "|",
    ".",
    "^",
    "$",
    "\\z",
    "&&",
    "--",
    "~~",
    "\u{0}",
];

#[test]
fn soups_of_regular_expressions_do_no_harm() {
    let mut accepted = 0u64;
    fuzz::run("filter-regular-expressions", |case| {
        let pieces = case.rng.random_range(1..24);
        let piece = |_| PIECES[case.rng.random_range(0..PIECES.len())];
        let mut pattern: String = (0..pieces).map(piece).collect();
        if case.rng.random() {
            let mut bytes = pattern.into_bytes();
            fuzz::mutate(&mut case.rng, &mut bytes);
            pattern = String::from_utf8_lossy(&bytes).into_owned();
        }
        case.input(&pattern);
        accepted += u64::from(check(&format!("s =~ '{pattern}'")));
        accepted += u64::from(check(&format!("s =~ r\"{pattern}\"")));
    });
    assert!(accepted > 0, "no soup was an expression");
}

#[test]
fn soups_of_bytes_do_no_harm() {
    fuzz::run("filter-bytes", |case| {
        let mut bytes = soup(&mut case.rng).into_bytes();
        fuzz::mutate(&mut case.rng, &mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        case.input(&text);
        check(&text);
    });
}
