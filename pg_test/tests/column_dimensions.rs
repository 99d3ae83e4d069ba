//! A column whose type has lost its dimensions keeps its index, which takes vectors of its own
//! dimensions only, and says so.

use pg_test::{TestDb, hint, index_problems, message, sqlstate};
use postgres::Client;

/// A type, an operator class for each method that has one, a value of three dimensions, and some of
/// others.
struct Column {
    name: &'static str,
    methods: &'static [(&'static str, &'static str)],
    fits: &'static str,
    others: &'static [&'static str],
    operator: &'static str,
}

const COLUMNS: [Column; 5] = [
    Column {
        name: "vector",
        methods: &[
            ("hnsw", "vector_l2_ops"),
            ("hnsw", "vector_cosine_ops"),
            ("ivfflat", "vector_l2_ops"),
            ("ivf", "vector_cosine_ops"),
        ],
        fits: "[1,2,3]",
        others: &["[1,2]", "[0,0]", "[1,2,3,4]"],
        operator: "<->",
    },
    Column {
        name: "halfvec",
        methods: &[("hnsw", "halfvec_l2_ops"), ("ivfflat", "halfvec_l2_ops")],
        fits: "[1,2,3]",
        others: &["[1,2]", "[1,2,3,4]"],
        operator: "<->",
    },
    Column {
        name: "bf16vec",
        methods: &[("hnsw", "bf16vec_l2_ops"), ("ivf", "bf16vec_l2_ops")],
        fits: "[1,2,3]",
        others: &["[1,2]", "[1,2,3,4]"],
        operator: "<->",
    },
    Column {
        name: "i8vec",
        methods: &[("hnsw", "i8vec_l2_ops"), ("ivfflat", "i8vec_l2_ops")],
        fits: "[1,2,3]",
        others: &["[1,2]", "[1,2,3,4]"],
        operator: "<->",
    },
    Column {
        name: "sparsevec",
        methods: &[("hnsw", "sparsevec_l2_ops")],
        fits: "{1:1,3:2}/3",
        others: &["{1:1,3:2}/4", "{1:1}/2", "{7:1}/7"],
        operator: "<->",
    },
];

/// The error tells what is expected, of which index, and what can be done.
#[track_caller]
fn expect_refused(client: &mut Client, statement: &str, found: usize) {
    let error = client.batch_execute(statement).expect_err(statement);
    assert_eq!(sqlstate(&error), "22000", "{statement}: {error:?}");
    assert_eq!(message(&error), format!("expected 3 dimensions, not {found}"), "{statement}");
    let detail = error.as_db_error().and_then(|error| error.detail());
    assert_eq!(detail, Some("Index public.i holds vectors of 3 dimensions."));
    let says = "Drop the index, or give its column a type with 3 dimensions again.";
    assert_eq!(hint(&error), says);
}

fn dims(value: &str) -> usize {
    match value.rsplit_once('/') {
        Some((_, dims)) => dims.parse().unwrap(),
        None => value.split(',').count(),
    }
}

/// The index is sound and has so many rows, each of which a scan finds.
#[track_caller]
fn expect_rows(client: &mut Client, column: &Column, rows: i64) {
    client.batch_execute("VACUUM t").unwrap();
    assert_eq!(index_problems(client, "i").unwrap(), [""; 0]);
    let Column { fits, operator, .. } = column;
    let count =
        format!("SELECT count(*) FROM (SELECT FROM t ORDER BY v {operator} '{fits}' LIMIT 99) s");
    let found: i64 = client.query_one(&count, &[]).unwrap().get(0);
    assert_eq!(found, rows);
}

#[test]
fn an_index_takes_vectors_of_its_own_dimensions_only() {
    let mut db = TestDb::new();
    db.batch_execute("SET enable_seqscan = off; SET client_min_messages = error").unwrap();
    for column in COLUMNS {
        let Column { name, methods, fits, others, .. } = column;
        for (method, class) in methods {
            db.batch_execute(&format!(
                "DROP TABLE IF EXISTS t; CREATE TABLE t (id int, v {name}(3));
                INSERT INTO t SELECT i, '{fits}' FROM generate_series(1, 3) i;
                CREATE INDEX i ON t USING {method} (v {class});
                ALTER TABLE t ALTER COLUMN v TYPE {name}"
            ))
            .unwrap();
            for other in others {
                let insert = format!("INSERT INTO t VALUES (4, '{other}')");
                expect_refused(&mut db, &insert, dims(other));
                expect_refused(&mut db, &format!("UPDATE t SET v = '{other}'"), dims(other));
            }
            db.batch_execute(&format!("INSERT INTO t VALUES (4, '{fits}')")).unwrap();
            db.batch_execute("DELETE FROM t WHERE id = 1").unwrap();
            expect_rows(&mut db, &column, 3);
            let error = db.batch_execute("REINDEX INDEX i").unwrap_err();
            assert_eq!(message(&error), "column does not have dimensions");
            db.batch_execute(&format!("ALTER TABLE t ALTER COLUMN v TYPE {name}(3)")).unwrap();
            db.batch_execute("REINDEX INDEX i").unwrap();
            expect_rows(&mut db, &column, 3);
            // PostgreSQL's own word for the column.
            let insert = format!("INSERT INTO t VALUES (5, '{}')", others[0]);
            let error = db.batch_execute(&insert).unwrap_err();
            assert_eq!(sqlstate(&error), "22000");
            assert!(error.as_db_error().is_some_and(|error| error.detail().is_none()));
            let error = db.batch_execute(&format!("ALTER TABLE t ALTER COLUMN v TYPE {name}(4)"));
            assert_eq!(message(&error.unwrap_err()), "expected 4 dimensions, not 3");
        }
    }
}

/// Bit strings of any length are a type of their own, which an index on others accepts.
#[test]
fn bits_keep_their_length() {
    let mut db = TestDb::new();
    for method in
        ["hnsw (v bit_hamming_ops)", "hnsw (v bit_jaccard_ops)", "ivfflat (v bit_hamming_ops)"]
    {
        db.batch_execute(&format!(
            "SET client_min_messages = error;
            DROP TABLE IF EXISTS t; CREATE TABLE t (id int, v bit(3));
            INSERT INTO t VALUES (1, '101'); CREATE INDEX i ON t USING {method};
            ALTER TABLE t ALTER COLUMN v TYPE bit varying"
        ))
        .unwrap();
        for (other, length) in [("10", 2), ("1011", 4), ("", 0)] {
            expect_refused(&mut db, &format!("INSERT INTO t VALUES (4, '{other}')"), length);
        }
        db.batch_execute("INSERT INTO t VALUES (2, '011')").unwrap();
        db.batch_execute("VACUUM t").unwrap();
        assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
        // Without a length, one bit: all rows are written anew.
        db.batch_execute("ALTER TABLE t ALTER COLUMN v TYPE bit USING v::bit").unwrap();
        db.batch_execute("INSERT INTO t VALUES (3, '0')").unwrap();
        assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
    }
}
