//! No damage of an index file that changes a result passes `vector_index_check`.
//!
//! Each case damages one page of each of some indexes in another way. `FUZZ_SECONDS` says how long new
//! cases are made.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pg_test::{Cluster, Vector, index_problems, random_vector};
use postgres::{Client, Error};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

const PAGE: usize = 8192;
/// PostgreSQL's own part of a page, which it checks itself.
const HEADER: usize = 24;
const ROWS: i32 = 300;
const DIMENSIONS: usize = 12;
/// Indexes of each kind that are damaged at a time.
const COPIES: usize = 8;

/// Indexes, and the distance that they order by.
const KINDS: [(&str, &str); 5] = [
    ("hnsw (v vector_l2_ops)", "v <->"),
    ("hnsw (v vector_cosine_ops) WITH (m = 4, quantization = sq8)", "v <=>"),
    ("ivfflat (v vector_l2_ops) WITH (lists = 5)", "v <->"),
    ("ivf (v vector_l2_ops) WITH (lists = 5, quantization = sq8)", "v <->"),
    ("inverted (body)", "body <@>"),
];

/// Ways to damage pages.
const DAMAGES: [&str; 7] = ["overwrite", "zero", "bit", "bytes", "swap", "exchange", "cut"];

struct DamagedIndex {
    table: String,
    distance: &'static str,
    file: PathBuf,
    damage: &'static str,
    before: Vec<Vec<i32>>,
}

fn indexes(client: &mut Client, cluster: &Cluster, rng: &mut SmallRng) -> Vec<DamagedIndex> {
    let mut indexes = Vec::new();
    for (kind, (method, distance)) in KINDS.iter().enumerate() {
        for copy in 0..COPIES {
            let table = format!("t_{kind}_{copy}");
            client
                .batch_execute(&format!(
                    "CREATE TABLE {table} AS SELECT * FROM t WHERE id < {ROWS};
                    CREATE INDEX i_{table} ON {table} USING {method};
                    INSERT INTO {table} SELECT * FROM t WHERE id >= {ROWS};
                    DELETE FROM {table} WHERE id % 7 = 0"
                ))
                .unwrap();
            client.batch_execute(&format!("VACUUM {table}")).unwrap();
            let path = format!("SELECT pg_relation_filepath('i_{table}')");
            let path: String = client.query_one(&path, &[]).unwrap().get(0);
            let damage = DAMAGES.choose(rng).unwrap();
            let file = cluster.data_dir().join(path);
            let mut index = DamagedIndex { table, distance, file, damage, before: Vec::new() };
            index.before = results(client, &index).unwrap();
            indexes.push(index);
        }
    }
    indexes
}

/// A text of one word that is in all, and some others.
fn text(seed: i32) -> String {
    let words: Vec<String> = (2..14).map(|i| format!("w{}", seed % (i * 7))).collect();
    format!("all {}", words.join(" "))
}

/// All rows by the index, for some queries.
fn results(client: &mut Client, index: &DamagedIndex) -> Result<Vec<Vec<i32>>, Error> {
    let DamagedIndex { table, distance, .. } = index;
    let query = format!("SELECT id FROM {table} ORDER BY {distance} $1");
    let mut results = Vec::new();
    for seed in [1, 50, 100_000, 100_001] {
        let (vector, words) = (Vector(random_vector(seed, DIMENSIONS)), text(seed as i32));
        let ranked = distance.contains("<@>");
        let found = client.query(&query, &[if ranked { &words } else { &vector }])?;
        results.push(found.iter().map(|row| row.get(0)).collect());
    }
    Ok(results)
}

fn damage(rng: &mut SmallRng, file: &Path, how: &str) {
    let mut bytes = fs::read(file).unwrap();
    let pages = bytes.len() / PAGE;
    let (a, b) = (rng.random_range(0..pages), rng.random_range(0..pages));
    let place = a * PAGE + rng.random_range(HEADER..PAGE);
    let other = bytes[b * PAGE..][..PAGE].to_vec();
    match how {
        "overwrite" => bytes[a * PAGE..][..PAGE].copy_from_slice(&other),
        "zero" => bytes[a * PAGE..][..PAGE].fill(0),
        "bit" => bytes[place] ^= 1 << rng.random_range(0..8),
        "bytes" => {
            let end = (a + 1) * PAGE;
            let length = rng.random_range(1..=(end - place).min(200));
            rng.fill(&mut bytes[place..place + length]);
        }
        "swap" => {
            // As two records of a page would be.
            let length = rng.random_range(16..2_000);
            let from = a * PAGE + rng.random_range(HEADER..PAGE - 2 * length);
            let (left, right) = bytes[from..from + 2 * length].split_at_mut(length);
            left.swap_with_slice(right);
        }
        "exchange" => {
            bytes.copy_within(a * PAGE..(a + 1) * PAGE, b * PAGE);
            bytes[a * PAGE..][..PAGE].copy_from_slice(&other);
        }
        "cut" => bytes.truncate(rng.random_range(0..pages) * PAGE),
        _ => panic!("{how}"),
    }
    fs::write(file, bytes).unwrap();
}

/// What became of damages of one kind.
#[derive(Debug, Default)]
struct Count {
    all: u32,
    /// Those that change a result or end a scan.
    harmful: u32,
    /// Those that the check tells of.
    told: u32,
}

#[test]
fn no_damage_that_changes_a_result_passes_the_check() {
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    fuzz::run("index_damage", |case| {
        let settings = [("autovacuum", "off"), ("ignore_checksum_failure", "on")];
        let cluster = Cluster::new("index-damage", &settings).unwrap();
        let mut client = connect(&cluster);
        client
            .batch_execute(&format!(
                "CREATE EXTENSION vector_ext; CREATE TABLE t (id int, v vector({DIMENSIONS}), body text)"
            ))
            .unwrap();
        for id in 0..ROWS * 3 / 2 {
            let row = Vector(random_vector(id as u64, DIMENSIONS));
            client.execute("INSERT INTO t VALUES ($1, $2, $3)", &[&id, &row, &text(id)]).unwrap();
        }
        let indexes = indexes(&mut client, &cluster, &mut case.rng);
        drop(client);
        cluster.stop().unwrap();
        let (mut silent, mut same) = (Vec::new(), Vec::new());
        for index in &indexes {
            let before = fs::read(&index.file).unwrap();
            damage(&mut case.rng, &index.file, index.damage);
            same.push(fs::read(&index.file).unwrap() == before);
        }
        cluster.start().unwrap();
        let mut client = connect(&cluster);
        for (index, same) in indexes.iter().zip(same) {
            let problems = index_problems(&mut client, &format!("i_{}", index.table));
            let told = problems.as_ref().map_or(true, |problems| !problems.is_empty());
            let after = results(&mut client, index);
            let harmful = after.as_ref().map_or(true, |after| *after != index.before);
            assert!(!told || !same, "{} is sound: {problems:?}", index.table);
            let count = counts.entry(index.damage).or_default();
            count.all += u32::from(!same);
            count.harmful += u32::from(harmful);
            count.told += u32::from(told);
            if harmful && !told {
                silent.push(format!("{} {}", index.table, index.damage));
            }
        }
        assert!(!cluster.has_crashed(), "{}", cluster.log());
        assert_eq!(silent, [""; 0]);
    });
    println!("{counts:#?}");
    assert!(counts.values().any(|count| count.harmful > 0));
}

fn connect(cluster: &Cluster) -> Client {
    let mut client = cluster.connect().unwrap();
    client
        .batch_execute(
            "SET enable_seqscan = off; SET enable_sort = off; SET client_min_messages = error;
            SET hnsw.iterative_scan = relaxed_order; SET ivfflat.probes = 100; SET ivf.probes = 100;
            SET statement_timeout = '30s'",
        )
        .unwrap();
    client
}
