//! `text_match` and `phrase_match`: words are those of Milvus's analyzer `standard`, and an index on
//! them serves.

use pg_test::{TestDb, explain_plan, refusal};
use postgres::Client;

const TEXTS: &str = "
CREATE DOMAIN label AS varchar(40);
CREATE TABLE t (id int PRIMARY KEY, e vector(1), s text, l label, c char(20));
INSERT INTO t VALUES
(1, '[1]', 'Mail foo@bar.com today', 'one-two', 'Red tea'),
(2, '[2]', 'see http://example.org/a_b?c=4.5', 'two-one', 'tea, red'),
(3, '[3]', 'a well-known 4-5 split', 'one two', 'red'),
(4, '[4]', 'ÉTÉ 中文 naïve', '', ''),
(5, '[5]', NULL, NULL, NULL);
";

const CASES: &[(&str, &[i32])] = &[
    ("text_match(s, 'foo')", &[1]),
    ("text_match(s, 'BAR')", &[1]),
    ("text_match(s, 'foo@bar.com')", &[1]),
    ("text_match(s, 'com.example')", &[1, 2]),
    ("text_match(s, 'http')", &[2]),
    ("text_match(s, 'b')", &[2]),
    ("text_match(s, 'a')", &[2, 3]),
    ("text_match(s, '4')", &[2, 3]),
    ("text_match(s, '4.5', minimum_should_match=2)", &[2, 3]),
    ("text_match(s, 'known')", &[3]),
    ("text_match(s, 'été')", &[4]),
    ("text_match(s, '中文')", &[4]),
    ("text_match(s, '中')", &[]),
    ("text_match(s, 'nai')", &[]),
    ("text_match(s, '@._-')", &[]),
    ("not text_match(s, 'foo 4')", &[4]),
    // Words are those next to each other, whatever is between.
    ("phrase_match(s, 'bar com')", &[1]),
    ("phrase_match(s, 'foo-bar/com')", &[1]),
    ("phrase_match(s, 'foo com')", &[]),
    ("phrase_match(s, 'foo com', 1)", &[1]),
    ("phrase_match(s, 'com bar', 2)", &[1]),
    ("phrase_match(s, 'org a b c 4 5')", &[2]),
    ("phrase_match(s, '4.5')", &[2, 3]),
    ("phrase_match(l, 'one two')", &[1, 3]),
    ("phrase_match(c, 'red tea')", &[1]),
];

fn ids(db: &mut Client, filter: &str) -> Vec<i32> {
    let query =
        "SELECT (hit).id FROM vector_search(NULL::t, ann('e', '[0]'), filter => $1) ORDER BY 1";
    db.query(query, &[&filter]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn words_are_runs_of_letters_and_digits() {
    let mut db = TestDb::new();
    db.batch_execute(TEXTS).unwrap();
    for (filter, expected) in CASES {
        assert_eq!(ids(&mut db, filter), *expected, "{filter}");
    }
    let index = "CREATE INDEX by_s ON t USING gin (standard_tsvector(s));
        CREATE INDEX by_l ON t USING gin (standard_tsvector(l));
        CREATE INDEX by_c ON t USING gin (standard_tsvector(c));
        SET enable_seqscan = off";
    db.batch_execute(index).unwrap();
    for (filter, expected) in CASES {
        assert_eq!(ids(&mut db, filter), *expected, "{filter}");
    }
    let index = "CREATE INDEX inverted_s ON t USING inverted (s);
        CREATE INDEX inverted_l ON t USING inverted (l)";
    db.batch_execute(index).unwrap();
    for (filter, expected) in CASES {
        assert_eq!(ids(&mut db, filter), *expected, "{filter}");
    }
}

#[test]
fn an_inverted_index_splits_by_its_analyzer_and_serves() {
    let mut db = TestDb::new();
    db.batch_execute(TEXTS).unwrap();
    let fuzzy =
        "SELECT vector_search(NULL::t, ann('e', '[0]'), filter => 'text_match_fuzzy(s, ''mail'')')";
    assert_eq!(refusal(&mut db, fuzzy).0, "0A000");
    db.batch_execute("CREATE INDEX ON t USING inverted (s) WITH (analyzer = 'english')").unwrap();
    let cases: &[(&str, &[i32])] = &[
        ("text_match(s, 'mails')", &[1]),
        ("text_match(s, 'the splitting')", &[3]),
        ("text_match(s, 'the')", &[]),
        ("text_match(s, 'mail splits', minimum_should_match=2)", &[]),
        ("phrase_match(s, 'splits')", &[3]),
        ("text_match_fuzzy(s, 'mole')", &[]),
        ("text_match_fuzzy(s, 'nail')", &[1]),
        ("text_match_fuzzy(s, 'nuil', max_edit_distance=2)", &[1]),
        ("not text_match_fuzzy(s, 'nail')", &[2, 3, 4]),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(&mut db, filter), *expected, "{filter}");
    }
}

#[test]
fn an_index_on_the_words_serves() {
    let mut db = TestDb::new();
    db.batch_execute(TEXTS).unwrap();
    db.batch_execute(
        "INSERT INTO t SELECT i, ARRAY[i], 'word' || i, 'label ' || i, 'c ' || i FROM generate_series(6, 3000) i;
        CREATE INDEX by_s ON t USING gin (standard_tsvector(s));
        CREATE INDEX by_l ON t USING gin (standard_tsvector(l));
        CREATE INDEX by_c ON t USING gin (standard_tsvector(c));
        ANALYZE t",
    )
    .unwrap();
    // What a planner chooses by itself.
    for (filter, index) in [
        ("text_match(s, ''foo word77'')", "by_s"),
        ("text_match(s, ''foo bar'', minimum_should_match=2)", "by_s"),
        ("phrase_match(s, ''foo bar'')", "by_s"),
        ("phrase_match(s, ''bar foo'', 2)", "by_s"),
        ("text_match(l, ''77'')", "by_l"),
        ("text_match(c, ''77'')", "by_c"),
    ] {
        let statement =
            format!("SELECT vector_search_sql(NULL::t, ann('e', '[0]'), filter => '{filter}')");
        let statement: String = db.query_one(&statement, &[]).unwrap().get(0);
        let plan = explain_plan(&mut db, &statement).unwrap();
        assert!(plan.contains(index), "{filter}: {plan}");
    }
}

#[test]
fn the_function_is_for_all_texts() {
    let mut db = TestDb::new();
    let mut of = |text: &str| -> Option<String> {
        db.query_one(&format!("SELECT standard_tsvector({text})::text"), &[]).unwrap().get(0)
    };
    assert_eq!(of("NULL"), None);
    assert_eq!(of("''").as_deref(), Some(""));
    assert_eq!(of("'Foo@bar.com, FOO'").as_deref(), Some("'bar':2 'com':3 'foo':1,4"));
    assert_eq!(of("E'it''s \\\\ \\n x:1'").as_deref(), Some("'1':4 'it':1 's':2 'x':3"));
    // What no tsvector can hold is no word.
    assert_eq!(of("repeat('a', 2047) || ' b'").as_deref(), Some("'b':1"));
    // Positions end where those of tsvector end; all words are there.
    let far = of("repeat('a ', 20000) || 'end'").unwrap();
    assert!(far.contains("'end':16383"), "{far}");
    assert_eq!(of("repeat('a b ', 3000000)").unwrap().matches('\'').count(), 4);
    let error = db
        .query(
            "SELECT standard_tsvector(string_agg(i::text, ' ')) FROM generate_series(1, 300000) i",
            &[],
        )
        .unwrap_err();
    assert_eq!(pg_test::sqlstate(&error), "54000");
}
