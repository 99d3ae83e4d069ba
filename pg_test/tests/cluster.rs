//! The harness itself: crash and recovery, standby, settings.

use pg_test::Cluster;

#[test]
fn crash_loses_nothing_that_was_committed() {
    let cluster = Cluster::new("crash", &[]).unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS i").unwrap();
    cluster.crash().unwrap();
    assert!(client.simple_query("SELECT 1").is_err());
    cluster.start().unwrap();
    let mut client = cluster.connect().unwrap();
    let count: i64 = client.query_one("SELECT count(*) FROM t", &[]).unwrap().get(0);
    assert_eq!(count, 1000);
    assert!(cluster.log().contains("automatic recovery in progress"));
    assert!(!cluster.has_crashed());
}

#[test]
fn standby_sees_what_the_primary_wrote() {
    let primary = Cluster::new("primary", &[("wal_level", "logical")]).unwrap();
    let standby = primary.standby().unwrap();
    let mut client = primary.connect().unwrap();
    client.batch_execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS i").unwrap();
    standby.catch_up(&primary).unwrap();
    let mut replica = standby.connect().unwrap();
    let count: i64 = replica.query_one("SELECT count(*) FROM t", &[]).unwrap().get(0);
    assert_eq!(count, 1000);
    assert_eq!(pg_test::sqlstate(&replica.execute("DELETE FROM t", &[]).unwrap_err()), "25006");
    let level: String = client.query_one("SHOW wal_level", &[]).unwrap().get(0);
    assert_eq!(level, "logical");
}

#[test]
fn nothing_is_left_after_a_cluster() {
    let cluster = Cluster::new("short", &[]).unwrap();
    let (data, socket) = (cluster.data_dir(), cluster.socket_dir().to_path_buf());
    assert!(data.exists() && socket.exists());
    drop(cluster);
    assert!(!data.exists() && !socket.exists());
}
