//! Builds on columns of every type.

use pg_test::{Cluster, KINDS, Kind, Search, TestDb, counts_at_once, scans_index};
use postgres::Client;

/// Bytes of the temporary files that the database had so far.
fn temp_bytes(client: &mut Client) -> i64 {
    client.batch_execute("SELECT pg_stat_force_next_flush()").unwrap();
    let size = "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()";
    client.query_one(size, &[]).unwrap().get(0)
}

#[test]
fn builds_hold_every_row() {
    let mut db = TestDb::new();
    for kind in KINDS {
        kind.create_table(&mut db, "");
        kind.insert(&mut db, 0..900);
        for (class, operator) in kind.classes {
            kind.create_index(&mut db, class, "");
            kind.check_whole(&mut db, operator);
        }
    }
}

/// Threads give a good index, one thread gives the same one whatever its memory.
#[test]
fn threads_and_small_memory() {
    let mut db = TestDb::new();
    if !counts_at_once(&mut db) {
        return;
    }
    for kind in KINDS {
        kind.create_table(&mut db, "");
        kind.insert(&mut db, 0..8_000);
        let (class, operator) = kind.classes[0];
        let search = Search { operator, condition: "true", limit: 10 };

        db.batch_execute("SET max_parallel_maintenance_workers = 2").unwrap();
        kind.create_index(&mut db, class, "");
        db.batch_execute("SET hnsw.ef_search = 200").unwrap();
        let recall = kind.recall(&mut db, &search);
        assert!(recall >= 0.95, "{class}: recall {recall}");
        db.batch_execute("RESET hnsw.ef_search").unwrap();

        db.batch_execute("SET max_parallel_maintenance_workers = 0").unwrap();
        kind.create_index(&mut db, class, "");
        let expected = kind.search(&mut db, &search, true);
        let before = temp_bytes(&mut db);
        db.batch_execute("SET maintenance_work_mem = '1MB'").unwrap();
        kind.create_index(&mut db, class, "");
        assert!(temp_bytes(&mut db) > before, "{class} fits");
        assert_eq!(kind.search(&mut db, &search, true), expected, "{class}");
        db.batch_execute("RESET maintenance_work_mem").unwrap();
    }
}

#[test]
fn unlogged_tables_are_empty_after_a_crash() {
    let cluster = Cluster::new("hnsw-types-unlogged", &[]).unwrap();
    for kind in KINDS {
        let (class, operator) = kind.classes[0];
        let mut client = cluster.connect().unwrap();
        client.batch_execute("CREATE EXTENSION IF NOT EXISTS vector_ext").unwrap();
        kind.create_table(&mut client, "UNLOGGED");
        kind.create_index(&mut client, class, "");
        kind.insert(&mut client, 0..300);
        kind.check_whole(&mut client, operator);
        cluster.crash().unwrap();
        cluster.start().unwrap();

        let mut client = cluster.connect().unwrap();
        let all = Search { operator, condition: "true", limit: 10 };
        assert_eq!(kind.search(&mut client, &all, true).concat(), [0.0; 0]);
        kind.insert(&mut client, 300..600);
        kind.check_whole(&mut client, operator);
    }
}

/// A table that is not small is searched by its index without being told to. Random vectors are all
/// about equally far: with the width that their index needs, reading the table is cheaper.
#[test]
fn the_planner_chooses_the_index() {
    let mut db = TestDb::new();
    db.batch_execute("SET hnsw.ef_search = 40").unwrap();
    for dims in [384, 1_536] {
        for kind in KINDS.map(|kind| Kind { dims, ..kind }) {
            kind.create_table(&mut db, "");
            kind.insert(&mut db, 0..2_000);
            let (class, operator) = kind.classes[0];
            kind.create_index(&mut db, class, "");
            db.batch_execute("CREATE INDEX ids ON t (id); ANALYZE t").unwrap();
            let plan = |db: &mut TestDb, condition: &str| {
                let query = format!(
                    "SELECT id FROM t WHERE {condition} ORDER BY v {operator} '{}' LIMIT 10",
                    kind.value(-1)
                );
                pg_test::explain_plan(db, &query).unwrap()
            };
            let all = plan(&mut db, "true");
            assert!(scans_index(&all, "i"), "{}: {all}", kind.column());
            let few = plan(&mut db, "id < 10");
            assert!(few.contains(" ids") && few.contains("Sort"), "{}: {few}", kind.column());
        }
    }
}
