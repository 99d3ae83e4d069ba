//! `bm25()` in searches: the rows and scores of plain SQL with `<@>`, alone and beside vectors.

use std::collections::HashMap;

use pg_test::{TestDb, explain_plan, hint, message, scans_index, sqlstate, text};
use postgres::Client;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Rows of the table `docs`.
const ROWS: i32 = 600;

/// Texts of words of which the first are frequent, in four groups; every tenth has none.
fn docs() -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE docs (id int PRIMARY KEY, kind text, body text, e vector(2), s sparsevec(8))",
    )
    .unwrap();
    let mut random = SmallRng::seed_from_u64(5);
    let insert = "INSERT INTO docs VALUES ($1, $2, $3, $4::text::vector, $5::text::sparsevec)";
    let insert = db.prepare(insert).unwrap();
    for id in 0..ROWS {
        let kind = ["red", "green", "blue", "grey"][random.random_range(0..4)];
        let words: Vec<String> = (0..random.random_range(1..12))
            .map(|_| format!("w{}", (60f64.ln() * random.random::<f64>()).exp() as u32))
            .collect();
        let body = (id % 10 > 0).then(|| words.join(" "));
        let e = format!("[{}, {}]", random.random::<f32>(), random.random::<f32>());
        let (at, weight) = (random.random_range(1..=8), random.random::<f32>() + 0.1);
        let s = format!("{{{at}:{weight}}}/8");
        db.execute(&insert, &[&id, &kind, &body, &e, &s]).unwrap();
    }
    db.batch_execute(
        "CREATE INDEX by_body ON docs USING inverted (body);
        CREATE INDEX by_e ON docs USING hnsw (e vector_l2_ops);
        ANALYZE docs",
    )
    .unwrap();
    db
}

/// Ids and scores.
fn found(db: &mut Client, search: &str) -> Vec<(i32, f32)> {
    let query = format!("SELECT (hit).id, score FROM {search}");
    let rows = db.query(&query, &[]).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Texts with any of the words that fulfill a condition, the best first, by the operator alone.
fn plain(db: &mut Client, words: &str, condition: &str) -> Vec<(i32, f32)> {
    let query = format!(
        "SELECT id, score FROM (SELECT id, (-(body <@> bm25query('by_body', '{words}')))::real AS score
            FROM docs WHERE {condition} OFFSET 0) AS scored
         WHERE score > 0 ORDER BY score DESC, id"
    );
    let rows = db.query(&query, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[test]
fn scores_equal_those_of_the_operator() {
    let mut db = docs();
    for words in ["w50", "w9 w30", "w1 w2 w40 w41", "w1"] {
        let expected = plain(&mut db, words, "true");
        assert!(expected.len() > 3, "{words}: {expected:?}");
        // All rows with any of the words, and no others.
        let all = format!("vector_search(NULL::docs, bm25('body', '{words}'), k => {ROWS})");
        assert_eq!(found(&mut db, &all), expected, "{words}");
        // Ties are in the order of the key over all pages.
        let few = expected.len().min(12);
        for (skip, page) in (0..).step_by(3).zip(expected[..few].chunks(3)) {
            let search = format!(
                "vector_search(NULL::docs, bm25('body', '{words}'), k => {}, skip => {skip})",
                page.len()
            );
            assert_eq!(found(&mut db, &search), page, "{words} after {skip}");
        }
    }
    for nothing in ["'unheard'", "''", "NULL", "'...'"] {
        let search = format!("vector_search(NULL::docs, bm25('body', {nothing}))");
        assert_eq!(found(&mut db, &search), [], "{nothing}");
    }
    db.batch_execute("SET enable_seqscan = off").unwrap();
    let sql = text(&mut db, "SELECT vector_search_sql(NULL::docs, bm25('body', 'w9 w30'))");
    let plan = explain_plan(&mut db, &sql.unwrap()).unwrap();
    assert!(scans_index(&plan, "by_body"), "{plan}");
}

#[test]
fn filters_keep_as_many_rows_as_are_wanted() {
    let mut db = docs();
    for (filter, condition) in
        [(r#"kind == "red""#, "kind = 'red'"), ("id in [11, 12, 13, 14]", "id BETWEEN 11 AND 14")]
    {
        let expected = plain(&mut db, "w1 w9", condition);
        let searches = [
            format!("vector_search(NULL::docs, bm25('body', 'w1 w9'), filter => '{filter}')"),
            format!("vector_search(NULL::docs, bm25('body', 'w1 w9', filter => '{filter}'))"),
        ];
        for search in searches {
            let few = expected.len().min(10);
            assert_eq!(found(&mut db, &search), expected[..few], "{search}");
        }
    }
}

#[test]
fn groups_and_ranges_are_of_texts_too() {
    let mut db = docs();
    let expected = plain(&mut db, "w1 w9", "true");
    // The best three of each kind, kinds in the order of their best.
    let kinds = db.query("SELECT id, kind FROM docs", &[]).unwrap();
    let kinds: HashMap<i32, String> = kinds.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut groups: Vec<(&str, Vec<i32>)> = Vec::new();
    for &(id, _) in &expected {
        let kind = &*kinds[&id];
        match groups.iter_mut().find(|group| group.0 == kind) {
            Some((_, group)) if group.len() < 3 => group.push(id),
            Some(_) => {}
            None => groups.push((kind, vec![id])),
        }
    }
    let groups: Vec<i32> = groups.into_iter().flat_map(|(_, group)| group).collect();
    let search = "grouped_search(NULL::docs, bm25('body', 'w1 w9'), 'kind', k => 4,
        group_size => 3, strict_group_size => true)";
    let ids = |rows: &[(i32, f32)]| rows.iter().map(|&(id, _)| id).collect::<Vec<_>>();
    assert_eq!(ids(&found(&mut db, search)), groups);

    let (outer, inner) = (expected[expected.len() / 2].1, expected[5].1);
    let within: Vec<_> =
        expected.iter().filter(|row| row.1 > outer && row.1 <= inner).copied().collect();
    assert!(within.len() > 5, "{expected:?}");
    let search =
        format!("range_search(NULL::docs, bm25('body', 'w1 w9'), {outer}, {inner}, k => {ROWS})");
    assert_eq!(found(&mut db, &search), within);
    let all = format!("range_search(NULL::docs, bm25('body', 'w1 w9'), -1, k => {ROWS})");
    assert_eq!(found(&mut db, &all), expected);
}

#[test]
fn texts_and_vectors_make_one_ranking() {
    let mut db = docs();
    let by_text: Vec<_> = plain(&mut db, "w1 w9", "true").into_iter().take(20).collect();
    let rows = db
        .query("SELECT id, vector_score(e, '[0.5,0.5]', 'L2') AS score FROM docs ORDER BY 2, 1 LIMIT 20", &[])
        .unwrap();
    let by_vector: Vec<(i32, f32)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let place = |rows: &[(i32, f32)], id| rows.iter().position(|row| row.0 == id);
    let legs = "ARRAY[bm25('body', 'w1 w9', k => 20), ann('e', '[0.5,0.5]', k => 20)]";

    type Row = (i32, f32, Vec<Option<i32>>, Vec<Option<f32>>);
    let mut search = |more: &str| -> Vec<Row> {
        let query = format!(
            "SELECT (hit).id, score, ranks, scores FROM hybrid_search(NULL::docs, {legs}, {more})"
        );
        let rows = db.query(&query, &[]).unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
    };
    let mut all: Vec<i32> = by_text.iter().chain(&by_vector).map(|row| row.0).collect();
    all.sort_unstable();
    all.dedup();
    let scaled = |rows: &[(i32, f32)], id| {
        let (first, last) = (f64::from(rows[0].1), f64::from(rows[rows.len() - 1].1));
        place(rows, id).map_or(0.0, |at| (f64::from(rows[at].1) - last) / (first - last))
    };
    let fused =
        |rows: &[(i32, f32)], id| place(rows, id).map_or(0.0, |at| 1.0 / (61.0 + at as f64));
    type Part<'a> = &'a dyn Fn(&[(i32, f32)], i32) -> f64;
    let (scaled, fused): (Part, Part) = (&scaled, &fused);
    for (ranker, part) in [("rrf_ranker(60)", fused), ("min_max_ranker('{1, 1}')", scaled)] {
        let found = search(&format!("{ranker}, k => 100"));
        assert_eq!(found.len(), all.len(), "{ranker}");
        assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1), "{ranker}: {found:?}");
        for (id, score, ranks, scores) in found {
            let wanted = part(&by_text, id) + part(&by_vector, id);
            assert!((f64::from(score) - wanted).abs() < 1e-5, "{ranker}: {id} {score} {wanted}");
            let legs = [&by_text, &by_vector];
            let places = legs.map(|rows| place(rows, id));
            assert_eq!(ranks, places.map(|at| at.map(|at| at as i32 + 1)), "{ranker}: {id}");
            let known = legs.map(|rows| place(rows, id).map(|at| rows[at].1));
            assert_eq!(scores, known, "{ranker}: {id}");
        }
    }
    // In groups, each row has the scores of its legs, too.
    let grouped =
        search("rrf_ranker(60), group_by => 'kind', group_size => 2, strict_group_size => true");
    assert_eq!(grouped.len(), 8);
    let of_text: HashMap<i32, f32> = plain(&mut db, "w1 w9", "true").into_iter().collect();
    for (id, _, ranks, scores) in grouped {
        assert_eq!(ranks[0].is_some(), scores[0].is_some(), "{id}");
        assert!(scores[0].is_none_or(|score| of_text[&id] == score), "{id}: {scores:?}");
    }
}

#[test]
fn columns_of_any_type_of_text_are_searched() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE DOMAIN words AS varchar(40);
        CREATE TABLE notes (id int, title varchar(20), remark words, lines text[], \"Plain\" text);
        INSERT INTO notes VALUES (1, 'red tea', 'red tea', '{red,tea pot}', 'red tea'),
            (2, 'tea pot', 'tea pot', '{tea pot,tea}', 'tea pot'), (3, 'cup', 'cup', '{cup}', 'cup'),
            (4, NULL, NULL, NULL, NULL);
        CREATE INDEX ON notes USING inverted (title);
        CREATE INDEX ON notes USING inverted (remark);
        CREATE INDEX ON notes USING inverted (lines);
        CREATE INDEX ON notes USING inverted (\"Plain\");
        CREATE TABLE saved (request search_request)",
    )
    .unwrap();
    for field in ["title", "remark", "lines", "Plain"] {
        let search = format!("vector_search(NULL::notes, bm25('{field}', 'pot'))");
        let ids: Vec<i32> = found(&mut db, &search).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, if field == "lines" { vec![1, 2] } else { vec![2] }, "{field}");
    }
    db.batch_execute("INSERT INTO saved VALUES (bm25('title', 'it''s tea\\ \"pot', 5, 'id < 3'))")
        .unwrap();
    assert_eq!(
        text(&mut db, "SELECT request FROM saved").unwrap(),
        r#"{"field":"title","filter":"id < 3","k":5,"kind":"bm25","params":null,"query":"it's tea\\ \"pot"}"#
    );
    let ids = "SELECT array_agg((hit).id) FROM saved, vector_search(NULL::notes, request)";
    assert_eq!(text(&mut db, ids).unwrap(), "{2,1}");
    // The statement that is shown finds the same.
    let sql = text(&mut db, "SELECT vector_search_sql(NULL::notes, request) FROM saved").unwrap();
    assert_eq!(db.query(&sql, &[]).unwrap().len(), 2);
}

#[test]
fn partitions_are_searched_by_their_own_indexes() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE parts (id int PRIMARY KEY, body text) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (100);
        CREATE TABLE high PARTITION OF parts FOR VALUES FROM (100) TO (200);
        CREATE INDEX ON parts USING inverted (body);
        INSERT INTO parts SELECT i, 'other ' || CASE WHEN i % 10 = 0 THEN 'ten' ELSE 'text' END
            FROM generate_series(0, 199) AS i;
        ANALYZE parts",
    )
    .unwrap();
    let mut ids = |more: &str| -> Vec<i32> {
        let search = format!("vector_search(NULL::parts, bm25('body', 'ten'), k => 30{more})");
        let mut ids: Vec<i32> = found(&mut db, &search).into_iter().map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids(""), (0..20).map(|n| n * 10).collect::<Vec<_>>());
    assert_eq!(ids(", filter => 'id > 120'"), (13..20).map(|n| n * 10).collect::<Vec<_>>());
}

/// Searches that are refused, with SQLSTATE, and parts of message and hint.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    ("bm25('e', 'tea')", "42804", "column e of table public.docs holds no texts", "type text"),
    ("bm25('missing', 'tea')", "42703", "field missing not exist", "kind"),
    (
        "bm25('kind', 'tea')",
        "42704",
        "column kind of table public.docs has no BM25 index",
        "Create one: CREATE INDEX ON public.docs USING inverted (kind);",
    ),
    (
        "bm25('body', 'tea', params => '{\"metric_type\": \"IP\"}')",
        "22023",
        "metric type IP not found",
        "BM25",
    ),
    (
        "bm25('body', 'tea', params => '{\"ef\": 10}')",
        "22023",
        "unknown search parameter ef",
        "index",
    ),
    (
        "bm25('body', 'tea', params => '{\"index\": \"by_e\"}')",
        "42704",
        "by_e is not a BM25 index of column body",
        "by_body",
    ),
    (
        "ann('e', '[1,1]', params => '{\"index\": \"by_e\"}')",
        "22023",
        "unknown search parameter index",
        "metric_type",
    ),
    ("bm25('body', 'tea', 0)", "2201W", "k of a request [0] is invalid", "rows"),
    ("bm25(NULL, 'tea')", "22023", "not a search request", "bm25(field, query)"),
];

#[test]
fn mistakes_are_named() {
    let mut db = docs();
    for (request, code, said, advice) in REFUSED {
        let query = format!("SELECT * FROM vector_search(NULL::docs, {request})");
        let error = db.simple_query(&query).unwrap_err();
        assert_eq!(sqlstate(&error), *code, "{request}: {error:?}");
        assert!(message(&error).contains(said), "{request}: {}", message(&error));
        assert!(hint(&error).contains(advice), "{request}: {}", hint(&error));
    }
    db.batch_execute("CREATE INDEX simple ON docs USING inverted (body) WITH (b = 0)").unwrap();
    let error =
        db.simple_query("SELECT vector_search(NULL::docs, bm25('body', 'w1'))").unwrap_err();
    assert_eq!(message(&error), "column body has several BM25 indexes: by_body, simple");
    assert_eq!(hint(&error), "Choose one: params => '{\"index\": \"by_body\"}'.");
    let mut best = |index: &str| {
        let params = format!(r#"{{"index": "{index}", "metric_type": "BM25"}}"#);
        found(
            &mut db,
            &format!("vector_search(NULL::docs, bm25('body', 'w1', params => '{params}'))"),
        )
    };
    assert_ne!(best("by_body"), best("simple"));
}

#[test]
fn sparse_vectors_are_a_leg_over_an_inverted_index() {
    let mut db = docs();
    let leg = "ann('s', '{2:1,5:2}/8'::sparsevec, k => 15, params => '{\"metric_type\": \"IP\"}')";
    let search = format!("vector_search(NULL::docs, {leg})");
    let exact = found(&mut db, &search);
    db.batch_execute("CREATE INDEX by_s ON docs USING inverted (s); SET enable_seqscan = off")
        .unwrap();
    let search = search.replace(", params => '{\"metric_type\": \"IP\"}'", "");
    assert_eq!(found(&mut db, &search), exact);
    let sql = format!("SELECT {}", search.replace("vector_search", "vector_search_sql"));
    let plan = text(&mut db, &sql).unwrap();
    let plan = explain_plan(&mut db, &plan).unwrap();
    assert!(scans_index(&plan, "by_s"), "{plan}");
    let legs = format!("ARRAY[bm25('body', 'w1 w9', k => 15), {leg}]");
    let both = found(&mut db, &format!("hybrid_search(NULL::docs, {legs}, k => 30)"));
    assert!(both.len() > 15 && both.len() <= 30, "{both:?}");
}
