//! Scans that go on, on columns of every type.

use pg_test::{KINDS, Search, TestDb};

#[test]
fn filters_get_their_rows() {
    let mut db = TestDb::new();
    for kind in KINDS {
        kind.create_table(&mut db, "");
        kind.insert(&mut db, 0..3_000);
        for (class, operator) in kind.classes {
            kind.create_index(&mut db, class, "");
            // In strict order, what is met too late is left out.
            for (order, floor) in [("strict_order", 0.93), ("relaxed_order", 0.99)] {
                db.batch_execute(&format!("SET hnsw.iterative_scan = {order}")).unwrap();
                for condition in ["id % 10 = 0", "id % 100 = 0"] {
                    let search = Search { operator, condition, limit: 20 };
                    let recall = kind.recall(&mut db, &search);
                    println!("{class} {order} {condition}: recall {recall:.3}");
                    assert!(recall >= floor, "{class} {order} {condition}: recall {recall}");
                }
            }
        }
    }
}

/// Of rows that come in an order that has nothing to do with the condition, a scan that meets a
/// third finds a third.
#[test]
fn bounds_hold() {
    let mut db = TestDb::new();
    for kind in KINDS {
        let (class, operator) = kind.classes[0];
        kind.create_table(&mut db, "");
        kind.insert(&mut db, 0..6_000);
        kind.create_index(&mut db, class, "");
        let search = Search { operator, condition: "id % 20 = 0", limit: 301 };
        // Else the table is read instead, which has no bound.
        db.batch_execute("SET vector_ext.filtered_scan = look").unwrap();
        for bound in [2_000, 4_000] {
            db.batch_execute(&format!(
                "SET hnsw.max_scan_tuples = {bound}; SET hnsw.iterative_scan = relaxed_order"
            ))
            .unwrap();
            let found = kind.search(&mut db, &search, true);
            let mean = found.iter().map(Vec::len).sum::<usize>() as f64 / found.len() as f64;
            println!("{class} {bound}: {mean}");
            let due = f64::from(bound) / 20.0;
            assert!((0.9 * due..1.5 * due).contains(&mean), "{class} {bound}: {mean} rows");
        }
        db.batch_execute("RESET hnsw.max_scan_tuples").unwrap();
        let all = kind.search(&mut db, &search, true);
        assert!(all.iter().all(|found| found.len() == 300), "{class}");
    }
}
