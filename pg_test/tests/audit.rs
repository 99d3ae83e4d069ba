//! What a server's log and statistics tell of searches: docs/audit.md.

use pg_test::{Cluster, text};
use postgres::Client;

const SEARCH: &str =
    "SELECT (hit).id FROM vector_search(NULL::items, ann('v', $1::text), filter => 'price < 50')";

/// A server that logs and counts as the page recommends, with a table that is searched.
fn server(name: &str, settings: &[(&str, &str)]) -> (Cluster, Client) {
    let cluster = Cluster::new(name, settings).unwrap();
    let mut client = cluster.connect().unwrap();
    client
        .batch_execute(
            "CREATE EXTENSION vector_ext;
             CREATE TABLE items (id bigint PRIMARY KEY, price int, v vector(2));
             INSERT INTO items SELECT i, i % 100, ARRAY[i, 1] FROM generate_series(1, 10000) AS i;
             CREATE INDEX items_v_idx ON items USING hnsw (v vector_l2_ops);
             ANALYZE items",
        )
        .unwrap();
    (cluster, client)
}

#[test]
fn the_log_tells_who_searched_for_what() {
    let settings = [
        ("log_line_prefix", "%u@%d "),
        ("log_statement", "all"),
        ("log_parameter_max_length", "10"),
    ];
    let (cluster, mut client) = server("audit_statements", &settings);
    client.batch_execute("CREATE ROLE app LOGIN; GRANT SELECT ON items TO app").unwrap();
    let mut app = cluster.config().user("app").connect(postgres::NoTls).unwrap();
    app.query(SEARCH, &[&"[5.25,123456789]"]).unwrap();
    let log = cluster.log();
    assert!(log.contains("app@postgres LOG:  execute ") && log.contains(SEARCH), "{log}");
    assert!(log.contains("$1 = '[5.25,1234...'"), "{log}");
}

#[test]
fn the_log_has_plans_of_generated_statements() {
    let settings = [
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_nested_statements", "on"),
        ("auto_explain.log_analyze", "on"),
    ];
    let (cluster, mut client) = server("audit_plans", &settings);
    client.query(SEARCH, &[&"[5,1]"]).unwrap();
    let log = cluster.log();
    for line in ["Index Name: items_v_idx", "Filter Strategy: ", "Nodes Expanded: "] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

#[test]
fn statistics_count_generated_statements() {
    let settings =
        [("shared_preload_libraries", "pg_stat_statements"), ("pg_stat_statements.track", "all")];
    let (_cluster, mut client) = server("audit_counts", &settings);
    client.batch_execute("CREATE EXTENSION pg_stat_statements").unwrap();
    let generated = "SELECT sum(calls)::text FROM pg_stat_statements
        WHERE NOT toplevel AND query LIKE '%ORDER BY%' AND query LIKE '%items%'";
    assert_eq!(text(&mut client, generated), None);
    for price in ["[5,1]", "[6,1]"] {
        client.query(SEARCH, &[&price]).unwrap();
    }
    assert_eq!(text(&mut client, generated).as_deref(), Some("2"));
}
