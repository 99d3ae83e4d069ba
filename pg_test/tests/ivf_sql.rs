//! What a user sees of the `ivfflat` access method: plans, results, settings, options, errors.

use pg_test::{TestDb, explain_plan, index_problems, refusal, scans_index, text};
use postgres::Client;

/// A table of `n` rows of pseudo-random integer values, the same ones each time, in a column `v` of
/// type `column`, and an index `i`. Sequential scans are off, so that small tables show what the
/// index does.
fn table(db: &mut TestDb, n: usize, column: &str, opclass: &str, options: &str) {
    let dims: usize = column.split(['(', ')']).nth(1).unwrap().parse().unwrap();
    let value = if column.starts_with("bit") {
        format!(
            "(SELECT string_agg((abs(hashint4(i * 64 + j) % 2))::text, '') \
             FROM generate_series(1, {dims}) AS j)::{column}"
        )
    } else {
        format!(
            "(SELECT array_agg(hashint4(i * 64 + j) % 100) \
             FROM generate_series(1, {dims}) AS j)::int[]::{column}"
        )
    };
    db.batch_execute(&format!(
        "CREATE TABLE t (id int, k int, v {column});
        INSERT INTO t SELECT i, i % 100, {value} FROM generate_series(1, {n}) AS i;
        CREATE INDEX i ON t USING ivfflat (v {opclass}) WITH ({options});
        ANALYZE t;
        SET enable_seqscan = off;"
    ))
    .unwrap();
}

fn count(db: &mut Client, query: &str) -> i64 {
    db.query_one(&format!("SELECT count(*) FROM ({query}) AS q"), &[]).unwrap().get(0)
}

fn distances(db: &mut Client, query: &str) -> Vec<f64> {
    db.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[track_caller]
fn refuses(db: &mut Client, query: &str, code: &str, text: &str) {
    let (found, message, _) = refusal(db, query);
    assert_eq!((found.as_str(), message.as_str()), (code, text), "{query}");
}

#[track_caller]
fn uses_index(db: &mut Client, query: &str) {
    let plan = explain_plan(db, query).unwrap();
    assert!(scans_index(&plan, "i"), "{query}\n{plan}");
}

#[track_caller]
fn sound(db: &mut Client) {
    assert_eq!(index_problems(db, "i").unwrap(), [""; 0]);
}

#[test]
fn rows_come_in_the_order_of_the_operator() {
    let dense = ["vector", "halfvec", "bf16vec", "i8vec"];
    let metrics = [("l2", "<->"), ("ip", "<#>"), ("cosine", "<=>")];
    for quantization in ["none", "sq8", "rabitq"] {
        for kind in dense {
            for (metric, operator) in metrics {
                let mut db = TestDb::new();
                let (column, opclass) = (format!("{kind}(8)"), format!("{kind}_{metric}_ops"));
                let options = format!("lists = 10, quantization = {quantization}");
                table(&mut db, 1000, &column, &opclass, &options);
                check_order(&mut db, operator, &format!("'[3,1,4,1,5,9,2,6]'::{kind}"));
            }
        }
    }
    let mut db = TestDb::new();
    table(&mut db, 1000, "bit(24)", "bit_hamming_ops", "lists = 10");
    check_order(&mut db, "<~>", "B'101010101010101010101010'");
}

#[track_caller]
fn check_order(db: &mut Client, operator: &str, query: &str) {
    db.batch_execute("SET ivfflat.probes = 10").unwrap();
    sound(db);
    let select = format!("SELECT v {operator} {query} FROM t ORDER BY 1 LIMIT 50");
    uses_index(db, &select);
    let by_index = distances(db, &select);
    db.batch_execute("RESET enable_seqscan; SET enable_indexscan = off").unwrap();
    assert_eq!(by_index, distances(db, &select), "{operator} {query}");
}

#[test]
fn values_that_halves_do_not_hold_are_ordered_exactly() {
    for quantization in ["none", "sq8", "rabitq"] {
        let mut db = TestDb::new();
        db.batch_execute(&format!(
            "CREATE TABLE t (v vector(3));
            INSERT INTO t SELECT ARRAY[1 + i / 1e6, 2 - i / 1e7, i / 1e5]::vector
                FROM generate_series(1, 2000) AS i;
            CREATE INDEX i ON t USING ivfflat (v) WITH (lists = 5, quantization = {quantization});
            SET enable_seqscan = off; SET ivfflat.probes = 5;"
        ))
        .unwrap();
        let select = "SELECT v <-> '[1.0005,2,0.01]' FROM t ORDER BY 1 LIMIT 20";
        uses_index(&mut db, select);
        let by_index = distances(&mut db, select);
        db.batch_execute("RESET enable_seqscan; SET enable_indexscan = off").unwrap();
        assert_eq!(by_index, distances(&mut db, select), "{quantization}");
    }
}

#[test]
fn probes_and_iterative_scans_decide_how_many_rows_come() {
    let mut db = TestDb::new();
    table(&mut db, 2000, "vector(8)", "vector_l2_ops", "lists = 50");
    let all = "SELECT * FROM t ORDER BY v <-> '[3,1,4,1,5,9,2,6]'";
    let one = count(&mut db, all);
    assert!(one > 0 && one < 500, "{one}");
    db.batch_execute("SET ivfflat.probes = 5").unwrap();
    let five = count(&mut db, all);
    assert!(five > one && five < 1500, "{one} {five}");
    db.batch_execute("SET ivfflat.iterative_scan = relaxed_order").unwrap();
    assert_eq!(count(&mut db, all), 2000);
    db.batch_execute("SET ivfflat.max_probes = 10").unwrap();
    let ten = count(&mut db, all);
    assert!(ten > five && ten < 2000, "{five} {ten}");
    db.batch_execute("SET ivfflat.max_probes = 1").unwrap();
    assert_eq!(count(&mut db, all), five);
    db.batch_execute("RESET ivfflat.max_probes").unwrap();
    assert_eq!(count(&mut db, &format!("{all} LIMIT 1500")), 1500);
    assert_eq!(
        count(&mut db, "SELECT * FROM t WHERE k = 7 ORDER BY v <-> '[1,2,3,4,5,6,7,8]' LIMIT 20"),
        20
    );
}

#[test]
fn null_and_zero_vectors_have_their_places() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (v vector(3));
        INSERT INTO t VALUES ('[0,0,0]'), ('[1,2,3]'), ('[1,1,1]'), (NULL);
        CREATE INDEX i ON t USING ivfflat (v vector_cosine_ops) WITH (lists = 1);
        INSERT INTO t VALUES ('[1,2,4]'), ('[0,0,0]'), (NULL);
        SET enable_seqscan = off;",
    )
    .unwrap();
    assert_eq!(count(&mut db, "SELECT * FROM t ORDER BY v <=> '[3,3,3]'"), 3);
    assert_eq!(count(&mut db, "SELECT * FROM t ORDER BY v <=> '[0,0,0]'"), 3);
    assert_eq!(count(&mut db, "SELECT * FROM t ORDER BY v <=> (SELECT NULL::vector)"), 3);
    let nearest = "SELECT v::text FROM t ORDER BY v <=> '[3,3,3]' LIMIT 1";
    assert_eq!(text(&mut db, nearest).as_deref(), Some("[1,1,1]"));
    db.batch_execute("TRUNCATE t").unwrap();
    assert_eq!(count(&mut db, "SELECT * FROM t ORDER BY v <=> '[3,3,3]'"), 0);
    sound(&mut db);
}

#[test]
fn inserts_updates_and_deletes_are_seen() {
    for quantization in ["none", "sq8", "rabitq"] {
        let mut db = TestDb::new();
        let options = format!("lists = 20, quantization = {quantization}");
        table(&mut db, 500, "vector(8)", "vector_l2_ops", &options);
        db.batch_execute(
            "SET ivfflat.probes = 20;
            INSERT INTO t SELECT id + 1000, k, v FROM t;
            DELETE FROM t WHERE id % 2 = 0;
            UPDATE t SET v = v + '[1,1,1,1,1,1,1,1]' WHERE id % 3 = 0;",
        )
        .unwrap();
        let all = "SELECT id FROM t ORDER BY v <-> '[3,1,4,1,5,9,2,6]'";
        assert_eq!(count(&mut db, all), 500);
        db.batch_execute("VACUUM t").unwrap();
        sound(&mut db);
        assert_eq!(count(&mut db, all), 500);
        // Room is used again: the index does not grow.
        let size = "SELECT pg_relation_size('i')::text";
        let before = text(&mut db, size);
        for _ in 0..3 {
            db.batch_execute("DELETE FROM t WHERE id > 1000").unwrap();
            db.batch_execute("VACUUM t").unwrap();
            db.batch_execute("INSERT INTO t SELECT id + 1000, k, v FROM t").unwrap();
        }
        assert_eq!(text(&mut db, size), before, "{quantization}");
        sound(&mut db);
        assert_eq!(count(&mut db, all), 500);
        db.batch_execute("REINDEX INDEX i").unwrap();
        db.batch_execute("REINDEX INDEX CONCURRENTLY i").unwrap();
        assert_eq!(count(&mut db, all), 500);
    }
}

#[test]
fn what_is_wrong_is_refused() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (v vector(3), w vector, b bit(8), c varbit, h vector(4001))")
        .unwrap();
    let create = |column: &str, options: &str| {
        format!("CREATE INDEX i ON t USING ivfflat ({column}) {options}")
    };
    refuses(
        &mut db,
        &create("v", "WITH (lists = 0)"),
        "22023",
        "value 0 out of bounds for option \"lists\"",
    );
    refuses(
        &mut db,
        &create("v", "WITH (lists = 32769)"),
        "22023",
        "value 32769 out of bounds for option \"lists\"",
    );
    refuses(&mut db, &create("w", ""), "22023", "column does not have dimensions");
    refuses(
        &mut db,
        &create("h", ""),
        "54000",
        "column cannot have more than 4000 dimensions for ivfflat index",
    );
    refuses(
        &mut db,
        &create("c bit_hamming_ops", ""),
        "0A000",
        "type not supported for ivfflat index",
    );
    refuses(
        &mut db,
        "SET ivfflat.probes = 0",
        "22023",
        "0 is outside the valid range for parameter \"ivfflat.probes\" (1 .. 32768)",
    );
    refuses(
        &mut db,
        "SET ivfflat.iterative_scan = on",
        "22023",
        "invalid value for parameter \"ivfflat.iterative_scan\": \"on\"",
    );
    db.batch_execute(&create("v", "")).unwrap();
    refuses(
        &mut db,
        "SET enable_seqscan = off; SELECT * FROM t ORDER BY v <-> '[1,2]'",
        "22000",
        "different vector dimensions 3 and 2",
    );
}

#[test]
fn empty_and_small_tables_have_indexes() {
    let mut db = TestDb::new();
    db.batch_execute(
        "SET maintenance_work_mem = '1MB';
        CREATE TABLE t (id int, v vector(2000));
        CREATE INDEX i ON t USING ivfflat (v) WITH (lists = 1000);
        INSERT INTO t SELECT i, array_fill(i, ARRAY[2000])::vector FROM generate_series(1, 50) AS i;
        SET enable_seqscan = off;",
    )
    .unwrap();
    let nearest = "SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 30) LIMIT 3";
    assert_eq!(count(&mut db, nearest), 3);
    db.batch_execute("REINDEX INDEX i; SET ivfflat.probes = 50").unwrap();
    assert_eq!(
        count(&mut db, "SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 30)"),
        50
    );
    sound(&mut db);
}

#[test]
fn a_build_beyond_memory_finds_the_same() {
    let mut db = TestDb::new();
    db.batch_execute("SET maintenance_work_mem = '1MB'").unwrap();
    table(&mut db, 20_000, "vector(40)", "vector_l2_ops", "lists = 20, quantization = rabitq");
    db.batch_execute("SET ivfflat.probes = 20").unwrap();
    assert_eq!(
        count(&mut db, "SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 3)"),
        20_000
    );
    sound(&mut db);
}

#[test]
fn info_tells_what_an_index_is() {
    let mut db = TestDb::new();
    table(&mut db, 500, "vector(8)", "vector_l2_ops", "lists = 20, quantization = rabitq");
    let mut property = |name: &str| {
        let query = format!("SELECT value FROM vector_index_info('i') WHERE property = '{name}'");
        text(&mut db, &query)
    };
    for (name, value) in [
        ("metric", "l2"),
        ("dimensions", "8"),
        ("lists", "20"),
        ("tuples", "500"),
        ("bits per code", "32"),
        ("tuples that lists were trained with", "500"),
    ] {
        assert_eq!(property(name).as_deref(), Some(value), "{name}");
    }
}
