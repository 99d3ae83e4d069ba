//! Long work of `ivf` indexes ends when it is to: the dividing of lists in a vacuum, and searches of
//! long lists.

use pg_test::{TestDb, index_problems, message, sqlstate};
use postgres::Client;

/// Many more than either statement gets done with before its time is up.
const ROWS: i32 = 30_000;

/// A table whose index has one list for all rows.
fn one_list(db: &mut Client, method: &str) {
    db.batch_execute(&format!(
        "CREATE TABLE t (id int, v vector(100)); \
         CREATE INDEX i ON t USING {method} (v vector_l2_ops); \
         INSERT INTO t SELECT i, (SELECT array_agg(sin(i * j)) FROM generate_series(1, 100) j)::vector \
         FROM generate_series(1, {ROWS}) i"
    ))
    .unwrap();
}

fn ends_in_time(db: &mut Client, statement: &str) {
    db.batch_execute("SET statement_timeout = '10ms'").unwrap();
    let error = db.batch_execute(statement).expect_err(statement);
    assert_eq!(sqlstate(&error), "57014", "{}", message(&error));
    db.batch_execute("SET statement_timeout = 0").unwrap();
    assert_eq!(index_problems(db, "i").unwrap(), [""; 0], "{statement}");
}

#[test]
fn a_vacuum_that_divides_lists() {
    let mut db = TestDb::new();
    one_list(&mut db, "ivf");
    ends_in_time(&mut db, "VACUUM t");
    db.batch_execute("VACUUM t").unwrap();
    assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
}

#[test]
fn searches_of_a_long_list() {
    let mut db = TestDb::new();
    one_list(&mut db, "ivfflat");
    ends_in_time(
        &mut db,
        "SET enable_seqscan = off; \
         DO $$ BEGIN LOOP PERFORM id FROM t ORDER BY v <-> (SELECT v FROM t LIMIT 1) LIMIT 1; \
         END LOOP; END $$",
    );
}
