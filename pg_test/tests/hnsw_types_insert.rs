//! Rows that come one by one, from many sessions, on columns of every type.

use std::sync::Barrier;
use std::thread;

use pg_test::{KINDS, Kind, Search, TestDb};
use postgres::Client;

/// Sessions insert rows at once, each by itself: `rows` each, counting from 0.
fn insert_at_once(db: &TestDb, kind: &Kind, sessions: i32, rows: i32) {
    let barrier = &Barrier::new(sessions as usize);
    // All connect before the first waits for the others: none may fail in between.
    let clients: Vec<Client> = (0..sessions).map(|_| db.connect()).collect();
    thread::scope(|scope| {
        for (session, mut client) in (0..).zip(clients) {
            scope.spawn(move || {
                barrier.wait();
                for id in session * rows..(session + 1) * rows {
                    kind.insert(&mut client, id..id + 1);
                }
            });
        }
    });
}

fn count(client: &mut Client, query: &str) -> i64 {
    client.query_one(&format!("SELECT count(*) FROM ({query}) AS q"), &[]).unwrap().get(0)
}

#[test]
fn the_first_rows_may_come_at_once() {
    let mut db = TestDb::new();
    for kind in KINDS {
        let (class, operator) = kind.classes[0];
        kind.create_table(&mut db, "");
        kind.create_index(&mut db, class, "");
        for _ in 0..5 {
            db.batch_execute("TRUNCATE t").unwrap();
            insert_at_once(&db, &kind, 10, 1);
            kind.check_whole(&mut db, operator);
        }
    }
}

#[test]
fn an_index_that_began_empty_finds_most() {
    let mut db = TestDb::new();
    for kind in KINDS {
        kind.create_table(&mut db, "");
        for (class, operator) in kind.classes {
            db.batch_execute("TRUNCATE t").unwrap();
            kind.create_index(&mut db, class, "");
            insert_at_once(&db, &kind, 4, 250);
            kind.check_whole(&mut db, operator);
            let nearest = Search { operator, condition: "true", limit: 10 };
            let recall = kind.recall(&mut db, &nearest);
            assert!(recall >= 0.93, "{class}: recall {recall}");
        }
    }
}

/// Equal rows share an element, so that the narrowest search finds them all.
#[test]
fn equal_rows_are_one_element() {
    let mut db = TestDb::new();
    for kind in KINDS {
        let (class, operator) = kind.classes[0];
        let value = format!("'{}'::{}", kind.value(7), kind.column());
        let insert = format!("INSERT INTO t SELECT 7, {value} FROM generate_series(1, 20)");
        let found = |db: &mut TestDb| {
            db.batch_execute(
                "SET enable_seqscan = off; SET hnsw.ef_search = 1; SET hnsw.iterative_scan = off",
            )
            .unwrap();
            count(db, &format!("SELECT id FROM t ORDER BY v {operator} {value}"))
        };
        kind.create_table(&mut db, "");
        db.batch_execute(&insert).unwrap();
        kind.create_index(&mut db, class, "");
        assert_eq!(found(&mut db), 20, "{class}, built");
        db.batch_execute("TRUNCATE t").unwrap();
        db.batch_execute(&insert).unwrap();
        assert_eq!(found(&mut db), 20, "{class}, inserted");

        thread::scope(|scope| {
            for _ in 0..5 {
                let (mut client, insert) = (db.connect(), &insert);
                scope.spawn(move || (0..10).for_each(|_| client.batch_execute(insert).unwrap()));
            }
        });
        db.batch_execute("RESET hnsw.iterative_scan").unwrap();
        kind.check_whole(&mut db, operator);
        assert_eq!(found(&mut db), 1_020, "{class}, inserted at once");
    }
}
