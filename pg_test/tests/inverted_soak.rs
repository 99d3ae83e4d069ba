//! Many clients do everything to a table of texts at once, for a while: 12 seconds, or as many as
//! `SOAK_SECONDS` in the environment says. Scores are then those of the definition.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use pg_test::{Done, TestDb, index_problems, sqlstate};
use postgres::{Client, GenericClient};
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use crate::inverted_scores::{check, text, word};

const CLIENTS: i32 = 32;
const ROWS: i32 = 3000;
/// Ids of a client begin at its number times this.
const SHARE: i32 = 1_000_000;
/// Words of a text that is too large for the write buffer.
const LARGE: usize = 4_000;

/// A text with a word that no other has.
fn body(id: i32, random: &mut SmallRng) -> String {
    let text = text(random);
    match random.random_range(0..300) {
        0 => {
            format!("{text} own{id} ")
                + &(0..LARGE).map(|i| format!("many{i} ")).collect::<String>()
        }
        _ => format!("{text} own{id}"),
    }
}

/// Ids of the rows that hold the word of a row, by a ranking and by a condition.
fn with_own(client: &mut impl GenericClient, id: i32) -> [Vec<i32>; 2] {
    let word = format!("own{id}");
    let ranked = "SELECT id FROM t ORDER BY body <@> $1 LIMIT 5";
    let matching = "SELECT id FROM t WHERE text_match(body, $1)";
    [ranked, matching].map(|search| {
        let rows = client.query(search, &[&word]).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    })
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
        client.batch_execute("SET enable_seqscan = off").unwrap();
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
        let bodies: Vec<String> = ids.iter().map(|&id| body(id, &mut self.random)).collect();
        let insert = "INSERT INTO t SELECT * FROM unnest($1::int[], $2::text[])";
        self.client.execute(insert, &[&ids, &bodies]).unwrap();
        self.rows.extend(ids);
    }

    /// A row gets another id, and a text that belongs to it.
    fn update(&mut self) {
        let Some(old) = self.take_one() else { return };
        let new = self.new_id();
        let body = body(new, &mut self.random);
        let update = "UPDATE t SET id = $2, body = $3 WHERE id = $1";
        assert_eq!(self.client.execute(update, &[&old, &new, &body]).unwrap(), 1);
        self.rows.push(new);
    }

    fn delete(&mut self) {
        let ids: Vec<i32> = (0..8).filter_map(|_| self.take_one()).collect();
        let delete = "DELETE FROM t WHERE id = ANY ($1)";
        assert_eq!(self.client.execute(delete, &[&ids]).unwrap(), ids.len() as u64);
    }

    /// A row of a transaction is found in it, and not after it was rolled back.
    fn roll_back(&mut self) {
        let id = self.new_id();
        let body = body(id, &mut self.random);
        let mut transaction = self.client.transaction().unwrap();
        transaction.execute("INSERT INTO t VALUES ($1, $2)", &[&id, &body]).unwrap();
        assert_eq!(with_own(&mut transaction, id), [[id], [id]]);
        transaction.rollback().unwrap();
        assert_eq!(with_own(&mut self.client, id), [[0; 0], []]);
    }

    fn find_own(&mut self) {
        let Some(&id) = self.rows.choose(&mut self.random) else { return };
        assert_eq!(with_own(&mut self.client, id), [[id], [id]], "a row of one's own");
    }

    /// Every answer is in order, without any row twice.
    fn find_many(&mut self) {
        let query = [word(&mut self.random), word(&mut self.random), "w1".to_owned()].join(" ");
        let limit: i64 = self.random.random_range(1..300);
        let search = "SELECT id, body <@> $1 FROM t ORDER BY body <@> $1 LIMIT $2";
        let rows = self.client.query(search, &[&query, &limit]).unwrap();
        let scores: Vec<f64> = rows.iter().map(|row| row.get(1)).collect();
        assert!(
            !scores.is_empty() && scores.is_sorted() && scores.iter().all(|&s| s < 0.0),
            "{scores:?}"
        );
        let ids: BTreeSet<i32> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(ids.len(), rows.len());
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
    let seconds = std::env::var("SOAK_SECONDS").map_or(12, |text| text.parse().unwrap());
    let mut db = TestDb::new();
    let mut random = SmallRng::seed_from_u64(0);
    let ids: Vec<i32> = (0..ROWS).collect();
    let bodies: Vec<String> = ids.iter().map(|&id| body(id, &mut random)).collect();
    db.batch_execute("CREATE TABLE t (id int, body text)").unwrap();
    db.execute("INSERT INTO t SELECT * FROM unnest($1::int[], $2::text[])", &[&ids, &bodies])
        .unwrap();
    db.batch_execute("CREATE INDEX i ON t USING inverted (body); CREATE INDEX ON t (id)").unwrap();

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
    // Before, rows that were deleted since the last vacuum count.
    db.batch_execute("VACUUM ANALYZE t").unwrap();
    check(&mut db, 1);
}
