//! No value of a row, however far or large, ends a search or a ranking: its score is 0, infinite, or
//! what it is.

use pg_test::{TestDb, refusal, text};
use postgres::Client;

/// The score of each row by a ranker, in the order of ids, as text.
fn scores(db: &mut Client, requests: &str, ranker: &str) -> String {
    let query = format!(
        "SELECT string_agg(score::text, ' ' ORDER BY (hit).id) \
         FROM hybrid_search(NULL::items, ARRAY[{requests}], {ranker}, k => 100)"
    );
    text(db, &query).unwrap()
}

#[test]
fn far_values_have_no_score_left() {
    let columns = [
        (
            "float8",
            "(1, 0), (2, 1e5), (3, -1e308), (4, 'Infinity'), (5, '-Infinity'), (6, 'NaN'), (7, 1e-320), (8, NULL)",
        ),
        (
            "float4",
            "(1, 0), (2, 1e5), (3, -3e38), (4, 'Infinity'), (5, '-Infinity'), (6, 'NaN'), (7, 1e-45), (8, NULL)",
        ),
        (
            "numeric",
            "(1, 0), (2, 1e5), (3, -1e1000), (4, 1e5000), (5, '-Infinity'), (6, 'NaN'), (7, 1e-1000), (8, NULL)",
        ),
        (
            "bigint",
            "(1, 0), (2, 100000), (3, -9223372036854775808), (4, 9223372036854775807),
            (5, -9223372036854775807), (6, 9223372036854775806), (7, 0), (8, NULL)",
        ),
    ];
    let mut db = TestDb::new();
    for (of, values) in columns {
        db.batch_execute(&format!(
            "DROP TABLE IF EXISTS items;
            CREATE TABLE items (id int PRIMARY KEY, v {of}, e vector(1));
            INSERT INTO items SELECT id, v, '[0]' FROM (VALUES {values}) AS t(id, v)"
        ))
        .unwrap();
        for (function, far) in [("gauss", "0"), ("exp", "0"), ("linear", "0.5")] {
            let ranker = format!("decay_ranker('{function}', 'v', 0, 100, norm_score => true)");
            let found =
                scores(&mut db, "ann('e', '[0]', params => '{\"metric_type\": \"L2\"}')", &ranker);
            let nan = if of == "bigint" { far } else { "0" };
            assert_eq!(found, format!("1 {far} {far} {far} {far} {nan} 1 0"), "{of} {function}");
        }
    }
}

#[test]
fn far_times_have_no_score_left() {
    let columns = [
        ("timestamptz", "'290000-01-01'", "'4713-01-01 BC'"),
        ("timestamp", "'294276-12-31 23:59:59'", "'4713-01-01 BC'"),
        ("date", "'5874897-12-31'", "'4713-01-01 BC'"),
    ];
    let mut db = TestDb::new();
    for (of, last, first) in columns {
        db.batch_execute(&format!(
            "DROP TABLE IF EXISTS items; SET timezone = 'Pacific/Kiritimati';
            CREATE TABLE items (id int PRIMARY KEY, v {of}, e vector(1));
            INSERT INTO items SELECT id, v::{of}, '[0]' FROM (VALUES (1, '2024-01-01'), (2, {last}),
                (3, {first}), (4, 'infinity'), (5, '-infinity'), (6, NULL)) AS t(id, v)"
        ))
        .unwrap();
        for (function, far) in [("gauss", "0"), ("exp", "0"), ("linear", "0.5")] {
            let request = "ann('e', '[0]', params => '{\"metric_type\": \"L2\"}')";
            let ranker = format!(
                "decay_ranker('{function}', 'v', '2024-01-01'::timestamptz, '7 days'::interval, norm_score => true)"
            );
            let found = scores(&mut db, request, &ranker);
            assert_eq!(found, format!("1 {far} {far} {far} {far} 0"), "{of} {function}");
            // An origin that is infinite is far from all else.
            let ranker = format!(
                "decay_ranker('{function}', 'v', 'infinity'::timestamptz, '7 days'::interval, norm_score => true)"
            );
            let found = scores(&mut db, request, &ranker);
            assert_eq!(found, format!("{far} {far} {far} 1 {far} 0"), "{of} {function}");
        }
    }
}

#[test]
fn factors_are_numbers_from_0_to_1() {
    let mut db = TestDb::new();
    let numbers = "'-Infinity', -1e308, -1, -1e-320, 0, 1e-320, 1, 1e308, 'Infinity'";
    for function in ["decay_gauss", "decay_exp", "decay_linear"] {
        let wrong = format!(
            "SELECT string_agg(concat_ws(' ', v, origin, scale, start, decay, factor), '; ') FROM
            unnest(ARRAY[{numbers}]::float8[]) AS v, unnest(ARRAY[{numbers}]::float8[]) AS origin,
            unnest('{{5e-324, 1, 1e308, Infinity}}'::float8[]) AS scale,
            unnest('{{0, 1e-320, 1, Infinity}}'::float8[]) AS start,
            unnest('{{5e-324, 0.5, 0.9999999999999999}}'::float8[]) AS decay,
            LATERAL {function}(v, origin, scale, start, decay) AS factor
            WHERE NOT (factor >= 0 AND factor <= 1) OR (v = origin AND factor <> 1)"
        );
        assert_eq!(text(&mut db, &wrong), None, "{function}");
        let nan = format!("SELECT {function}('NaN'::float8, 0, 1)");
        assert_eq!(text(&mut db, &nan).unwrap(), "NaN");
    }
}

#[test]
fn sums_and_products_of_scores_end_no_search() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id int PRIMARY KEY, e vector(2), h vector(2));
        INSERT INTO items VALUES (1, '[3e38,3e38]', '[3e38,3e38]'), (2, '[1e-30,0]', '[1e-38,0]'),
            (3, '[0,0]', '[0,0]'), (4, '[-3e38,0]', '[-3e38,0]')",
    )
    .unwrap();
    for metric in ["L2", "IP", "COSINE"] {
        let request = |column: &str| {
            format!("ann('{column}', '[1e-30,1]', params => '{{\"metric_type\": \"{metric}\"}}')")
        };
        let requests = format!("{}, {}", request("e"), request("h"));
        for ranker in [
            "rrf_ranker(1e-300, ARRAY[1e-320, 1])",
            "weighted_ranker(ARRAY[1e-30, 1e-38])",
            "weighted_ranker(ARRAY[1, 1], norm_score => false)",
            "weighted_ranker(ARRAY[1e-45, 1e-320], norm_score => false)",
            "min_max_ranker()",
            "min_max_ranker(ARRAY[1e-45, 1e-320])",
            "decay_ranker('exp', 'id', 0, 1e-300, score_mode => 'sum')",
            "decay_ranker('gauss', 'id', 4, 1e-5, score_mode => 'avg')",
            "decay_ranker('linear', 'id', -1e308, 1e308, score_mode => 'max')",
        ] {
            let found = scores(&mut db, &requests, ranker);
            assert!(
                found.split(' ').count() == 4 && !found.contains("NaN"),
                "{metric} {ranker}: {found}"
            );
        }
    }
    for (score, normed) in
        [("'Infinity'", "1"), ("'-Infinity'", "0"), ("1e300", "1"), ("1e-300", "0.5")]
    {
        let norm = format!("SELECT norm_score({score}, 'IP')");
        assert_eq!(text(&mut db, &norm).unwrap(), normed, "{score}");
    }
}

#[test]
fn bounds_may_be_numbers_of_any_type() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id int PRIMARY KEY, e vector(1));
        INSERT INTO items VALUES (1, '[0]'), (2, '[0.5]'), (3, '[0.9]'), (4, '[2]');
        CREATE INDEX ON items USING hnsw (e vector_ip_ops)",
    )
    .unwrap();
    let searches = [
        "SELECT array_agg((hit).id) FROM range_search(NULL::items, ann('e', '[1]'), RADIUS, FILTER)",
        "SELECT array_agg((hit).id) FROM range_search(NULL::items, ann('e', '[1]'), radius => RADIUS, range_filter => FILTER)",
        "SELECT array_agg(id ORDER BY id DESC) FROM items WHERE within(e, '[1]', RADIUS, FILTER, 'IP')",
        "SET enable_seqscan = off; SELECT array_agg(id) FROM (SELECT id FROM items
            WHERE within(e, '[1]', RADIUS, FILTER, 'IP') ORDER BY e <#> '[1]' LIMIT 5) AS f",
    ];
    let bounds = [
        ("0", "1", "{3,2}"),
        ("0.5", "0.9", "{3}"),
        ("'0.5'", "'0.9'", "{3}"),
        ("0.5::real", "0.9::real", "{3}"),
        // The score is the `real` that shows as 0.9, and so is the bound.
        ("0.5::float8", "0.9::float8", "{3}"),
        ("0.9::float8", "2::float8", "{4}"),
        ("0.5::numeric", "0.9::numeric", "{3}"),
        ("0::smallint", "1::bigint", "{3,2}"),
        ("-1e-300", "1e300", "{4,3,2,1}"),
        ("1e-300", "1e300", "{4,3,2}"),
        ("'-Infinity'", "'Infinity'", "{4,3,2,1}"),
        ("'-Infinity'", "0", "{1}"),
    ];
    for search in searches {
        for (radius, filter, ids) in bounds {
            let query = search.replace("RADIUS", radius).replace("FILTER", filter);
            assert_eq!(text(&mut db, &query).unwrap_or_default(), ids, "{query}");
        }
        let nan = search.replace("RADIUS", "'NaN'").replace("FILTER", "1");
        assert_eq!(refusal(&mut db, &nan).0, "22023");
    }
    db.batch_execute("RESET enable_seqscan").unwrap();
    // What a driver sends that has doubles only.
    let rows = db
        .query(
            "SELECT (hit).id, norm_score($1, 'IP') FROM range_search(NULL::items, ann('e', '[1]'), $1, $2)
            WHERE within((hit).e, '[1]', $1, $2, 'IP')",
            &[&0.5_f64, &0.9_f64],
        )
        .unwrap();
    assert_eq!(rows.len(), 1);
    for score in ["0.5", "'0.5'", "0.5::real", "0.5::float8", "0.5::numeric"] {
        let norm = format!("SELECT norm_score({score}, 'COSINE')");
        assert_eq!(text(&mut db, &norm).unwrap(), "0.75", "{score}");
    }
}
