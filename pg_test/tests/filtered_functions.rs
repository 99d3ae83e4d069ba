//! The search functions filter as queries do: by other indexes, and exactly.

use pg_test::TestDb;
use postgres::Client;

const ROWS: i32 = 3_000;

/// Goods with an index on every column, each filter of which few rows pass.
fn goods(method: &str) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(&format!(
        "CREATE TABLE goods (id int PRIMARY KEY, shop int, tags text[], meta jsonb, title text, e vector(2));
         INSERT INTO goods SELECT i, i * 7919 % 60, ARRAY['t' || i % 50, 'all'],
                jsonb_build_object('color', i * 31 % 40, 'tags', jsonb_build_array(i % 45, 'new')),
                'a pot of tea' || CASE i % 35 WHEN 0 THEN ', green' ELSE '' END,
                ARRAY[i * cos(i) / 9, i * sin(i) / 9]::vector(2)
           FROM generate_series(1, {ROWS}) i;
         CREATE INDEX near ON goods USING {method} (e vector_l2_ops);
         CREATE INDEX ON goods (shop);
         CREATE INDEX ON goods USING gin (tags);
         CREATE INDEX ON goods USING gin (meta jsonb_path_ops);
         CREATE INDEX ON goods USING gin (standard_tsvector(title));
         ANALYZE goods; SET hnsw.ef_search = 200; SET ivf.probes = 60"
    ))
    .unwrap();
    db
}

/// Filters, and the same in SQL.
const FILTERS: [(&str, &str); 8] = [
    ("shop == 7", "shop = 7"),
    ("shop in [7, 9, 11]", "shop IN (7, 9, 11)"),
    ("array_contains(tags, \"t3\")", "tags @> '{t3}'"),
    ("array_contains_any(tags, [\"t3\", \"t4\"])", "tags && '{t3,t4}'"),
    ("meta[\"color\"] == 3", "meta @> '{\"color\": 3}'"),
    ("json_contains(meta[\"tags\"], 4)", "meta->'tags' @> '4'"),
    ("json_contains_any(meta[\"tags\"], [4, 5])", "meta->'tags' @> '4' OR meta->'tags' @> '5'"),
    ("text_match(title, \"green\")", "title LIKE '%green%'"),
];

fn ids(db: &mut Client, query: &str) -> Vec<i32> {
    db.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// Strategy of the last search, and whether other indexes were asked.
fn strategy(db: &mut Client) -> (String, bool) {
    let stats = "SELECT strategy, members IS NOT NULL FROM vector_scan_stats()";
    let row = db.query_one(stats, &[]).unwrap();
    (row.get(0), row.get(1))
}

#[test]
fn filters_of_functions_reach_other_indexes() {
    for method in ["hnsw", "ivf"] {
        let mut db = goods(method);
        for (filter, sql) in FILTERS {
            let exact =
                format!("SELECT id FROM goods WHERE {sql} ORDER BY (e <-> '[30,40]') + 0 LIMIT 10");
            let expected = ids(&mut db, &exact);
            assert_eq!(expected.len(), 10, "{filter}");
            // Leaves no plan but those by the vector index.
            db.batch_execute("SET enable_sort = off; SET enable_seqscan = off").unwrap();
            for forced in ["inline", "exact", "auto"] {
                db.batch_execute(&format!("SET vector_ext.filtered_scan = {forced}")).unwrap();
                let filter = format!("filter => '{filter}'");
                let search = format!(
                    "SELECT (hit).id FROM vector_search(NULL::goods, ann('e', '[30,40]'), {filter}) LIMIT 10"
                );
                assert_eq!(ids(&mut db, &search), expected, "{method}, {forced}: {search}");
                if forced == "inline" {
                    assert_eq!(strategy(&mut db), ("inline".to_owned(), true), "{search}");
                }
            }
            db.batch_execute("RESET enable_sort; RESET enable_seqscan").unwrap();
        }
    }
}

#[test]
fn groups_and_ranges_with_a_filter_are_exact() {
    for method in ["hnsw", "ivf"] {
        let mut db = goods(method);
        let groups = "SELECT id FROM (SELECT DISTINCT ON (shop) id, e <-> '[30,40]' AS d FROM goods
            WHERE tags && '{t3,t4,t7}' ORDER BY shop, d) nearest ORDER BY d LIMIT 8";
        let within = "SELECT id FROM goods WHERE tags && '{t3,t4,t7}' AND (e <-> '[30,40]') < 60
            ORDER BY (e <-> '[30,40]') + 0";
        let (groups, within) = (ids(&mut db, groups), ids(&mut db, within));
        assert!(groups.len() == 8 && within.len() > 8);
        let filter = "filter => 'array_contains_any(tags, [\"t3\", \"t4\", \"t7\"])'";
        let grouped = format!(
            "SELECT (hit).id FROM grouped_search(NULL::goods, ann('e', '[30,40]'), group_by => 'shop', k => 8, {filter})"
        );
        assert_eq!(ids(&mut db, &grouped), groups, "{method}");
        let range = format!(
            "SELECT (hit).id FROM range_search(NULL::goods, ann('e', '[30,40]'), radius => 3600, {filter})"
        );
        assert_eq!(ids(&mut db, &range), within, "{method}");
    }
}
