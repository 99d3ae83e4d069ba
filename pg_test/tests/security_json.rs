//! Any valid `jsonb` as an argument is understood or refused with an error of its own.

use pg_test::{TestDb, refusal, text};

/// The searches that take a document, in whose place `{}` stands.
const TAKERS: [&str; 8] = [
    "SELECT ann('e', '[1,0]', params => {})",
    "SELECT ann('e', '[1,0]'::vector, params => {})",
    "SELECT vector_search(NULL::items, ann('e', '[1,0]'), filter_params => {})",
    "SELECT vector_search_sql(NULL::items, ann('e', '[1,0]'), filter_params => {})",
    "SELECT range_search(NULL::items, ann('e', '[1,0]'), 5, filter_params => {})",
    "SELECT grouped_search(NULL::items, ann('e', '[1,0]'), 'id', filter_params => {})",
    "SELECT hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], {})",
    "SELECT hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], filter_params => {})",
];

fn items() -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id bigint PRIMARY KEY, title text, e vector(2));
        INSERT INTO items VALUES (1, 'one', '[1,0]'), (9223372036854775807, 'last', '[2,0]')",
    )
    .unwrap();
    db
}

#[test]
fn documents_out_of_bounds_are_refused() {
    let mut db = items();
    let nested =
        |levels: usize| format!("'{{\"a\": {}{}}}'::jsonb", "[".repeat(levels), "]".repeat(levels));
    let cases = [
        ("'{\"a\": 1e1000}'::jsonb".to_owned(), "22023"),
        ("'{\"a\": -1e1000}'::jsonb".to_owned(), "22023"),
        ("'[1, [1e131071]]'::jsonb".to_owned(), "22023"),
        ("('{\"a\": ' || repeat('9', 400) || '}')::jsonb".to_owned(), "22023"),
        (nested(200), "54000"),
        (nested(5000), "54000"),
        ("(repeat('{\"a\":', 300) || '1' || repeat('}', 300))::jsonb".to_owned(), "54000"),
    ];
    for taker in TAKERS {
        for (document, code) in &cases {
            assert_eq!(
                refusal(&mut db, &taker.replace("{}", document)).0,
                *code,
                "{taker} {document}"
            );
        }
    }
    let large =
        "SELECT ann('e', '[1,0]', params => jsonb_build_object('a', repeat('x', 17000000)))";
    assert_eq!(refusal(&mut db, large).0, "54000");
    for text in ["1e1000", "[[1e1000]]"] {
        let request = format!("SELECT '{{\"field\": {text}}}'::search_request");
        assert_eq!(refusal(&mut db, &request).0, "22023", "{text}");
    }
    let deep = format!("SELECT '{}'::search_request", "[".repeat(100_000));
    assert_eq!(refusal(&mut db, &deep).0, "54000");
}

#[test]
fn documents_at_the_bounds_are_read() {
    let mut db = items();
    let ids = |filter: &str, params: &str| {
        format!(
            "SELECT array_agg((hit).id) FROM vector_search(NULL::items, ann('e', '[1,0]'), \
             filter => '{filter}', filter_params => {params})"
        )
    };
    let mut found = |filter: &str, params: &str| text(&mut db, &ids(filter, params));
    let last = Some("{9223372036854775807}".to_owned());
    assert_eq!(found("id == {n}", "'{\"n\": 9223372036854775807}'"), last);
    // The last of two values of one name counts.
    assert_eq!(found("id == {n}", "'{\"n\": 1, \"n\": 9223372036854775807}'"), last);
    assert_eq!(found("title == {t}", "jsonb_build_object('t', repeat('x', 1000000))"), None);
    assert_eq!(found("title != {t}", "'{\"t\": \"\\\"[{\\\\\"}'").unwrap().len(), 23);
    let deep = format!("'{{\"unused\": \"{}\"}}'", "[".repeat(1000));
    assert_eq!(found("id > 1", &deep), last);
    let many = "jsonb_build_object('ids', (SELECT jsonb_agg(n) FROM generate_series(2, 20000) n))";
    assert_eq!(found("id not in {ids}", many).unwrap().len(), 23);
    // A number that no integer is: never equal to one, and never rounded to one.
    let above = ids("id == {n}", "'{\"n\": 9223372036854775808}'");
    assert_eq!(refusal(&mut db, &above).0, "42804");
    let tiny = "SELECT score FROM hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')],
        jsonb_build_object('strategy', 'rrf', 'k', 60, 'weights', jsonb_build_array(0.5)))";
    assert_eq!(text(&mut db, tiny).unwrap(), "0.008196721");
}
