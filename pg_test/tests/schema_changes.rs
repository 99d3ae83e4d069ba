//! Changes of tables with indexes of every access method, and what searches that were planned before
//! find after them.

use pg_test::{Cluster, TestDb, explain_plan, index_problems, major, refusal, scans_index, text};
use postgres::{Client, SimpleQueryMessage};

/// Table `t` with an index of each access method, each on a column of its own.
const TABLE: &str = "
    CREATE TABLE t (gone int, id int PRIMARY KEY, kind int, h vector(4), i vector(4), f vector(4),
        s sparsevec(20), body text);
    INSERT INTO t
        SELECT 0, n, n % 10, e, e, e, format('{%s:1,%s:%s}/20', 1 + n % 9, 10 + n % 11, n)::sparsevec,
            repeat(format('word%s ', n % 10), 1 + n % 41) || format('own%s', n)
        FROM generate_series(1, 400) n,
            LATERAL (SELECT ARRAY[n % 100, 50 * sin(n), 50 * cos(n * n), n / 8]::vector(4) e) v;
    CREATE INDEX t_h ON t USING hnsw (h vector_l2_ops);
    CREATE INDEX t_i ON t USING ivf (i);
    CREATE INDEX t_f ON t USING ivfflat (f vector_ip_ops) WITH (lists = 3);
    CREATE INDEX t_s ON t USING inverted (s);
    CREATE INDEX t_b ON t USING inverted (body) WITH (analyzer = 'english');
    CREATE INDEX t_k ON t (kind);
    ANALYZE t;
    SET ivfflat.probes = 3";
/// The indexes, and a search that uses each. Bytes have equal distances, so that one tells distances.
const SEARCHES: [(&str, &str); 6] = [
    ("t_h", "SELECT id FROM t ORDER BY h <-> (SELECT h FROM t WHERE id = 9) LIMIT 10"),
    (
        "t_h",
        "SELECT id FROM t WHERE kind = 3 ORDER BY h <-> (SELECT h FROM t WHERE id = 9) LIMIT 10",
    ),
    (
        "t_i",
        "SELECT i <-> (SELECT i FROM t WHERE id = 9) FROM t
            ORDER BY i <-> (SELECT i FROM t WHERE id = 9) LIMIT 10",
    ),
    ("t_f", "SELECT id FROM t ORDER BY f <#> (SELECT f FROM t WHERE id = 9) LIMIT 10"),
    ("t_s", "SELECT id FROM t ORDER BY s <#> (SELECT s FROM t WHERE id = 9) LIMIT 10"),
    ("t_b", "SELECT id FROM t ORDER BY body <@> 'word5' LIMIT 10"),
];
const FUNCTION: &str = "SELECT (hit).id FROM vector_search(NULL::t,
    ann('h', (SELECT h FROM t WHERE id = 9), params => '{\"metric_type\": \"L2\"}'))";

/// A database with the table, in which this session has planned all searches.
fn planned() -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(TABLE).unwrap();
    plan(&mut db);
    intact(&mut db, "nothing");
    db
}

fn plan(client: &mut Client) {
    client
        .batch_execute(
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_sort = off",
        )
        .unwrap();
    for (n, (_, search)) in SEARCHES.iter().enumerate() {
        client.batch_execute(&format!("PREPARE search_{n} AS {search}")).unwrap();
    }
}

/// The first column.
fn ids(client: &mut Client, query: &str) -> Vec<String> {
    let messages = client.simple_query(query).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    let mut ids = Vec::new();
    for message in messages {
        if let SimpleQueryMessage::Row(row) = message {
            ids.extend(row.get(0).map(str::to_owned));
        }
    }
    ids
}

/// All indexes are there and sound. Searches, those planned before the change too, use them and find
/// what a scan of the table finds.
#[track_caller]
fn intact(client: &mut Client, change: &str) {
    for index in ["t_h", "t_i", "t_f", "t_s", "t_b"] {
        assert_eq!(index_problems(client, index).unwrap(), [""; 0], "{index} after {change}");
    }
    let scan = "SET enable_seqscan = on; SET enable_sort = on; SET enable_indexscan = off;
        SET enable_bitmapscan = off; SET enable_incremental_sort = off";
    let undo = "SET enable_seqscan = off; SET enable_sort = off; RESET enable_indexscan;
        RESET enable_bitmapscan";
    client.batch_execute(undo).unwrap();
    for (n, (index, search)) in SEARCHES.iter().enumerate() {
        let execute = format!("EXECUTE search_{n}");
        let plan = explain_plan(client, &execute).unwrap();
        assert!(scans_index(&plan, index), "{plan}\nafter {change}");
        let (planned, new) = (ids(client, &execute), ids(client, search));
        client.batch_execute(scan).unwrap();
        // An order that no index has. A search by words takes an index that has its beginning, whatever else
        // is allowed, since PostgreSQL 16.
        let sorted = search
            .replace(" LIMIT", ", id LIMIT")
            .replace("body <@> 'word5'", "(body <@> 'word5') + 0");
        let plan = explain_plan(client, &sorted).unwrap();
        assert!(plan.contains("Sort") && !scans_index(&plan, index), "{plan}\nafter {change}");
        let expected = ids(client, &sorted);
        client.batch_execute(undo).unwrap();
        assert_eq!(expected.len(), 10, "{search} after {change}");
        assert_eq!((&planned, &new), (&expected, &expected), "{search} after {change}");
        if n == 0 {
            assert_eq!(ids(client, FUNCTION), expected, "after {change}");
        }
    }
}

/// Changes some rows, and takes some away.
fn write(client: &mut Client) {
    client
        .batch_execute(
            "UPDATE t SET kind = 3, body = body || ' word5' WHERE id % 20 = 9;
            DELETE FROM t WHERE id % 50 = 10",
        )
        .unwrap();
    client.batch_execute("VACUUM t").unwrap();
}

#[test]
fn searches_outlive_changes_of_their_table() {
    let mut db = planned();
    for change in [
        "ALTER TABLE t ADD a int DEFAULT 7",
        "ALTER TABLE t ADD r float8 DEFAULT random()",
        "ALTER TABLE t ADD e vector(2) DEFAULT '[1,2]'",
        "ALTER TABLE t ADD g vector(2) GENERATED ALWAYS AS (subvector(f, 1, 2)::vector(2)) STORED",
        "ALTER TABLE t DROP gone",
        "ALTER TABLE t ALTER h SET NOT NULL, ALTER h SET STORAGE PLAIN, ALTER i SET STATISTICS 10",
        "ALTER TABLE t ADD CHECK (id > 0), ADD UNIQUE (id, kind)",
        "CLUSTER t USING t_k",
        "ALTER TABLE t SET WITHOUT CLUSTER",
        "VACUUM FULL t",
        "ALTER TABLE t SET UNLOGGED",
        "ALTER TABLE t SET LOGGED",
        "ALTER TABLE t SET (fillfactor = 50, autovacuum_enabled = off)",
        "REINDEX TABLE t",
        "REINDEX TABLE CONCURRENTLY t",
        "BEGIN; ALTER TABLE t ALTER h TYPE vector(2) USING subvector(h, 1, 2); ROLLBACK",
        "BEGIN; DROP INDEX t_h; ALTER TABLE t DROP h, DROP s; ROLLBACK",
        "BEGIN; TRUNCATE t; ROLLBACK",
        "ALTER TABLE t DROP a, DROP r, DROP g",
    ] {
        db.batch_execute(change).unwrap_or_else(|error| panic!("{change}: {error:?}"));
        intact(&mut db, change);
        write(&mut db);
        intact(&mut db, change);
    }
}

#[test]
fn searches_outlive_new_names() {
    let mut db = planned();
    for (there, back) in [
        ("ALTER TABLE t RENAME h TO x", "ALTER TABLE t RENAME x TO h"),
        ("ALTER TABLE t RENAME TO x", "ALTER TABLE x RENAME TO t"),
        ("ALTER INDEX t_h RENAME TO x", "ALTER INDEX x RENAME TO t_h"),
        (
            "CREATE SCHEMA x; ALTER TABLE t SET SCHEMA x",
            "ALTER TABLE x.t SET SCHEMA public; DROP SCHEMA x",
        ),
    ] {
        db.batch_execute(there).unwrap();
        db.batch_execute(back).unwrap();
        intact(&mut db, there);
    }
}

#[test]
fn indexes_are_rebuilt_for_other_dimensions_and_types() {
    let mut db = planned();
    for change in [
        // Other dimensions, of all dense columns at once.
        "ALTER TABLE t ALTER h TYPE vector(3) USING subvector(h, 1, 3),
            ALTER i TYPE vector(3) USING subvector(i, 1, 3),
            ALTER f TYPE vector(3) USING subvector(f, 1, 3)",
        "ALTER TABLE t ALTER h TYPE vector(6) USING h || '[1,2,3]'",
        "ALTER TABLE t ALTER s TYPE sparsevec(30) USING (rtrim(s::text, '0123456789') || 30)::sparsevec",
        // Without them, which rewrites nothing; then with them again.
        "ALTER TABLE t ALTER h TYPE vector, ALTER i TYPE vector, ALTER s TYPE sparsevec",
        "ALTER TABLE t ALTER h TYPE vector(6), ALTER i TYPE vector(3), ALTER s TYPE sparsevec(30)",
        // Other types, if an index has the default operator class of its type.
        "ALTER TABLE t ALTER i TYPE halfvec(3)",
        "ALTER TABLE t ALTER i TYPE bf16vec(3)",
        "ALTER TABLE t ALTER i TYPE i8vec(3) USING (i::vector * '[0.5,0.5,0.5]')::i8vec(3)",
        "ALTER TABLE t ALTER i TYPE vector(3)",
        // Texts.
        "ALTER TABLE t ALTER body TYPE varchar(2000)",
        "ALTER TABLE t ALTER body TYPE text USING body || ' more'",
    ] {
        db.batch_execute(change).unwrap_or_else(|error| panic!("{change}: {error:?}"));
        intact(&mut db, change);
        write(&mut db);
        intact(&mut db, change);
    }
    // What the last index is made of is the type's own; operators and queries differ.
    db.batch_execute("ALTER TABLE t ALTER i TYPE bit(3) USING binary_quantize(i)").unwrap();
    assert_eq!(index_problems(&mut db, "t_i").unwrap(), [""; 0]);
    let class = "SELECT pg_get_indexdef('t_i'::regclass)";
    assert_eq!(text(&mut db, class).unwrap(), "CREATE INDEX t_i ON public.t USING ivf (i)");
    let hamming = "SELECT id FROM t ORDER BY i <~> B'000' LIMIT 3";
    assert!(scans_index(&explain_plan(&mut db, hamming).unwrap(), "t_i"));
    let array = "ALTER TABLE t ALTER body TYPE text[] USING ARRAY[body, 'word5']";
    db.batch_execute(array).unwrap();
    intact_array(&mut db);
}

fn intact_array(client: &mut Client) {
    assert_eq!(index_problems(client, "t_b").unwrap(), [""; 0]);
    let all = "SELECT count(*) FROM (SELECT FROM t ORDER BY body <@> 'word5') AS found";
    assert_eq!(text(client, all), text(client, "SELECT count(*) FROM t"));
}

/// PostgreSQL makes the index again with the operator class that the user named, which has one type.
#[test]
fn a_named_operator_class_keeps_its_type() {
    let mut db = planned();
    for (column, kind, expected) in [
        ("h", "halfvec(4)", "operator class \"vector_l2_ops\" does not accept data type halfvec"),
        ("f", "bf16vec(4)", "operator class \"vector_ip_ops\" does not accept data type bf16vec"),
    ] {
        let (state, message, _) =
            refusal(&mut db, &format!("ALTER TABLE t ALTER {column} TYPE {kind}"));
        assert_eq!((state.as_str(), message.as_str()), ("42804", expected));
        intact(&mut db, "a refusal");
    }
    db.batch_execute(
        "BEGIN; DROP INDEX t_h; ALTER TABLE t ALTER h TYPE halfvec(4);
        CREATE INDEX t_h ON t USING hnsw (h halfvec_l2_ops); COMMIT",
    )
    .unwrap();
    intact(&mut db, "a new type and index");
}

#[test]
fn a_table_is_not_clustered_on_a_search_index() {
    let mut db = planned();
    for index in ["t_h", "t_i", "t_f", "t_s", "t_b"] {
        for statement in ["CLUSTER t USING", "ALTER TABLE t CLUSTER ON"] {
            let (state, message, _) = refusal(&mut db, &format!("{statement} {index}"));
            assert_eq!(state, "0A000");
            let expected = format!(
                "cannot cluster on index \"{index}\" because access method does not support clustering"
            );
            assert_eq!(message, expected);
        }
    }
}

#[test]
fn tables_and_indexes_move_between_tablespaces() {
    let server = Cluster::new("schema", &[("allow_in_place_tablespaces", "on")]).unwrap();
    let mut client = server.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    client.batch_execute("CREATE TABLESPACE other LOCATION ''").unwrap();
    client.batch_execute(TABLE).unwrap();
    plan(&mut client);
    let place = "SELECT count(*) FROM pg_class JOIN pg_tablespace s ON s.oid = reltablespace
        WHERE relname IN ('t', 't_h', 't_i', 't_f', 't_s', 't_b') AND spcname = 'other'";
    for (change, moved) in [
        ("ALTER TABLE t SET TABLESPACE other", "1"),
        ("ALTER INDEX ALL IN TABLESPACE pg_default SET TABLESPACE other", "6"),
        ("ALTER TABLE t ALTER h TYPE vector(3) USING subvector(h, 1, 3)", "6"),
        ("ALTER TABLE t SET UNLOGGED", "6"),
        ("ALTER TABLE t SET LOGGED", "6"),
        ("ALTER INDEX t_i SET TABLESPACE pg_default", "5"),
    ] {
        client.batch_execute(change).unwrap();
        assert_eq!(text(&mut client, place).as_deref(), Some(moved), "{change}");
        intact(&mut client, change);
        write(&mut client);
        intact(&mut client, change);
    }
    drop(client);
    server.crash().unwrap();
    server.start().unwrap();
    let mut client = server.connect().unwrap();
    client.batch_execute("SET ivfflat.probes = 3").unwrap();
    plan(&mut client);
    intact(&mut client, "a crash");
}

#[test]
fn generated_columns_are_indexed() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (id int PRIMARY KEY, v vector(4),
            part vector(2) GENERATED ALWAYS AS (subvector(v, 1, 2)) STORED,
            half halfvec(4) GENERATED ALWAYS AS (v::halfvec(4)) STORED,
            title text, words text GENERATED ALWAYS AS (lower(title)) STORED);
        CREATE INDEX t_part ON t USING hnsw (part vector_l2_ops);
        CREATE INDEX t_half ON t USING ivf (half);
        CREATE INDEX t_words ON t USING inverted (words);
        INSERT INTO t (id, v, title) SELECT n, ARRAY[n, 2 * n, 0, 1], 'Word' || n FROM generate_series(1, 100) n;
        UPDATE t SET v = v + '[0.25,0,0,0]', title = title || ' new' WHERE id % 2 = 0;
        SET enable_seqscan = off",
    )
    .unwrap();
    for (index, search) in [
        ("t_part", "SELECT id FROM t ORDER BY part <-> '[40.25,80]' LIMIT 1"),
        ("t_half", "SELECT id FROM t ORDER BY half <-> '[40.25,80,0,1]' LIMIT 1"),
        ("t_words", "SELECT id FROM t ORDER BY words <@> 'word40' LIMIT 1"),
    ] {
        assert!(scans_index(&explain_plan(&mut db, search).unwrap(), index), "{index}");
        assert_eq!(text(&mut db, search).as_deref(), Some("40"), "{index}");
        assert_eq!(index_problems(&mut db, index).unwrap(), [""; 0], "{index}");
    }
    // PostgreSQL's rule for all columns that others are made from.
    let (state, message, _) = refusal(&mut db, "ALTER TABLE t ALTER v TYPE vector");
    assert_eq!(state, if major(&mut db) < 15 { "42601" } else { "0A000" });
    assert_eq!(message, "cannot alter type of a column used by a generated column");
}

#[test]
fn partitions_come_and_go() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE p (id int, v vector(2), body text) PARTITION BY RANGE (id);
        CREATE INDEX p_v ON p USING hnsw (v vector_l2_ops);
        CREATE INDEX p_i ON p USING ivf (v);
        CREATE INDEX p_b ON p USING inverted (body);
        CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (100);
        CREATE TABLE p_2 (id int, v vector(2), body text);
        CREATE INDEX mine ON p_2 USING hnsw (v vector_l2_ops);
        INSERT INTO p SELECT n, ARRAY[n, 0], 'word' || n FROM generate_series(0, 99) n;
        INSERT INTO p_2 SELECT n, ARRAY[n, 0], 'word' || n FROM generate_series(100, 199) n;
        SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;
        PREPARE nearest AS SELECT id FROM p ORDER BY v <-> '[100,0]', id LIMIT 3;
        PREPARE word AS SELECT id FROM p WHERE text_match(body, 'word100')",
    )
    .unwrap();
    let search = "SELECT (hit).id FROM vector_search(NULL::p,
        ann('v', '[100,0]', params => '{\"metric_type\": \"L2\"}'), k => 3) ORDER BY score, 1";
    let mut near = |change: &str, expected: [&str; 3]| {
        db.batch_execute(change).unwrap_or_else(|error| panic!("{change}: {error:?}"));
        assert_eq!(ids(&mut db, "EXECUTE nearest"), expected, "{change}");
        assert_eq!(ids(&mut db, search), expected, "{change}");
        let word = ids(&mut db, "EXECUTE word").pop();
        assert_eq!(word.is_some_and(|id| id == "100"), expected.contains(&"100"), "{change}");
    };
    let (without, with) = (["99", "98", "97"], ["100", "99", "101"]);
    near("", without);
    near("ALTER TABLE p ATTACH PARTITION p_2 FOR VALUES FROM (100) TO (200)", with);
    near("ALTER TABLE p DETACH PARTITION p_2", without);
    near("ALTER TABLE p ATTACH PARTITION p_2 FOR VALUES FROM (100) TO (200)", with);
    near("ALTER TABLE p DETACH PARTITION p_2 CONCURRENTLY", without);
    near("ALTER TABLE p ATTACH PARTITION p_2 FOR VALUES FROM (100) TO (200)", with);
    near("ALTER TABLE p ALTER v TYPE vector(2) USING v * '[1,1]', ALTER body TYPE varchar", with);
    near("ALTER TABLE p ADD more vector(3) DEFAULT '[1,2,3]'", with);
    near("DROP TABLE p_2", without);
}

/// What no index could be rebuilt with is refused when it is set.
#[test]
fn options_go_together_at_any_time() {
    let mut db = planned();
    let unfit = "ef_construction must be greater than or equal to 2 * m";
    for (change, fits) in [
        ("SET (m = 64)", false),
        ("SET (ef_construction = 16)", false),
        ("SET (m = 64, ef_construction = 256)", true),
        ("RESET (ef_construction)", false),
        ("RESET (m)", true),
        ("SET (m = 8, ef_construction = 16)", true),
        ("RESET (m)", false),
        ("RESET (m, ef_construction)", true),
    ] {
        let alter = format!("ALTER INDEX t_h {change}");
        if fits {
            db.batch_execute(&alter).unwrap();
        } else {
            let (state, message, _) = refusal(&mut db, &alter);
            assert_eq!((state.as_str(), message.as_str()), ("22023", unfit), "{change}");
        }
        db.batch_execute("REINDEX INDEX t_h").unwrap();
        intact(&mut db, change);
    }
}

/// As is a form of vectors that the operator class has not. The index is as before, and can be altered.
#[test]
fn quantization_fits_the_operator_class_at_any_time() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (id int, v vector(4), s sparsevec(9), b bit(16));
        INSERT INTO t SELECT n, ARRAY[n, n % 5, n % 7, 1], format('{1:%s,9:1}/9', n)::sparsevec, n::bit(16)
            FROM generate_series(1, 200) n;
        CREATE INDEX t_l1 ON t USING hnsw (v vector_l1_ops);
        CREATE INDEX t_s ON t USING hnsw (s sparsevec_l2_ops);
        CREATE INDEX t_b ON t USING hnsw (b bit_hamming_ops);
        CREATE INDEX t_i ON t USING ivf (b) WITH (lists = 2);
        CREATE INDEX t_f ON t USING ivfflat (b bit_hamming_ops) WITH (lists = 2)",
    )
    .unwrap();
    for (index, value, of) in [
        ("t_l1", "sq8", "taxicab distance"),
        ("t_l1", "rabitq", "taxicab distance"),
        ("t_s", "rabitq", "sparse vectors"),
        ("t_b", "sq8", "bit strings"),
        ("t_i", "sq8", "bit strings"),
        ("t_f", "sq8", "bit strings"),
    ] {
        // In a session that has not loaded the library.
        let alter = format!("ALTER INDEX {index} SET (quantization = {value})");
        let (state, message, _) = refusal(&mut db.connect(), &alter);
        assert_eq!(state, "0A000");
        assert_eq!(message, format!("quantization \"{value}\" is not supported for {of}"));
        db.batch_execute(&format!("REINDEX INDEX {index}")).unwrap();
        let changes = [
            format!("ALTER INDEX {index} SET (quantization = none)"),
            format!("ALTER INDEX {index} RESET (quantization)"),
            format!("ALTER INDEX {index} RENAME TO renamed"),
            format!("ALTER INDEX renamed RENAME TO {index}"),
        ];
        changes.iter().for_each(|change| db.batch_execute(change).unwrap());
        assert_eq!(index_problems(&mut db, index).unwrap(), [""; 0], "{index}");
    }
    db.batch_execute("CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops)").unwrap();
    db.batch_execute("ALTER INDEX t_v SET (quantization = sq8); REINDEX INDEX t_v").unwrap();

    // What an older version has let through can be altered otherwise.
    let old = "UPDATE pg_class SET reloptions = '{quantization=sq8}' WHERE relname = 't_b'";
    db.batch_execute(old).unwrap();
    let (state, message, _) = refusal(&mut db, "REINDEX INDEX t_b");
    assert_eq!((state.as_str(), message.contains("bit strings")), ("0A000", true));
    db.batch_execute("ALTER INDEX t_b RENAME TO t_c; ALTER INDEX t_c SET (m = 8)").unwrap_err();
    db.batch_execute("ALTER INDEX t_b RENAME TO t_c").unwrap();
    db.batch_execute("ALTER INDEX t_c RESET (quantization); REINDEX INDEX t_c").unwrap();
}
