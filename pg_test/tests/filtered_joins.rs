//! Searches whose rows must have a partner in another table find the same rows in order whichever way they
//! take, and look up the keys of a small table instead of joining each row they find.

use pg_test::data::{DIMENSIONS, documents, queries};
use pg_test::{TestDb, Vector, buffers, copy_vectors, explain_analyze, explain_plan, text};
use postgres::Client;

const STRATEGIES: [&str; 4] = ["auto", "look", "inline", "exact"];

/// The node looks up keys.
const LOOKS_UP: &str = "Join Index Name";

/// Rows on a spiral, whose distances from `[3,4]` all differ; one row for each document, and several, or
/// none, in `r`.
fn tables() -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE w (id int, doc int, kind text, tags int[], v vector(2));
         INSERT INTO w SELECT i, nullif(i * 7919 % 40, 39), 'k' || i % 11, ARRAY[i % 3, 10 + i % 17],
                ARRAY[i * cos(i) / 9, i * sin(i) / 9]::vector(2)
           FROM generate_series(1, 900) i;
         CREATE INDEX near ON w USING hnsw (v vector_l2_ops);
         CREATE INDEX w_doc ON w (doc);
         CREATE INDEX w_kind ON w USING hash (kind);
         DELETE FROM w WHERE id % 13 = 5;
         UPDATE w SET kind = kind || '!' WHERE id % 29 = 3;
         UPDATE w SET id = -id WHERE id % 31 = 4;
         CREATE TABLE d (id int PRIMARY KEY, owner int, name varchar(9));
         INSERT INTO d SELECT i, i % 7, 'k' || i % 11 FROM generate_series(0, 60) i;
         CREATE TABLE r (doc int, big bigint, owner int, name varchar(9));
         INSERT INTO r SELECT nullif(i % 50, 3), i % 50, i % 9, 'k' || i % 30
           FROM generate_series(1, 120) i;
         CREATE TABLE none (doc int);
         ANALYZE w, d, r, none; SET hnsw.ef_search = 200",
    )
    .unwrap();
    db
}

fn ids(client: &mut Client, query: &str) -> Vec<i32> {
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// Leaves no plan but nested loops around the vector index.
const BY_INDEX: &str = "SET enable_sort = off; SET enable_hashjoin = off;
    SET enable_mergejoin = off";
const BY_ANY: &str = "RESET enable_sort; RESET enable_hashjoin;
    RESET enable_mergejoin; RESET vector_ext.filtered_scan";

/// What is found without the vector index.
fn expected(client: &mut Client, query: &str) -> Vec<i32> {
    ids(client, &query.replacen("<->", "+ '[0,0]' <->", 1))
}

/// Conditions that lead to keys.
const KEYS: [&str; 13] = [
    "doc IN (SELECT id FROM d WHERE owner = 3)",
    "doc IN (SELECT doc FROM r WHERE owner = 3)",
    "doc IN (SELECT big FROM r WHERE owner = 3)",
    "doc IN (SELECT doc FROM r WHERE owner IN (1, 2)) AND tags @> '{2}'",
    "EXISTS (SELECT FROM r WHERE r.doc = w.doc AND r.owner = 4)",
    "EXISTS (SELECT FROM r WHERE w.doc = r.doc AND r.owner = 4 AND r.big > w.id % 20)",
    "kind IN (SELECT name FROM d WHERE owner = 3 AND id < 20)",
    "kind IN (SELECT name FROM r WHERE owner = 3)",
    "doc IN (SELECT doc FROM none)",
    "doc IN (SELECT doc FROM r WHERE doc IS NULL)",
    "doc IN (SELECT doc FROM w o WHERE o.id BETWEEN 3 AND 6)",
    "doc IN (SELECT doc FROM r WHERE owner = (SELECT min(owner) + 2 FROM d))",
    "id % 2 = 0 AND doc IN (SELECT id FROM d WHERE owner = 3) AND kind IN (SELECT name FROM r WHERE owner < 5)",
];

/// Conditions that do not.
const OTHERS: [&str; 9] = [
    "doc NOT IN (SELECT id FROM d WHERE owner = 3)",
    "NOT EXISTS (SELECT FROM r WHERE r.doc = w.doc AND r.owner = 4)",
    "doc IN (SELECT id FROM d WHERE owner = 3) OR kind = 'k4'",
    "doc IN (SELECT doc FROM r WHERE owner = 3 AND random() < 2)",
    "doc IN (SELECT max(doc) FROM r GROUP BY owner)",
    "doc IN (SELECT r.doc FROM r JOIN d ON d.id = r.doc WHERE d.owner = 2)",
    "doc IN (SELECT doc + 1 FROM r WHERE owner = 3)",
    "id IN (SELECT big FROM r)",
    "v <-> '[3,4]' < 60 AND doc IN (SELECT id FROM d WHERE owner = 3)",
];

#[test]
fn every_way_finds_the_same_rows() {
    let mut db = tables();
    for (condition, looks_up) in
        KEYS.map(|keys| (keys, true)).into_iter().chain(OTHERS.map(|other| (other, false)))
    {
        for tail in
            ["LIMIT 1", "LIMIT 12", "LIMIT 7 OFFSET 5", "LIMIT 2000", "LIMIT 9 FOR UPDATE OF w", ""]
        {
            let query = format!("SELECT id FROM w WHERE {condition} ORDER BY v <-> '[3,4]' {tail}");
            let expected = expected(&mut db, &query);
            db.batch_execute(BY_INDEX).unwrap();
            let plan = explain_plan(&mut db, &query).unwrap();
            assert_eq!(plan.contains(LOOKS_UP), looks_up && !tail.is_empty(), "{query}\n{plan}");
            for strategy in STRATEGIES {
                db.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
                assert_eq!(ids(&mut db, &query), expected, "{strategy}: {query}\n{plan}");
            }
            db.batch_execute(BY_ANY).unwrap();
        }
    }
}

#[test]
fn every_partner_of_an_inner_join_comes() {
    let mut db = tables();
    for from in [
        "w JOIN r ON r.doc = w.doc AND r.owner < 3",
        "r JOIN w ON r.doc = w.doc AND r.owner < 3",
        "w JOIN d ON d.id = w.doc AND d.owner = 2 LEFT JOIN r ON r.doc = d.id",
        "w LEFT JOIN r ON r.doc = w.doc AND r.owner < 3",
        "w JOIN r ON r.doc = w.doc JOIN d ON d.id = r.big AND d.owner = 4",
    ] {
        for tail in ["LIMIT 5", "LIMIT 40", "LIMIT 5000"] {
            let query = format!("SELECT w.id FROM {from} ORDER BY w.v <-> '[3,4]' {tail}");
            let expected = expected(&mut db, &query);
            db.batch_execute(BY_INDEX).unwrap();
            for strategy in STRATEGIES {
                db.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
                assert_eq!(ids(&mut db, &query), expected, "{strategy}: {query}");
            }
            db.batch_execute(BY_ANY).unwrap();
        }
    }
}

#[test]
fn other_keys_make_another_set() {
    let mut db = tables();
    let query = "SELECT near.id FROM generate_series(0, 9) AS g (owner), LATERAL (
            SELECT id FROM w WHERE doc IN (SELECT doc FROM r WHERE r.owner = g.owner)
            ORDER BY v <-> ARRAY[g.owner, 4]::vector LIMIT 4) near
        ORDER BY g.owner, near.id";
    let expected = expected(&mut db, query);
    assert!(expected.len() >= 30);
    db.batch_execute(
        "SET enable_sort = off; SET enable_hashjoin = off; SET enable_mergejoin = off",
    )
    .unwrap();
    assert!(explain_plan(&mut db, query).unwrap().contains(LOOKS_UP));
    for strategy in STRATEGIES {
        db.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
        assert_eq!(ids(&mut db, query), expected, "{strategy}");
    }
    db.batch_execute("RESET vector_ext.filtered_scan; SET plan_cache_mode = force_generic_plan")
        .unwrap();
    let query = "SELECT id FROM w WHERE doc IN (SELECT doc FROM r WHERE owner = $1)
        ORDER BY v <-> '[3,4]' LIMIT 6";
    let found = db.prepare(query).unwrap();
    let wanted = db.prepare(&query.replacen("<->", "+ '[0,0]' <->", 1)).unwrap();
    for owner in [0, 3, 8, 99, 3] {
        let [found, wanted] = [&found, &wanted].map(|statement| -> Vec<i32> {
            let rows = db.query(statement, &[&owner]).unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        });
        assert_eq!(found, wanted, "{owner}");
    }
}

#[test]
fn a_cursor_goes_on_beyond_what_was_expected() {
    let mut db = tables();
    let query =
        "SELECT id FROM w WHERE doc IN (SELECT doc FROM r WHERE owner < 5) ORDER BY v <-> '[3,4]'";
    let mut expected = expected(&mut db, query);
    expected.sort_unstable();
    db.batch_execute(BY_INDEX).unwrap();
    for strategy in STRATEGIES {
        db.batch_execute(&format!(
            "SET vector_ext.filtered_scan = {strategy}; BEGIN; DECLARE c CURSOR FOR {query}"
        ))
        .unwrap();
        let mut found = Vec::new();
        for count in [1, 4, 20, 1_000] {
            found.extend(ids(&mut db, &format!("FETCH {count} FROM c")));
        }
        db.batch_execute("COMMIT").unwrap();
        found.sort_unstable();
        assert_eq!(found, expected, "{strategy}");
    }
}

#[test]
fn policies_hide_what_they_do_without_an_index() {
    let mut db = tables();
    let role = format!("reader_{}", db.name());
    db.batch_execute(&format!(
        "CREATE ROLE {role}; GRANT SELECT ON w, d, r TO {role};
         CREATE FUNCTION shown(int) RETURNS bool LANGUAGE sql IMMUTABLE COST 1000 AS 'SELECT $1 % 3 > 0';
         CREATE POLICY a_few ON w USING (shown(id)); ALTER TABLE w ENABLE ROW LEVEL SECURITY;
         CREATE POLICY few ON d USING (id < 40); ALTER TABLE d ENABLE ROW LEVEL SECURITY;
         SET ROLE {role}"
    ))
    .unwrap();
    for condition in [
        "doc IN (SELECT id FROM d WHERE owner = 3)",
        "kind IN (SELECT name FROM r WHERE owner = 3)",
    ] {
        let query = format!("SELECT id FROM w WHERE {condition} ORDER BY v <-> '[3,4]' LIMIT 20");
        let expected = expected(&mut db, &query);
        assert!(expected.iter().all(|id| id % 3 != 0) && !expected.is_empty());
        db.batch_execute(BY_INDEX).unwrap();
        for strategy in STRATEGIES {
            db.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
            assert_eq!(ids(&mut db, &query), expected, "{strategy}: {query}");
        }
        db.batch_execute(BY_ANY).unwrap();
    }
    db.batch_execute(&format!("RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
}

#[test]
fn more_keys_than_rows_are_not_looked_up() {
    let mut db = tables();
    // The plan expects few keys.
    let query = "SELECT id FROM w WHERE doc IN (SELECT doc FROM r WHERE owner = 77) ORDER BY v <-> '[3,4]' LIMIT 6";
    db.batch_execute(BY_INDEX).unwrap();
    let search = db.prepare(query).unwrap();
    assert!(explain_plan(&mut db, query).unwrap().contains(LOOKS_UP));
    let mut other = db.connect();
    other.batch_execute("ALTER TABLE r SET (autovacuum_enabled = off)").unwrap();
    other
        .batch_execute("INSERT INTO r SELECT i % 20, 0, 77 FROM generate_series(1, 2000) i")
        .unwrap();
    let found: Vec<i32> = db.query(&search, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(found, expected(&mut db, query));
    let plan = explain_analyze(&mut db, query).unwrap();
    assert!(plan.contains(LOOKS_UP) && !plan.contains("Rows of Other Indexes"), "{plan}");
    // The table is small, so that all its rows are measured.
    assert!(plan.contains("Filter Strategy: exact"), "{plan}");
}

#[test]
fn a_key_that_comes_often_is_looked_up_once() {
    let mut db = tables();
    db.batch_execute(
        "INSERT INTO r SELECT 5, 5, 77, 'k5' FROM generate_series(1, 800); ANALYZE r;
         SET vector_ext.filtered_scan = exact",
    )
    .unwrap();
    db.batch_execute(BY_INDEX).unwrap();
    for keys in ["doc IN (SELECT doc", "doc IN (SELECT big", "kind IN (SELECT name"] {
        let query = format!(
            "SELECT id FROM w WHERE {keys} FROM r WHERE owner = 77) ORDER BY v <-> '[3,4]' LIMIT 6"
        );
        let plan = explain_analyze(&mut db, &query).unwrap();
        assert!(plan.contains(LOOKS_UP) && plan.contains("Rows of Other Indexes"), "{plan}");
        // Each look-up reads two pages at least.
        assert!(buffers(&plan) < 800, "{plan}");
        assert_eq!(ids(&mut db, &query), expected(&mut db, &query), "{query}");
    }
}

#[test]
fn equal_keys_that_lead_to_too_much_are_not_looked_up() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE w AS SELECT i AS id, 1::numeric AS doc, ARRAY[i, i]::vector(2) AS v
           FROM generate_series(1, 900) i;
         CREATE INDEX near ON w USING hnsw (v vector_l2_ops); CREATE INDEX ON w (doc);
         CREATE TABLE r AS SELECT ('1.' || repeat('0', i))::numeric AS doc, 3 AS owner
           FROM generate_series(1, 50) i;
         ANALYZE w, r",
    )
    .unwrap();
    db.batch_execute(BY_INDEX).unwrap();
    for (most, is_known) in [(2, true), (50, false)] {
        let query = format!(
            "SELECT id FROM w WHERE doc IN (SELECT doc FROM r WHERE scale(doc) <= {most})
             ORDER BY v <-> '[0,0]' LIMIT 6"
        );
        let plan = explain_analyze(&mut db, &query).unwrap();
        assert!(plan.contains(LOOKS_UP), "{plan}");
        assert_eq!(plan.contains("Rows of Other Indexes"), is_known, "{plan}");
        assert_eq!(ids(&mut db, &query), expected(&mut db, &query));
    }
}

#[test]
fn a_small_table_leads_to_its_rows() {
    let mut db = TestDb::new();
    db.batch_execute(
        "SELECT setseed(0.5);
         CREATE TABLE w AS SELECT i AS id, i * 7919 % 1000 AS doc, repeat('x', 1200) AS note,
                (SELECT array_agg(sin(i / 500 * (d + 3)) * 4 + random() * 2)
                   FROM generate_series(1, 16) d)::vector(16) AS v
           FROM generate_series(0, 9999) i;
         CREATE INDEX near ON w USING hnsw (v vector_l2_ops);
         CREATE INDEX ON w (doc);
         CREATE TABLE d AS SELECT i AS id, i % 100 AS owner FROM generate_series(0, 999) i;
         ALTER TABLE d ADD PRIMARY KEY (id); CREATE INDEX ON d (owner); ANALYZE w, d",
    )
    .unwrap();
    let vector = text(&mut db, "SELECT v::text FROM w WHERE id = 4017").unwrap();
    for (owners, least) in [("= 3", 9), ("< 20", 9)] {
        let query = format!(
            "SELECT id FROM w WHERE doc IN (SELECT id FROM d WHERE owner {owners})
             ORDER BY v <-> '{vector}' LIMIT 10"
        );
        let sorted = query.replacen("<->", "+ array_fill(0, ARRAY[16])::vector <->", 1);
        let expected = ids(&mut db, &sorted);
        let found = ids(&mut db, &query);
        assert_eq!(found.len(), 10);
        assert!(found.iter().filter(|id| expected.contains(id)).count() >= least, "{found:?}");
        let chosen = explain_analyze(&mut db, &query).unwrap();
        let joined = explain_analyze(&mut db, &sorted).unwrap();
        // Each row that is returned is joined once more.
        assert!(buffers(&chosen) <= buffers(&joined) + 40, "{chosen}\n{joined}");
    }
    // A fifth of the rows: neither all of them are read, nor is each row joined that is near.
    db.batch_execute("SET vector_ext.filtered_scan = inline").unwrap();
    let query = format!(
        "SELECT id FROM w WHERE doc IN (SELECT id FROM d WHERE owner < 20)
         ORDER BY v <-> '{vector}' LIMIT 10"
    );
    let plan = explain_analyze(&mut db, &query).unwrap();
    assert!(plan.contains(LOOKS_UP), "{plan}");
}

#[test]
fn a_search_is_as_wide_as_a_join_needs() {
    let mut db = TestDb::new();
    db.batch_execute(&format!("CREATE TABLE w (id int, v vector({DIMENSIONS}))")).unwrap();
    let documents = documents().unwrap();
    copy_vectors(&mut db, "w", 0, documents.iter().map(|row| row.embedding.as_slice())).unwrap();
    db.batch_execute(
        "CREATE INDEX near ON w USING hnsw (v vector_l2_ops);
         CREATE TABLE few AS SELECT id FROM w WHERE id * 7919 % 10 = 3; ANALYZE w, few",
    )
    .unwrap();
    let query = "SELECT id FROM w WHERE id IN (SELECT id FROM few) ORDER BY v <-> $1 LIMIT 10";
    let exact = db.prepare(&query.replace("v <-> $1", "(v <-> $1) + 0")).unwrap();
    db.batch_execute("SET enable_sort = off").unwrap();
    assert!(
        explain_plan(&mut db, &query.replace("$1", "(SELECT v FROM w LIMIT 1)"))
            .unwrap()
            .contains("near")
    );
    let search = db.prepare(query).unwrap();
    let (mut found, mut wanted) = (0, 0);
    for query in queries().unwrap().into_iter().take(100) {
        let query = Vector(query.embedding);
        let [found_rows, exact_rows] = [&search, &exact].map(|statement| -> Vec<i32> {
            db.query(statement, &[&query]).unwrap().iter().map(|row| row.get(0)).collect()
        });
        wanted += exact_rows.len();
        found += found_rows.iter().filter(|id| exact_rows.contains(id)).count();
    }
    assert!(found * 100 >= wanted * 95, "{found} of {wanted}");
}
