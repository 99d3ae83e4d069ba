//! Sessions side by side, a server that is killed, a standby: no row of an `ivfflat` index is lost.

use std::thread;

use pg_test::{
    Cluster, Done, TestDb, Vector, explain_plan, index_problems, random_vector, scans_index,
    sqlstate,
};
use postgres::Client;

const DIMENSIONS: usize = 24;

fn vector(id: i32) -> Vector {
    Vector(random_vector(id as u64, DIMENSIONS))
}

fn create(client: &mut Client) {
    client
        .batch_execute(&format!(
            "CREATE EXTENSION IF NOT EXISTS vector_ext;
            CREATE TABLE t (id int, v vector({DIMENSIONS}))"
        ))
        .unwrap();
    insert(client, 0..1000);
    client
        .batch_execute(
            "CREATE INDEX i ON t USING ivfflat (v) WITH (lists = 10, quantization = rabitq)",
        )
        .unwrap();
}

fn insert(client: &mut Client, ids: impl Iterator<Item = i32>) {
    for id in ids {
        client.execute("INSERT INTO t VALUES ($1, $2)", &[&id, &vector(id)]).unwrap();
    }
}

/// All rows, through the index, nearest to the vector of row 7 first.
fn by_index(client: &mut Client) -> Vec<i32> {
    client.batch_execute("SET enable_seqscan = off; SET ivfflat.probes = 10").unwrap();
    let search = "SELECT id FROM t ORDER BY v <-> $1";
    let plan = explain_plan(client, &search.replace("$1", "'[0]'")).unwrap();
    assert!(scans_index(&plan, "i"), "{plan}");
    client.query(search, &[&vector(7)]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// The index holds exactly the rows of the table.
#[track_caller]
fn whole(client: &mut Client) -> usize {
    assert_eq!(index_problems(client, "i").unwrap(), [""; 0]);
    let mut found = by_index(client);
    found.sort_unstable();
    client.batch_execute("RESET enable_seqscan").unwrap();
    let rows = client.query("SELECT id FROM t ORDER BY id", &[]).unwrap();
    assert_eq!(found, rows.iter().map(|row| row.get(0)).collect::<Vec<i32>>());
    found.len()
}

#[test]
fn sessions_side_by_side() {
    let mut db = TestDb::new();
    create(&mut db);
    let done = &Done::default();
    thread::scope(|scope| {
        let _end = done.at_end();
        let writers: Vec<_> = (1..4)
            .map(|writer| {
                let mut client = db.connect();
                scope.spawn(move || {
                    insert(&mut client, writer * 1000..writer * 1000 + 700);
                    let delete = "DELETE FROM t WHERE id % 5 = 0 AND id / 1000 = $1";
                    client.execute(delete, &[&writer]).unwrap();
                    insert(&mut client, writer * 1000 + 700..writer * 1000 + 1000);
                })
            })
            .collect();
        let mut client = db.connect();
        scope.spawn(move || done.repeat(|_| client.batch_execute("VACUUM t").unwrap()));
        let mut client = db.connect();
        scope.spawn(move || {
            done.repeat(|_| {
                // Those that were there from the start are always found, and once.
                let found = by_index(&mut client);
                assert_eq!(found.iter().filter(|&&id| id < 1000).count(), 1000);
                assert_eq!(found[0], 7);
            })
        });
        for writer in writers {
            writer.join().unwrap();
        }
    });
    let mut client = db.connect();
    assert_eq!(whole(&mut client), 4000 - 3 * 140);
}

#[test]
fn a_killed_server_loses_nothing() {
    let cluster = Cluster::new("ivf_crash", &[]).unwrap();
    create(&mut cluster.connect().unwrap());
    let mut next = 1000;
    for round in 0..4 {
        let mut client = cluster.connect().unwrap();
        let done = &Done::default();
        let told = thread::scope(|scope| {
            let _end = done.at_end();
            let inserter = scope.spawn(move || {
                let mut told = |id: &i32| {
                    let result =
                        client.execute("INSERT INTO t VALUES ($1, $2)", &[id, &vector(*id)]);
                    let Err(error) = result else { return true };
                    // Of a server that is gone, or going.
                    assert!(
                        matches!(sqlstate(&error), "" | "57P01" | "57P02" | "57P03"),
                        "{error:?}"
                    );
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
        let kept: i64 = client
            .query_one(
                "SELECT count(*) FROM t WHERE id >= $1 AND id < $2",
                &[&next, &(next + told)],
            )
            .unwrap()
            .get(0);
        let deleted = (next..next + told).filter(|id| id % 7 == 3 || id % 11 == round).count();
        assert!(kept >= i64::from(told) - deleted as i64, "{kept} of {told}");
        next += told + 1;
    }
}

#[test]
fn a_standby_answers_alike() {
    let primary = Cluster::new("ivf_primary", &[]).unwrap();
    let mut client = primary.connect().unwrap();
    create(&mut client);
    let standby = primary.standby().unwrap();
    insert(&mut client, 1000..1500);
    client.batch_execute("DELETE FROM t WHERE id % 3 = 0").unwrap();
    client.batch_execute("VACUUM t").unwrap();
    insert(&mut client, 1500..2000);
    standby.catch_up(&primary).unwrap();
    let mut reader = standby.connect().unwrap();
    assert_eq!(whole(&mut reader), whole(&mut client));
    assert_eq!(by_index(&mut reader), by_index(&mut client));
}
