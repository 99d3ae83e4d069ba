//! A damaged index file gives errors that name index and block, never a crash; `REINDEX` repairs.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use pg_test::{Cluster, hint, index_problems, message, random_sparse, random_vector, sqlstate};
use postgres::{Client, Error};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const PAGE: u64 = 8192;
/// PostgreSQL's own part of a page, which it checks itself.
const HEADER: u64 = 24;
const ROWS: i32 = 400;
const DIMENSIONS: usize = 40;

/// What is indexed.
struct Column {
    sql_type: &'static str,
    class: &'static str,
    value: fn(u64) -> String,
}

const DENSE: Column = Column {
    sql_type: "vector(40)",
    class: "vector_l2_ops",
    value: |seed| format!("{:?}", random_vector(seed, DIMENSIONS)),
};
const SPARSE: Column =
    Column { sql_type: "sparsevec(5000)", class: "sparsevec_l2_ops", value: random_sparse };

/// A server with damaged indexes: `i_NAME` on a table `t_NAME` for each damage.
struct DamagedServer {
    column: Column,
    cluster: Cluster,
    client: Client,
}

impl DamagedServer {
    /// Makes the tables, then, while the server is down, does to each index file what `damage`
    /// says.
    fn new<'a>(
        column: Column,
        names: impl Iterator<Item = String>,
        damage: impl Fn(&str, &Path) + 'a,
    ) -> Self {
        // From 18 on, checksums are there by default and would tell of damage before we do.
        let settings = [("max_wal_size", "1GB"), ("ignore_checksum_failure", "on")];
        let cluster = Cluster::new("hnsw-corruption", &settings).unwrap();
        let mut client = cluster.connect().unwrap();
        client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
        let Column { sql_type, class, value } = column;
        let values: Vec<String> = (0..ROWS as u64).map(value).collect();
        let mut files: Vec<(String, PathBuf)> = Vec::new();
        for name in names {
            client.batch_execute(&format!("CREATE TABLE t_{name} (id int, v {sql_type})")).unwrap();
            let insert = format!(
                "INSERT INTO t_{name} SELECT i - 1, v::{sql_type} \
                 FROM unnest($1::text[]) WITH ORDINALITY r (v, i)"
            );
            client.execute(&insert, &[&values]).unwrap();
            let create = format!("CREATE INDEX i_{name} ON t_{name} USING hnsw (v {class})");
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
        Self { column, cluster, client }
    }

    /// Uses the index in every way. Returns the errors; each must be what a user should read.
    #[track_caller]
    fn examine(&mut self, name: &str) -> Vec<Error> {
        let (table, index) = (format!("t_{name}"), format!("i_{name}"));
        let Column { sql_type, value, .. } = self.column;
        let nearest =
            format!("SELECT id FROM {table} ORDER BY v <-> $1::text::{sql_type} LIMIT {ROWS}");
        let insert = format!("INSERT INTO {table} VALUES (-1, $1::text::{sql_type})");
        let mut errors = Vec::new();
        for seed in 0..3 {
            // Among the rows is none of these.
            let query = value(1_000 + seed * 999);
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
        "XX000" => assert!(
            text == "index returned tuples in wrong order"
                || text.starts_with("could not open file"),
            "{text}"
        ),
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
        "page belongs to another block",
    ),
];

#[test]
fn damage_is_told_and_reindex_repairs() {
    damage_is_told(DENSE, DAMAGES);
}

#[test]
fn damage_to_sparse_vectors_is_told() {
    damage_is_told(SPARSE, SPARSE_DAMAGES);
}

fn damage_is_told(column: Column, damages: &[Damage]) {
    let names = damages.iter().map(|damage| damage.0.to_string());
    let mut server = DamagedServer::new(column, names, |name, file| {
        damages.iter().find(|damage| damage.0 == name).unwrap().1(file);
    });
    for &(name, _, says) in damages {
        let problems = index_problems(&mut server.client, &format!("i_{name}"));
        match problems {
            Ok(problems) => assert!(!problems.is_empty(), "{name} passes the check"),
            Err(error) => names_the_place(&error, name),
        }
        let errors = server.examine(name);
        let first = errors.first().map(message).unwrap_or_default();
        assert!(first.contains(says), "{name}: {first}");
        server.repair(name);
    }
}

/// Where the number of a sparse vector's elements lies in its record.
const ELEMENTS: u64 = 36;

const SPARSE_DAMAGES: &[Damage] = &[
    (
        "count",
        |file| {
            for block in 1..blocks(file) {
                write(file, block * PAGE + HEADER + ELEMENTS, &[0xff; 4]);
            }
        },
        "record has too many elements of a vector",
    ),
    (
        "more",
        // As many as there may be: the tails end before.
        |file| {
            for block in 1..blocks(file) {
                write(file, block * PAGE + HEADER + ELEMENTS, &4_900u32.to_le_bytes());
            }
        },
        "at block ",
    ),
    (
        "order",
        // The indices of each vector, the second of which becomes the first once more.
        |file| {
            let pages = fs::read(file).unwrap();
            for first in 0..700u32 {
                let [a, b] = [first, first + 7].map(u32::to_le_bytes);
                let pair = [a, b].concat();
                for at in (0..pages.len() - 8).filter(|&at| pages[at..at + 8] == pair) {
                    write(file, at as u64 + 4, &a);
                }
            }
        },
        "sparse vector has indices out of order",
    ),
];

/// Other formats have their own error.
#[test]
fn a_future_format_is_refused() {
    let names = ["future".to_string()].into_iter();
    let mut server =
        DamagedServer::new(DENSE, names, |_, file| write(file, HEADER + 4, &[99, 0, 0, 0]));
    let query = "SELECT id FROM t_future ORDER BY v <-> (SELECT v FROM t_future LIMIT 1) LIMIT 1";
    let query = server.client.query(query, &[]);
    let error = query.unwrap_err();
    assert_eq!(sqlstate(&error), "0A000");
    let says = "index public.i_future has format version 99, which is not supported";
    assert_eq!(message(&error), says);
    server.client.batch_execute("REINDEX INDEX i_future").unwrap();
    assert_eq!(server.examine("future").len(), 0);
}

/// Records that are nonsense on pages that look right: the index may answer wrongly, but it must
/// neither crash nor hang, nor give errors of another kind.
#[test]
fn scribbled_records_do_no_harm() {
    scribble(DENSE, 24);
}

#[test]
fn scribbled_sparse_vectors_do_no_harm() {
    scribble(SPARSE, 16);
}

/// Fills random places of so many indexes with zeros, ones or noise.
fn scribble(column: Column, count: u64) {
    let name = |seed: u64| format!("scribble_{seed}");
    let mut server = DamagedServer::new(column, (0..count).map(name), |name, file| {
        let seed = name.trim_start_matches("scribble_").parse().unwrap();
        let mut random = SmallRng::seed_from_u64(seed);
        let blocks = blocks(file);
        for _ in 0..2u32.pow(seed as u32 % 8) {
            let length = random.random_range(1..=if seed % 2 == 0 { 16 } else { 1000 });
            let at = random.random_range(HEADER..PAGE - 8 - length);
            // The metapage's own fields are few; most of it is the center of the codes.
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
    for seed in 0..count {
        noticed += usize::from(!server.examine(&name(seed)).is_empty());
        server.repair(&name(seed));
    }
    assert!(noticed >= count as usize / 3, "only {noticed} of {count} damages came to light");
}
