//! `highlight`: fragments as Milvus's lexical highlighter makes them, by any analyzer.

use pg_test::{TestDb, refusal, text};

const DOCUMENT: &str =
    "Milvus supports full text search. Use BM25 for keyword relevance. Filters can narrow results.";

fn fragments(db: &mut TestDb, arguments: &str) -> Vec<String> {
    db.query_one(&format!("SELECT highlight({arguments})"), &[]).unwrap().get(0)
}

#[test]
fn fragments_begin_with_a_match() {
    let mut db = TestDb::new();
    let mut with = |arguments: &str| fragments(&mut db, &format!("'{DOCUMENT}', {arguments}"));
    let bm25 = "<em>BM25</em> for keyword relevance. Filters can narrow results.";
    assert_eq!(with("'bm25'"), [bm25]);
    let braces = "pre_tags => '{\"{\"}', post_tags => '{\"}\"}'";
    assert_eq!(
        with(&format!("'bm25', {braces}, fragment_offset => 4, fragment_size => 60")),
        ["Use {BM25} for keyword relevance. Filters can narrow results."]
    );
    let several = format!("'results, milvus full', {braces}, fragment_size => 12");
    assert_eq!(with(&several), ["{Milvus} suppo", "{full} text se", "{results}."]);
    assert_eq!(with(&format!("{several}, num_of_fragments => 1")), ["{Milvus} suppo"]);
    assert!(with("'nothing'").is_empty());
    assert!(with("'bm25', num_of_fragments => 0").is_empty());
    let rotating =
        "'full text search', pre_tags => '{<,[}', post_tags => '{>,]}', fragment_size => 5";
    assert_eq!(with(rotating), ["<full> [text]", "<search>"]);
    let null = format!("SELECT highlight('{DOCUMENT}', NULL) IS NULL");
    assert_eq!(text(&mut db, &null).unwrap(), "t");
}

#[test]
fn all_analyzers_mark_words() {
    let mut db = TestDb::new();
    let cases = [
        ("'Größere Häuser stehen'", "'das Haus'", "'german'", "<em>Häuser</em> stehen"),
        ("'see http://example.org/a b'", "'example.org'", "'simple'", "<em>example.org</em>/a b"),
        ("'a well-known fact'", "'facts'", "'english'", "<em>fact</em>"),
        ("'a well-known fact'", "'well-known'", "'english'", "<em>well-known</em> fact"),
        ("'running dogs'", "'run'", "'{\"type\": \"english\"}'", "<em>running</em> dogs"),
        ("'高性能数据库系统'", "'数据库'", "'chinese'", "<em>数据库</em>系统"),
    ];
    for (document, query, analyzer, expected) in cases {
        let found = fragments(&mut db, &format!("{document}, {query}, {analyzer}"));
        assert_eq!(found, [expected], "{document} {query} {analyzer}");
    }
    // Places behind many others.
    let document = "repeat('größer ', 10000) || 'Ziel'";
    let found = fragments(&mut db, &format!("{document}, 'ziel', 'simple', fragment_offset => 3"));
    assert_eq!(found, ["er <em>Ziel</em>"]);
}

#[test]
fn words_of_a_configuration_are_found_where_its_tokens_are() {
    let mut db = TestDb::new();
    // Every lexeme of a text is marked by itself.
    let query = "SELECT count(*), count(*) FILTER (WHERE highlight(body, token, 'english') = '{}')
        FROM (VALUES ('A fat cat sat on http://example.org/a_b?c=4.5 foo-bar x@y.com 3.14 -7e3 <b>bold</b> ab''c')) AS d (body),
            run_analyzer(body, 'simple') WHERE length(token) > 3";
    let row = db.query_one(query, &[]).unwrap();
    assert!(row.get::<_, i64>(0) > 5);
    assert_eq!(row.get::<_, i64>(1), 0);
}

#[test]
fn wrong_arguments_are_refused() {
    let mut db = TestDb::new();
    let cases = [
        ("pre_tags => '{}'", "22023", "pre_tags must not be empty"),
        ("post_tags => '{}'", "22023", "post_tags must not be empty"),
        ("post_tags => '{NULL}'", "22004", "null array element not allowed in this context"),
        ("fragment_offset => -1", "22023", "fragment_offset must be at least 0, but is -1"),
        ("fragment_size => 0", "22023", "fragment_size must be at least 1, but is 0"),
        ("num_of_fragments => -1", "22023", "num_of_fragments must be at least 0, but is -1"),
        ("analyzer => 'klingon'", "42704", "text search configuration \"klingon\" does not exist"),
    ];
    for (argument, code, message) in cases {
        let query = format!("SELECT highlight('a b', 'a', {argument})");
        let (actual_code, actual, _) = refusal(&mut db, &query);
        assert_eq!((actual_code.as_str(), actual.as_str()), (code, message), "{argument}");
    }
}
