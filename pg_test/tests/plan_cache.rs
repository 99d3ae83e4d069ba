//! The plans that searches leave in a session are few, and take no more memory than they may.

use pg_test::{TestDb, text};
use postgres::Client;

/// Bytes of plans at most, in MB.
const MOST: i64 = 16;

/// Plans that the session keeps of statements about the table `items`.
fn plans(db: &mut Client) -> i64 {
    let query = "SELECT count(*) FROM pg_backend_memory_contexts
        WHERE name = 'CachedPlanSource' AND ident LIKE '%items AS t %'";
    db.query_one(query, &[]).unwrap().get(0)
}

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
fn searches_that_differ_by_numbers_share_a_plan() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id int PRIMARY KEY, g int, e vector(1));
        INSERT INTO items SELECT n, n % 5, ARRAY[n] FROM generate_series(1, 40) AS n;
        CREATE INDEX ON items USING hnsw (e vector_l2_ops)",
    )
    .unwrap();
    // Each with numbers that differ, so that a plan for each would be 200.
    let searches = [
        "vector_search(NULL::items, ann('e', '[1]'), k => n)",
        "vector_search(NULL::items, ann('e', '[1]', n), skip => n)",
        "range_search(NULL::items, ann('e', '[1]'), n, k => n)",
        "range_search(NULL::items, ann('e', '[1]'), 9 + n, n)",
        "grouped_search(NULL::items, ann('e', '[1]'), 'g', n, 1 + n / 3)",
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1]', n), ann('e', '[9]')], rrf_ranker(n), k => n, skip => n)",
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1]'), ann('e', '[9]')],
            weighted_ranker(ARRAY[1, 1.0 / n]), k => n)",
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1]'), ann('e', '[9]')],
            min_max_ranker(ARRAY[1, 1.0 / n]), k => n)",
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1]')], decay_ranker('exp', 'id', n, n, n, 1.0 / (1 + n)))",
        "hybrid_search(NULL::items, ARRAY[ann('e', '[1]')], k => n, group_by => 'g', group_size => 1 + n / 3)",
    ];
    for search in searches {
        let before = plans(&mut db);
        let run =
            format!("SELECT count(*) FROM generate_series(1, 200) AS n, LATERAL {search} AS f");
        text(&mut db, &run);
        let made = plans(&mut db) - before;
        // One for each power of 2, which tells the planner how much is wanted, and few beside.
        assert!(made <= 24, "{search}: {made}");
    }
    let all = plans(&mut db);
    assert!(all > 20, "{all}");
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
