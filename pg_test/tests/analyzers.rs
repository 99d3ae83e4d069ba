//! `run_analyzer`: tokens by Milvus's analyzers, and by PostgreSQL's text-search configurations.

use pg_test::{TestDb, refusal, text};

/// The tokens, joined by bars.
fn tokens(db: &mut TestDb, document: &str, analyzer: &str) -> String {
    let query = "SELECT string_agg(token, '|') FROM run_analyzer($1, $2)";
    let row = db.query_one(query, &[&document, &analyzer]).unwrap();
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

#[test]
fn names_of_analyzers() {
    let mut db = TestDb::new();
    let document = "The Milvus databases, built for SCALE!";
    let cases = [
        ("standard", "the|milvus|databases|built|for|scale"),
        ("Standard", "the|milvus|databases|built|for|scale"),
        ("", "the|milvus|databases|built|for|scale"),
        ("{}", "the|milvus|databases|built|for|scale"),
        ("whitespace", "The|Milvus|databases,|built|for|SCALE!"),
        // A name is that of a text-search configuration, which has its own stop words.
        ("english", "milvus|databas|built|scale"),
        (" pg_catalog.english ", "milvus|databas|built|scale"),
        ("simple", "the|milvus|databases|built|for|scale"),
        (r#"{"type": "english"}"#, "milvus|databas|built|scale"),
        (r#"{"tokenizer": "standard", "filter": [{"type": "length", "max": 3}]}"#, "The|for"),
    ];
    for (analyzer, expected) in cases {
        assert_eq!(tokens(&mut db, document, analyzer), expected, "{analyzer}");
    }
    assert_eq!(
        text(&mut db, "SELECT string_agg(token, '|') FROM run_analyzer('A b')").unwrap(),
        "a|b"
    );
    // "what" is a stop word of PostgreSQL, but not of Milvus.
    assert_eq!(tokens(&mut db, "what", "english"), "");
    assert_eq!(tokens(&mut db, "what", r#"{"type": "english"}"#), "what");
    assert_eq!(text(&mut db, "SELECT count(*) FROM run_analyzer(NULL)").unwrap(), "0");
}

#[test]
fn analyzers_for_languages_without_spaces() {
    let mut db = TestDb::new();
    assert_eq!(tokens(&mut db, "系统安全;,lxyz密码", "chinese"), "系统|安全|系统安全|lxyz|密码");
    assert_eq!(
        tokens(&mut db, "系统安全", r#"{"tokenizer": {"type": "jieba", "mode": "exact"}}"#),
        "系统安全"
    );
    assert_eq!(tokens(&mut db, "東京の駅", "icu"), "東京|の|駅");
}

#[test]
fn offsets_count_characters() {
    let mut db = TestDb::new();
    let query =
        "SELECT string_agg(format('%s %s %s %s %s', token, start_offset, end_offset, \"position\",
        position_length), ', ') FROM run_analyzer($1, $2)";
    let mut detail = |document: &str, analyzer: &str| -> String {
        db.query_one(query, &[&document, &analyzer]).unwrap().get(0)
    };
    assert_eq!(detail("Größe, ÉTÉ x", "standard"), "größe 0 5 0 1, été 7 10 1 1, x 11 12 2 1");
    let stop = r#"{"type": "standard", "stop_words": ["b"]}"#;
    assert_eq!(detail("a b c", stop), "a 0 1 0 1, c 4 5 2 1");
    assert_eq!(detail("系统安全", "jieba"), "系统 0 2 0 2, 安全 2 4 2 2, 系统安全 0 4 0 4");
    // PostgreSQL does not tell where a lexeme stands.
    assert_eq!(detail("the dogs ran", "english"), "dog   1 1, ran   2 1");
}

#[test]
fn tokens_of_a_configuration_are_those_of_to_tsvector() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE documents (body text);
         INSERT INTO documents VALUES ('A fat cat sat on a mat - it ate a fat rats'), (''), (' '),
            ('http://example.org/a_b?c=4.5 foo-bar-baz x@y.com 3.14 -7e3 /usr/bin <b>bold</b> &amp;'),
            ('Größe Fußballweltmeisterschaft 中文 ΟΔΟΣ'), (repeat('very long text ', 3000)), (repeat('x-y ', 4000))",
    )
    .unwrap();
    for configuration in ["english", "simple", "german", "pg_catalog.french"] {
        let differences = format!(
            "WITH ours AS (
                SELECT body, token, array_agg(least(\"position\" + 1, 16383) ORDER BY \"position\") AS at
                FROM documents, run_analyzer(body, '{configuration}') GROUP BY body, token),
            theirs AS (
                SELECT body, lexeme AS token, positions::bigint[] AS at
                FROM documents, unnest(to_tsvector('{configuration}', body)))
            SELECT count(*) FROM ours FULL JOIN theirs USING (body, token)
            WHERE (ours.at)[1:250] IS DISTINCT FROM (theirs.at)[1:250]"
        );
        assert_eq!(text(&mut db, &differences).unwrap(), "0", "{configuration}");
    }
}

#[test]
fn positions_go_on_in_long_texts() {
    let mut db = TestDb::new();
    for analyzer in ["simple", "standard"] {
        let query = format!(
            "SELECT count(*) = 100000 AND bool_and(token = (\"position\" + 1)::text)
             FROM run_analyzer((SELECT string_agg(i::text, ' ' ORDER BY i) FROM generate_series(1, 100000) i),
                '{analyzer}')"
        );
        assert_eq!(text(&mut db, &query).unwrap(), "t");
    }
}

#[test]
fn configurations_of_schemas() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE SCHEMA \"my schema\";
         CREATE TEXT SEARCH CONFIGURATION \"my schema\".\"Wörter\" (COPY = pg_catalog.simple);
         CREATE TEXT SEARCH CONFIGURATION public.standard (COPY = pg_catalog.english)",
    )
    .unwrap();
    let own = "\"my schema\".\"Wörter\"";
    assert_eq!(tokens(&mut db, "The dogs", own), "the|dogs");
    db.batch_execute("SET search_path = \"my schema\"").unwrap();
    let query = "SELECT string_agg(token, '|') FROM public.run_analyzer('The dogs', '\"Wörter\"')";
    assert_eq!(text(&mut db, query).unwrap(), "the|dogs");
    db.batch_execute("RESET search_path").unwrap();
    // A name of Milvus's is not shadowed.
    assert_eq!(tokens(&mut db, "The dogs", "standard"), "the|dogs");
    assert_eq!(tokens(&mut db, "The dogs", "public.standard"), "dog");
    // A change is seen at once.
    db.batch_execute(
        "ALTER TEXT SEARCH CONFIGURATION public.standard ALTER MAPPING REPLACE english_stem WITH simple",
    )
    .unwrap();
    assert_eq!(tokens(&mut db, "The dogs", "public.standard"), "the|dogs");
}

#[test]
fn unknown_analyzers_are_refused() {
    let mut db = TestDb::new();
    let cases = [
        ("klingon", "42704", "text search configuration \"klingon\" does not exist"),
        ("a.b.klingon", "0A000", "cross-database references are not implemented: a.b.klingon"),
        ("a b", "42602", "invalid name syntax"),
        (
            "{",
            "22P02",
            "definition of the analyzer is not valid JSON: EOF while parsing an object at line 1 column 1",
        ),
        (r#"{"type": "klingon"}"#, "22023", "unknown built-in analyzer \"klingon\""),
        (r#"{"tokenizer": "lindera"}"#, "0A000", "tokenizer \"lindera\" is not supported"),
    ];
    for (analyzer, code, message) in cases {
        let query = format!("SELECT * FROM run_analyzer('x', '{analyzer}')");
        let (actual_code, actual, _) = refusal(&mut db, &query);
        assert_eq!((actual_code.as_str(), actual.as_str()), (code, message), "{analyzer}");
    }
    let long = format!("SELECT * FROM run_analyzer('x', repeat('{{', {}))", 100_000);
    assert_eq!(refusal(&mut db, &long).0, "54000");
    let long = format!("SELECT * FROM run_analyzer('x', repeat('x', {}))", 100_000);
    assert_eq!(refusal(&mut db, &long).0, "42622");
}
