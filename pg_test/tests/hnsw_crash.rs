//! A server that is killed at any moment keeps every committed row, and its indexes stay sound.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use pg_test::{
    Cluster, Vector, copy_vectors, explain_plan, index_problems, random_vector, sqlstate,
    wait_until,
};
use postgres::Client;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const DIMENSIONS: usize = 24;
const ROUNDS: u64 = 10;

/// What clients have been told.
#[derive(Default)]
struct Told {
    /// `INSERT` returned.
    inserted: Mutex<Vec<i32>>,
    /// `DELETE` was sent; whether it was committed the server knows.
    deleted: Mutex<Vec<i32>>,
}

fn vector(id: i32) -> Vec<f32> {
    random_vector(id as u64, DIMENSIONS)
}

/// Is the server gone? An error of any other kind fails the test.
fn is_gone<T>(result: Result<T, postgres::Error>) -> bool {
    let Err(error) = result else { return false };
    // 57P01 and such: a backend that notices that its postmaster is gone says so.
    assert!(matches!(sqlstate(&error), "" | "57P01" | "57P02" | "57P03"), "{error:?}");
    true
}

/// Inserts `ids`, each row a transaction, until the server is gone.
fn insert(mut client: Client, ids: impl Iterator<Item = i32>, told: &Told) {
    for id in ids {
        if is_gone(client.execute("INSERT INTO t VALUES ($1, $2)", &[&id, &Vector(vector(id))])) {
            return;
        }
        told.inserted.lock().unwrap().push(id);
    }
}

/// Builds indexes until the server is gone: in place of the old one, and beside it.
fn build(mut client: Client) {
    let beside = "DROP INDEX IF EXISTS j; CREATE INDEX j ON t USING hnsw (v vector_cosine_ops)";
    while !is_gone(client.batch_execute("REINDEX INDEX i"))
        && !is_gone(client.batch_execute(beside))
    {}
}

/// Deletes a tenth of the rows again and again, and vacuums, until the server is gone.
fn vacuum(mut client: Client, seed: u64, told: &Told) {
    let mut random = SmallRng::seed_from_u64(seed);
    loop {
        let some: Vec<i32> = {
            let inserted = told.inserted.lock().unwrap();
            inserted.iter().copied().filter(|_| random.random_ratio(1, 10)).collect()
        };
        told.deleted.lock().unwrap().extend(&some);
        if is_gone(client.execute("DELETE FROM t WHERE id = ANY ($1)", &[&some]))
            || is_gone(client.batch_execute("VACUUM t"))
        {
            return;
        }
    }
}

/// All that must hold after a restart.
fn verify(client: &mut Client, told: &Told) {
    let rows = client.query("SELECT id FROM t", &[]).unwrap();
    let there: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    {
        let deleted = told.deleted.lock().unwrap();
        let lost = |id: &&i32| !deleted.contains(id) && !there.contains(id);
        let inserted = told.inserted.lock().unwrap();
        assert_eq!(inserted.iter().find(lost), None, "a committed row is lost");
    }
    *told.inserted.lock().unwrap() = there.clone();
    told.deleted.lock().unwrap().clear();

    let second: bool = client.query_one("SELECT to_regclass('j') IS NOT NULL", &[]).unwrap().get(0);
    for index in ["i"].into_iter().chain(second.then_some("j")) {
        assert_eq!(index_problems(client, index).unwrap(), [""; 0], "{index}");
    }
    client.batch_execute("SET enable_seqscan = off; SET hnsw.ef_search = 400").unwrap();
    let plan = explain_plan(client, &nearest("'[0]'")).unwrap();
    assert!(plan.contains("Index Scan using i "), "{plan}");
    let statement = client.prepare(&nearest("$1")).unwrap();
    for id in there {
        let row = client.query_opt(&statement, &[&Vector(vector(id))]).unwrap();
        let found = row.map(|row| (row.get::<_, i32>(0), row.get::<_, f64>(1)));
        assert_eq!(found, Some((id, 0.0)), "not found by its own vector");
    }
}

fn nearest(query: &str) -> String {
    format!("SELECT id, v <-> {query} FROM t ORDER BY v <-> {query} LIMIT 1")
}

#[test]
fn no_committed_row_is_lost_to_a_crash() {
    let cluster = Cluster::new("hnsw-crash", &[]).unwrap();
    let told = Told::default();
    let mut client = cluster.connect().unwrap();
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector_ext; CREATE TABLE t (id int, v vector({DIMENSIONS}))"
        ))
        .unwrap();
    let rows: Vec<Vec<f32>> = (0..2000).map(vector).collect();
    copy_vectors(&mut client, "t", 0, rows.iter().map(Vec::as_slice)).unwrap();
    told.inserted.lock().unwrap().extend(0..2000);
    client.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();

    let mut random = SmallRng::seed_from_u64(7);
    for round in 0..ROUNDS {
        let first = 10_000 * (round as i32 + 1);
        let moment = Duration::from_millis(random.random_range(20..800));
        if random.random() {
            client.batch_execute("CHECKPOINT").unwrap();
        }
        let before = told.inserted.lock().unwrap().len();
        thread::scope(|scope| {
            let connect = || cluster.connect().unwrap();
            let told = &told;
            let inserters = match round % 3 {
                0 => 4,
                1 => {
                    let client = connect();
                    scope.spawn(move || vacuum(client, round, told));
                    2
                }
                _ => {
                    let client = connect();
                    scope.spawn(move || build(client));
                    1
                }
            };
            for i in 0..inserters {
                let client = connect();
                let ids = (first + i..first + 10_000).step_by(inserters as usize);
                scope.spawn(move || insert(client, ids, told));
            }
            let begun = || Ok(told.inserted.lock().unwrap().len() > before);
            wait_until("the first row", begun).unwrap();
            thread::sleep(moment); // the random moment
            cluster.crash().unwrap();
        });
        assert!(!cluster.has_crashed(), "{}", cluster.log());
        cluster.start().unwrap();
        client = cluster.connect().unwrap();
        verify(&mut client, &told);
    }
    // The index is as good as any: it takes rows, and vacuum clears what the crashes left.
    insert(cluster.connect().unwrap(), 200_000..200_100, &told);
    client.batch_execute("DELETE FROM t WHERE id % 3 = 0").unwrap();
    client.batch_execute("VACUUM t").unwrap();
    told.deleted.lock().unwrap().extend((0..210_000).step_by(3));
    verify(&mut client, &told);
    assert!(!cluster.has_crashed(), "{}", cluster.log());
}

#[test]
fn an_unlogged_table_is_empty_after_a_crash_and_its_index_works() {
    let cluster = Cluster::new("hnsw-unlogged", &[]).unwrap();
    let mut client = cluster.connect().unwrap();
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector_ext;
            CREATE UNLOGGED TABLE t (id int, v vector({DIMENSIONS}));
            CREATE INDEX i ON t USING hnsw (v vector_l2_ops)"
        ))
        .unwrap();
    insert(client, 0..300, &Told::default());
    cluster.crash().unwrap();
    cluster.start().unwrap();

    let told = Told::default();
    let mut client = cluster.connect().unwrap();
    verify(&mut client, &told);
    assert!(told.inserted.lock().unwrap().is_empty(), "rows in an unlogged table");
    assert!(client.query_opt(&nearest("array_fill(0, ARRAY[24])::vector"), &[]).unwrap().is_none());
    insert(cluster.connect().unwrap(), 0..300, &told);
    verify(&mut client, &told);
}
