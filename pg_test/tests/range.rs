//! Range search: `WHERE column <<->> sphere(query, radius)`.

use pg_test::{TestDb, explain_plan, hint, message, scans_index, sqlstate};
use postgres::Client;

/// Vectors at random in a cube of four dimensions, in `v` and, as the other types, in further
/// columns; those of `i` are of whole numbers.
fn points(rows: u32) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(&format!(
        "SELECT setseed(0.25);
         CREATE TABLE points AS SELECT id, v, v::halfvec(4) h, v::bf16vec(4) b, v::sparsevec(4) s,
             ARRAY[x, y, z, 1]::i8vec(4) i
         FROM (SELECT id, x, y, z, ARRAY[x + random(), y + random(), z, 1 - x]::vector(4) v
               FROM (SELECT id, (random() * 20)::int x, (random() * 20)::int y, (random() * 20)::int z
                     FROM generate_series(1, {rows}) id) whole) real"
    ))
    .unwrap();
    db
}

fn ids(client: &mut Client, query: &str) -> Vec<i32> {
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// Rows of a query by a scan of an index, and by one of the table.
fn both(db: &mut Client, query: &str) -> (Vec<i32>, Vec<i32>) {
    db.batch_execute("SET enable_indexscan = off; SET enable_seqscan = on").unwrap();
    let wanted = ids(db, query);
    db.batch_execute("SET enable_indexscan = on; SET enable_seqscan = off").unwrap();
    let plan = explain_plan(db, query).unwrap();
    assert!(plan.contains("Index Cond"), "{query}: {plan}");
    (ids(db, query), wanted)
}

/// Whether an index found what it should: an hnsw index may miss some.
fn compare(found: &[i32], wanted: &[i32], complete: bool, query: &str) {
    let mut rest = wanted.iter();
    let kept = found.iter().all(|id| rest.any(|wanted| wanted == id));
    assert!(kept, "{query}: {found:?}, not {wanted:?}");
    let enough = if complete { wanted.len() } else { wanted.len() * 3 / 4 };
    assert!(found.len() >= enough, "{query}: {} of {}", found.len(), wanted.len());
}

/// A condition with and without an order.
fn equals(db: &mut Client, column: &str, operator: &str, sphere: &str, complete: bool) -> usize {
    let inside = format!("<{operator}>");
    let center = sphere.split(", ").next().unwrap();
    let query = format!("SELECT id FROM points WHERE {column} {inside} sphere({sphere})");
    let (mut found, mut wanted) = both(db, &query);
    found.sort_unstable();
    wanted.sort_unstable();
    compare(&found, &wanted, complete, &query);
    let query = format!(
        "SELECT id FROM (SELECT id, ({column} {operator} {center}) d FROM points
         WHERE {column} {inside} sphere({sphere}) ORDER BY {column} {operator} {center}) found
         ORDER BY d, id"
    );
    let (found, wanted) = both(db, &query);
    compare(&found, &wanted, complete, &query);
    wanted.len()
}

const HNSW: &str = "SET hnsw.ef_search = 400; SET hnsw.iterative_scan = off";
const IVF: &str = "SET ivf.probes = 20; SET ivfflat.probes = 20";

#[test]
fn an_index_gives_what_the_table_does() {
    let mut db = points(2_000);
    db.batch_execute(HNSW).unwrap();
    db.batch_execute(IVF).unwrap();
    let dense = ["hnsw", "ivf", "ivfflat"];
    for (column, of, methods) in [
        ("v", "vector", &dense[..]),
        ("h", "halfvec", &dense),
        ("b", "bf16vec", &dense),
        ("i", "i8vec", &dense[..1]),
        ("s", "sparsevec", &dense[..1]),
    ] {
        let numbers = if of == "sparsevec" { "{1:7,2:8,3:9,4:-6}/4" } else { "[7,8,9,-6]" };
        let numbers = if of == "i8vec" { "[7,8,9,1]" } else { numbers };
        let query = format!("'{numbers}'::{of}");
        let ip = match of {
            "i8vec" => ["-421", "-400, -440", "-5000"],
            _ => ["-560", "-530, -575", "-5000"],
        };
        for method in methods {
            for (operator, class, spheres) in [
                ("<->", "l2", ["3.5", "6.5, 2", "0.01"]),
                ("<#>", "ip", ip),
                ("<=>", "cosine", ["0.02", "0.05, 0.01", "0"]),
            ] {
                let options = if *method == "hnsw" { "" } else { "WITH (lists = 20)" };
                db.batch_execute(&format!(
                    "CREATE INDEX found ON points USING {method} ({column} {of}_{class}_ops) {options}"
                ))
                .unwrap();
                let counts = spheres.map(|bounds| {
                    let sphere = format!("{query}, {bounds}");
                    equals(&mut db, column, operator, &sphere, *method != "hnsw")
                });
                assert!(counts[0] > 0 && counts[1] > 0, "{of} {method} {operator}: {counts:?}");
                db.batch_execute("DROP INDEX found").unwrap();
            }
        }
    }
}

#[test]
fn a_few_hits_cost_a_few_pages() {
    let mut db = TestDb::new();
    db.batch_execute(
        "SELECT setseed(0.5);
         CREATE TABLE items AS SELECT id, ARRAY[random(), random(), random(), random(), random(),
             random(), random(), random()]::vector(8) v FROM generate_series(1, 30000) id;
         INSERT INTO items SELECT -id, ARRAY[3 + id / 100.0, 3, 3, 3, 3, 3, 3, 3]::vector(8)
             FROM generate_series(1, 4) id;
         ANALYZE items",
    )
    .unwrap();
    for (method, with) in [("hnsw", ""), ("ivf", "WITH (lists = 170)")] {
        db.batch_execute(&format!(
            "CREATE INDEX found ON items USING {method} (v vector_l2_ops) {with}"
        ))
        .unwrap();
        for order in ["", " ORDER BY v <-> '[3,3,3,3,3,3,3,3]'"] {
            let query = format!(
                "SELECT id FROM items WHERE v <<->> sphere('[3,3,3,3,3,3,3,3]'::vector, 0.5){order}"
            );
            let plan = explain_plan(&mut db, &query).unwrap();
            assert!(scans_index(&plan, "found"), "{plan}");
            let mut found = ids(&mut db, &query);
            found.sort_unstable();
            assert_eq!(found, [-4, -3, -2, -1]);
            let row = db
                .query_one(
                    "SELECT pages::int8, tuples::int8, pg_relation_size('found') / 8192
                     FROM vector_scan_stats()",
                    &[],
                )
                .unwrap();
            let (pages, tuples, all): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
            println!("{method}{order}: {pages} of {all} pages, {tuples} rows");
            assert!(pages < all / 3 && tuples < 200, "{method}: {pages} of {all}, {tuples} rows");
        }
        db.batch_execute("DROP INDEX found").unwrap();
    }
}

#[test]
fn a_filter_by_the_distance_of_the_order_ends_the_scan() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items AS SELECT id, ARRAY[id, 0]::vector(2) v, id::bit(16) b
             FROM generate_series(0, 19999) id;
         CREATE INDEX by_v ON items USING hnsw (v vector_l2_ops);
         CREATE INDEX by_b ON items USING hnsw (b bit_hamming_ops);
         ANALYZE items;
         SET enable_seqscan = off; SET enable_sort = off",
    )
    .unwrap();
    let order = "ORDER BY v <-> '[-1,0]' LIMIT 50";
    let read = |db: &mut Client, query: &str| -> (Vec<i32>, i64) {
        db.batch_execute("BEGIN").unwrap();
        let count = |db: &mut Client| -> i64 {
            let count = "SELECT pg_stat_get_xact_tuples_returned('by_v'::regclass)";
            db.query_one(count, &[]).unwrap().get(0)
        };
        let before = count(db);
        let found = ids(db, query);
        let read = count(db) - before;
        db.batch_execute("COMMIT").unwrap();
        (found, read)
    };
    for filter in [
        "v <-> '[-1,0]' < 4.5",
        "4.5 > v <-> '[-1,0]'",
        "id >= 0 AND v <-> '[-1,0]' < (SELECT 4.5::float8)",
    ] {
        let query = format!("SELECT id FROM items WHERE {filter} {order}");
        let plan = explain_plan(&mut db, &query).unwrap();
        assert!(plan.contains("Index Cond: ((v <-> ") && plan.contains("Filter: "), "{plan}");
        let (found, read) = read(&mut db, &query);
        assert_eq!(found, [0, 1, 2, 3], "{query}");
        assert!(read < 10, "{query}: {read} rows");
    }
    // In subqueries and joins, and with a bound that each row of another table gives.
    let joined = "SELECT near.id FROM (VALUES (2.5::float8), (1.5), (NULL)) AS bounds (most),
        LATERAL (SELECT id FROM items WHERE v <-> '[-1,0]' < most ORDER BY v <-> '[-1,0]' LIMIT 50) near";
    assert!(explain_plan(&mut db, joined).unwrap().contains("Index Cond: ((v <-> "));
    assert_eq!(ids(&mut db, joined), [0, 1, 0]);
    db.batch_execute(
        "SET plan_cache_mode = force_generic_plan;
         PREPARE near (vector, float8) AS
             SELECT id FROM items WHERE v <-> $1 < $2 ORDER BY v <-> $1 LIMIT 50",
    )
    .unwrap();
    assert_eq!(read(&mut db, "EXECUTE near ('[-1,0]', 3.5)").0, [0, 1, 2]);
    // What an index cannot know stays a filter.
    for filter in [
        "v <-> '[-2,0]' < 4.5",
        "v <-> '[-1,0]' < id",
        "v <-> '[-1,0]' < 4.5 * random()",
        "v <-> '[-1,0]' <= 4.5",
        "v <-> '[-1,0]' > 4.5",
    ] {
        let plan = explain_plan(&mut db, &format!("SELECT id FROM items WHERE {filter} {order}"));
        assert!(!plan.unwrap().contains("Index Cond"), "{filter}");
    }
    let bits = "SELECT id FROM items WHERE b <~> 0::bit(16) < 1 ORDER BY b <~> 0::bit(16) LIMIT 5";
    assert!(explain_plan(&mut db, bits).unwrap().contains("Index Cond"));
    assert_eq!(ids(&mut db, bits), [0]);
}

#[test]
fn a_wide_range_is_read_from_the_table() {
    let mut db = points(5_000);
    db.batch_execute("CREATE INDEX ON points USING hnsw (v vector_l2_ops); ANALYZE points")
        .unwrap();
    let mut plan = |radius: &str| {
        let query =
            format!("SELECT id FROM points WHERE v <<->> sphere('[7,8,9,-6]'::vector, {radius})");
        explain_plan(&mut db, &query).unwrap()
    };
    assert!(plan("0.5").contains("Index Scan"), "{}", plan("0.5"));
    assert!(plan("1000").contains("Seq Scan"), "{}", plan("1000"));
}

#[test]
fn bounds_hold_exactly() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE line AS SELECT id, ARRAY[id, 0]::vector(2) v FROM generate_series(1, 100) id;
         INSERT INTO line VALUES (0, NULL), (200, '[0,0]');
         CREATE INDEX ON line USING hnsw (v vector_l2_ops);
         SET enable_seqscan = off",
    )
    .unwrap();
    let mut found = |condition: &str| {
        let query = format!("SELECT id FROM line WHERE {condition} ORDER BY v <-> '[0,0]'");
        ids(&mut db, &query)
    };
    assert_eq!(found("v <<->> sphere('[0,0]'::vector, 3)"), [200, 1, 2]);
    assert_eq!(found("v <<->> sphere('[0,0]'::vector, 5, 3)"), [3, 4]);
    assert_eq!(found("v <<->> sphere('[0,0]'::vector, radius => 5, inner => 4)"), [4]);
    assert_eq!(found("v <<->> sphere('[0,0]'::vector, 5, 5)"), [0; 0]);
    assert_eq!(found("v <<->> sphere('[0,0]'::vector, 0)"), [0; 0]);
    // Two conditions, and one about another center than the order.
    assert_eq!(
        found("v <<->> sphere('[0,0]'::vector, 9) AND v <<->> sphere('[10,0]'::vector, 4)"),
        [7, 8]
    );
    assert_eq!(found("v <<->> sphere('[10,0]'::vector, 2)"), [9, 10, 11]);
    // What is not known is not inside.
    assert_eq!(found("v <<->> sphere(NULL::vector, 3)"), [0; 0]);
    assert_eq!(found("v <<->> sphere('[0,0]'::vector, NULL)"), [0; 0]);
    assert_eq!(found("v <<->> NULL"), [0; 0]);
    assert_eq!(found("v <<->> sphere('[0,0]'::vector, 'infinity')").len(), 101);
}

#[test]
fn a_zero_vector_is_in_no_direction() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE few (id int, v vector(2)); INSERT INTO few VALUES (1, '[1,0]'), (2, '[0,0]')",
    )
    .unwrap();
    let query = |center| format!("SELECT id FROM few WHERE v <<=>> sphere('{center}'::vector, 3)");
    for index in
        ["", "CREATE INDEX ON few USING hnsw (v vector_cosine_ops); SET enable_seqscan = off"]
    {
        db.batch_execute(index).unwrap();
        assert_eq!(ids(&mut db, &query("[1,1]")), [1]);
        assert_eq!(ids(&mut db, &query("[0,0]")), [0; 0]);
    }
}

#[test]
fn what_is_no_sphere_of_the_column_is_refused() {
    let mut db = TestDb::new();
    for index in ["hnsw", "ivf"] {
        db.batch_execute(&format!(
            "DROP TABLE IF EXISTS few; CREATE TABLE few (id int, v vector(2));
             INSERT INTO few VALUES (1, '[1,0]');
             CREATE INDEX ON few USING {index} (v vector_l2_ops)"
        ))
        .unwrap();
        for scan in ["on", "off"] {
            db.batch_execute(&format!("SET enable_seqscan = {scan}")).unwrap();
            for (sphere, state) in [
                ("sphere('[1,2,3]'::vector, 1)", "22000"),
                ("sphere('[1,2]'::vector, 'NaN')", "22023"),
                ("sphere('[1,2]'::vector, 1, 'NaN')", "22023"),
            ] {
                let query = format!("SELECT id FROM few WHERE v <<->> {sphere}");
                let error = db.simple_query(&query).expect_err(&format!("{index} {scan}: {query}"));
                assert_eq!(sqlstate(&error), state, "{query}: {error}");
            }
        }
    }
}

#[test]
fn scans_begin_anew() {
    let mut db = points(1_000);
    db.batch_execute(HNSW).unwrap();
    db.batch_execute(IVF).unwrap();
    for method in ["hnsw", "ivf"] {
        db.batch_execute(&format!(
            "SET enable_indexscan = on; CREATE INDEX found ON points USING {method} (v vector_l2_ops)"
        ))
        .unwrap();
        for order in ["", "ORDER BY p.v <-> q.v"] {
            let (found, wanted) = both(
                &mut db,
                &format!(
                    "SELECT p.id FROM (SELECT id, v FROM points WHERE id % 50 = 0) q, LATERAL (
                         SELECT id FROM points p WHERE p.v <<->> sphere(q.v, 2) {order}) p
                     ORDER BY q.id, p.id"
                ),
            );
            assert!(found.len() > 20);
            assert_eq!(found, wanted);
        }
        // A generic plan, of parameters.
        db.batch_execute(
            "SET plan_cache_mode = force_generic_plan;
             PREPARE near(vector, float8) AS
                 SELECT id FROM points WHERE v <<->> sphere($1, $2) ORDER BY v <-> $1",
        )
        .unwrap();
        let plan = explain_plan(&mut db, "EXECUTE near('[7,8,9,-6]', 4)").unwrap();
        assert!(plan.contains("Index Cond") && plan.contains("$2"), "{plan}");
        let mut near = |radius| {
            let query = format!("EXECUTE near('[7,8,9,-6]', {radius})");
            db.simple_query(&query).unwrap().len()
        };
        let [few, more] = [near(2), near(4)];
        assert!(few < more, "{few} {more}");
        db.batch_execute("DEALLOCATE near; DROP INDEX found").unwrap();
    }
}

#[test]
fn rows_go_and_come() {
    let mut db = points(500);
    db.batch_execute(HNSW).unwrap();
    db.batch_execute(IVF).unwrap();
    for method in ["hnsw", "ivf"] {
        db.batch_execute(&format!(
            "CREATE TABLE few (LIKE points);
             CREATE INDEX ON few USING {method} (v vector_l2_ops);
             SET enable_seqscan = off"
        ))
        .unwrap();
        let query = "SELECT id FROM few WHERE v <<->> sphere('[7,8,9,-6]'::vector, 6)";
        assert_eq!(ids(&mut db, query), [0; 0]);
        db.batch_execute("INSERT INTO few SELECT * FROM points").unwrap();
        let (found, wanted) = both(&mut db, &format!("{query} ORDER BY v <-> '[7,8,9,-6]'"));
        assert!(found.len() > 2, "{found:?}");
        assert_eq!(found, wanted);
        db.batch_execute(&format!("DELETE FROM few WHERE id = {}", found[0])).unwrap();
        assert_eq!(ids(&mut db, &format!("{query} ORDER BY v <-> '[7,8,9,-6]'")), found[1..]);
        db.batch_execute("VACUUM few").unwrap();
        assert_eq!(ids(&mut db, &format!("{query} ORDER BY v <-> '[7,8,9,-6]'")), found[1..]);
        db.batch_execute("DROP TABLE few").unwrap();
    }
}

#[test]
fn within_has_the_intervals_of_milvus() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE line AS SELECT id, ARRAY[id, 1]::vector(2) v, ARRAY[id, 1]::halfvec(2) h,
             ARRAY[id, 1]::i8vec(2) i, ARRAY[id, 1]::vector(2)::sparsevec(2) s
         FROM generate_series(0, 100) id",
    )
    .unwrap();
    for (column, l2, ip, cosine) in [
        ("v", "hnsw (v vector_l2_ops)", "hnsw (v vector_ip_ops)", "ivf (v vector_cosine_ops)"),
        (
            "h",
            "ivf (h halfvec_l2_ops)",
            "ivfflat (h halfvec_ip_ops)",
            "hnsw (h halfvec_cosine_ops)",
        ),
        ("i", "hnsw (i i8vec_l2_ops)", "hnsw (i i8vec_ip_ops)", "hnsw (i i8vec_cosine_ops)"),
        (
            "s",
            "hnsw (s sparsevec_l2_ops)",
            "hnsw (s sparsevec_ip_ops)",
            "hnsw (s sparsevec_cosine_ops)",
        ),
    ] {
        let query = if column == "s" { "{1:1,2:1}/2" } else { "[1,1]" };
        for (index, bounds, wanted) in [
            (l2, "9", &[0, 1, 2, 3][..]),
            (l2, "9, 1", &[0, 2, 3]),
            (l2, "9.5, 4", &[3, 4]),
            (l2, "0", &[]),
            (ip, "98, metric => 'IP'", &[98, 99, 100]),
            (ip, "98, 100, 'ip'", &[98, 99]),
            // Cosines of 0.707 (0), 1 (1), 0.949 (2) and 0.894 (3).
            (cosine, "0.9, metric => 'COSINE'", &[1, 2]),
            (cosine, "0.88, 0.96, 'COSINE'", &[2, 3]),
        ] {
            db.batch_execute(&format!("CREATE INDEX found ON line USING {index}")).unwrap();
            for arguments in [format!("{column}, '{query}'"), format!("'{query}', {column}")] {
                let query =
                    format!("SELECT id FROM line WHERE within({arguments}, {bounds}) ORDER BY id");
                let (found, scanned) = both(&mut db, &query);
                assert_eq!(found, wanted, "{query}");
                assert_eq!(scanned, wanted, "{query}");
            }
            db.batch_execute("DROP INDEX found").unwrap();
        }
    }
    // NULL is not known; an index of another metric does not serve.
    db.batch_execute("CREATE INDEX ON line USING hnsw (v vector_l2_ops)").unwrap();
    for unknown in ["NULL, 1", "'[1,1]', NULL", "'[1,1]', 1, metric => NULL"] {
        assert_eq!(
            ids(&mut db, &format!("SELECT id FROM line WHERE within(v, {unknown})")),
            [0; 0]
        );
    }
    let query = "SELECT id FROM line WHERE within(v, '[1,1]', 99, metric => 'IP')";
    assert!(explain_plan(&mut db, query).unwrap().contains("Seq Scan"));
    assert_eq!(ids(&mut db, query), [99, 100]);
    // A statement whose bounds come later.
    db.batch_execute(
        "SET plan_cache_mode = force_generic_plan;
         PREPARE near(vector, float8, float8) AS SELECT id FROM line WHERE within(v, $1, $2, $3)
             ORDER BY v <-> $1",
    )
    .unwrap();
    let plan = explain_plan(&mut db, "EXECUTE near('[1,1]', 9, 1)").unwrap();
    assert!(plan.contains("Index Cond") && plan.contains("within_radius($2"), "{plan}");
    for (bounds, state) in [("9, 1", None), ("9, NULL", None), ("1, 9", Some("22023"))] {
        let result = db.simple_query(&format!("EXECUTE near('[1,1]', {bounds})"));
        assert_eq!(result.as_ref().err().map(sqlstate), state, "{bounds}");
    }
}

#[test]
fn bounds_in_the_wrong_order_are_refused() {
    let mut db = TestDb::new();
    for (bounds, text) in [
        ("1, 2", "metric type (L2), range_filter(2) must be less than radius(1)"),
        ("1, 1", "metric type (L2), range_filter(1) must be less than radius(1)"),
        ("2, 1, 'IP'", "metric type (IP), range_filter(1) must be greater than radius(2)"),
        (
            "0.5, 0.5, 'COSINE'",
            "metric type (COSINE), range_filter(0.5) must be greater than radius(0.5)",
        ),
        ("1, NULL, 'HAMMING'", "within has no metric \"HAMMING\""),
        ("'NaN'", "radius and range_filter must be numbers, not NaN"),
    ] {
        let query = format!("SELECT within('[1,2]'::vector, '[1,2]', {bounds})");
        let error = db.simple_query(&query).unwrap_err();
        assert_eq!((sqlstate(&error), message(&error).as_str()), ("22023", text));
        if text.starts_with("metric") {
            assert!(hint(&error).contains("radius"), "{}", hint(&error));
        }
    }
}
