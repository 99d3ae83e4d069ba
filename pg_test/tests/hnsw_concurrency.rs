//! Many sessions at once: no errors, no row that cannot be found, no answer that is too short.

use std::sync::Barrier;
use std::thread;

use pg_test::{
    Done, TestDb, Vector, copy_vectors, explain_plan, index_problems, random_vector, scans_index,
};
use postgres::Client;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const DIMENSIONS: usize = 16;

fn vector(id: i32) -> Vector {
    Vector(random_vector(id as u64, DIMENSIONS))
}

/// A table `t` of `rows` rows with ids from 0, and an index `i`.
fn table(rows: i32) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))")).unwrap();
    let vectors: Vec<Vec<f32>> = (0..rows).map(|id| vector(id).0).collect();
    copy_vectors(&mut db, "t", 0, vectors.iter().map(Vec::as_slice)).unwrap();
    db.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    db
}

/// A session that searches through the index.
fn connect(db: &TestDb) -> Client {
    let mut client = db.connect();
    client.batch_execute("SET enable_seqscan = off").unwrap();
    let plan = explain_plan(&mut client, "SELECT id FROM t ORDER BY v <-> '[0]' LIMIT 1").unwrap();
    assert!(scans_index(&plan, "i"), "{plan}");
    client
}

fn insert(client: &mut Client, id: i32) {
    client.execute("INSERT INTO t VALUES ($1, $2)", &[&id, &vector(id)]).unwrap();
}

fn nearest(client: &mut Client, query: &Vector, limit: i64) -> Vec<i32> {
    let search = "SELECT id FROM t ORDER BY v <-> $1 LIMIT $2";
    let rows = client.query(search, &[query, &limit]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Every row of the table is found by its own vector, and the index is sound.
#[track_caller]
fn all_are_found(db: &TestDb) -> usize {
    let mut client = connect(db);
    assert_eq!(index_problems(&mut client, "i").unwrap(), [""; 0]);
    let rows = client.query("SELECT id FROM t", &[]).unwrap();
    for row in &rows {
        let id = row.get(0);
        assert_eq!(nearest(&mut client, &vector(id), 1), [id]);
    }
    rows.len()
}

/// Vacuums until `done`.
fn vacuum(mut client: Client, done: &Done) {
    done.repeat(|_| client.batch_execute("VACUUM t").unwrap());
}

/// Searches until `done`; returns how often. Every answer has its 50 rows.
fn search(mut client: Client, done: &Done) -> i32 {
    done.repeat(|round| assert_eq!(nearest(&mut client, &vector(-round), 50).len(), 50))
}

/// Inserts, deletes and searches rows of its own; those that are there are found at once.
fn mixed_work(client: &mut Client, first: i32, operations: u32) -> usize {
    let mut random = SmallRng::seed_from_u64(first as u64);
    let mut next = first;
    let mut rows = Vec::new();
    for _ in 0..operations {
        match random.random_range(0..100) {
            0..50 => {
                insert(client, next);
                rows.push(next);
                next += 1;
            }
            50..75 if !rows.is_empty() => {
                let id = rows[random.random_range(0..rows.len())];
                assert_eq!(nearest(client, &vector(id), 1), [id], "a row of one's own");
            }
            75..100 if !rows.is_empty() => {
                let id = rows.swap_remove(random.random_range(0..rows.len()));
                let deleted = client.execute("DELETE FROM t WHERE id = $1", &[&id]).unwrap();
                assert_eq!(deleted, 1);
            }
            _ => {
                let query = vector(-random.random_range(1..1000));
                assert_eq!(nearest(client, &query, 10).len(), 10);
            }
        }
    }
    rows.len()
}

#[test]
fn sessions_insert_search_delete_and_vacuum_at_once() {
    let db = table(1000);
    let done = Done::default();
    let rows: usize = thread::scope(|scope| {
        let _end = done.at_end();
        let client = db.connect();
        scope.spawn(|| vacuum(client, &done));
        let worker = |number: i32| {
            let mut client = connect(&db);
            scope.spawn(move || mixed_work(&mut client, 10_000 * number, 500))
        };
        let workers: Vec<_> = (1..=8).map(worker).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(all_are_found(&db), 1000 + rows);
}

/// The index is nearly empty all the time: searches begin at another row every moment.
#[test]
fn rows_that_come_and_go_are_found_meanwhile() {
    let db = table(0);
    let done = Done::default();
    thread::scope(|scope| {
        let _end = done.at_end();
        let client = db.connect();
        scope.spawn(|| vacuum(client, &done));
        let worker = |number: i32| {
            let mut client = connect(&db);
            scope.spawn(move || {
                for id in 10_000 * number..10_000 * number + 300 {
                    insert(&mut client, id);
                    assert_eq!(nearest(&mut client, &vector(id), 1), [id]);
                    client.execute("DELETE FROM t WHERE id = $1", &[&id]).unwrap();
                }
            })
        };
        let workers: Vec<_> = (1..=4).map(worker).collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    all_are_found(&db);
}

#[test]
fn the_first_rows_may_come_at_once() {
    let mut db = table(0);
    for round in 0..20 {
        db.batch_execute("TRUNCATE t").unwrap();
        let barrier = Barrier::new(10);
        // All connect before the first waits for the others: none may fail in between.
        let clients: Vec<Client> = (0..10).map(|_| db.connect()).collect();
        thread::scope(|scope| {
            for (id, mut client) in (round * 10..).zip(clients) {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    insert(&mut client, id);
                });
            }
        });
        assert_eq!(all_are_found(&db), 10, "round {round}");
    }
}

#[test]
fn a_search_beside_vacuum_gets_its_limit() {
    let mut db = table(3000);
    let done = Done::default();
    thread::scope(|scope| {
        let _end = done.at_end();
        let (client, reader, mut writer) = (db.connect(), connect(&db), db.connect());
        scope.spawn(|| vacuum(client, &done));
        let searches = scope.spawn(|| search(reader, &done));
        // Two thirds of the rows go, a part at a time; then as many come.
        for part in 0..20 {
            let delete = "DELETE FROM t WHERE id % 3 > 0 AND id / 3 % 20 = $1";
            db.execute(delete, &[&part]).unwrap();
            for id in 0..50 {
                insert(&mut writer, 10_000 + part * 50 + id);
            }
        }
        done.set();
        assert!(searches.join().unwrap() > 20);
    });
    all_are_found(&db);
}
