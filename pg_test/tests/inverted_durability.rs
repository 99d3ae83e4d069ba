//! Sessions side by side, a server that is killed, a standby: an inverted index holds exactly the rows of
//! its table, and ranks them by what it holds.

use std::thread;

use pg_test::{Cluster, Done, TestDb, index_problems, sqlstate, text};
use postgres::Client;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// A text of its own word, one of few, and some of many.
fn body(id: i32) -> String {
    let mut random = SmallRng::seed_from_u64(id as u64);
    let many = (0..random.random_range(1..30)).map(|_| format!("w{}", random.random_range(0..500)));
    let many: Vec<String> = many.collect();
    format!("all own{id} few{} {}", id % 7, many.join(" "))
}

fn create(client: &mut Client) {
    client
        .batch_execute(
            "CREATE EXTENSION IF NOT EXISTS vector_ext; CREATE TABLE t (id int, body text)",
        )
        .unwrap();
    insert(client, 0..1_000);
    client.batch_execute("CREATE INDEX i ON t USING inverted (body)").unwrap();
}

fn insert(client: &mut Client, ids: impl Iterator<Item = i32>) {
    for id in ids {
        client.execute("INSERT INTO t VALUES ($1, $2)", &[&id, &body(id)]).unwrap();
    }
}

fn ids(client: &mut Client, query: &str) -> Vec<i32> {
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// All rows, through the index.
fn by_index(client: &mut Client) -> Vec<i32> {
    ids(client, "SELECT id FROM t ORDER BY body <@> 'all'")
}

/// The index holds exactly the rows of the table. After a vacuum, the scores are those of an index that is
/// built anew.
#[track_caller]
fn whole(client: &mut Client) -> usize {
    assert_eq!(index_problems(client, "i").unwrap(), [""; 0]);
    let mut found = by_index(client);
    found.sort_unstable();
    assert_eq!(found, ids(client, "SELECT id FROM t ORDER BY id"));
    found.len()
}

fn scores(client: &mut Client, index: &str) -> Vec<(i32, f64)> {
    let query = "SELECT id, body <@> bm25query($1::text::regclass, 'few3 w1 w2 w3 w400')
                 FROM t ORDER BY 2, 1 LIMIT 100";
    let rows = client.query(query, &[&index]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[track_caller]
fn as_built_anew(client: &mut Client) {
    // Also of the last few deleted rows, for which VACUUM leaves indexes alone otherwise.
    client.batch_execute("VACUUM (INDEX_CLEANUP ON) t").unwrap();
    client.batch_execute("CREATE INDEX j ON t USING inverted (body)").unwrap();
    let (grown, built) = (scores(client, "i"), scores(client, "j"));
    client.batch_execute("DROP INDEX j").unwrap();
    assert_eq!(grown.len(), built.len());
    for (a, b) in grown.iter().zip(&built) {
        assert!(a.0 == b.0 && (a.1 - b.1).abs() <= 1e-9 * b.1.abs(), "{a:?} {b:?}");
    }
}

#[test]
fn sessions_side_by_side() {
    let mut db = TestDb::new();
    create(&mut db);
    let done = &Done::default();
    thread::scope(|scope| {
        let _end = done.at_end();
        let writers: Vec<_> = (1..9)
            .map(|writer| {
                let mut client = db.connect();
                scope.spawn(move || {
                    insert(&mut client, writer * 1_000..writer * 1_000 + 700);
                    let delete = "DELETE FROM t WHERE id % 5 = 0 AND id / 1000 = $1";
                    client.execute(delete, &[&writer]).unwrap();
                    insert(&mut client, writer * 1_000 + 700..writer * 1_000 + 1_000);
                })
            })
            .collect();
        let mut client = db.connect();
        scope.spawn(move || {
            done.repeat(|_| {
                client.batch_execute("VACUUM t").unwrap();
                assert_eq!(index_problems(&mut client, "i").unwrap(), [""; 0]);
            })
        });
        let mut client = db.connect();
        scope.spawn(move || {
            done.repeat(|round| {
                // Those that were there from the start are always found, and once.
                let found = by_index(&mut client);
                assert_eq!(found.iter().filter(|&&id| id < 1_000).count(), 1_000);
                let own = format!("SELECT id FROM t ORDER BY body <@> 'own{}'", round % 1_000);
                assert_eq!(ids(&mut client, &own), [round % 1_000]);
            })
        });
        for writer in writers {
            writer.join().unwrap();
        }
    });
    assert_eq!(whole(&mut db), 9_000 - 8 * 140);
    as_built_anew(&mut db);
    assert!(!db.cluster().has_crashed());
}

#[test]
fn a_killed_server_loses_nothing() {
    let cluster = Cluster::new("inverted_crash", &[]).unwrap();
    create(&mut cluster.connect().unwrap());
    let mut next = 1_000;
    for round in 0..4 {
        let mut client = cluster.connect().unwrap();
        let done = &Done::default();
        let told = thread::scope(|scope| {
            let _end = done.at_end();
            let inserter = scope.spawn(move || {
                let mut told = |id: &i32| {
                    let insert = "INSERT INTO t VALUES ($1, $2)";
                    let Err(error) = client.execute(insert, &[id, &body(*id)]) else { return true };
                    // Of a server that is gone, or going.
                    let gone = matches!(sqlstate(&error), "" | "57P01" | "57P02" | "57P03");
                    assert!(gone, "{error:?}");
                    false
                };
                (next..).take_while(|id| !done.is_set() && told(id)).count() as i32
            });
            let mut client = cluster.connect().unwrap();
            client.batch_execute("DELETE FROM t WHERE id % 7 = 3").unwrap();
            client.batch_execute("VACUUM t").unwrap();
            client.execute("DELETE FROM t WHERE id % 11 = $1", &[&round]).unwrap();
            cluster.crash().unwrap();
            inserter.join().unwrap()
        });
        cluster.start().unwrap();
        let mut client = cluster.connect().unwrap();
        whole(&mut client);
        as_built_anew(&mut client);
        let count = "SELECT count(*) FROM t WHERE id >= $1 AND id < $2";
        let kept: i64 = client.query_one(count, &[&next, &(next + told)]).unwrap().get(0);
        let deleted = (next..next + told).filter(|id| id % 7 == 3 || id % 11 == round).count();
        assert!(kept >= i64::from(told) - deleted as i64, "{kept} of {told}");
        next += told + 1;
    }
}

#[test]
fn a_standby_searches_while_the_primary_reorganizes() {
    let primary = Cluster::new("inverted_primary", &[("wal_level", "replica")]).unwrap();
    let mut client = primary.connect().unwrap();
    create(&mut client);
    let standby = primary.standby().unwrap();
    standby.catch_up(&primary).unwrap();
    let done = &Done::default();
    thread::scope(|scope| {
        let _end = done.at_end();
        let mut reader = standby.connect().unwrap();
        let searches = scope.spawn(move || {
            done.repeat(|_| {
                let found = ids(&mut reader, "SELECT id FROM t ORDER BY body <@> 'all' LIMIT 5000");
                let mut distinct = found.clone();
                distinct.sort_unstable();
                distinct.dedup();
                assert_eq!(distinct.len(), found.len());
                assert!(distinct.iter().filter(|&&id| id < 1_000 && id % 3 > 0).count() >= 666);
            })
        });
        for round in 1..8 {
            insert(&mut client, round * 1_000..round * 1_000 + 800);
            client
                .execute("DELETE FROM t WHERE id % 3 = 0 AND id / 1000 = $1", &[&(round - 1)])
                .unwrap();
            client.batch_execute("VACUUM t").unwrap();
        }
        done.set();
        assert!(searches.join().unwrap() > 0);
    });
    standby.catch_up(&primary).unwrap();
    let mut reader = standby.connect().unwrap();
    assert_eq!(whole(&mut reader), whole(&mut client));
    assert_eq!(scores(&mut reader, "i"), scores(&mut client, "i"));
}

/// A merge that several inserts share goes on after a crash.
#[test]
fn a_load_survives_crashes_amid_merges() {
    let cluster = Cluster::new("inverted-load", &[]).unwrap();
    let mut client = cluster.connect().unwrap();
    client
        .batch_execute(
            "CREATE EXTENSION vector_ext; CREATE TABLE t (id int, body text);
             ALTER TABLE t SET (autovacuum_enabled = off); CREATE INDEX i ON t USING inverted (body)",
        )
        .unwrap();
    let load = "INSERT INTO t SELECT i, concat_ws(' ', 'all', 'word' || i % 97, md5(i::text),
            md5((i / 3)::text), 'rare' || i % 5000, repeat('again ', i % 5))
        FROM generate_series($1::int, $2::int) i";
    for round in 0..6 {
        let (first, last) = (round * 7_000 + 1, (round + 1) * 7_000);
        client.execute(load, &[&first, &last]).unwrap();
        cluster.crash().unwrap();
        cluster.start().unwrap();
        client = cluster.connect().unwrap();
        assert_eq!(index_problems(&mut client, "i").unwrap(), [""; 0]);
        for (word, rows) in [("all", last), ("word5", (last - 5) / 97 + 1)] {
            let found =
                format!("SELECT count(*) FROM (SELECT FROM t ORDER BY body <@> '{word}') s");
            assert_eq!(text(&mut client, &found).unwrap(), rows.to_string(), "{word}");
        }
    }
    let segments = "SELECT value FROM vector_index_info('i') WHERE property = 'segments'";
    let segments: i32 = text(&mut client, segments).unwrap().parse().unwrap();
    assert!(segments < 15, "{segments}");
}
