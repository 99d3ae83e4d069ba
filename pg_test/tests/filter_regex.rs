//! Regular expressions of filters match in the server what RE2 says that they match.
//!
//! The oracle is the crate `regex`, of RE2's family: random patterns are written in RE2's spelling
//! and in that crate's, which differ where RE2's classes are of ASCII.

use filter::{Kind, Scalar, Table, Templates, parse};
use pg_test::TestDb;
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use regex::RegexBuilder;

/// What texts and patterns are made of: letters that fold with letters outside of ASCII, a line end,
/// letters of several lengths in UTF-8, characters that mean something in patterns.
const LETTERS: &[char] = &[
    'a', 'b', 'k', 'K', '\u{212a}', 's', 'ſ', 'é', 'É', '中', '\n', ' ', '-', ']', '^', '_', '7',
    '😀',
];

/// Classes and anchors, in RE2's spelling and in the oracle's.
const ATOMS: &[(&str, &str)] = &[
    (".", "."),
    ("^", "^"),
    ("$", "$"),
    (r"\A", r"\A"),
    (r"\z", r"\z"),
    (r"\b", r"(?-u:\b)"),
    (r"\B", r"(?-u:\B)"),
    (r"\d", "[0-9]"),
    (r"\D", "[^0-9]"),
    (r"\w", "[0-9A-Za-z_]"),
    (r"\W", "[^0-9A-Za-z_]"),
    (r"\s", r"[\t\n\f\r ]"),
    (r"\S", r"[^\t\n\f\r ]"),
    (r"[\w-]", r"[0-9A-Za-z_\-]"),
    (r"[^\Wa]", r"[^[^0-9A-Za-z_]a]"),
    (r"\pL", r"\pL"),
    (r"\p{Han}", r"\p{Han}"),
    (r"\P{Lu}", r"\P{Lu}"),
    (r"\p{^Lu}", r"\P{Lu}"),
    (r"[\p{Ll}7]", r"[\p{Ll}7]"),
    ("[[:alpha:]]", "[[:alpha:]]"),
    ("[^[:^upper:]]", "[^[:^upper:]]"),
    ("[a-k]", "[a-k]"),
    ("[^a-k]", "[^a-k]"),
    ("[^a\n]", "[^a\n]"),
    ("[]é-中-]", r"[\]é-中\-]"),
    ("[[-^]", r"[\[-\^]"),
    (r"\Qa-]\E", r"a-\]"),
    (r"\x{212A}\141", "\u{212a}a"),
    ("", ""),
];

const QUANTIFIERS: &[&str] = &[
    "*", "+", "?", "*?", "+?", "??", "{0}", "{2}", "{1,}", "{0,2}", "{2,3}?", "{256}", "{0,300}",
    "{257,}",
];

const FLAGS: &[&str] = &["", "i", "-s", "m", "i-s", "im", "s-m", "U"];

struct Patterns<'a> {
    rng: &'a mut SmallRng,
    names: usize,
}

impl Patterns<'_> {
    /// A pattern, in both spellings. Large counts are of single characters only.
    fn pattern(&mut self, depth: usize) -> (String, String) {
        match self.rng.random_range(0..if depth == 0 { 2 } else { 7 }) {
            0 => {
                let (re2, oracle) = ATOMS.choose(self.rng).expect("atoms");
                ((*re2).into(), (*oracle).into())
            }
            1 => self.letter(),
            2 | 3 => self.joined(depth, ""),
            4 => self.joined(depth, "|"),
            5 => self.group(depth),
            _ => {
                let quantifier = *QUANTIFIERS.choose(self.rng).expect("quantifiers");
                let large = quantifier.contains("25") || quantifier.contains("300");
                let (re2, oracle) = if large { self.letter() } else { self.group(depth) };
                (re2 + quantifier, oracle + quantifier)
            }
        }
    }

    fn letter(&mut self) -> (String, String) {
        let letter = LETTERS.choose(self.rng).expect("letters").to_string();
        let special = ["-", "]", "^"].contains(&&*letter);
        let re2 = if special { format!("\\{letter}") } else { letter.clone() };
        (re2, regex::escape(&letter))
    }

    fn joined(&mut self, depth: usize, separator: &str) -> (String, String) {
        let parts: Vec<_> =
            (0..self.rng.random_range(1..4)).map(|_| self.pattern(depth - 1)).collect();
        // An alternative holds for all that stands beside it.
        let (re2, oracle): (Vec<_>, Vec<_>) = parts
            .into_iter()
            .map(|(re2, oracle)| (format!("(?:{re2})"), format!("(?:{oracle})")))
            .unzip();
        (re2.join(separator), oracle.join(separator))
    }

    fn group(&mut self, depth: usize) -> (String, String) {
        let (re2, oracle) = self.pattern(depth.saturating_sub(1));
        let open = match self.rng.random_range(0..4) {
            0 => "(".into(),
            1 => {
                self.names += 1;
                format!("(?P<n{}>", self.names)
            }
            _ => format!("(?{}:", FLAGS.choose(self.rng).expect("flags")),
        };
        (format!("{open}{re2})"), format!("{open}{oracle})"))
    }
}

fn text(rng: &mut SmallRng) -> String {
    if rng.random_range(0..8) == 0 {
        return "a".repeat(rng.random_range(250..310));
    }
    (0..rng.random_range(0..7)).map(|_| *LETTERS.choose(rng).expect("letters")).collect()
}

/// Which of the texts the filter `s =~ pattern` selects.
fn matching(db: &mut TestDb, pattern: &str, texts: &[String]) -> Result<Vec<bool>, String> {
    let table = Table::new().column("s", Kind::Scalar(Scalar::Text));
    let templates = Templates::from([("p".into(), pattern.into())]);
    let condition = parse("s =~ {p}").and_then(|filter| filter.bind(&table, &templates));
    let sql = condition.and_then(|condition| condition.to_sql("t", 2));
    let sql = sql.map_err(|error| error.to_string())?;
    let query = format!("SELECT {} FROM unnest($1::text[]) AS t(s)", sql.text);
    let rows = db
        .query(&query, &[&texts, &sql.parameters[0].text()])
        .unwrap_or_else(|error| panic!("{pattern:?}: {}", pg_test::message(&error)));
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[test]
fn random_patterns_match_what_the_oracle_matches() {
    let mut db = TestDb::new();
    let mut compared = 0;
    fuzz::run("filter-regex", |case| {
        let depth = case.rng.random_range(0..5);
        let (re2, oracle) = Patterns { rng: &mut case.rng, names: 0 }.pattern(depth);
        let texts: Vec<_> = (0..24).map(|_| text(&mut case.rng)).collect();
        case.input(&re2);
        let oracle = RegexBuilder::new(&oracle).dot_matches_new_line(true).build();
        let oracle = oracle.unwrap_or_else(|error| panic!("{re2:?}: {error}"));
        match matching(&mut db, &re2, &texts) {
            Ok(found) => {
                compared += 1;
                for (text, found) in texts.iter().zip(found) {
                    // `is_match` stops within characters, where `\B` matches nothing of a text.
                    assert_eq!(
                        found,
                        oracle.find(text).is_some(),
                        "{} in {}",
                        re2.escape_debug(),
                        text.escape_default()
                    );
                }
            }
            // Counts inside each other may become too large.
            Err(error) => assert!(error.contains("too large"), "{re2:?}: {error}"),
        }
    });
    assert!(compared > 0, "no pattern was accepted");
}
