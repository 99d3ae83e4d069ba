//! Physical replicas with indexes of every access method: chains of standbys, promotion, the return of
//! the old primary, and recovery to a point in time.

use pg_test::{Cluster, index_problems, refusal, text, wait_until};
use postgres::Client;

/// Table `t` with an index of each access method, and one for filters.
const TABLE: &str = "
    CREATE EXTENSION vector_ext;
    CREATE TABLE t (id int PRIMARY KEY, kind int, v vector(8), body text, s sparsevec(50));
    CREATE INDEX t_hnsw ON t USING hnsw (v vector_l2_ops);
    CREATE INDEX t_ivf ON t USING ivf (v vector_cosine_ops);
    CREATE INDEX t_ivfflat ON t USING ivfflat (v vector_ip_ops) WITH (lists = 4);
    CREATE INDEX t_body ON t USING inverted (body text_bm25_ops);
    CREATE INDEX t_s ON t USING inverted (s sparsevec_ip_ops);
    CREATE INDEX t_kind ON t (kind)";
const INDEXES: [&str; 5] = ["t_hnsw", "t_ivf", "t_ivfflat", "t_body", "t_s"];
const SEARCHES: [&str; 6] = [
    "SELECT id FROM t ORDER BY v <-> '[.1,.2,.3,.4,.5,.6,.7,.8]' LIMIT 20",
    "SELECT id FROM t ORDER BY v <=> '[.1,.2,.3,.4,.5,.6,.7,.8]' LIMIT 20",
    "SELECT id FROM t ORDER BY v <#> '[.1,.2,.3,.4,.5,.6,.7,.8]' LIMIT 20",
    "SELECT id FROM t WHERE kind = 3 ORDER BY v <-> '[.1,.2,.3,.4,.5,.6,.7,.8]' LIMIT 20",
    "SELECT id FROM t ORDER BY body <@> 'word5 word77', id LIMIT 20",
    "SELECT id FROM t ORDER BY s <#> '{1:1,7:.5}/50', id LIMIT 20",
];

/// Inserts rows `first` to `last`.
fn insert(client: &mut Client, first: i32, last: i32) {
    let rows = format!(
        "INSERT INTO t
         SELECT i, i % 10, ARRAY(SELECT sin(i * d) FROM generate_series(1, 8) d)::vector,
             format('word%s word%s word%s', i % 7, i % 90, i),
             format('{{%s:%s}}/50', 1 + i % 49, 1 + i % 3)::sparsevec
         FROM generate_series({first}, {last}) i"
    );
    client.batch_execute(&rows).unwrap();
}

/// What the searches find.
fn found(client: &mut Client) -> Vec<Vec<i32>> {
    client.batch_execute("SET enable_seqscan = off").unwrap();
    let found =
        |search: &&str| client.query(*search, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    SEARCHES.iter().map(found).collect()
}

/// The indexes of a server are sound; what its searches find, which is as many rows as they want.
#[track_caller]
fn sound(server: &Cluster) -> Vec<Vec<i32>> {
    let mut client = server.connect().unwrap();
    for index in INDEXES {
        assert_eq!(index_problems(&mut client, index).unwrap(), [""; 0], "{index}");
    }
    let found = found(&mut client);
    assert!(found.iter().all(|rows| rows.len() == 20), "{found:?}");
    found
}

fn rows(server: &Cluster) -> Option<String> {
    text(&mut server.connect().unwrap(), "SELECT count(*)::text FROM t")
}

#[test]
fn standbys_of_standbys_and_a_primary_that_returns() {
    let settings = [("wal_log_hints", "on"), ("wal_keep_size", "1GB")]; // what pg_rewind needs
    let primary = Cluster::new("primary", &settings).unwrap();
    let mut client = primary.connect().unwrap();
    client.batch_execute(TABLE).unwrap();
    insert(&mut client, 1, 1_000);
    let standby = primary.standby().unwrap();
    let behind = standby.standby().unwrap();

    insert(&mut client, 1_001, 2_000);
    client.batch_execute("DELETE FROM t WHERE id % 3 = 0").unwrap();
    client.batch_execute("VACUUM t").unwrap();
    insert(&mut client, 2_001, 2_500);
    let expected = sound(&primary);
    for replica in [&standby, &behind] {
        replica.catch_up(&primary).unwrap();
        assert_eq!(sound(replica), expected);
    }

    // The primary is gone, with rows that no one else has.
    drop(client);
    standby.stop().unwrap();
    insert(&mut primary.connect().unwrap(), 2_501, 2_600);
    primary.crash().unwrap();
    standby.start().unwrap();
    let mut client = standby.connect().unwrap();
    assert_eq!(text(&mut client, "SELECT pg_promote()").as_deref(), Some("t"));
    // pg_rewind reads the new timeline from what a checkpoint writes.
    client.batch_execute("CHECKPOINT").unwrap();
    insert(&mut client, 3_001, 3_500);
    client.batch_execute("DELETE FROM t WHERE id % 5 = 0").unwrap();
    client.batch_execute("VACUUM t").unwrap();
    let expected = sound(&standby);
    behind.catch_up(&standby).unwrap_or_else(|error| panic!("{error}\n{}", behind.log()));
    assert_eq!(sound(&behind), expected);

    // It comes back, and follows the one that took its place.
    primary.start().unwrap();
    primary.stop().unwrap();
    primary.rewind(&standby).unwrap();
    primary.start().unwrap();
    insert(&mut client, 4_001, 4_100);
    let expected = sound(&standby);
    primary.catch_up(&standby).unwrap();
    assert_eq!(sound(&primary), expected);
    assert_eq!(rows(&primary), rows(&standby));
}

#[test]
fn a_server_is_recovered_to_a_point_in_time() {
    let server = Cluster::new("archived", &[("archive_mode", "on")]).unwrap();
    let archive = server.data_dir().with_file_name("archive");
    let mut client = server.connect().unwrap();
    client
        .batch_execute(&format!(
            "ALTER SYSTEM SET archive_command = 'mkdir -p {0} && cp %p {0}/%f'",
            archive.display()
        ))
        .unwrap();
    client.batch_execute("SELECT pg_reload_conf()").unwrap();
    client.batch_execute(TABLE).unwrap();
    insert(&mut client, 1, 500);
    let copy = server.backup().unwrap();
    insert(&mut client, 501, 1_000);
    client.batch_execute("DELETE FROM t WHERE id <= 100").unwrap();
    client.batch_execute("VACUUM t").unwrap();
    let expected = sound(&server);
    client.batch_execute("SELECT pg_create_restore_point('before')").unwrap();
    insert(&mut client, 1_001, 1_200);
    client.batch_execute("DROP INDEX t_hnsw").unwrap();
    client.batch_execute("TRUNCATE t").unwrap();
    let last = text(&mut client, "SELECT pg_walfile_name(pg_switch_wal())").unwrap();
    let archived = archive.join(last);
    wait_until("the archive to have all WAL", || Ok(archived.exists())).unwrap();

    for (setting, value) in [
        ("archive_mode", "off".into()),
        ("restore_command", format!("cp {}/%f %p", archive.display())),
        ("recovery_target_name", "before".into()),
        ("recovery_target_action", "promote".into()),
    ] {
        copy.set(setting, &value).unwrap();
    }
    // It has the archive's command, and follows the server.
    std::fs::remove_file(copy.data_dir().join("postgresql.auto.conf")).unwrap();
    copy.start().unwrap();
    let recovered = "SELECT (NOT pg_is_in_recovery())::text";
    let mut client = copy.connect().unwrap();
    wait_until("the end of recovery", || {
        Ok(text(&mut client, recovered).as_deref() == Some("true"))
    })
    .unwrap();
    assert_eq!(rows(&copy).as_deref(), Some("900"));
    assert_eq!(sound(&copy), expected);
    insert(&mut client, 2_001, 2_100);
    sound(&copy);
}

#[test]
fn an_unlogged_index_is_on_the_primary_only() {
    let primary = Cluster::new("primary", &[]).unwrap();
    let mut client = primary.connect().unwrap();
    client.batch_execute(&TABLE.replace("CREATE TABLE", "CREATE UNLOGGED TABLE")).unwrap();
    insert(&mut client, 1, 500);
    sound(&primary);
    let standby = primary.standby().unwrap();
    let mut client = standby.connect().unwrap();
    for index in INDEXES {
        for function in ["vector_index_check", "vector_index_info"] {
            let (state, message, _) =
                refusal(&mut client, &format!("SELECT {function}('{index}')"));
            assert_eq!(state, "0A000", "{message}");
            let expected = format!("public.{index} is unlogged, and this server is a standby");
            assert_eq!(message, expected);
        }
    }
    // The table is PostgreSQL's own business.
    for search in SEARCHES {
        assert_eq!(refusal(&mut client, search).0, "0A000");
    }
    let (state, message, _) = refusal(
        &mut client,
        r#"SELECT hit FROM vector_search(NULL::t, ann('v', '[1,2,3,4,5,6,7,8]', params => '{"metric_type": "L2"}'))"#,
    );
    assert_eq!(state, "0A000", "{message}");
}
