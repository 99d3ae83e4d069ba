//! Indexes with any analyzer find the rows that have its tokens, and notice when it changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pg_test::{TestDb, refusal, text};
use postgres::{Client, NoTls};

const ANALYZERS: [&str; 9] = [
    "standard",
    "whitespace",
    "chinese",
    "icu",
    "english",
    "pg_catalog.german",
    r#"{"type": "english", "stop_words": ["dog"]}"#,
    r#"{"tokenizer": "standard", "filter": ["lowercase", "asciifolding",
        {"type": "decompounder", "word_list": ["data", "base"]}]}"#,
    r#"{"tokenizer": {"type": "jieba", "mode": "exact"}, "filter": ["removepunct"]}"#,
];

fn table() -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE docs (id int PRIMARY KEY, body text);
         INSERT INTO docs VALUES (1, 'The Dogs are running'), (2, 'a dog, a database'), (3, 'Datenbank für Hunde'),
            (4, '高性能数据库系统'), (5, '数据 安全'), (6, 'Crème brûlée'), (7, 'creme brulee'), (8, ''),
            (9, NULL), (10, 'ran'), (11, repeat('x', 5000) || ' dog'), (12, 'Hund')",
    )
    .unwrap();
    db
}

fn ids(client: &mut Client, query: &str) -> Vec<i32> {
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn rows_with_a_token_of_the_query_are_found() {
    let mut db = table();
    for analyzer in ANALYZERS {
        let create =
            format!("CREATE INDEX i ON docs USING inverted (body) WITH (analyzer = '{analyzer}')");
        db.batch_execute(&create).unwrap();
        let mut found = 0;
        for words in
            ["dog", "Running dogs!", "数据库", "数据", "creme", "für Hunde", "the", "database"]
        {
            let expected = format!(
                "SELECT DISTINCT id FROM docs, run_analyzer(body, '{analyzer}')
                 WHERE token IN (SELECT token FROM run_analyzer('{words}', '{analyzer}')) ORDER BY id"
            );
            let expected = ids(&mut db, &expected);
            let ranked = format!("SELECT id FROM docs ORDER BY body <@> '{words}' LIMIT 100");
            let mut ranked = ids(&mut db, &ranked);
            ranked.sort_unstable();
            assert_eq!(ranked, expected, "{analyzer}: {words}");
            for index in ["on", "off"] {
                let matched = format!(
                    "SET enable_bitmapscan = {index}; SET enable_indexscan = {index};
                     SET enable_seqscan = {}",
                    if index == "on" { "off" } else { "on" }
                );
                db.batch_execute(&matched).unwrap();
                let matched =
                    format!("SELECT id FROM docs WHERE text_match(body, '{words}') ORDER BY id");
                assert_eq!(ids(&mut db, &matched), expected, "{analyzer}: {words}, {index}");
            }
            db.batch_execute("RESET ALL").unwrap();
            found += expected.len();
        }
        assert!(found > 2, "{analyzer}");
        db.batch_execute("DROP INDEX i").unwrap();
    }
}

#[test]
fn the_search_path_of_the_statement_does_not_matter() {
    let mut db = table();
    db.batch_execute(
        "CREATE SCHEMA mine;
         CREATE TEXT SEARCH CONFIGURATION mine.words (COPY = pg_catalog.english);
         SET search_path = mine, public",
    )
    .unwrap();
    let unqualified = "CREATE INDEX i ON docs USING inverted (body) WITH (analyzer = 'words')";
    // From 17 on, PostgreSQL builds indexes under a search path of its own.
    assert!(["22023", "42704"].contains(&&*refusal(&mut db, unqualified).0));
    db.batch_execute(
        "CREATE INDEX i ON docs USING inverted (body) WITH (analyzer = 'mine.words');
         CREATE TEXT SEARCH CONFIGURATION public.words (COPY = pg_catalog.simple);
         SET search_path = public;
         INSERT INTO docs VALUES (20, 'dogs')",
    )
    .unwrap();
    let found = ids(&mut db, "SELECT id FROM docs ORDER BY body <@> 'the dog' LIMIT 100");
    assert_eq!(found.len(), 4, "{found:?}");
    assert!([1, 2, 11, 20].iter().all(|id| found.contains(id)));
}

#[test]
fn changed_analyzers_are_reported_and_others_kept() {
    let mut db = table();
    db.batch_execute(
        "CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.english);
         CREATE INDEX of_words ON docs USING inverted (body) WITH (analyzer = 'public.words')",
    )
    .unwrap();
    let search = "SELECT id FROM docs ORDER BY body <@> 'dog' LIMIT 100";
    let search_in_new_session = |db: &TestDb| {
        let warned = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&warned);
        let mut config = db.cluster().config();
        config.dbname(db.name()).notice_callback(move |notice| {
            let expected = "analyzer of index public.of_words has changed";
            heard.fetch_or(notice.message() == expected, Ordering::Relaxed);
        });
        let found = ids(&mut config.connect(NoTls).unwrap(), search);
        (found.len(), warned.load(Ordering::Relaxed))
    };
    assert_eq!(search_in_new_session(&db), (3, false));
    db.batch_execute(
        "ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING REPLACE english_stem WITH simple",
    )
    .unwrap();
    // The tokens of the rows are still those of before.
    assert_eq!(search_in_new_session(&db), (3, true));
    db.batch_execute("REINDEX INDEX of_words").unwrap();
    assert_eq!(search_in_new_session(&db), (2, false));
    assert_eq!(refusal(&mut db, "DROP TEXT SEARCH CONFIGURATION words").0, "2BP01");
    db.batch_execute("DROP TEXT SEARCH CONFIGURATION words CASCADE").unwrap();
    assert_eq!(
        text(&mut db, "SELECT count(*) FROM pg_class WHERE relname = 'of_words'").unwrap(),
        "0"
    );
}

#[test]
fn unknown_analyzers_are_refused() {
    let mut db = table();
    for (analyzer, expected) in
        [("klingon", "42704"), ("{", "22P02"), (r#"{"type": "thai"}"#, "0A000")]
    {
        let create =
            format!("CREATE INDEX i ON docs USING inverted (body) WITH (analyzer = '{analyzer}')");
        assert_eq!(refusal(&mut db, &create).0, expected, "{analyzer}");
    }
}
