//! Many clients do everything at once, for a while: 25 seconds, or as many as `SOAK_SECONDS` in the
//! environment says.

use std::thread;
use std::time::{Duration, Instant};

use pg_test::{Done, TestDb, Vector, copy_vectors, index_problems, random_vector, sqlstate};
use postgres::Client;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const CLIENTS: i32 = 32;
const ROWS: i32 = 3000;
const DIMENSIONS: usize = 32;
/// Ids of a client begin at its number times this.
const SHARE: i32 = 1_000_000;

/// Vectors around 50 centers, so that clients meet in the same part of the graph.
fn vector(id: i32) -> Vector {
    let center = random_vector(u64::MAX - id as u64 % 50, DIMENSIONS);
    let own = random_vector(id as u64, DIMENSIONS);
    Vector(center.iter().zip(own).map(|(center, own)| 0.5 * center + own).collect())
}

fn nearest(client: &mut Client, query: &Vector, limit: i64) -> Vec<(i32, f64)> {
    let search = "SELECT id, v <-> $1 FROM t ORDER BY v <-> $1 LIMIT $2";
    let rows = client.query(search, &[query, &limit]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// One client: its own rows come and go, and are found while they are there.
struct Worker {
    client: Client,
    random: SmallRng,
    next: i32,
    rows: Vec<i32>,
}

impl Worker {
    fn new(db: &TestDb, number: i32) -> Self {
        let mut client = db.connect();
        client.batch_execute("SET enable_seqscan = off; SET hnsw.ef_search = 200").unwrap();
        let random = SmallRng::seed_from_u64(number as u64);
        Self { client, random, next: number * SHARE, rows: Vec::new() }
    }

    fn new_id(&mut self) -> i32 {
        self.next += 1;
        self.next
    }

    fn step(&mut self) {
        match self.random.random_range(0..100) {
            0..30 => self.insert(1),
            30..40 => self.insert(20),
            40..50 => self.update(),
            50..65 => self.delete(),
            65..70 => self.roll_back(),
            70..90 => self.find_own(),
            _ => self.find_many(),
        }
    }

    fn insert(&mut self, rows: usize) {
        let ids: Vec<i32> = (0..rows).map(|_| self.new_id()).collect();
        let vectors: Vec<Vector> = ids.iter().map(|&id| vector(id)).collect();
        let insert = "INSERT INTO t SELECT * FROM unnest($1::int[], $2::vector[])";
        self.client.execute(insert, &[&ids, &vectors]).unwrap();
        self.rows.extend(ids);
    }

    /// A row gets another id, and the vector that belongs to it.
    fn update(&mut self) {
        let Some(old) = self.take_one() else { return };
        let new = self.new_id();
        let update = "UPDATE t SET id = $2, v = $3 WHERE id = $1";
        assert_eq!(self.client.execute(update, &[&old, &new, &vector(new)]).unwrap(), 1);
        self.rows.push(new);
    }

    fn delete(&mut self) {
        let ids: Vec<i32> = (0..8).filter_map(|_| self.take_one()).collect();
        let delete = "DELETE FROM t WHERE id = ANY ($1)";
        assert_eq!(self.client.execute(delete, &[&ids]).unwrap(), ids.len() as u64);
    }

    /// Rows of a transaction are seen in it; those of a subtransaction or a transaction that was
    /// rolled back are gone.
    fn roll_back(&mut self) {
        let ids = [self.new_id(), self.new_id()];
        let mut transaction = self.client.transaction().unwrap();
        let insert = "INSERT INTO t VALUES ($1, $2)";
        transaction.execute(insert, &[&ids[0], &vector(ids[0])]).unwrap();
        let mut inner = transaction.transaction().unwrap();
        inner.execute(insert, &[&ids[1], &vector(ids[1])]).unwrap();
        inner.rollback().unwrap();
        let search = "SELECT id FROM t ORDER BY v <-> $1 LIMIT 1";
        let found = |transaction: &mut postgres::Transaction<'_>, id| -> i32 {
            transaction.query_one(search, &[&vector(id)]).unwrap().get(0)
        };
        assert_eq!(found(&mut transaction, ids[0]), ids[0]);
        assert_ne!(found(&mut transaction, ids[1]), ids[1]);
        transaction.rollback().unwrap();
        assert_ne!(nearest(&mut self.client, &vector(ids[0]), 1)[0].0, ids[0]);
    }

    fn find_own(&mut self) {
        let Some(&id) = self.rows.choose(&mut self.random) else { return };
        assert_eq!(nearest(&mut self.client, &vector(id), 1), [(id, 0.0)], "a row of one's own");
    }

    /// Every answer is full and in order.
    fn find_many(&mut self) {
        let query = vector(-self.random.random_range(1..1_000_000));
        let limit = self.random.random_range(1..300);
        let rows = nearest(&mut self.client, &query, limit);
        assert_eq!(rows.len() as i64, limit);
        assert!(rows.is_sorted_by(|a, b| a.1 <= b.1), "{rows:?}");
    }

    fn take_one(&mut self) -> Option<i32> {
        let at = self.random.random_range(0..self.rows.len().max(1));
        (at < self.rows.len()).then(|| self.rows.swap_remove(at))
    }
}

/// Vacuums and looks for damage, in turn; now and then the vacuum is cut short.
fn tend(mut client: Client, done: &Done) -> i32 {
    done.repeat(|round| {
        let limit = if round % 4 == 0 { 50 } else { 0 };
        client.batch_execute(&format!("SET statement_timeout = {limit}")).unwrap();
        if let Err(error) = client.batch_execute("VACUUM t") {
            assert_eq!(sqlstate(&error), "57014", "{error}");
        }
        client.batch_execute("SET statement_timeout = 0").unwrap();
        assert_eq!(index_problems(&mut client, "i").unwrap(), [""; 0]);
    })
}

#[test]
fn many_clients_do_everything_at_once() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(25, |text| text.parse().unwrap());
    let mut db = TestDb::new();
    db.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))")).unwrap();
    let vectors: Vec<Vec<f32>> = (0..ROWS).map(|id| vector(id).0).collect();
    copy_vectors(&mut db, "t", 0, vectors.iter().map(Vec::as_slice)).unwrap();
    let create = "CREATE INDEX i ON t USING hnsw (v vector_l2_ops); CREATE INDEX ON t (id)";
    db.batch_execute(create).unwrap();

    let done = Done::default();
    let (rows, steps) = thread::scope(|scope| {
        let _end = done.at_end();
        let client = db.connect();
        let tender = scope.spawn(|| tend(client, &done));
        let done = &done;
        let worker = |number| {
            let mut worker = Worker::new(&db, number);
            scope.spawn(move || {
                let _end = done.at_end();
                let begin = Instant::now();
                let mut steps = 0;
                while begin.elapsed() < Duration::from_secs(seconds) && !done.is_set() {
                    worker.step();
                    steps += 1;
                }
                (worker.rows.len(), steps)
            })
        };
        let workers: Vec<_> = (1..CLIENTS).map(worker).collect();
        let ended: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        println!("{} rounds of vacuum", tender.join().unwrap());
        let ended = ended.into_iter().map(Result::unwrap);
        ended.fold((0, 0), |all, worker| (all.0 + worker.0, all.1 + worker.1))
    });
    assert!(!db.cluster().has_crashed());

    let count: i64 = db.query_one("SELECT count(*) FROM t", &[]).unwrap().get(0);
    println!("{steps} steps, {count} rows");
    assert_eq!(count as usize, ROWS as usize + rows);
    db.batch_execute("VACUUM ANALYZE t").unwrap();
    db.batch_execute("SET hnsw.ef_search = 200").unwrap();
    assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
    let row = db.query_one("SELECT recall FROM vector_index_recall('i', 10, 200)", &[]).unwrap();
    println!("recall {}", row.get::<_, f64>(0));
    assert!(row.get::<_, f64>(0) >= 0.97, "{row:?}");
}
