//! Rows as near as each other come in the order of the primary key: within a page, across pages, in
//! the legs of a hybrid search and in groups, with an index and without one.

use pg_test::{TestDb, explain_plan};
use postgres::Client;

/// How many rows are as near as each other. They lie in the table from the last key to the first.
const ALIKE: i32 = 60;

/// Two nearer rows, many alike, a farther one.
fn items(index: &str) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(&format!(
        "CREATE TABLE items (id int PRIMARY KEY, e vector(2), g int, words tsvector);
        INSERT INTO items SELECT i, '[3,0]', i % 7, 'tea' FROM generate_series({ALIKE}, 1, -1) AS i;
        INSERT INTO items VALUES (1001, '[1,0]', 1, 'tea'), (1002, '[2,0]', 2, 'tea'),
            (1003, '[9,0]', 3, 'tea');
        {index};
        ANALYZE items"
    ))
    .unwrap();
    db
}

const INDEXES: [&str; 3] = [
    "SELECT",
    "CREATE INDEX ON items USING hnsw (e vector_l2_ops)",
    "CREATE INDEX ON items USING ivf (e vector_l2_ops) WITH (lists = 1)",
];

fn ids(db: &mut Client, search: &str) -> Vec<i32> {
    let query = format!("SELECT (hit).id FROM {search}");
    let rows = db.query(&query, &[]).unwrap_or_else(|error| panic!("{search}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

/// All rows in the order of their distances from [1,0], then of their keys.
fn ordered() -> Vec<i32> {
    [1001, 1002].into_iter().chain(1..=ALIKE).chain([1003]).collect()
}

/// Pages of `k` rows until one is empty.
fn paged(db: &mut Client, search: &str, k: usize) -> Vec<i32> {
    let mut rows = Vec::new();
    loop {
        let page = ids(db, &format!("{search}, k => {k}, skip => {})", rows.len()));
        assert!(page.len() <= k);
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

#[test]
fn pages_of_a_search_are_parts_of_one_order() {
    let l2 = r#"params => '{"metric_type": "L2"}'"#;
    for index in INDEXES {
        let mut db = items(index);
        db.batch_execute("SET enable_seqscan = off; SET ivf.probes = 10").unwrap();
        let near = format!("NULL::items, ann('e', '[1,0]', {l2})");
        for k in [3, 10, 1000] {
            for search in [
                format!("vector_search({near}"),
                format!("range_search({near}, radius => 1000"),
                format!("hybrid_search(NULL::items, ARRAY[ann('e', '[1,0]', {l2})]"),
            ] {
                assert_eq!(paged(&mut db, &search, k), ordered(), "{index}: {search} by {k}");
            }
        }
        // A leg finds the first of those that are alike; so does a search whose request says how many.
        let few = r#"ann('e', '[1,0]', 5, params => '{"metric_type": "L2"}')"#;
        assert_eq!(ids(&mut db, &format!("vector_search(NULL::items, {few})")), ordered()[..5]);
        let hybrid = format!("hybrid_search(NULL::items, ARRAY[{few}])");
        assert_eq!(ids(&mut db, &hybrid), ordered()[..5]);
        // A range ends among rows that are alike.
        let range = format!("range_search({near}, radius => 4.5, range_filter => 1, k => 4)");
        assert_eq!(ids(&mut db, &range), [1002, 1, 2, 3]);
    }
}

#[test]
fn groups_that_are_as_near_come_by_their_rows() {
    for index in INDEXES {
        let mut db = items(index);
        db.batch_execute("SET enable_seqscan = off; SET ivf.probes = 10").unwrap();
        let near = r#"NULL::items, ann('e', '[1,0]', params => '{"metric_type": "L2"}')"#;
        let first = ids(&mut db, &format!("grouped_search({near}, 'g', k => 4)"));
        assert_eq!(first, [1001, 1002, 3, 4], "{index}");
        let second = ids(&mut db, &format!("grouped_search({near}, 'g', k => 2, skip => 2)"));
        assert_eq!(second, [3, 4], "{index}");
        let full = format!("grouped_search({near}, 'g', 3, 3, strict_group_size => true)");
        assert_eq!(ids(&mut db, &full), [1001, 1, 8, 1002, 2, 9, 3, 10, 17], "{index}");
        let request = near.split_once(", ").unwrap().1;
        let fused = format!(
            "hybrid_search(NULL::items, ARRAY[{request}], k => 3, group_by => 'g', group_size => 2,
                strict_group_size => true)"
        );
        assert_eq!(ids(&mut db, &fused), [1001, 1, 1002, 2, 3, 10], "{index}");
    }
}

#[test]
fn pages_of_several_legs_are_parts_of_one_ranking() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id int PRIMARY KEY, e vector(1), f vector(1));
        INSERT INTO items SELECT i, ARRAY[i]::vector, ARRAY[i * 7 % 40]::vector
            FROM generate_series(1, 39) AS i;
        CREATE INDEX ON items USING hnsw (e vector_l2_ops);
        CREATE INDEX ON items USING hnsw (f vector_l2_ops)",
    )
    .unwrap();
    let search = "hybrid_search(NULL::items, ARRAY[ann('e', '[0]'), ann('f', '[0]')]";
    let all = ids(&mut db, &format!("{search}, k => 39)"));
    assert_eq!(all.len(), 39);
    for k in [1, 3, 20] {
        assert_eq!(paged(&mut db, search, k), all, "by {k}");
    }
}

#[test]
fn words_that_fit_as_well_come_by_the_key() {
    let mut db = items("SELECT");
    let leg = "hybrid_search(NULL::items, ARRAY[fts('words', 'tea', 4)])";
    assert_eq!(ids(&mut db, leg), [1, 2, 3, 4]);
}

#[test]
fn keys_of_any_type_make_the_order() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id int, a text COLLATE \"C\", e vector(1), PRIMARY KEY (a, id));
        INSERT INTO items VALUES (1, 'b', '[1]'), (2, 'B', '[1]'), (4, 'a', '[1]'), (3, 'a', '[1]');
        CREATE INDEX ON items USING hnsw (e vector_l2_ops);
        CREATE TABLE plain (id int, e vector(1));
        INSERT INTO plain VALUES (3, '[1]'), (1, '[1]'), (2, '[1]');
        CREATE INDEX ON plain USING hnsw (e vector_l2_ops);
        SET enable_seqscan = off",
    )
    .unwrap();
    // By the columns of the key in their order, each by its collation.
    assert_eq!(ids(&mut db, "vector_search(NULL::items, ann('e', '[0]'))"), [2, 3, 4, 1]);
    assert_eq!(ids(&mut db, "range_search(NULL::items, ann('e', '[0]'), 9, k => 2)"), [2, 3]);
    // Without a key, by the place in the table.
    for search in [
        "vector_search(NULL::plain, ann('e', '[0]')",
        "range_search(NULL::plain, ann('e', '[0]'), 9",
    ] {
        assert_eq!(paged(&mut db, search, 2), [3, 1, 2]);
    }
}

#[test]
fn thousands_of_rows_may_be_alike() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id int PRIMARY KEY, e vector(2));
        INSERT INTO items SELECT i, '[1,0]' FROM generate_series(3000, 1, -1) AS i;
        CREATE INDEX ON items USING hnsw (e vector_l2_ops);
        ANALYZE items;
        SET enable_seqscan = off",
    )
    .unwrap();
    let search = "vector_search(NULL::items, ann('e', '[0,0]'), k => 3, skip =>";
    assert_eq!(ids(&mut db, &format!("{search} 0)")), [1, 2, 3]);
    assert_eq!(ids(&mut db, &format!("{search} 1000)")), [1001, 1002, 1003]);
    let range = "range_search(NULL::items, ann('e', '[0,0]'), 4, k => 2, skip => 500)";
    assert_eq!(ids(&mut db, range), [501, 502]);
}

#[test]
fn ties_are_broken_by_the_index_that_serves() {
    let mut db = items(INDEXES[1]);
    db.batch_execute(
        "INSERT INTO items SELECT i, ARRAY[i, 0]::vector FROM generate_series(2000, 6000) AS i;
        ANALYZE items",
    )
    .unwrap();
    let statement: String = db
        .query_one("SELECT vector_search_sql(NULL::items, ann('e', '[1,0]'))", &[])
        .unwrap()
        .get(0);
    let plan = explain_plan(&mut db, &statement).unwrap();
    assert!(plan.contains("items_e_idx") && !plan.contains("Seq Scan"), "{plan}");
}
