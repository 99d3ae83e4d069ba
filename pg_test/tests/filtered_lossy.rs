//! Bitmaps that know only the pages of rows, as `work_mem` is too small for more.

use pg_test::{TestDb, explain_analyze, text};

/// Rows that pass, in order, joined by commas.
const NEAREST: &str = "SELECT string_agg(id::text, ',') FROM
    (SELECT id FROM wide WHERE part < 50 AND part <> 7 ORDER BY v <-> '[3,4]' LIMIT 40) AS w";

#[test]
fn rows_of_pages_are_those_of_all_rows() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE wide (id int, part int, n int, filler text, v vector(2)) WITH (fillfactor = 70);
         ALTER TABLE wide ALTER filler SET STORAGE PLAIN;
         INSERT INTO wide SELECT i, i % 100, 0, repeat('x', 2500), ARRAY[9 * sin(i), 9 * cos(i * 2)]::vector(2)
             FROM generate_series(1, 12000) i;
         CREATE INDEX wide_v ON wide USING hnsw (v vector_l2_ops);
         CREATE INDEX ON wide (part);
         -- Rows with chains of versions, rows that have moved, and rows that are gone.
         UPDATE wide SET n = 1 WHERE id % 5 = 0;
         UPDATE wide SET part = part + 1 WHERE id % 11 = 0;
         DELETE FROM wide WHERE id % 13 = 0;
         ANALYZE wide;
         SET work_mem = '64kB'",
    )
    .unwrap();
    db.batch_execute("SET enable_indexscan = off; SET enable_seqscan = off").unwrap();
    let plan = explain_analyze(&mut db, NEAREST).unwrap();
    assert!(plan.contains(" lossy="), "{plan}");
    let expected = text(&mut db, NEAREST);
    assert!(expected.as_ref().is_some_and(|ids| ids.split(',').count() == 40));
    db.batch_execute("RESET enable_indexscan; SET enable_sort = off; SET hnsw.ef_search = 400")
        .unwrap();
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        for strategy in ["exact", "inline", "auto"] {
            db.batch_execute(&format!(
                "BEGIN ISOLATION LEVEL {level}; SET LOCAL vector_ext.filtered_scan = {strategy}"
            ))
            .unwrap();
            assert_eq!(text(&mut db, NEAREST), expected, "{strategy} in {level}");
            db.batch_execute("COMMIT").unwrap();
        }
    }
}
