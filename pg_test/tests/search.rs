//! Searches in one call: `vector_search`, `grouped_search`, `range_search`,
//! `hybrid_search`.

use pg_test::{TestDb, explain_plan, hint, message, refusal, sqlstate};
use postgres::Client;

/// Six items; those of even id are red.
const ITEMS: &str = "
CREATE TABLE items (id int PRIMARY KEY, title text, color text, e vector(2), h halfvec(3), b bit(4),
    words tsvector GENERATED ALWAYS AS (to_tsvector('english', title)) STORED);
INSERT INTO items VALUES
(1, 'red apples', 'green', '[1,0]', '[1,0,0]', B'0000'),
(2, 'apple pie', 'red', '[2,0]', '[0,1,0]', B'0001'),
(3, 'green tea', 'green', '[3,0]', '[0,0,1]', B'0011'),
(4, 'tea with apples', 'red', '[4,0]', '[1,1,0]', B'0111'),
(5, 'nothing', 'green', NULL, NULL, NULL),
(6, 'black tea', 'red', '[0,9]', '[9,9,9]', B'1111');
CREATE INDEX ON items USING hnsw (e vector_l2_ops);
CREATE INDEX ON items USING hnsw (h halfvec_ip_ops);
";

fn items() -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(ITEMS).unwrap();
    db
}

fn found(db: &mut Client, arguments: &str) -> Vec<(i32, f32)> {
    let query = format!("SELECT (hit).id, score FROM vector_search(NULL::items, {arguments})");
    let rows = db.query(&query, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[test]
fn the_nearest_rows_come_with_scores() {
    let mut db = items();
    // The metric is that of the index: squared Euclidean distances.
    assert_eq!(
        found(&mut db, "ann('e', '[1,0]')"),
        [(1, 0.0), (2, 1.0), (3, 4.0), (4, 9.0), (6, 82.0)]
    );
    assert_eq!(found(&mut db, "ann('e', '[1,0]'::vector), k => 2"), [(1, 0.0), (2, 1.0)]);
    assert_eq!(found(&mut db, "ann('e', '[1,0]'), k => 2, skip => 1"), [(2, 1.0), (3, 4.0)]);
    assert_eq!(found(&mut db, "ann('e', '[1,0]', k => 1)"), [(1, 0.0)]);
    assert_eq!(found(&mut db, "ann('h', '[1,2,0]'), k => 2"), [(6, 27.0), (4, 3.0)]);
    assert_eq!(found(&mut db, "ann('b', '0001'), k => 1"), [(2, 0.0)]);
    // Rows as near as each other come by their key.
    let cosine = "ann('e', '[1,0]', params => '{\"metric_type\": \"cosine\"}'), k => 4";
    assert_eq!(found(&mut db, cosine), [(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0)]);
    assert_eq!(found(&mut db, "ann('e', NULL::text)"), []);
}

#[test]
fn requests_can_be_read_and_kept() {
    let mut db = items();
    db.batch_execute(
        "CREATE DOMAIN near AS vector(2);
        CREATE TABLE kept (n int, request search_request);
        INSERT INTO kept VALUES (1, ann('e', '[1,0]')), (2, ann('e', '[1,0]'::vector, 2)),
            (3, ann('e', '[1,0]'::near, filter => 'id < 3')), (4, ann('e', '[1,0]'::halfvec)),
            (5, ann('e', NULL::vector)), (6, fts('words', 'tea'))",
    )
    .unwrap();
    let text: String =
        db.query_one("SELECT request::text FROM kept WHERE n = 2", &[]).unwrap().get(0);
    let fields = r#"{"field":"e","filter":null,"k":2,"kind":"ann","params":null,"query":"[1,0]"}"#;
    assert_eq!(text, fields);
    // As text and back, each finds the same.
    let find = "SELECT n, array_agg((hit).id) FROM kept,
        vector_search(NULL::items, REQUEST, 3) GROUP BY n ORDER BY n";
    let found = |db: &mut Client, request: &str| -> Vec<(i32, Vec<i32>)> {
        let rows = db.query(&find.replace("REQUEST", request), &[]).unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let kept = found(&mut db, "request");
    assert_eq!(
        kept[..4],
        [(1, vec![1, 2, 3]), (2, vec![1, 2]), (3, vec![1, 2]), (4, vec![1, 2, 3])]
    );
    assert_eq!(kept.len(), 5, "{kept:?}");
    assert_eq!(found(&mut db, "request::text::search_request"), kept);
    for (wrong, code) in [("", "22P02"), ("[]", "22023"), ("{\"query\": 1}", "22023")] {
        let error = db.simple_query(&format!("SELECT '{wrong}'::search_request")).unwrap_err();
        assert_eq!(sqlstate(&error), code, "{wrong}");
    }
    // A number is no vector.
    let number = "SELECT vector_search(NULL::items, ann('e', 7))";
    assert_eq!(refusal(&mut db, number).0, "22P02");
}

#[test]
fn filters_are_milvus() {
    let mut db = items();
    let ids = |db: &mut Client, arguments: &str| -> Vec<i32> {
        found(db, arguments).into_iter().map(|(id, _)| id).collect()
    };
    assert_eq!(ids(&mut db, "ann('e', '[1,0]'), filter => 'color == \"red\" and id < 6'"), [2, 4]);
    assert_eq!(ids(&mut db, "ann('e', '[1,0]', filter => 'id in [3, 6]')"), [3, 6]);
    assert_eq!(
        ids(&mut db, "ann('e', '[1,0]', filter => 'id > 2'), filter => 'color in [\"green\"]'"),
        [3]
    );
    assert_eq!(
        ids(
            &mut db,
            "ann('e', '[1,0]'), filter => 'id in {ids} and title like {t}', \
             filter_params => '{\"ids\": [1, 2, 3], \"t\": \"%apple%\"}'"
        ),
        [1, 2]
    );
}

/// Ids, numbers of groups, numbers in groups.
fn grouped(db: &mut Client, arguments: &str) -> Vec<(i32, i32, i32)> {
    let query = format!(
        "SELECT (hit).id, group_no, group_rank FROM grouped_search(NULL::items, {arguments})"
    );
    let rows = db.query(&query, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[test]
fn groups_come_nearest_first() {
    let mut db = items();
    let near = "ann('e', '[1,0]'), 'color'";
    assert_eq!(grouped(&mut db, near), [(1, 1, 1), (2, 2, 1)]);
    assert_eq!(grouped(&mut db, &format!("{near}, k => 1")), [(1, 1, 1)]);
    assert_eq!(grouped(&mut db, &format!("{near}, k => 1, skip => 1")), [(2, 2, 1)]);
    // Two groups have been seen after two rows.
    let pairs = format!("{near}, k => 2, group_size => 2");
    assert_eq!(grouped(&mut db, &pairs), [(1, 1, 1), (2, 2, 1)]);
    let strict = [(1, 1, 1), (3, 1, 2), (2, 2, 1), (4, 2, 2)];
    assert_eq!(grouped(&mut db, &format!("{pairs}, strict_group_size => true")), strict);
    let red = "filter => 'color == \"red\"'";
    let more = format!("{near}, group_size => 9, strict_group_size => true, {red}");
    assert_eq!(grouped(&mut db, &more), [(2, 1, 1), (4, 1, 2), (6, 1, 3)]);
    assert_eq!(grouped(&mut db, "ann('e', NULL::text), 'color'"), []);
    // Words have groups, too.
    let words = "fts('words', 'tea'), 'color', 5, 5, true";
    let mut ids: Vec<i32> = grouped(&mut db, words).into_iter().map(|(id, ..)| id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [3, 4, 6]);
}

#[test]
fn values_that_are_equal_make_one_group() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE items (id int PRIMARY KEY, e vector(1), n numeric, t text COLLATE alike, j json);
        INSERT INTO items VALUES (1, '[1]', 1.0, 'a', '1'), (2, '[2]', NULL, 'A', '1'),
            (3, '[3]', 1.00, 'b', '2'), (4, '[4]', NULL, NULL, '1'), (5, '[5]', 2, 'B', '2');
        CREATE INDEX ON items USING hnsw (e vector_l2_ops)",
    )
    .unwrap();
    let of = |column| format!("ann('e', '[0]'), '{column}', 9, 2, true");
    let by_number = [(1, 1, 1), (3, 1, 2), (2, 2, 1), (4, 2, 2), (5, 3, 1)];
    assert_eq!(grouped(&mut db, &of("n")), by_number);
    let by_text = [(1, 1, 1), (2, 1, 2), (3, 2, 1), (5, 2, 2), (4, 3, 1)];
    assert_eq!(grouped(&mut db, &of("t")), by_text);
    let by_json = format!("SELECT grouped_search(NULL::items, {})", of("j"));
    assert_eq!(refusal(&mut db, &by_json).0, "42804");
}

#[test]
fn a_search_for_groups_reads_no_more_than_it_must() {
    let mut db = TestDb::new();
    // Groups of two rows that lie together, but the nearest 500 rows are of one group.
    db.batch_execute(
        "CREATE TABLE items (id int PRIMARY KEY, e vector(2), g int);
        INSERT INTO items SELECT i, ARRAY[i, 0]::vector, i / 2 FROM generate_series(1, 4000) AS i;
        INSERT INTO items SELECT -i, ARRAY[-i, 0]::vector, -(i - 1) / 500
            FROM generate_series(1, 1000) AS i;
        CREATE INDEX by_e ON items USING hnsw (e vector_l2_ops);
        CREATE INDEX by_g ON items (g);
        ANALYZE items;
        SET enable_seqscan = off",
    )
    .unwrap();
    let read = |db: &mut Client, arguments: &str| {
        let count = "SELECT pg_stat_get_xact_tuples_returned('by_e'::regclass)
            + pg_stat_get_xact_tuples_returned('by_g'::regclass)";
        db.batch_execute("BEGIN").unwrap();
        let rows = grouped(db, arguments);
        let read: i64 = db.query_one(count, &[]).unwrap().get(0);
        db.batch_execute("COMMIT").unwrap();
        (rows.len() as i64, read)
    };
    let (found, n_read) = read(&mut db, "ann('e', '[4000,0]'), 'g', 10");
    assert_eq!(found, 10);
    assert!(n_read <= 3 * found, "{n_read} rows were read for {found}");
    let (found, n_read) = read(&mut db, "ann('e', '[4000,0]'), 'g', 10, 2, true");
    // One group has but one row, for which another scan looks.
    assert_eq!(found, 20 - 1);
    assert!(n_read <= 4 * found, "{n_read} rows were read for {found}");
    // What lies beyond a large group is found.
    let (found, _) = read(&mut db, "ann('e', '[-1000,0]'), 'g', 3");
    assert_eq!(found, 3);
    // Groups are filled by the index on their column.
    let (found, n_read) = read(&mut db, "ann('e', '[-900,0]'), 'g', 2, 450, true");
    assert_eq!(found, 900);
    assert!(n_read <= 5_000, "{n_read} rows were read for {found}");
}

#[test]
fn columns_may_have_any_name() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id int PRIMARY KEY, t vector(1), f text, g int, c text, o text, u text);
        INSERT INTO items VALUES (1, '[1]', 'a', 1, 'a', 'a', 'a'), (2, '[2]', 'b', 1, 'b', 'b', 'b');
        CREATE INDEX ON items USING hnsw (t vector_l2_ops)",
    )
    .unwrap();
    let near = "ann('t', '[1]')";
    assert_eq!(found(&mut db, near), [(1, 0.0), (2, 1.0)]);
    assert_eq!(grouped(&mut db, &format!("{near}, 'g', 1, 2, true")), [(1, 1, 1), (2, 1, 2)]);
    let ids: Vec<i32> = fused(&mut db, &format!("ARRAY[{near}]")).iter().map(|row| row.0).collect();
    assert_eq!(ids, [1, 2]);
}

fn ranged(db: &mut Client, arguments: &str) -> Vec<(i32, f32)> {
    let query = format!("SELECT (hit).id, score FROM range_search(NULL::items, {arguments})");
    let rows = db.query(&query, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[test]
fn a_range_has_its_bounds() {
    let mut db = items();
    // Squared distances 0, 1, 4, 9, 82; the outer bound is beyond, the inner one within.
    let near = "ann('e', '[1,0]')";
    assert_eq!(ranged(&mut db, &format!("{near}, 9")), [(1, 0.0), (2, 1.0), (3, 4.0)]);
    assert_eq!(ranged(&mut db, &format!("{near}, 9.5, 1")), [(2, 1.0), (3, 4.0), (4, 9.0)]);
    assert_eq!(ranged(&mut db, &format!("{near}, 9.5, 1, k => 1, skip => 1")), [(3, 4.0)]);
    let red = "filter => 'color == \"red\"'";
    assert_eq!(ranged(&mut db, &format!("{near}, 100, {red}")), [(2, 1.0), (4, 9.0), (6, 82.0)]);
    assert_eq!(ranged(&mut db, &format!("{near}, 0")), []);
    assert_eq!(ranged(&mut db, "ann('e', NULL::text), 9"), []);
    // Inner products 27, 3, 2, 1, 0: a similarity beyond the bound is higher.
    let alike = "ann('h', '[1,2,0]')";
    assert_eq!(ranged(&mut db, &format!("{alike}, 2")), [(6, 27.0), (4, 3.0)]);
    assert_eq!(ranged(&mut db, &format!("{alike}, 1, 3")), [(4, 3.0), (2, 2.0)]);
    // Bits that differ from 0001: 0 of row 2, 1 of rows 1 and 3, 2 of row 4, 3 of row 6.
    assert_eq!(ranged(&mut db, "ann('b', '0001'), 3, 2"), [(4, 2.0)]);
}

#[test]
fn a_range_of_few_rows_is_read_no_further() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id int PRIMARY KEY, e vector(2), color text);
        INSERT INTO items SELECT i, ARRAY[i, 0]::vector, 'red' FROM generate_series(0, 29999) AS i;
        CREATE INDEX by_e ON items USING hnsw (e vector_l2_ops);
        ANALYZE items",
    )
    .unwrap();
    for (range, few) in [("ann('e', '[-1,0]'), 25", 4), ("ann('e', '[-1,0]'), 250000", 100)] {
        db.batch_execute("BEGIN").unwrap();
        let found = ranged(&mut db, range);
        let read = "SELECT pg_stat_get_xact_tuples_returned('by_e'::regclass)";
        let read: i64 = db.query_one(read, &[]).unwrap().get(0);
        db.batch_execute("COMMIT").unwrap();
        assert_eq!(found.len(), few);
        assert!((few as i64..=4 * few as i64).contains(&read), "{read} rows were read for {few}");
    }
}

fn fused(db: &mut Client, arguments: &str) -> Vec<(i32, f32, Vec<Option<i32>>)> {
    let query =
        format!("SELECT (hit).id, score, ranks FROM hybrid_search(NULL::items, {arguments})");
    let rows = db.query(&query, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[test]
fn ranks_of_legs_are_fused() {
    let mut db = items();
    let legs =
        "ARRAY[ann('e', '[1,0]', k => 3), fts('words', to_tsquery('english', 'tea | apple'))]";
    let rank = |rank: f64| (1.0 / (60.0 + rank)) as f32;
    let rows = fused(&mut db, legs);
    // By words: row 4 has both, then all others have one; which of them is first, ts_rank says.
    assert_eq!(rows[0].2.len(), 2);
    for (_, score, ranks) in &rows {
        let parts = ranks.iter().flatten().map(|&r| rank(f64::from(r)));
        assert_eq!(*score, parts.fold(0.0, |sum, part| sum + part));
    }
    assert!(rows.windows(2).all(|pair| pair[0].1 >= pair[1].1), "{rows:?}");
    let both = rows.iter().filter(|(_, _, ranks)| ranks.iter().all(Option::is_some));
    let mut both: Vec<i32> = both.map(|&(id, ..)| id).collect();
    both.sort_unstable();
    assert_eq!(both, [1, 2, 3]);
    let of_row_4 = rows.iter().find(|&&(id, ..)| id == 4).unwrap();
    assert_eq!(of_row_4.2, [None, Some(1)]);
    let one = fused(&mut db, "ARRAY[ann('e', '[1,0]'), ann('e', NULL::text)], rrf_ranker(1), 1");
    assert_eq!(one, [(1, 0.5, vec![Some(1), None])]);
}

#[test]
fn scores_of_legs_are_weighed() {
    let mut db = items();
    let legs = "ARRAY[ann('e', '[1,0]', 2), ann('h', '[1,2,0]', 2)]";
    let query = format!(
        "SELECT (hit).id, score, scores FROM hybrid_search(NULL::items, {legs}, \
         weighted_ranker(ARRAY[0.5, 1]), filter => 'id < 6')"
    );
    let rows = db.query(&query, &[]).unwrap();
    let rows: Vec<(i32, f32, Vec<Option<f32>>)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let pi = std::f64::consts::PI;
    let distance = |score: f64| 1.0 - 2.0 * score.atan() / pi;
    let product = |score: f64| 0.5 + score.atan() / pi;
    let wanted = [
        (2, 0.5 * distance(1.0) + product(2.0), vec![Some(1.0), Some(2.0)]),
        (4, product(3.0), vec![None, Some(3.0)]),
        (1, 0.5, vec![Some(0.0), None]),
    ];
    assert_eq!(rows.len(), wanted.len(), "{rows:?}");
    for (row, wanted) in rows.iter().zip(wanted) {
        assert_eq!((row.0, &row.2), (wanted.0, &wanted.2));
        assert!((f64::from(row.1) - wanted.1).abs() < 1e-6, "{rows:?}");
    }
}

/// Ids, scores, and scores of the legs.
fn scored(db: &mut Client, arguments: &str) -> Vec<(i32, f32, Vec<Option<f32>>)> {
    let query =
        format!("SELECT (hit).id, score, scores FROM hybrid_search(NULL::items, {arguments})");
    let rows = db.query(&query, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[test]
fn scores_of_legs_are_scaled() {
    let mut db = items();
    let one = |k: i32, ranker: &str| format!("ARRAY[ann('e', '[1,0]', {k})], {ranker}");
    // Squared distances 0, 1, 4, 9: the nearest row has the least.
    assert_eq!(
        scored(&mut db, &one(4, "min_max_ranker('{0.5}')")),
        [(1, 0.5, 0.0), (2, 4.0 / 9.0, 1.0), (3, 2.5 / 9.0, 4.0), (4, 0.0, 9.0)]
            .map(|(id, score, of_leg): (i32, f32, f32)| (id, score, vec![Some(of_leg)]))
    );
    assert_eq!(scored(&mut db, &one(1, "min_max_ranker()")), [(1, 1.0, vec![Some(0.0)])]);
    // Inner products 1, 2, 3; row 4 is the best by the first leg, and unknown to the other.
    let legs = "ARRAY[ann('h', '[1,2,0]', k => 3), ann('e', '[1,0]', k => 3),
        ann('e', NULL::text)]";
    let rows = scored(
        &mut db,
        &format!("{legs}, min_max_ranker(ARRAY[0.75, 1, 1]), filter => 'id in [1, 2, 3, 4]'"),
    );
    let wanted: [(i32, f32, Vec<Option<f32>>); 4] = [
        (1, 1.0, vec![Some(1.0), Some(0.0), None]),
        (2, 0.375 + 0.75, vec![Some(2.0), Some(1.0), None]),
        (4, 0.75, vec![Some(3.0), None, None]),
        (3, 0.0, vec![None, Some(4.0), None]),
    ];
    let mut by_score = wanted.clone();
    by_score.sort_by(|a, b| b.1.total_cmp(&a.1));
    assert_eq!(rows, by_score);
    // Rows of later pages are scaled by the same scores.
    let page = format!(
        "{legs}, min_max_ranker(ARRAY[0.75, 1, 1]), filter => 'id in [1, 2, 3, 4]', k => 2, skip => 1"
    );
    assert_eq!(scored(&mut db, &page), by_score[1..3]);
    // Equal scores are all the best.
    let equal = "ARRAY[ann('e', '[1,0]', 3, params => '{\"metric_type\": \"COSINE\"}')]";
    let equal = scored(&mut db, &format!("{equal}, min_max_ranker('{{0.5}}')"));
    assert_eq!(equal, [1, 2, 3].map(|id| (id, 0.5, vec![Some(1.0)])));
    // Groups: the scale is that of the rows that were read for them.
    let grouped = format!(
        "{}, group_by => 'color', group_size => 2, group_scorer => 'sum'",
        one(2, "min_max_ranker()")
    );
    assert_eq!(scored(&mut db, &grouped)[0], (1, 1.0, vec![Some(0.0)]));
}

#[test]
fn fused_rows_are_grouped() {
    let mut db = items();
    let legs = "ARRAY[ann('e', '[1,0]', k => 2), ann('h', '[0,0,1]', k => 2)]";
    let group = "group_by => 'color', strict_group_size => true";
    let ids = |db: &mut Client, more: &str| -> Vec<i32> {
        let rows = fused(db, &format!("{legs}, {group}, {more}"));
        rows.into_iter().map(|(id, ..)| id).collect()
    };
    // By e: green 1, 3, red 2, 4; by h, whose metric is the inner product: red 6, then green 3.
    let rows = fused(&mut db, &format!("{legs}, {group}, group_size => 2"));
    let rows: Vec<(i32, Vec<Option<i32>>)> = rows.into_iter().map(|row| (row.0, row.2)).collect();
    let wanted = [(1, vec![Some(1), Some(4)]), (3, vec![Some(2), Some(3)])];
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert_eq!(rows[..2], wanted);
    assert_eq!(ids(&mut db, "k => 1, group_size => 2"), [1, 3]);
    assert_eq!(ids(&mut db, "k => 1, skip => 1, group_size => 1").len(), 1);
    // By the mean of its rows, by their sum.
    for scorer in ["avg", "sum"] {
        let more = format!("k => 1, group_size => 2, group_scorer => '{scorer}'");
        assert_eq!(ids(&mut db, &more), [1, 3]);
    }
}

#[test]
fn scores_fade_with_distance() {
    let mut db = items();
    let scores = |db: &mut Client, ranker: &str, legs: &str| -> Vec<(i32, f32)> {
        let query = format!(
            "SELECT (hit).id, score FROM hybrid_search(NULL::items, ARRAY[{legs}], {ranker}) \
             WHERE (hit).id < 5"
        );
        let rows = db.query(&query, &[]).unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    // Inner products 1, 2, 0, 3 of rows 1 to 4; an id fades from 1 to a half within 1.
    let near = "ann('h', '[1,2,0]')";
    let fading = scores(&mut db, "decay_ranker('exp', 'id', 1, 1)", near);
    assert_eq!(fading, [(1, 1.0), (2, 1.0), (4, 0.375), (3, 0.0)]);
    let floor = scores(&mut db, "decay_ranker('linear', 'id', 1, 1, decay => 0.25)", near);
    assert_eq!(floor, [(1, 1.0), (4, 0.75), (2, 0.5), (3, 0.0)]);
    let two = format!("{near}, ann('h', '[1,0,0]', k => 6)");
    for (mode, wanted) in [("max", 3.0), ("sum", 4.0), ("avg", 2.0)] {
        let ranker = format!("decay_ranker('gauss', 'id', 4, 1, score_mode => '{mode}')");
        assert_eq!(scores(&mut db, &ranker, &two)[0], (4, wanted), "{mode}");
    }
    // Distances become scores where more is nearer; a row without a value has none left.
    let ranker = "decay_ranker('exp', 'made', '2026-01-02', interval '1 day')";
    db.batch_execute(
        "ALTER TABLE items ADD made date;
        UPDATE items SET made = date '2026-01-02' + id - 1 WHERE id <> 2",
    )
    .unwrap();
    let by_age = scores(&mut db, ranker, "ann('e', '[1,0]')");
    let faded = |distance: f64, days: i32| {
        ((1.0 - 2.0 * distance.atan() / std::f64::consts::PI) * 0.5_f64.powi(days)) as f32
    };
    let wanted = [(1, 1.0), (3, faded(4.0, 2)), (4, faded(9.0, 3)), (2, 0.0)];
    assert_eq!(by_age.len(), 4, "{by_age:?}");
    for (row, wanted) in by_age.iter().zip(wanted) {
        assert_eq!(row.0, wanted.0, "{by_age:?}");
        assert!((row.1 - wanted.1).abs() < 1e-6, "{by_age:?}");
    }
}

#[test]
fn the_statement_is_shown_and_gives_the_same() {
    let mut db = items();
    let legs = "ARRAY[ann('e', '[1,0]'), fts('words', 'tea')]";
    for (call, count) in [
        (
            "vector_search{}(NULL::items, ann('e', '[1,0]'), filter => 'title != \"it''s \\\\ $1\"')",
            2,
        ),
        (&format!("hybrid_search{{}}(NULL::items, {legs}, filter => 'id > 1')"), 4),
    ] {
        let statement: String =
            db.query_one(&format!("SELECT {}", call.replace("{}", "_sql")), &[]).unwrap().get(0);
        let rows = |db: &mut Client, query: &str| -> Vec<String> {
            let columns = ["h", "s", "r", "x"][..count].join(", ");
            let query = format!("SELECT f::text FROM ({query}) AS f({columns})");
            db.query(&query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
        };
        let by_call = rows(&mut db, &format!("SELECT * FROM {}", call.replace("{}", "")));
        assert_eq!(rows(&mut db, &statement), by_call);
        assert!(!by_call.is_empty());
    }
}

#[test]
fn searches_use_indexes() {
    let mut db = items();
    db.batch_execute(
        "INSERT INTO items SELECT i, 'many', 'blue', ARRAY[i, i % 7]::real[]::vector, \
             ARRAY[i % 7, i % 11, 1]::real[]::vector::halfvec FROM generate_series(10, 3000) i; ANALYZE items",
    )
    .unwrap();
    let legs = "ARRAY[ann('e', '[1,0]', 10), ann('h', '[1,2,0]', 3)]";
    for call in [
        "vector_search_sql(NULL::items, ann('e', '[1,0]'))",
        &format!("hybrid_search_sql(NULL::items, {legs})"),
    ] {
        let statement: String = db.query_one(&format!("SELECT {call}"), &[]).unwrap().get(0);
        let plan = explain_plan(&mut db, &statement).unwrap();
        assert!(plan.contains("items_e_idx"), "{plan}");
        assert!(!plan.contains("Seq Scan"), "{plan}");
    }
}

#[test]
fn partitions_and_dropped_columns_are_no_trouble() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (gone int, id bigint, \"or der\" text, e vector(1), PRIMARY KEY (id)) \
             PARTITION BY RANGE (id); \
         CREATE TABLE low PARTITION OF items FOR VALUES FROM (0) TO (10); \
         CREATE TABLE high PARTITION OF items FOR VALUES FROM (10) TO (20); \
         CREATE INDEX ON items USING ivfflat (e vector_l2_ops) WITH (lists = 1); \
         ALTER TABLE items DROP COLUMN gone; \
         INSERT INTO items SELECT i, 'x', ARRAY[i]::real[]::vector FROM generate_series(0, 19) i",
    )
    .unwrap();
    let query = "SELECT (hit).id::int, score FROM vector_search(NULL::items, \
                 ann('e', '[9.4]'), k => 3, filter => 'id != 8')";
    let ids: Vec<i32> = db.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(ids, [9, 10, 11]);
    // Plans that are kept follow the table.
    db.batch_execute("ALTER TABLE items ADD COLUMN more int DEFAULT 7; DROP TABLE high").unwrap();
    let query = "SELECT (hit).more FROM vector_search(NULL::items, ann('e', '[9.4]'), k => 3, \
                 filter => 'id != 8')";
    let more: Vec<i32> = db.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(more, [7, 7, 7]);
}

#[test]
fn settings_hold_for_the_search_alone() {
    let mut db = items();
    let settings = "current_setting('hnsw.ef_search'), current_setting('ivf.probes')";
    let read = |db: &mut Client, from: &str| -> Vec<String> {
        let row = db.query_one(&format!("SELECT {settings}{from}"), &[]).unwrap();
        (0..2).map(|column| row.get(column)).collect()
    };
    db.batch_execute("SET enable_seqscan = off").unwrap();
    let before = read(&mut db, "");
    let params = "{\"ef\": 77, \"nprobe\": 3}";
    let search =
        format!(" FROM vector_search(NULL::items, ann('e', '[1,0]', params => '{params}'), 1)");
    assert_eq!(read(&mut db, &search), before);
    let ef: i64 = db.query_one("SELECT ef FROM vector_scan_stats()", &[]).unwrap().get(0);
    assert_eq!(ef, 77);
    let wrong =
        "SELECT vector_search(NULL::items, ann('e', '[1,0]', params => '{\"ef\": 100000}'))";
    assert_eq!(refusal(&mut db, wrong).0, "22023");
    assert_eq!(read(&mut db, ""), before);
}

/// Statements that are refused: SQLSTATE, the beginning of the message, a word of the hint.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("vector_search(7, ann('e', '[1,0]'))", "42809", "the first argument", "NULL::table_name"),
    (
        "vector_search(NULL::v, ann('e', '[1,0]'))",
        "42809",
        "public.v is not a table",
        "NULL::table",
    ),
    ("vector_search(NULL::items, ann('x', '[1,0]'))", "42703", "field x not exist", "id, title"),
    ("vector_search(NULL::items, ann('title', '[1,0]'))", "42804", "column title of", "halfvec"),
    ("vector_search(NULL::items, ann('e', '[1,0,0]'))", "22000", "different vector dim", ""),
    ("vector_search(NULL::items, ann('e', 'one'))", "22P02", "invalid input syntax", ""),
    ("vector_search(NULL::items, NULL)", "22023", "not a search request", "ann("),
    ("vector_search(NULL::items, '{}')", "22023", "not a search request", "ann("),
    ("vector_search(NULL::items, ann('e', '[1,0]'), 0)", "2201W", "k [0] is invalid", "number"),
    ("vector_search(NULL::items, ann('e', '[1,0]', 0))", "2201W", "k of a request [0]", "number"),
    (
        "vector_search(NULL::items, ann('e', '[1,0]'), skip => -1)",
        "2201X",
        "skip [-1]",
        "leave out",
    ),
    (
        "vector_search(NULL::items, ann('e', '[1,0]', params => '{\"metric_type\": \"JACCARD\"}'))",
        "22023",
        "metric type JACCARD not found",
        "L2, IP, COSINE",
    ),
    (
        "vector_search(NULL::items, ann('e', '[1,0]', params => '{\"efs\": 1}'))",
        "22023",
        "unknown search parameter efs",
        "nprobe",
    ),
    (
        "vector_search(NULL::items, ann('e', '[1,0]'), filter => 'price > 1')",
        "42703",
        "cannot parse expression: field price not exist",
        "",
    ),
    (
        "vector_search(NULL::items, ann('e', '[1,0]'), filter => 'id >')",
        "42601",
        "cannot parse expression",
        "",
    ),
    (
        "vector_search(NULL::items, ann('e', '[1,0]'), filter => 'id in {l}', filter_params => '[]')",
        "22023",
        "filter_params must be an object",
        "values",
    ),
    ("hybrid_search(NULL::items, '{}')", "22023", "no search requests", "ARRAY["),
    ("hybrid_search(NULL::items, NULL)", "22023", "no search requests", "ARRAY["),
    ("hybrid_search(NULL::items, ARRAY[fts('title', 'a')])", "42804", "column title is not", "gin"),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], weighted_ranker('{1,1}'))",
        "22023",
        "the length of weights param mismatch with ann search requests",
        "one weight",
    ),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], weighted_ranker('{1.5}'))",
        "22023",
        "rank param weight should be in range [0, 1]",
        "from 0 to 1",
    ),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], min_max_ranker('{1,1}'))",
        "22023",
        "the length of weights param mismatch with ann search requests",
        "one weight",
    ),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], min_max_ranker('{-1}'))",
        "22023",
        "rank param weight should be in range [0, 1]",
        "from 0 to 1",
    ),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], min_max_ranker('{NULL}'))",
        "22023",
        "rank param weight should be in range [0, 1]",
        "from 0 to 1",
    ),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], rrf_ranker(0))",
        "22023",
        "The rank params k should be in range (0, 16384)",
        "60",
    ),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], '{}')",
        "22023",
        "not a ranker",
        "rrf_r",
    ),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], decay_ranker('cube', 'id', 1, 1))",
        "22023",
        "invalid decay function: cube",
        "gauss",
    ),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], decay_ranker('exp', 'color', 1, 1))",
        "42804",
        "unsupported field color for rerank",
        "numbers",
    ),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')],
            decay_ranker('exp', 'id', now(), interval '1 day'))",
        "22023",
        "decay of id takes numbers",
        "origin",
    ),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], decay_ranker('exp', 'id', 1, 0))",
        "22023",
        "scale",
        "",
    ),
    (
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]')], group_by => 'id', group_scorer => 'min')",
        "22023",
        "input group scorer type: min is not supported",
        "avg",
    ),
    ("grouped_search(NULL::items, ann('e', '[1,0]'), 'kind')", "42703", "field kind not", "color"),
    (
        "grouped_search(NULL::items, ann('e', '[1,0]'), NULL)",
        "22023",
        "group_by is missing",
        "name",
    ),
    (
        "grouped_search(NULL::items, ann('e', '[1,0]'), 'words', group_size => 0)",
        "22023",
        "group_size [0] is invalid",
        "rows of a group",
    ),
    ("range_search(NULL::items, ann('e', '[1,0]'), NULL)", "22023", "radius is missing", "radius"),
    (
        "range_search(NULL::items, ann('e', '[1,0]'), 1, 2)",
        "22023",
        "metric type (L2), range_filter(2) must be less than radius(1)",
        "range_filter <= score",
    ),
    (
        "range_search(NULL::items, ann('h', '[1,0,0]'), 2, 1)",
        "22023",
        "metric type (IP), range_filter(1) must be greater than radius(2)",
        "score <= range_filter",
    ),
    (
        "vector_search(NULL::items, ann('e', '[1,0]', params => '{\"radius\": 1}'))",
        "22023",
        "radius is no parameter",
        "range_search",
    ),
    ("grouped_search(NULL::items, ann('e', '[1,0]'), 'id', 0)", "2201W", "k [0] is", "number"),
];

#[test]
fn mistakes_are_named() {
    let mut db = items();
    db.batch_execute("CREATE VIEW v AS SELECT * FROM items").unwrap();
    for (call, code, text, advice) in MISTAKES {
        let error = db.query(&format!("SELECT {call}"), &[]).expect_err(call);
        assert_eq!(sqlstate(&error), *code, "{call}: {}", message(&error));
        assert!(message(&error).starts_with(text), "{call}: {}", message(&error));
        assert!(hint(&error).contains(advice), "{call}: {}", hint(&error));
    }
    db.batch_execute("CREATE INDEX ON items USING hnsw (e vector_ip_ops)").unwrap();
    let error = db.query("SELECT vector_search(NULL::items, ann('e', '[1,0]'))", &[]).unwrap_err();
    assert_eq!(message(&error), "column e has indexes of several metrics: L2, IP");
    assert!(hint(&error).contains("metric_type"));
}

#[test]
fn hostile_texts_stay_values() {
    let mut db = items();
    for hostile in ["x\"; DROP TABLE items; --", "$1", "'; SELECT pg_sleep(9); --", "\\'"] {
        let literal = hostile.replace('\'', "''");
        let calls = [
            format!("vector_search(NULL::items, ann('{literal}', '[1,0]'))"),
            format!("vector_search(NULL::items, ann('e', '{literal}'))"),
            format!("vector_search(NULL::items, ann('e', '[1,0]'), filter => '{literal}')"),
            format!("hybrid_search(NULL::items, ARRAY[fts('{literal}', 'a')])"),
        ];
        for call in calls {
            let error = db.query(&format!("SELECT {call}"), &[]).expect_err(&call);
            assert!(
                ["42703", "22P02", "42601", "0A000"].contains(&sqlstate(&error)),
                "{call}: {error:?}"
            );
        }
    }
    assert_eq!(found(&mut db, "ann('e', '[1,0]'), k => 1"), [(1, 0.0)]);
}

#[test]
fn any_schema_and_search_path_will_do() {
    let mut db = TestDb::without_extension();
    db.batch_execute(
        "CREATE SCHEMA \"S x\"; CREATE EXTENSION vector_ext SCHEMA \"S x\"; \
         CREATE TABLE t (id int PRIMARY KEY, e \"S x\".vector(2)); \
         INSERT INTO t VALUES (1, '[1,0]'), (2, '[0,1]'); \
         CREATE FUNCTION mine(float8, float8) RETURNS float8 LANGUAGE sql AS 'SELECT 1/0::float8'; \
         CREATE OPERATOR + (FUNCTION = mine, LEFTARG = float8, RIGHTARG = float8); \
         SET search_path = public, pg_catalog",
    )
    .unwrap();
    let request = "\"S x\".ann('e', '[0,2]')";
    let query = format!(
        "SELECT (hit).id FROM \"S x\".vector_search(NULL::t, {request}) UNION ALL \
         SELECT (hit).id FROM \"S x\".hybrid_search(NULL::t, ARRAY[{request}])"
    );
    let ids: Vec<i32> = db.query(&query, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(ids, [2, 1, 2, 1]);
}

#[test]
fn row_security_and_privileges_are_the_callers() {
    let mut db = items();
    db.batch_execute(
        "CREATE ROLE searcher; ALTER TABLE items ENABLE ROW LEVEL SECURITY; \
         CREATE POLICY p ON items USING (color = 'red')",
    )
    .unwrap();
    assert_eq!(found(&mut db, "ann('e', '[1,0]'), k => 2"), [(1, 0.0), (2, 1.0)]);
    db.batch_execute("SET ROLE searcher").unwrap();
    let call = "SELECT * FROM vector_search(NULL::items, ann('e', '[1,0]'))";
    assert_eq!(refusal(&mut db, call).0, "42501");
    db.batch_execute("RESET ROLE; GRANT SELECT ON items TO searcher; SET ROLE searcher").unwrap();
    assert_eq!(found(&mut db, "ann('e', '[1,0]'), k => 2"), [(2, 1.0), (4, 9.0)]);
    db.batch_execute("RESET ROLE").unwrap();
    assert_eq!(found(&mut db, "ann('e', '[1,0]'), k => 2"), [(1, 0.0), (2, 1.0)]);
}
