//! Each server of a spread table is asked for no more rows than are wanted, and only if it may have some.

use pg_test::shards::{SHARDS, SPREAD, Shards, rows};
use pg_test::{explain_plan, major};

/// What `ann` must know, as the shards' indexes are not known here.
const L2: &str = r#"params => '{"metric_type": "L2"}'"#;

#[test]
fn a_shard_sends_no_more_rows_than_are_wanted() {
    let mut shards = Shards::hashed(SPREAD, 12_000);
    let near = format!("ann('e', '[0.5,0.2,0.9]', {L2})");
    let legs = format!("ARRAY[{near}, fts('words', 'pot')]");
    // PostgreSQL 14 runs only plain scans at the same time, not those that are to be limited.
    let is_async = major(&mut shards.db) >= 15;
    let mut searches = 0;
    for (search, most) in [
        (format!("vector_search_sql(NULL::items, {near}, k => 6, skip => 4)"), 11),
        ("vector_search_sql(NULL::items, fts('words', 'pot'))".into(), 10),
        (format!("range_search_sql(NULL::items, {near}, 0.1, k => 1000)"), 17),
        (format!("grouped_search_sql(NULL::items, {near}, 'tenant', 3, 2, true)"), 13),
        (format!("hybrid_search_sql(NULL::items, {legs}, k => 10)"), 101),
    ] {
        let statement = rows(&mut shards.db, &format!("SELECT {search}")).remove(0);
        let plan = shards.plan(&statement);
        let scans: Vec<_> = plan.iter().filter(|line| line.contains("Foreign Scan on")).collect();
        let run: Vec<_> = scans.iter().filter(|line| !line.contains("never executed")).collect();
        let legs = if search.contains("ARRAY") { 2 } else { 1 };
        assert_eq!(run.len(), legs * SHARDS, "{plan:#?}");
        for scan in run {
            assert_eq!(scan.contains("Async"), is_async, "{scan}");
            let rows = scan.split("actual rows=").nth(1).unwrap().split(' ').next().unwrap();
            assert!(rows.parse::<f64>().unwrap() <= f64::from(most), "{plan:#?}");
        }
        let limited = |line: &&String| line.contains("Remote SQL") && line.contains(" LIMIT ");
        assert_eq!(plan.iter().filter(limited).count(), legs * SHARDS, "{plan:#?}");
        searches += i64::from(search.contains("ann"));
        shards.wait_for_index_scans(searches);
    }
}

/// A plain query reads the shards in order by their indexes, given the setting that it needs there.
#[test]
fn plain_queries_use_the_indexes_of_shards() {
    let mut shards = Shards::hashed(SPREAD, 12_000);
    rows(&mut shards.db, "SELECT id::text FROM items ORDER BY e <-> '[0.5,0.2,0.9]' LIMIT 5");
    shards.wait_for_index_scans(1);
}

#[test]
fn filters_leave_shards_alone() {
    let mut by_tenant = Shards::by_tenant();
    let near = format!("ann('e', '[0.5,0.2,0.9]', {L2})");
    let read = |shards: &mut Shards, filter: &str| {
        let statement =
            format!("SELECT vector_search_sql(NULL::items, {near}, filter => '{filter}')");
        let statement = rows(&mut shards.db, &statement).remove(0);
        let plan = explain_plan(&mut shards.db, &statement).unwrap();
        (0..SHARDS).filter(|n| plan.contains(&format!("on items_{n}"))).collect::<Vec<_>>()
    };
    assert_eq!(read(&mut by_tenant, "tenant == 1"), [1]);
    assert_eq!(read(&mut by_tenant, "tenant in [0, 2]"), [0, 2]);
    assert_eq!(read(&mut by_tenant, "id == 1"), [0, 1, 2]);
    let none = format!(
        "SELECT count(*)::text FROM vector_search(NULL::items, {near}, filter => 'tenant == 9')"
    );
    assert_eq!(rows(&mut by_tenant.db, &none), ["0"]);
    let mut hashed = Shards::hashed(SPREAD, 3000);
    assert_eq!(read(&mut hashed, "id == 1").len(), 1);
    assert_eq!(read(&mut hashed, "tenant == 1").len(), SHARDS);
}
