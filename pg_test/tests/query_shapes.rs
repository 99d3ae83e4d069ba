//! Queries of every shape give with an index what they give without it, however they are run.

use std::io::Read;

use pg_test::{TestDb, major};
use postgres::{Client, SimpleQueryMessage};

/// What is searched for, and how many rows, in shapes `$q` and `$k`.
const QUERY: &str = "'[100.0625,77.03]'::vector";
const LIMIT: &str = "12";

/// Shapes whose rows come in an order that the query asks for.
const ORDERED: &[&str] = &[
    "SELECT id FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w ORDER BY $q <-> v LIMIT $k",
    "SELECT id FROM w ORDER BY v <-> $q LIMIT $k OFFSET 3",
    "SELECT id, v <-> $q AS d FROM w ORDER BY d LIMIT $k",
    "SELECT $q <-> v AS d FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT 1 - (v <-> $q) AS s, id FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT * FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT w FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT w.*, w AS whole FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT ctid, tableoid::regclass, id FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT 1 FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w ORDER BY v <-> $q, id LIMIT $k",
    "SELECT id FROM w ORDER BY v <-> $q FETCH FIRST 5 ROWS WITH TIES",
    "SELECT id FROM w WHERE doc % 7 = 1 ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w WHERE v <-> $q < 40 ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w WHERE v <-> $q < 40 AND doc > 3 ORDER BY v <-> $q",
    "SELECT id FROM w WHERE v <-> $q < 'NaN' ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w WHERE v <-> $q > 40 ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w WHERE within(v, $q, 900) ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w WHERE ctid <> '(0,1)' ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w WHERE w IS NOT NULL ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w WHERE id IN (SELECT id FROM t WHERE id < 150) ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w WHERE id NOT IN (SELECT id FROM t WHERE id < 150) ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w WHERE EXISTS (SELECT FROM t WHERE t.id = w.doc) ORDER BY v <-> $q LIMIT $k",
    "SELECT id, (SELECT max(id) FROM t WHERE t.id < w.doc) FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w WHERE doc = (SELECT min(doc) + 2 FROM t) ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM near LIMIT 7",
    "SELECT id FROM parts ORDER BY v <-> $q LIMIT $k",
    "SELECT tableoid::regclass, id, v <-> $q FROM parts ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM parts WHERE id > 50 ORDER BY v <-> $q LIMIT $k",
    "SELECT parts FROM parts WHERE doc > 5 ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM parent ORDER BY v <-> $q LIMIT $k",
    "SELECT id, extra.added FROM extra ORDER BY v <-> $q LIMIT $k",
    "SELECT extra FROM extra WHERE added > 3 ORDER BY v <-> $q LIMIT $k",
    "SELECT id FROM w ORDER BY v <-> (SELECT v FROM w WHERE id = 7) LIMIT $k",
    "SELECT id, row_number() OVER () FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a",
    "SELECT id, rank() OVER (ORDER BY v <-> $q) FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT DISTINCT v <-> $q AS d FROM w ORDER BY d LIMIT $k",
    "SELECT v <-> $q AS d, count(*) FROM w GROUP BY d ORDER BY d LIMIT $k",
    "SELECT DISTINCT ON (v <-> $q) id FROM w ORDER BY v <-> $q LIMIT $k",
    "SELECT a.id, b.id FROM w a JOIN w b ON b.id = a.doc ORDER BY a.v <-> $q LIMIT $k",
    "SELECT a.id, a.v <-> $q FROM w a LEFT JOIN t b ON b.id = a.doc ORDER BY a.v <-> $q LIMIT $k",
    "SELECT * FROM (SELECT id FROM w ORDER BY v <-> $q) a LIMIT 5",
    "SELECT id FROM w ORDER BY v <-> $q LIMIT $k FOR UPDATE",
    "SELECT id FROM w WHERE doc > 5 ORDER BY v <-> $q LIMIT $k FOR SHARE SKIP LOCKED",
    "(SELECT id FROM w ORDER BY v <-> $q LIMIT 3) UNION ALL (SELECT id FROM t ORDER BY id LIMIT 2)",
    "SELECT id FROM w ORDER BY v <-> NULL::vector, id LIMIT $k",
    "SELECT id FROM guarded ORDER BY v <-> $q LIMIT $k",
];

/// Shapes whose rows may come in any order.
const ANY: &[&str] = &[
    "SELECT count(*) FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a WHERE id > 3",
    "SELECT * FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a WHERE id > 200",
    "SELECT count(*), sum(id) FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a",
    "SELECT a.id FROM (SELECT id, doc FROM w ORDER BY v <-> $q LIMIT $k OFFSET 2) a WHERE doc <> 4",
    "SELECT count(*) FROM near WHERE id > 3",
    "SELECT near.id, t.id FROM near JOIN t ON t.id = near.id WHERE near.id > 3",
    "WITH c AS (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) SELECT * FROM c WHERE id > 3",
    "WITH c AS MATERIALIZED (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) SELECT * FROM c WHERE id > 3",
    "WITH c AS (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) SELECT * FROM c a, c b",
    "SELECT * FROM nearest($q) WHERE nearest > 3",
    "SELECT count(*) FROM nearest($q) n JOIN t ON t.id = n",
    "SELECT DISTINCT id % 5 FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a WHERE id > 3",
    "SELECT id % 5, count(*) FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a WHERE id > 3 GROUP BY 1 ORDER BY 1",
    "SELECT id FROM t WHERE id NOT IN (SELECT id FROM w ORDER BY v <-> $q LIMIT $k)",
    "SELECT id FROM t WHERE id IN (SELECT id FROM w ORDER BY v <-> $q LIMIT $k)",
    "SELECT id FROM t WHERE EXISTS (SELECT FROM w WHERE w.doc = t.id ORDER BY v <-> $q LIMIT 1)",
    "SELECT t.id, n.id FROM t, LATERAL (SELECT id FROM w WHERE doc = t.doc ORDER BY v <-> $q LIMIT 2) n WHERE n.id > 3",
    "SELECT t.id, n.id, d FROM t, LATERAL (SELECT id, v <-> t.v AS d FROM w ORDER BY v <-> t.v LIMIT 2) n WHERE d > 1",
    "SELECT t.id, n.id FROM t LEFT JOIN LATERAL (SELECT id FROM w WHERE w.id <> t.id ORDER BY v <-> t.v LIMIT 3) n ON n.id > 100",
    "SELECT t.id, (SELECT id FROM w ORDER BY v <-> t.v LIMIT 1) FROM t",
    "SELECT ARRAY(SELECT id FROM w ORDER BY v <-> $q LIMIT $k)",
    "SELECT id FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a UNION SELECT id FROM t",
    "SELECT id FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a EXCEPT SELECT id FROM t",
    "SELECT id FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a INTERSECT SELECT id FROM t",
    "SELECT * FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT 3) a UNION ALL (SELECT id FROM w ORDER BY v <-> $q LIMIT 4)",
    "SELECT a, a.id FROM (SELECT * FROM w ORDER BY v <-> $q LIMIT $k) a WHERE a.id > 3",
    "SELECT sum(d) FROM (SELECT id, v <-> $q AS d FROM w ORDER BY d LIMIT $k) a WHERE id > 3",
    "SELECT id, lag(id) OVER (ORDER BY id) FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a WHERE id > 3",
    "SELECT count(*) FROM (SELECT id FROM parts ORDER BY v <-> $q LIMIT $k) a WHERE id > 3",
    "SELECT a.id FROM (SELECT id FROM parts ORDER BY v <-> $q LIMIT $k) a JOIN w ON w.id = a.id WHERE a.id > 3",
    "SELECT n FROM t, LATERAL (SELECT n FROM (SELECT id AS n FROM w ORDER BY v <-> t.v LIMIT 4) i OFFSET 1) o WHERE n > 3",
    "SELECT count(*) FROM (SELECT id FROM w WHERE false ORDER BY v <-> $q LIMIT $k) a",
    "SELECT count(*) FROM (SELECT DISTINCT v <-> $q FROM w) a",
    "SELECT count(*) FROM (SELECT v <-> $q, count(*) FROM w GROUP BY 1) a",
];

/// Statements that change rows; what they return is compared.
const CHANGING: &[&str] = &[
    "INSERT INTO sink SELECT id FROM w ORDER BY v <-> $q LIMIT $k RETURNING id",
    "UPDATE w SET doc = -1 FROM (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a WHERE a.id = w.id AND a.id > 3 RETURNING w.id",
    "UPDATE w SET doc = -1 WHERE id IN (SELECT id FROM w ORDER BY v <-> $q LIMIT $k FOR UPDATE) RETURNING id",
    "UPDATE w SET v = $q WHERE id = (SELECT id FROM w WHERE doc > 3 ORDER BY v <-> $q LIMIT 1) RETURNING id",
    "DELETE FROM w USING (SELECT id FROM w ORDER BY v <-> $q LIMIT $k) a WHERE a.id = w.id RETURNING w.id",
    "DELETE FROM parts WHERE id IN (SELECT id FROM parts ORDER BY v <-> $q LIMIT $k) RETURNING id",
    "WITH gone AS (DELETE FROM w WHERE id IN (SELECT id FROM w ORDER BY v <-> $q LIMIT 5) RETURNING id)
     SELECT * FROM gone UNION ALL (SELECT id FROM w ORDER BY v <-> $q LIMIT 5)",
];

fn tables() -> TestDb {
    let mut db = TestDb::new();
    let rows = "SELECT i AS id, i % 40 AS doc, repeat('x', i % 90) AS note,
        ARRAY[i * i * 31 % 2003 / 8.0, i * i * i * 7 % 1999 / 8.0]::vector(2) AS v";
    db.batch_execute(&format!(
        "CREATE TABLE w AS {rows} FROM generate_series(1, 400) i;
         ALTER TABLE w DROP COLUMN note;
         CREATE INDEX ON w USING hnsw (v vector_l2_ops);
         CREATE TABLE t AS {rows} FROM generate_series(0, 400, 4) i;
         CREATE TABLE sink (id int);
         CREATE TABLE parts (v vector(2), doc int, id int) PARTITION BY RANGE (id);
         CREATE TABLE low (gone int, id int, doc int, v vector(2));
         ALTER TABLE low DROP COLUMN gone;
         ALTER TABLE parts ATTACH PARTITION low FOR VALUES FROM (MINVALUE) TO (200);
         CREATE TABLE high PARTITION OF parts FOR VALUES FROM (200) TO (MAXVALUE);
         INSERT INTO parts SELECT v, doc, id FROM w;
         CREATE INDEX ON parts USING hnsw (v vector_l2_ops);
         CREATE TABLE parent (id int, v vector(2));
         CREATE TABLE child (more int) INHERITS (parent);
         INSERT INTO parent SELECT id, v FROM w WHERE id % 2 = 0;
         INSERT INTO child SELECT id, v, doc FROM w WHERE id % 2 = 1;
         CREATE INDEX ON parent USING hnsw (v vector_l2_ops);
         CREATE INDEX ON child USING hnsw (v vector_l2_ops);
         CREATE TABLE extra AS SELECT id, v FROM w;
         CREATE INDEX ON extra USING ivf (v vector_l2_ops) WITH (lists = 10);
         ALTER TABLE extra ADD added int DEFAULT 7;
         CREATE VIEW near AS SELECT id FROM w ORDER BY v <-> {QUERY} LIMIT 20;
         CREATE VIEW guarded WITH (security_barrier) AS SELECT * FROM w WHERE doc > 3;
         CREATE FUNCTION nearest(q vector) RETURNS SETOF int LANGUAGE sql STABLE AS
             'SELECT id FROM w ORDER BY v <-> q LIMIT 10';
         SET hnsw.ef_search = 400; SET ivf.probes = 10"
    ))
    .unwrap();
    db.batch_execute("VACUUM ANALYZE").unwrap();
    db
}

/// A shape with its values.
fn literal(shape: &str) -> String {
    shape.replace("$q", QUERY).replace("$k", LIMIT)
}

/// All rows of all results of some statements.
fn rows(client: &mut Client, statements: &str) -> Vec<String> {
    let messages = client.simple_query(statements);
    let messages = match messages {
        Ok(messages) => messages,
        Err(error) => {
            // Ends a transaction that the statements began.
            client.batch_execute("ROLLBACK").unwrap();
            return vec![format!("{error:?}")];
        }
    };
    let row = |message| {
        let SimpleQueryMessage::Row(row) = message else { return None };
        Some(format!("{:?}", (0..row.len()).map(|i| row.get(i)).collect::<Vec<_>>()))
    };
    messages.into_iter().filter_map(row).collect()
}

/// What differs with an index from what is found without it.
fn difference(
    db: &mut Client,
    shape: &str,
    ordered: bool,
    run: impl Fn(&mut Client) -> Vec<String>,
) -> Option<String> {
    db.batch_execute("SET enable_indexscan = off; SET enable_seqscan = on").unwrap();
    let mut expected = run(db);
    db.batch_execute("SET enable_indexscan = on; SET enable_seqscan = off").unwrap();
    let mut found = run(db);
    if !ordered {
        expected.sort();
        found.sort();
    }
    let same = found == expected && !expected.is_empty();
    (!same).then(|| format!("{shape}\n   found {found:?}\n  wanted {expected:?}"))
}

#[track_caller]
fn check(differences: &[String]) {
    assert!(differences.is_empty(), "{} shapes:\n{}", differences.len(), differences.join("\n"));
}

/// Compares all shapes, each run in some way.
#[track_caller]
fn compare_all(db: &mut Client, run: impl Fn(&mut Client, &str) -> Vec<String>) {
    let mut differences = Vec::new();
    for (shapes, ordered) in [(ORDERED, true), (ANY, false)] {
        for shape in shapes {
            differences.extend(difference(db, shape, ordered, |db| run(db, shape)));
        }
    }
    check(&differences);
}

#[test]
fn plainly() {
    let mut db = tables();
    compare_all(&mut db, |db, shape| rows(db, &literal(shape)));
    let changing = CHANGING.iter().filter_map(|shape| {
        let statements = format!("BEGIN; {}; ROLLBACK", literal(shape));
        difference(&mut db, shape, false, |db| rows(db, &statements))
    });
    check(&changing.collect::<Vec<_>>());
}

#[test]
fn explained() {
    let mut db = tables();
    db.batch_execute("SET enable_seqscan = off").unwrap();
    for shape in ORDERED.iter().chain(ANY).chain(CHANGING) {
        for options in ["", "VERBOSE", "VERBOSE, FORMAT JSON", "ANALYZE, VERBOSE"] {
            let options =
                format!("COSTS OFF{}{options}", if options.is_empty() { "" } else { ", " });
            let explain = format!("BEGIN; EXPLAIN ({options}) {}; ROLLBACK", literal(shape));
            let plan = rows(&mut db, &explain);
            assert!(!plan.is_empty() && !plan[0].starts_with("Error"), "{explain}: {plan:?}");
        }
    }
}

#[test]
fn prepared() {
    let mut db = tables();
    for mode in ["force_custom_plan", "force_generic_plan"] {
        db.batch_execute(&format!("SET plan_cache_mode = {mode}")).unwrap();
        compare_all(&mut db, |db, shape| {
            let shape = shape.replace("$q", "$1").replace("$k", "$2");
            let execute = format!("EXECUTE shape({QUERY}, {LIMIT})");
            let prepare = format!("PREPARE shape(vector, int) AS {shape}");
            rows(db, &format!("{prepare}; {execute}; {execute}; DEALLOCATE shape"))
        });
    }
}

#[test]
fn through_cursors() {
    let mut db = tables();
    compare_all(&mut db, |db, shape| {
        let select = literal(shape);
        let mut found = rows(
            db,
            &format!(
                "BEGIN; DECLARE c CURSOR FOR {select}; FETCH 3 FROM c; FETCH ALL FROM c; COMMIT"
            ),
        );
        if ORDERED.contains(&shape) && !select.contains(" FOR ") {
            let scroll = format!("DECLARE c SCROLL CURSOR FOR {select}");
            let moves = "FETCH 4 FROM c; MOVE BACKWARD ALL IN c; FETCH ALL FROM c";
            found.extend(rows(db, &format!("BEGIN; {scroll}; {moves}; COMMIT")));
        }
        found
    });
}

#[test]
fn in_functions() {
    let mut db = tables();
    compare_all(&mut db, |db, shape| {
        let shape = shape.replace("$k", LIMIT).replace("$q", "q");
        db.batch_execute(&format!(
            "CREATE OR REPLACE FUNCTION shape(q vector) RETURNS SETOF text LANGUAGE plpgsql AS $f$
             DECLARE r record;
             BEGIN FOR r IN {shape} LOOP RETURN NEXT r::text; END LOOP; END $f$"
        ))
        .unwrap();
        rows(db, &format!("SELECT * FROM shape({QUERY}); SELECT * FROM shape({QUERY})"))
    });
}

#[test]
fn copied() {
    let mut db = tables();
    compare_all(&mut db, |db, shape| {
        let mut text = String::new();
        let copy = format!("COPY ({}) TO STDOUT", literal(shape));
        let mut copied = match db.copy_out(&copy) {
            Ok(copied) => copied,
            Err(error) => return vec![format!("{error:?}")],
        };
        if let Err(error) = copied.read_to_string(&mut text) {
            return vec![format!("{error:?}")];
        }
        text.lines().map(str::to_owned).collect()
    });
}

#[test]
fn in_parallel() {
    let mut db = tables();
    let force = if major(&mut db) < 16 { "force_parallel_mode" } else { "debug_parallel_query" };
    db.batch_execute(&format!(
        "SET {force} = on; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
         SET min_parallel_table_scan_size = 0"
    ))
    .unwrap();
    compare_all(&mut db, |db, shape| rows(db, &literal(shape)));
}

#[test]
fn with_other_indexes_for_conditions() {
    let mut db = tables();
    db.batch_execute(
        "CREATE INDEX ON w (doc); CREATE INDEX ON w (id); CREATE INDEX ON parts (id);
         CREATE INDEX ON parts USING hash (doc); CREATE INDEX ON extra (added); ANALYZE;
         SET enable_sort = off",
    )
    .unwrap();
    for strategy in ["auto", "look", "inline", "exact"] {
        db.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
        compare_all(&mut db, |db, shape| rows(db, &literal(shape)));
    }
}
