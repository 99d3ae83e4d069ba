//! The plans that searches leave in a session are few, and take no more memory than they may.

use pg_test::{TestDb, text};
use postgres::Client;

/// Bytes of plans at most, in MB.
const MOST: i64 = 16;

/// Bytes that all plans of the session take, in MB, and those of the largest.
fn megabytes(db: &mut Client) -> (f64, f64) {
    let row = db
        .query_one(
            "SELECT sum(total_bytes)::float8 / 1048576, max(total_bytes)::float8 / 1048576
            FROM pg_backend_memory_contexts
            WHERE name IN ('CachedPlan', 'CachedPlanSource', 'CachedPlanQuery')",
            &[],
        )
        .unwrap();
    (row.get(0), row.get(1))
}

#[test]
fn large_plans_make_room_for_each_other() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id int, e vector(1)) PARTITION BY RANGE (id);
        DO $$ BEGIN FOR n IN 0..249 LOOP
            EXECUTE format('CREATE TABLE items_%s PARTITION OF items FOR VALUES FROM (%s) TO (%s)', n, n, n + 1);
        END LOOP; END $$;
        INSERT INTO items SELECT n, ARRAY[n] FROM generate_series(0, 249) AS n;
        SET plan_cache_mode = force_generic_plan",
    )
    .unwrap();
    let search = |n: usize, db: &mut Client| {
        let filter = vec!["id >= 0"; n].join(" and ");
        let search = format!(
            "SELECT count(*) FROM vector_search(NULL::items, ann('e', '[1]'), filter => '{filter}')"
        );
        assert_eq!(text(db, &search).unwrap(), "10");
    };
    let mut most = 0.0_f64;
    for n in 1..=30 {
        search(n, &mut db);
        let (all, largest) = megabytes(&mut db);
        assert!(all < MOST as f64 + 2.0 * largest, "{n}: {all} MB, the largest {largest} MB");
        most = most.max(all);
    }
    // There was a need to.
    assert!(most > MOST as f64 / 2.0, "{most} MB");
    // One that is used again and again stays.
    let kept = "SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'CachedPlan'";
    search(30, &mut db);
    let before = text(&mut db, kept);
    search(30, &mut db);
    assert_eq!(text(&mut db, kept), before);
}
