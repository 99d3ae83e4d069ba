//! What a user sees of the `hnsw` access method: plans, results, settings, options, errors.

use pg_test::{TestDb, explain_plan, message, scans_index, sqlstate};
use postgres::Client;

/// A table of `n` rows of pseudo-random vectors with integer values, the same ones each time, and an
/// index `i`. Sequential scans are off, so that small tables show what the index does.
fn table(db: &mut TestDb, n: usize, dims: usize, opclass: &str) {
    db.batch_execute(&format!(
        "CREATE TABLE t (id int, k int, v vector({dims}));
        INSERT INTO t SELECT i, i % 100, (SELECT array_agg(abs(hashint4(i * 64 + j) % 1000))
            FROM generate_series(1, {dims}) AS j)::vector FROM generate_series(1, {n}) AS i;
        CREATE INDEX i ON t USING hnsw (v {opclass});
        ANALYZE t;
        SET enable_seqscan = off;"
    ))
    .unwrap();
}

fn count(db: &mut Client, query: &str) -> i64 {
    db.query_one(&format!("SELECT count(*) FROM ({query}) AS q"), &[]).unwrap().get(0)
}

fn ids(db: &mut Client, query: &str) -> Vec<i32> {
    db.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[track_caller]
fn refuses(db: &mut Client, query: &str, code: &str, text: &str) {
    let error = db.batch_execute(query).expect_err(query);
    assert_eq!((sqlstate(&error), message(&error).as_str()), (code, text), "{query}");
}

#[track_caller]
fn uses_index(db: &mut Client, query: &str, index: &str) {
    let plan = explain_plan(db, query).unwrap();
    assert!(scans_index(&plan, index), "{query}\n{plan}");
}

#[track_caller]
fn does_not_use_index(db: &mut Client, query: &str, index: &str) {
    let plan = explain_plan(db, query).unwrap();
    assert!(!plan.contains(&format!("using {index} ")), "{query}\n{plan}");
}

/// The index is sound.
#[track_caller]
fn sound(db: &mut Client, index: &str) {
    let query = format!("SELECT block, problem FROM vector_index_check('{index}')");
    let problems: Vec<(Option<i64>, String)> = db
        .query(&query, &[])
        .unwrap()
        .iter()
        .map(|row| (row.get("block"), row.get("problem")))
        .collect();
    assert!(problems.is_empty(), "{index}: {problems:?}");
}

#[test]
fn rows_come_in_the_order_of_the_operator() {
    for (opclass, operator) in [
        ("vector_l2_ops", "<->"),
        ("vector_ip_ops", "<#>"),
        ("vector_cosine_ops", "<=>"),
        ("vector_l1_ops", "<+>"),
    ] {
        let mut db = TestDb::new();
        table(&mut db, 2000, 8, opclass);
        db.batch_execute("SET hnsw.ef_search = 400").unwrap();
        let query = format!("SELECT v {operator} '[3,1,4,1,5,9,2,6]' FROM t ORDER BY 1 LIMIT 50");
        uses_index(&mut db, &query, "i");
        let by_index = db.query(&query, &[]).unwrap();
        db.batch_execute("RESET enable_seqscan; SET enable_indexscan = off").unwrap();
        does_not_use_index(&mut db, &query, "i");
        let by_sort = db.query(&query, &[]).unwrap();
        let distances =
            |rows: &[postgres::Row]| rows.iter().map(|row| row.get(0)).collect::<Vec<f64>>();
        assert_eq!(distances(&by_index), distances(&by_sort), "{opclass}");
    }
}

/// Values that a 16-bit float cannot hold: order and distances are still the operator's.
#[test]
fn rounding_in_the_index_does_not_show() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (id int, v vector(3));
        INSERT INTO t SELECT i, ARRAY[1 + i * 1e-6, 2, 3]::vector FROM generate_series(1, 500) AS i;
        CREATE INDEX i ON t USING hnsw (v vector_l2_ops);
        SET enable_seqscan = off",
    )
    .unwrap();
    let query = "SELECT id FROM t ORDER BY v <-> '[1,2,3]' LIMIT 20";
    uses_index(&mut db, query, "i");
    assert_eq!(ids(&mut db, query), (1..=20).collect::<Vec<_>>());
}

#[test]
fn nulls_and_zero_vectors_under_cosine_are_left_out() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (v vector(2));
        INSERT INTO t VALUES (NULL), ('[0,0]'), ('[1,2]');
        CREATE INDEX i ON t USING hnsw (v vector_cosine_ops);
        INSERT INTO t VALUES (NULL), ('[0,0]'), ('[2,1]');
        SET enable_seqscan = off",
    )
    .unwrap();
    let all = "SELECT * FROM t ORDER BY v <=> '[1,1]'";
    uses_index(&mut db, all, "i");
    assert_eq!(count(&mut db, all), 2);
    // A query that is itself zero, or NULL, has the same rows, in any order.
    assert_eq!(count(&mut db, "SELECT * FROM t ORDER BY v <=> '[0,0]'"), 2);
    assert_eq!(count(&mut db, "SELECT * FROM t ORDER BY v <=> (SELECT NULL::vector)"), 2);
    sound(&mut db, "i");
}

#[test]
fn a_null_query_gives_all_rows() {
    let mut db = TestDb::new();
    table(&mut db, 300, 4, "vector_l2_ops");
    let query = "SELECT id FROM t ORDER BY v <-> (SELECT NULL::vector)";
    uses_index(&mut db, query, "i");
    assert_eq!(count(&mut db, query), 300);
}

#[test]
fn equal_vectors_are_all_found() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (id int, v vector(3));
        INSERT INTO t SELECT i, '[1,2,3]' FROM generate_series(1, 60) AS i;
        CREATE INDEX i ON t USING hnsw (v vector_l2_ops);
        INSERT INTO t SELECT i, '[1,2,3]' FROM generate_series(61, 100) AS i;
        SET enable_seqscan = off;
        SET hnsw.ef_search = 1;
        SET hnsw.iterative_scan = off",
    )
    .unwrap();
    assert_eq!(count(&mut db, "SELECT * FROM t ORDER BY v <-> '[1,2,3]'"), 100);
    db.batch_execute("DELETE FROM t WHERE id % 2 = 0").unwrap();
    db.batch_execute("VACUUM t").unwrap();
    assert_eq!(count(&mut db, "SELECT * FROM t ORDER BY v <-> '[1,2,3]'"), 50);
    sound(&mut db, "i");
}

#[test]
fn an_index_may_be_empty() {
    let mut db = TestDb::new();
    table(&mut db, 0, 3, "vector_l2_ops");
    let all = "SELECT id FROM t ORDER BY v <-> '[1,2,3]'";
    assert_eq!(count(&mut db, all), 0);
    sound(&mut db, "i");
    db.batch_execute("INSERT INTO t VALUES (1, 1, '[1,1,1]'), (2, 2, '[1,2,3]')").unwrap();
    assert_eq!(ids(&mut db, all), [2, 1]);
    db.batch_execute("DELETE FROM t").unwrap();
    db.batch_execute("VACUUM t").unwrap();
    assert_eq!(count(&mut db, all), 0);
    db.batch_execute("INSERT INTO t VALUES (3, 3, '[5,5,5]')").unwrap();
    assert_eq!(ids(&mut db, all), [3]);
    db.batch_execute("TRUNCATE t").unwrap();
    assert_eq!(count(&mut db, all), 0);
    sound(&mut db, "i");
}

#[test]
fn a_limit_beyond_ef_search_gets_its_rows() {
    let mut db = TestDb::new();
    table(&mut db, 2000, 8, "vector_l2_ops");
    db.batch_execute("SET hnsw.ef_search = 10").unwrap();
    let query = "SELECT id FROM t ORDER BY v <-> '[3,1,4,1,5,9,2,6]' LIMIT 500";
    uses_index(&mut db, query, "i");
    assert_eq!(count(&mut db, query), 500);
    db.batch_execute("SET hnsw.iterative_scan = relaxed_order").unwrap();
    assert_eq!(count(&mut db, query), 500);
    assert_eq!(count(&mut db, "SELECT id FROM t ORDER BY v <-> '[1,1,1,1,1,1,1,1]'"), 2000);
    db.batch_execute("SET hnsw.iterative_scan = off").unwrap();
    assert_eq!(count(&mut db, query), 10);
}

#[test]
fn a_filter_gets_its_rows() {
    let mut db = TestDb::new();
    table(&mut db, 3000, 8, "vector_l2_ops");
    let query = "SELECT id FROM t WHERE k = 7 ORDER BY v <-> '[3,1,4,1,5,9,2,6]' LIMIT 10";
    uses_index(&mut db, query, "i");
    let by_index = ids(&mut db, query);
    assert_eq!(by_index.len(), 10);
    db.batch_execute("RESET enable_seqscan; SET enable_indexscan = off").unwrap();
    let exact = ids(&mut db, query);
    let found = exact.iter().filter(|id| by_index.contains(id)).count();
    assert!(found >= 9, "{by_index:?} {exact:?}");
}

#[test]
fn deleted_rows_do_not_count() {
    let mut db = TestDb::new();
    table(&mut db, 2000, 8, "vector_l2_ops");
    let query = "SELECT id FROM t ORDER BY v <-> '[3,1,4,1,5,9,2,6]' LIMIT 100";
    let near = ids(&mut db, query);
    db.execute("DELETE FROM t WHERE id = ANY ($1)", &[&near]).unwrap();
    assert_eq!(count(&mut db, query), 100);
    db.batch_execute("VACUUM t").unwrap();
    assert_eq!(count(&mut db, query), 100);
    sound(&mut db, "i");
}

#[test]
fn an_iterative_scan_can_be_bounded() {
    let mut db = TestDb::new();
    table(&mut db, 3000, 8, "vector_l2_ops");
    let query = "SELECT id FROM t WHERE k < 0 ORDER BY v <-> '[3,1,4,1,5,9,2,6]'";
    let tuples = |db: &mut TestDb| {
        assert_eq!(count(db, query), 0);
        let row = db.query_one("SELECT expanded FROM vector_scan_stats()", &[]).unwrap();
        row.get::<_, i64>(0)
    };
    // Else the table is read instead, which has no bound.
    db.batch_execute("SET vector_ext.filtered_scan = look").unwrap();
    db.batch_execute("SET enable_sort = off; SET hnsw.iterative_scan = relaxed_order").unwrap();
    uses_index(&mut db, query, "i");
    assert!(tuples(&mut db) >= 3000);
    db.batch_execute("SET hnsw.max_scan_tuples = 500").unwrap();
    let bounded = tuples(&mut db);
    assert!((500..2000).contains(&bounded), "{bounded}");
    db.batch_execute("RESET hnsw.max_scan_tuples; SET work_mem = '64kB'").unwrap();
    assert!(tuples(&mut db) < 3000);
    db.batch_execute("SET hnsw.scan_mem_multiplier = 1000").unwrap();
    assert!(tuples(&mut db) >= 3000);
}

#[test]
fn scans_begin_anew_for_each_outer_row() {
    let mut db = TestDb::new();
    table(&mut db, 1000, 8, "vector_l2_ops");
    let query = "SELECT o.id, i.id FROM (SELECT * FROM t WHERE id % 50 = 1) AS o
        CROSS JOIN LATERAL (SELECT * FROM t ORDER BY v <-> o.v LIMIT 1) AS i";
    uses_index(&mut db, query, "i");
    let rows = db.query(query, &[]).unwrap();
    assert_eq!(rows.len(), 20);
    let same = rows.iter().filter(|row| row.get::<_, i32>(0) == row.get::<_, i32>(1)).count();
    assert!(same >= 19, "{same} rows find themselves");
}

#[test]
fn a_second_distance_breaks_ties() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (id int, v vector(2));
        INSERT INTO t SELECT i, ARRAY[i % 5, i / 5]::vector FROM generate_series(0, 24) AS i;
        CREATE INDEX i ON t USING hnsw (v vector_l2_ops);
        SET enable_seqscan = off",
    )
    .unwrap();
    let query = "SELECT id FROM t ORDER BY v <-> '[0,0]', v <-> '[0,10]' LIMIT 6";
    uses_index(&mut db, query, "i");
    // [0,0]; [0,1] before [1,0]; [1,1]; [0,2] before [2,0].
    assert_eq!(ids(&mut db, query), [0, 5, 1, 6, 10, 2]);
}

#[test]
fn plans() {
    let mut db = TestDb::new();
    table(&mut db, 2000, 8, "vector_l2_ops");
    db.batch_execute("CREATE INDEX by_k ON t (k); ANALYZE t; RESET enable_seqscan").unwrap();
    let q = "'[3,1,4,1,5,9,2,6]'";
    uses_index(&mut db, &format!("SELECT id FROM t ORDER BY v <-> {q} LIMIT 10"), "i");
    uses_index(&mut db, &format!("SELECT id FROM t ORDER BY {q} <-> v LIMIT 10"), "i");
    uses_index(&mut db, &format!("SELECT id FROM t WHERE k < 50 ORDER BY v <-> {q} LIMIT 10"), "i");
    for other in [
        format!("SELECT id FROM t ORDER BY v <-> {q}"),
        format!("SELECT id FROM t ORDER BY v <-> {q} DESC LIMIT 10"),
        format!("SELECT id FROM t ORDER BY v <=> {q} LIMIT 10"),
        format!("SELECT id FROM t ORDER BY l2_distance(v, {q}) LIMIT 10"),
        format!("SELECT id FROM t ORDER BY (v <-> {q}) + 1 LIMIT 10"),
        format!("SELECT id FROM t WHERE k = 7 ORDER BY v <-> {q} LIMIT 10"),
        format!("SELECT id FROM t WHERE v <-> {q} < 10"),
        "SELECT count(*) FROM t".into(),
    ] {
        does_not_use_index(&mut db, &other, "i");
    }
    let filtered = format!("SELECT id FROM t WHERE k = 7 ORDER BY v <-> {q} LIMIT 10");
    assert!(explain_plan(&mut db, &filtered).unwrap().contains("by_k"));
}

#[test]
fn the_size_of_the_table_decides() {
    for (rows, dims, index) in [(30, 3, false), (2000, 384, true), (2000, 1536, true)] {
        let mut db = TestDb::new();
        db.batch_execute(&format!(
            "CREATE TABLE t (id int, v vector({dims}));
            INSERT INTO t SELECT i, array_fill(i, ARRAY[{dims}])::vector
                FROM generate_series(1, {rows}) AS i;
            CREATE INDEX i ON t USING hnsw (v vector_l2_ops) WITH (m = 4, ef_construction = 8);
            ANALYZE t"
        ))
        .unwrap();
        let query = format!(
            "SELECT id FROM t ORDER BY v <-> array_fill(1, ARRAY[{dims}])::vector LIMIT 10"
        );
        let plan = explain_plan(&mut db, &query).unwrap();
        assert_eq!(scans_index(&plan, "i"), index, "{rows} rows, {dims} dims\n{plan}");
    }
}

#[test]
fn settings() {
    let mut db = TestDb::new();
    // Loads the library.
    db.batch_execute("SELECT '[1]'::vector").unwrap();
    for (name, default, bad) in [
        ("hnsw.ef_search", "40", ["0", "1001"]),
        ("hnsw.iterative_scan", "strict_order", ["on", "1"]),
        ("hnsw.max_scan_tuples", "2147483647", ["0", "-1"]),
        ("hnsw.scan_mem_multiplier", "1", ["0", "1001"]),
    ] {
        let value: String = db.query_one(&format!("SHOW {name}"), &[]).unwrap().get(0);
        assert_eq!(value, default, "{name}");
        for bad in bad {
            let error = db.batch_execute(&format!("SET {name} = '{bad}'")).expect_err(name);
            assert_eq!(sqlstate(&error), "22023", "{name} = {bad}");
        }
    }
}

#[test]
fn options() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (v vector(3))").unwrap();
    let create =
        |with: &str| format!("CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH ({with})");
    let unfit = "ef_construction must be greater than or equal to 2 * m";
    for (with, text) in [
        ("m = 1", "value 1 out of bounds for option \"m\""),
        ("m = 101", "value 101 out of bounds for option \"m\""),
        ("ef_construction = 3", "value 3 out of bounds for option \"ef_construction\""),
        ("ef_construction = 1001", "value 1001 out of bounds for option \"ef_construction\""),
        ("m = 16, ef_construction = 31", unfit),
        ("m = 33", unfit),
        ("lists = 3", "unrecognized parameter \"lists\""),
    ] {
        refuses(&mut db, &create(with), "22023", text);
    }
    for with in ["m = 2, ef_construction = 4", "m = 100, ef_construction = 1000", "m = 32"] {
        db.batch_execute(&create(with)).unwrap();
    }
}

#[test]
fn columns_that_cannot_be_indexed() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (v vector, w vector(3))").unwrap();
    let create = |what: &str| format!("CREATE INDEX ON t USING hnsw ({what})");
    refuses(&mut db, &create("v vector_l2_ops"), "22023", "column does not have dimensions");
    let no_default = "data type vector has no default operator class for access method \"hnsw\"";
    refuses(&mut db, &create("w"), "42704", no_default);
    let one = "access method \"hnsw\" does not support multicolumn indexes";
    refuses(&mut db, &create("w vector_l2_ops, w vector_ip_ops"), "0A000", one);
    let unique = "access method \"hnsw\" does not support unique indexes";
    let query = "CREATE UNIQUE INDEX ON t USING hnsw (w vector_l2_ops)";
    refuses(&mut db, query, "0A000", unique);
    // Vectors of many lengths in one column: an expression gives the index its dimensions.
    db.batch_execute(
        "CREATE INDEX i ON t USING hnsw ((v::vector(3)) vector_l2_ops) WHERE vector_dims(v) = 3;
        INSERT INTO t (v) VALUES ('[1]'), ('[1,2,3]');
        SET enable_seqscan = off",
    )
    .unwrap();
    let query = "SELECT 1 FROM t WHERE vector_dims(v) = 3 ORDER BY v::vector(3) <-> '[1,2,3]'";
    uses_index(&mut db, query, "i");
    assert_eq!(count(&mut db, query), 1);
}

#[test]
fn a_query_of_other_dimensions_is_refused() {
    let mut db = TestDb::new();
    table(&mut db, 100, 3, "vector_l2_ops");
    let query = "SELECT id FROM t ORDER BY v <-> '[1,2]' LIMIT 5";
    uses_index(&mut db, query, "i");
    refuses(&mut db, query, "22000", "different vector dimensions 3 and 2");
}

#[test]
fn every_way_to_make_an_index() {
    let mut db = TestDb::new();
    table(&mut db, 500, 4, "vector_l2_ops");
    let all = "SELECT id FROM t ORDER BY v <-> '[1,2,3,4]' LIMIT 20";
    let before = ids(&mut db, all);
    for make in [
        "REINDEX INDEX i",
        "REINDEX INDEX CONCURRENTLY i",
        "DROP INDEX i; CREATE INDEX i ON t USING hnsw (v vector_l2_ops)",
        "VACUUM FULL t",
        "ALTER TABLE t SET UNLOGGED",
        "ALTER TABLE t SET LOGGED",
        "ALTER INDEX i SET (m = 8)",
        "REINDEX TABLE t",
    ] {
        db.batch_execute(make).unwrap();
        sound(&mut db, "i");
        uses_index(&mut db, all, "i");
        let same = ids(&mut db, all).iter().filter(|id| before.contains(id)).count();
        assert!(same >= 18, "{make}: {same} of 20");
    }
    db.batch_execute("DROP INDEX i").unwrap();
    db.batch_execute("CREATE INDEX CONCURRENTLY i ON t USING hnsw (v vector_l2_ops)").unwrap();
    sound(&mut db, "i");
    uses_index(&mut db, all, "i");
    db.batch_execute("CREATE TEMP TABLE s AS SELECT * FROM t").unwrap();
    db.batch_execute("CREATE INDEX si ON s USING hnsw (v vector_l2_ops); INSERT INTO s TABLE t")
        .unwrap();
    sound(&mut db, "si");
    assert_eq!(count(&mut db, "SELECT id FROM s ORDER BY v <-> '[1,2,3,4]' LIMIT 100"), 100);
}

#[test]
fn partitions_and_conditions() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (id int, v vector(2)) PARTITION BY RANGE (id);
        CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (500);
        CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (500) TO (1000);
        CREATE INDEX i ON t USING hnsw (v vector_l2_ops);
        INSERT INTO t SELECT i, ARRAY[i, 0]::vector FROM generate_series(0, 999) AS i;
        CREATE TABLE p (id int, v vector(2));
        INSERT INTO p SELECT i, ARRAY[i, 0]::vector FROM generate_series(0, 999) AS i;
        CREATE INDEX pi ON p USING hnsw (v vector_l2_ops) WHERE id >= 900;
        ANALYZE t, p;
        SET enable_seqscan = off",
    )
    .unwrap();
    let query = "SELECT id FROM t ORDER BY v <-> '[499.6,0]' LIMIT 4";
    uses_index(&mut db, query, "t1_v_idx");
    assert_eq!(ids(&mut db, query), [500, 499, 501, 498]);
    let query = "SELECT id FROM p WHERE id >= 900 ORDER BY v <-> '[0,0]' LIMIT 2";
    uses_index(&mut db, query, "pi");
    assert_eq!(ids(&mut db, query), [900, 901]);
}

#[test]
fn scans_are_counted_once() {
    let mut db = TestDb::new();
    table(&mut db, 500, 3, "vector_l2_ops");
    let mut transaction = db.transaction().unwrap();
    for _ in 0..3 {
        transaction.query("SELECT id FROM t ORDER BY v <-> '[1,2,3]' LIMIT 100", &[]).unwrap();
    }
    let query = "SELECT pg_stat_get_xact_numscans('i'::regclass)";
    assert_eq!(transaction.query_one(query, &[]).unwrap().get::<_, i64>(0), 3);
}

#[test]
fn a_search_reads_a_small_part_of_the_index() {
    let mut db = TestDb::new();
    table(&mut db, 3000, 16, "vector_l2_ops");
    db.query("SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 5) LIMIT 10", &[])
        .unwrap();
    let row = db.query_one("SELECT * FROM vector_scan_stats()", &[]).unwrap();
    let figure = |name: &str| row.get::<_, i64>(name);
    let [expanded, scored, exact] = ["expanded", "scored", "exact"].map(figure);
    assert!((10..300).contains(&expanded), "{expanded}");
    assert!(scored >= expanded && exact >= expanded, "{scored} {exact}");
    assert!((expanded..2 * expanded).contains(&figure("pages")), "{row:?}");
    assert_eq!((figure("ef"), figure("tuples"), figure("late")), (40, 10, 0));
    assert!((40..100).contains(&figure("beam")), "{row:?}");
    let time: f64 = row.get("time_us");
    assert!(time > 1.0 && time < 1e7, "{time}");
    // A scan that goes on keeps its `ef`, and widens its beam.
    let all = "SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 5)";
    let rows = count(&mut db, all);
    let row = db.query_one("SELECT * FROM vector_scan_stats()", &[]).unwrap();
    let figure = |name: &str| row.get::<_, i64>(name);
    assert_eq!((figure("ef"), figure("tuples")), (40, rows));
    assert_eq!(rows, 3000);
    assert!(figure("beam") > 1000, "{row:?}");
}

#[test]
fn inspection() {
    let mut db = TestDb::new();
    table(&mut db, 300, 4, "vector_cosine_ops");
    let row = db.query("SELECT property, value FROM vector_index_info('i')", &[]).unwrap();
    let value = |name: &str| {
        let found = row.iter().find(|row| row.get::<_, &str>(0) == name);
        found.map(|row| row.get::<_, String>(1)).unwrap_or_default()
    };
    assert_eq!(value("metric"), "cosine");
    assert_eq!(value("dimensions"), "4");
    assert_eq!(value("m"), "16");
    assert_eq!(value("ef_construction"), "64");
    assert_eq!(value("tuples"), "300");
    db.batch_execute("CREATE INDEX b ON t (id); CREATE ROLE stranger").unwrap();
    for function in ["vector_index_info", "vector_index_check"] {
        let wrong = format!("SELECT {function}('b')");
        refuses(&mut db, &wrong, "42809", "public.b is not a vector index");
        let wrong = format!("SELECT {function}('t')");
        refuses(&mut db, &wrong, "42809", "public.t is not a vector index");
        assert_eq!(count(&mut db, &format!("SELECT {function}(NULL)")), 0);
        db.batch_execute("SET ROLE stranger").unwrap();
        let denied = format!("SELECT {function}('i')");
        refuses(&mut db, &denied, "42501", "permission denied for table t");
        db.batch_execute("RESET ROLE").unwrap();
    }
    db.batch_execute("DROP ROLE stranger").unwrap();
}

#[test]
fn a_build_can_be_cancelled() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (v vector(64));
        INSERT INTO t SELECT (SELECT array_agg(random() + i * j * 0) FROM generate_series(1, 64) AS j)::vector
            FROM generate_series(1, 20000) AS i",
    )
    .unwrap();
    let create = "CREATE INDEX i ON t USING hnsw (v vector_l2_ops) WITH (ef_construction = 1000)";
    for timeout in [50, 400, 1000] {
        db.batch_execute(&format!("SET statement_timeout = {timeout}")).unwrap();
        refuses(&mut db, create, "57014", "canceling statement due to statement timeout");
        db.batch_execute("RESET statement_timeout").unwrap();
        assert_eq!(count(&mut db, "SELECT FROM pg_class WHERE relname = 'i'"), 0);
    }
}
