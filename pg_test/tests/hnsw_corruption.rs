//! A damaged index file gives errors that name index and block, never a crash; `REINDEX` repairs.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use pg_test::{
    Cluster, Vector, copy_vectors, hint, index_problems, message, random_vector, sqlstate,
};
use postgres::{Client, Error};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const PAGE: u64 = 8192;
/// PostgreSQL's own part of a page, which it checks itself.
const HEADER: u64 = 24;
const ROWS: i32 = 400;
const DIMENSIONS: usize = 40;

/// A server with an index `i_NAME` on a table `t_NAME` for each of the damages.
struct Patients {
    cluster: Cluster,
    client: Client,
}

impl Patients {
    /// Makes the tables, then, while the server is down, does to each index file what `damage`
    /// says.
    fn new<'a>(names: impl Iterator<Item = String>, damage: impl Fn(&str, &Path) + 'a) -> Self {
        // From 18 on, checksums are there by default and would tell of damage before we do.
        let settings = [("max_wal_size", "1GB"), ("ignore_checksum_failure", "on")];
        let cluster = Cluster::new("hnsw-corruption", &settings).unwrap();
        let mut client = cluster.connect().unwrap();
        client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
        let rows: Vec<Vec<f32>> = (0..ROWS as u64).map(|i| random_vector(i, DIMENSIONS)).collect();
        let mut files: Vec<(String, PathBuf)> = Vec::new();
        for name in names {
            let create = format!("CREATE TABLE t_{name} (id int, v vector({DIMENSIONS}))");
            client.batch_execute(&create).unwrap();
            let rows = rows.iter().map(Vec::as_slice);
            copy_vectors(&mut client, &format!("t_{name}"), 0, rows).unwrap();
            let create = format!("CREATE INDEX i_{name} ON t_{name} USING hnsw (v vector_l2_ops)");
            client.batch_execute(&create).unwrap();
            let path = format!("SELECT pg_relation_filepath('i_{name}')");
            let path: String = client.query_one(&path, &[]).unwrap().get(0);
            files.push((name, cluster.data_dir().join(path)));
        }
        cluster.stop().unwrap();
        for (name, file) in &files {
            damage(name, file);
        }
        cluster.start().unwrap();
        let client = connect(&cluster);
        Self { cluster, client }
    }

    /// Uses the index in every way. Returns the errors; each must be what a user should read.
    #[track_caller]
    fn examine(&mut self, name: &str) -> Vec<Error> {
        let (table, index) = (format!("t_{name}"), format!("i_{name}"));
        let nearest = format!("SELECT id FROM {table} ORDER BY v <-> $1 LIMIT {ROWS}");
        let insert = format!("INSERT INTO {table} VALUES (-1, $1)");
        let mut errors = Vec::new();
        for seed in 0..3 {
            let query = Vector(random_vector(seed * 1000, DIMENSIONS));
            errors.extend(self.client.query(&nearest, &[&query]).err());
            errors.extend(self.client.execute(&insert, &[&query]).err());
        }
        self.client.batch_execute(&format!("DELETE FROM {table} WHERE id % 3 = 0")).unwrap();
        errors.extend(self.client.batch_execute(&format!("VACUUM {table}")).err());
        for error in &errors {
            names_the_place(error, name);
        }
        if let Err(error) = index_problems(&mut self.client, &index) {
            names_the_place(&error, name);
        }
        assert!(!self.cluster.has_crashed(), "{name}: {}", self.cluster.log());
        errors
    }

    #[track_caller]
    fn repair(&mut self, name: &str) {
        self.client.batch_execute(&format!("REINDEX INDEX i_{name}")).unwrap();
        assert_eq!(index_problems(&mut self.client, &format!("i_{name}")).unwrap(), [""; 0]);
        assert_eq!(self.examine(name).len(), 0, "{name} after REINDEX");
    }
}

fn connect(cluster: &Cluster) -> Client {
    let mut client = cluster.connect().unwrap();
    let settings =
        "SET enable_seqscan = off; SET hnsw.ef_search = 100; SET statement_timeout = '30s'";
    client.batch_execute(settings).unwrap();
    client
}

/// The error is ours and says what is broken and how to repair it, or it is PostgreSQL's own
/// about a page header.
#[track_caller]
fn names_the_place(error: &Error, name: &str) {
    let text = message(error);
    match sqlstate(error) {
        "XX002" => {
            assert!(text.starts_with(&format!("index public.i_{name} is corrupted at block ")));
            assert_eq!(hint(error), format!("Rebuild it with REINDEX INDEX public.i_{name}."));
        }
        "XX001" => assert!(text.starts_with("invalid page in block "), "{text}"),
        // PostgreSQL's own word on a bound that is not one.
        "XX000" => assert_eq!(text, "index returned tuples in wrong order"),
        other => panic!("{name}: {other}: {text}"),
    }
}

fn blocks(file: &Path) -> u64 {
    fs::metadata(file).unwrap().len() / PAGE
}

fn write(file: &Path, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(file).unwrap().write_all_at(bytes, at).unwrap();
}

fn truncate(file: &Path, bytes: u64) {
    OpenOptions::new().write(true).open(file).unwrap().set_len(bytes).unwrap();
}

fn noise(seed: u64, bytes: u64) -> Vec<u8> {
    let mut random = SmallRng::seed_from_u64(seed);
    (0..bytes).map(|_| random.random()).collect()
}

/// What is done to a file, and what the first error must say.
type Damage = (&'static str, fn(&Path), &'static str);

const DAMAGES: &[Damage] = &[
    (
        "magic",
        |file| write(file, HEADER, b"oops"),
        "at block 0: metapage has the wrong magic number",
    ),
    (
        "sizes",
        |file| write(file, HEADER + 14, &[0; 14]),
        "at block 0: metapage has impossible sizes",
    ),
    (
        "zeroed",
        |file| write(file, 0, &[0; PAGE as usize]),
        "at block 0: page is not a vector index",
    ),
    ("scribbled", |file| write(file, 0, &noise(1, PAGE)), "invalid page in block 0 of relation"),
    ("empty", |file| truncate(file, 0), "at block 0: block is beyond the end of the index"),
    (
        "bodies",
        |file| {
            for block in 1..blocks(file) {
                write(file, block * PAGE + HEADER, &noise(block, PAGE - HEADER));
            }
        },
        "page is not a vector index page",
    ),
    (
        "headers",
        |file| {
            for block in 1..blocks(file) {
                write(file, block * PAGE, &noise(block, HEADER));
            }
        },
        "invalid page in block ",
    ),
    (
        "half",
        |file| truncate(file, blocks(file) / 2 * PAGE),
        "block is beyond the end of the index",
    ),
    ("last", |file| truncate(file, (blocks(file) - 1) * PAGE + 100), "block is beyond the end of"),
    (
        "swapped",
        |file| {
            let page = fs::read(file).unwrap()[..PAGE as usize].to_vec();
            for block in 1..blocks(file) {
                write(file, block * PAGE, &page);
            }
        },
        "page does not hold records",
    ),
];

#[test]
fn damage_is_told_and_reindex_repairs() {
    let names = DAMAGES.iter().map(|damage| damage.0.to_string());
    let mut patients = Patients::new(names, |name, file| {
        DAMAGES.iter().find(|damage| damage.0 == name).unwrap().1(file);
    });
    for &(name, _, says) in DAMAGES {
        let problems = index_problems(&mut patients.client, &format!("i_{name}"));
        match problems {
            Ok(problems) => assert!(!problems.is_empty(), "{name} passes the check"),
            Err(error) => names_the_place(&error, name),
        }
        let errors = patients.examine(name);
        let first = errors.first().map(message).unwrap_or_default();
        assert!(first.contains(says), "{name}: {first}");
        patients.repair(name);
    }
}

/// Other formats have their own error.
#[test]
fn a_future_format_is_refused() {
    let names = ["future".to_string()].into_iter();
    let mut patients = Patients::new(names, |_, file| write(file, HEADER + 4, &[99, 0, 0, 0]));
    let query = "SELECT id FROM t_future ORDER BY v <-> $1 LIMIT 1";
    let query = patients.client.query(query, &[&Vector(random_vector(1, DIMENSIONS))]);
    let error = query.unwrap_err();
    assert_eq!(sqlstate(&error), "0A000");
    let says = "index public.i_future has format version 99, which is not supported";
    assert_eq!(message(&error), says);
    patients.client.batch_execute("REINDEX INDEX i_future").unwrap();
    assert_eq!(patients.examine("future").len(), 0);
}

/// Records that are nonsense on pages that look right: the index may answer wrongly, but it must
/// neither crash nor hang, nor give errors of another kind.
#[test]
fn scribbled_records_do_no_harm() {
    const SCRIBBLES: u64 = 24;
    let name = |seed: u64| format!("scribble_{seed}");
    let mut patients = Patients::new((0..SCRIBBLES).map(name), |name, file| {
        let seed = name.trim_start_matches("scribble_").parse().unwrap();
        let mut random = SmallRng::seed_from_u64(seed);
        let blocks = blocks(file);
        for _ in 0..2u32.pow(seed as u32 % 8) {
            let length = random.random_range(1..=if seed % 2 == 0 { 16 } else { 1000 });
            let at = random.random_range(HEADER..PAGE - 8 - length);
            // The metapage's own fields are few; most of it is the centre of the codes.
            let (block, at) = match random.random_range(0..10) {
                0 if seed % 3 == 0 => (0, HEADER + 28 + random.random_range(0..40)),
                _ => (random.random_range(1..blocks), at),
            };
            let bytes = match random.random_range(0..3) {
                0 => vec![0; length as usize],
                1 => vec![0xff; length as usize],
                _ => noise(random.random(), length),
            };
            write(file, block * PAGE + at, &bytes);
        }
    });
    let mut noticed = 0;
    for seed in 0..SCRIBBLES {
        noticed += usize::from(!patients.examine(&name(seed)).is_empty());
        patients.repair(&name(seed));
    }
    assert!(noticed >= 10, "only {noticed} of {SCRIBBLES} damages came to light");
}
