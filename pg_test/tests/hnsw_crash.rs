//! A server that is killed at any moment keeps every committed row, and its indexes stay sound.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use pg_test::{
    Cluster, explain_plan, index_problems, random_sparse, random_vector, scans_index, sqlstate,
    wait_until,
};
use postgres::Client;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const DIMENSIONS: usize = 24;

/// What clients have been told.
#[derive(Default)]
struct Told {
    /// `INSERT` returned.
    inserted: Mutex<Vec<i32>>,
    /// `DELETE` was sent; whether it was committed the server knows.
    deleted: Mutex<Vec<i32>>,
}

/// What is indexed.
#[derive(Clone, Copy)]
struct Column {
    sql_type: &'static str,
    /// Operator classes of both indexes.
    classes: [&'static str; 2],
    value: fn(u64) -> String,
}

const DENSE: Column = Column {
    sql_type: "vector(24)",
    classes: ["vector_l2_ops", "vector_cosine_ops"],
    value: |seed| format!("{:?}", random_vector(seed, DIMENSIONS)),
};
/// Vectors of which many go on in other records.
const SPARSE: Column = Column {
    sql_type: "sparsevec(5000)",
    classes: ["sparsevec_l2_ops", "sparsevec_cosine_ops"],
    value: random_sparse,
};

impl Column {
    fn insert(&self) -> String {
        format!("INSERT INTO t VALUES ($1, $2::text::{})", self.sql_type)
    }

    fn nearest(&self, query: &str) -> String {
        let query = format!("{query}::text::{}", self.sql_type);
        format!("SELECT id, v <-> {query} FROM t ORDER BY v <-> {query} LIMIT 1")
    }
}

/// Is the server gone? An error of any other kind fails the test.
fn is_gone<T>(result: Result<T, postgres::Error>) -> bool {
    let Err(error) = result else { return false };
    // 57P01 and such: a backend that notices that its postmaster is gone says so.
    assert!(matches!(sqlstate(&error), "" | "57P01" | "57P02" | "57P03"), "{error:?}");
    true
}

/// Inserts `ids`, each row a transaction, until the server is gone.
fn insert(mut client: Client, column: Column, ids: impl Iterator<Item = i32>, told: &Told) {
    for id in ids {
        if is_gone(client.execute(&column.insert(), &[&id, &(column.value)(id as u64)])) {
            return;
        }
        told.inserted.lock().unwrap().push(id);
    }
}

/// Builds indexes until the server is gone: in place of the old one, and beside it.
fn build(mut client: Client, column: Column) {
    let class = column.classes[1];
    let beside = format!("DROP INDEX IF EXISTS j; CREATE INDEX j ON t USING hnsw (v {class})");
    while !is_gone(client.batch_execute("REINDEX INDEX i"))
        && !is_gone(client.batch_execute(&beside))
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
fn verify(client: &mut Client, column: Column, told: &Told) {
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
    let plan = explain_plan(client, &column.nearest(&format!("'{}'", (column.value)(0)))).unwrap();
    assert!(scans_index(&plan, "i"), "{plan}");
    let statement = client.prepare(&column.nearest("$1")).unwrap();
    let mut is_missed = |id: &&i32| {
        let row = client.query_opt(&statement, &[&(column.value)(**id as u64)]).unwrap();
        row.map(|row| (row.get(0), row.get(1))) != Some((**id, 0.0))
    };
    // The index has them all, but a search is approximate: it may end before one of many thousands.
    let missed: Vec<&i32> = there.iter().filter(&mut is_missed).collect();
    assert!(missed.len() * 500 <= there.len(), "not found by their own vectors: {missed:?}");
}

#[test]
fn no_committed_row_is_lost_to_a_crash() {
    crash_again_and_again("hnsw-crash", DENSE, 2_000, 10);
}

#[test]
fn no_committed_sparse_vector_is_lost_to_a_crash() {
    crash_again_and_again("hnsw-crash-sparse", SPARSE, 800, 4);
}

fn crash_again_and_again(name: &str, column: Column, rows: i32, rounds: u64) {
    let cluster = Cluster::new(name, &[]).unwrap();
    let told = Told::default();
    let mut client = cluster.connect().unwrap();
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector_ext; CREATE TABLE t (id int, v {})",
            column.sql_type
        ))
        .unwrap();
    insert(cluster.connect().unwrap(), column, 0..rows, &told);
    let create = format!("CREATE INDEX i ON t USING hnsw (v {})", column.classes[0]);
    client.batch_execute(&create).unwrap();

    let mut random = SmallRng::seed_from_u64(7);
    for round in 0..rounds {
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
                    scope.spawn(move || build(client, column));
                    1
                }
            };
            for i in 0..inserters {
                let client = connect();
                let ids = (first + i..first + 10_000).step_by(inserters as usize);
                scope.spawn(move || insert(client, column, ids, told));
            }
            let begun = || Ok(told.inserted.lock().unwrap().len() > before);
            let begun = wait_until("the first row", begun);
            thread::sleep(moment); // the random moment
            cluster.crash().unwrap(); // in any case: some threads go on until then
            begun.unwrap();
        });
        assert!(!cluster.has_crashed(), "{}", cluster.log());
        cluster.start().unwrap();
        client = cluster.connect().unwrap();
        verify(&mut client, column, &told);
    }
    // The index is as good as any: it takes rows, and vacuum clears what the crashes left.
    insert(cluster.connect().unwrap(), column, 200_000..200_100, &told);
    client.batch_execute("DELETE FROM t WHERE id % 3 = 0").unwrap();
    client.batch_execute("VACUUM t").unwrap();
    told.deleted.lock().unwrap().extend((0..210_000).step_by(3));
    verify(&mut client, column, &told);
    assert!(!cluster.has_crashed(), "{}", cluster.log());
}

#[test]
fn an_unlogged_table_is_empty_after_a_crash_and_its_index_works() {
    let column = DENSE;
    let cluster = Cluster::new("hnsw-unlogged", &[]).unwrap();
    let mut client = cluster.connect().unwrap();
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector_ext;
            CREATE UNLOGGED TABLE t (id int, v vector({DIMENSIONS}));
            CREATE INDEX i ON t USING hnsw (v vector_l2_ops)"
        ))
        .unwrap();
    insert(client, column, 0..300, &Told::default());
    cluster.crash().unwrap();
    cluster.start().unwrap();

    let told = Told::default();
    let mut client = cluster.connect().unwrap();
    verify(&mut client, column, &told);
    assert!(told.inserted.lock().unwrap().is_empty(), "rows in an unlogged table");
    assert!(client.query_opt(&column.nearest("$1"), &[&(column.value)(0)]).unwrap().is_none());
    insert(cluster.connect().unwrap(), column, 0..300, &told);
    verify(&mut client, column, &told);
}
