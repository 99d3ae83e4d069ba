//! Logical replication carries values of every type, also to tables with other indexes and types, and
//! consumers of changes read them.

use pg_test::pgoutput::{Change, Decoder, Row, Value};
use pg_test::{
    Cluster, Prefix, explain_plan, imitate_pgvector, index_problems, major, scans_index, skipped,
    text, wait_until,
};
use postgres::Client;

/// Columns of every type.
const COLUMNS: &str =
    "v vector(3), h halfvec(3), b bf16vec(3), i i8vec(3), s sparsevec(9), k bit(8)";
const ROWS: &str = "
    (1, '[1,-2.5,3e-30]', '[1,-2.5,65504]', '[1,-2.5,1e30]', '[1,-128,127]', '{1:1,9:-1e-20}/9', '10110011'),
    (2, '[0,0,0]', '[0,-0,6e-8]', '[0,0,0]', '[0,0,0]', '{}/9', '00000000'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, '[3.4e38,1e-45,-0]', '[1,2,3]', '[4,5,6]', '[7,8,9]', '{3:3.4e38}/9', '11111111')";
const INDEXES: &str = "
    CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
    CREATE INDEX t_h ON t USING ivfflat (h halfvec_l2_ops) WITH (lists = 1);
    CREATE INDEX t_b ON t USING ivf (b bf16vec_l2_ops);
    CREATE INDEX t_i ON t USING hnsw (i i8vec_l2_ops);
    CREATE INDEX t_s ON t USING inverted (s sparsevec_ip_ops);
    CREATE INDEX t_k ON t USING hnsw (k bit_hamming_ops)";

/// A server whose changes another one follows.
struct Pair {
    publisher: Cluster,
    subscriber: Cluster,
}

impl Pair {
    fn new() -> Self {
        let publisher = Cluster::new("publisher", &[("wal_level", "logical")]).unwrap();
        let pair = Self { publisher, subscriber: Cluster::new("subscriber", &[]).unwrap() };
        pair.on_both("CREATE EXTENSION vector_ext");
        pair
    }

    fn on_both(&self, sql: &str) {
        self.publish(sql);
        self.subscribed().batch_execute(sql).unwrap();
    }

    /// Runs statements on the publisher.
    fn publish(&self, sql: &str) {
        self.publisher.connect().unwrap().batch_execute(sql).unwrap();
    }

    fn subscribed(&self) -> Client {
        self.subscriber.connect().unwrap()
    }

    /// Subscribes to publication `p`, and waits until the first copy of its tables is made.
    fn subscribe(&self, options: &str) {
        let host = self.publisher.socket_dir().display();
        let mut client = self.subscribed();
        client
            .batch_execute(&format!(
                "CREATE SUBSCRIPTION s CONNECTION 'host={host} user=postgres dbname=postgres'
                 PUBLICATION p WITH ({options})"
            ))
            .unwrap();
        let copied = "SELECT bool_and(srsubstate = 'r')::text FROM pg_subscription_rel";
        wait_until("the first copy", || Ok(text(&mut client, copied).as_deref() == Some("true")))
            .unwrap_or_else(|error| panic!("{error}\n{}", self.subscriber.log()));
    }

    /// Waits until the subscriber has all changes made so far.
    fn catch_up(&self) {
        let mut client = self.publisher.connect().unwrap();
        let lsn = text(&mut client, "SELECT pg_current_wal_insert_lsn()").unwrap();
        let reached = format!(
            "SELECT (replay_lsn >= '{lsn}')::text FROM pg_stat_replication WHERE application_name = 's'"
        );
        let reached = || Ok(text(&mut client, &reached).as_deref() == Some("true"));
        wait_until("the subscriber to catch up", reached)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.subscriber.log()));
    }

    /// The rows of table `t` of both servers are the same; what they are.
    #[track_caller]
    fn same(&self) -> Vec<String> {
        self.catch_up();
        let expected = rows(&mut self.publisher.connect().unwrap());
        assert_eq!(rows(&mut self.subscribed()), expected);
        expected
    }
}

fn rows(client: &mut Client) -> Vec<String> {
    let rows = client.query("SELECT t::text FROM t ORDER BY t::text", &[]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Every index of the subscriber's table is sound, and leads to all rows that have a value.
#[track_caller]
fn check_indexes(client: &mut Client) {
    for (column, distance) in [
        ("v", "v <-> '[1,2,3]'"),
        ("h", "h <-> '[1,2,3]'"),
        ("b", "b <-> '[1,2,3]'"),
        ("i", "i <-> '[1,2,3]'"),
        ("k", "k <~> B'10101010'"),
    ] {
        assert_eq!(index_problems(client, &format!("t_{column}")).unwrap(), [""; 0], "{column}");
        client.batch_execute("SET enable_seqscan = off; SET enable_sort = off").unwrap();
        let nearest = format!("SELECT id FROM t ORDER BY {distance} LIMIT 1000");
        let plan = explain_plan(client, &nearest).unwrap();
        assert!(scans_index(&plan, &format!("t_{column}")), "{plan}");
        let found = client.query(&nearest, &[]).unwrap().len();
        client.batch_execute("RESET enable_seqscan; RESET enable_sort").unwrap();
        let with_value = format!("SELECT count({column})::text FROM t");
        assert_eq!(text(client, &with_value), Some(found.to_string()), "{column}");
    }
    assert_eq!(index_problems(client, "t_s").unwrap(), [""; 0]);
}

#[test]
fn every_type_in_text_and_binary() {
    for options in ["binary = false", "binary = true"] {
        let pair = Pair::new();
        pair.on_both(&format!("CREATE TABLE t (id int PRIMARY KEY, {COLUMNS})"));
        pair.subscribed().batch_execute(INDEXES).unwrap();
        pair.publish(&format!("INSERT INTO t VALUES {ROWS}; CREATE PUBLICATION p FOR TABLE t"));
        pair.subscribe(options);
        assert_eq!(pair.same().len(), 4);
        pair.publish("INSERT INTO t SELECT id + 10, v, h, b, i, s, k FROM t");
        assert_eq!(pair.same().len(), 8);
        pair.publish(
            "UPDATE t SET v = '[9,9,9]', s = '{2:7}/9', i = NULL WHERE id = 1;
             UPDATE t SET id = 5 WHERE id = 4;
             DELETE FROM t WHERE id = 2",
        );
        assert_eq!(pair.same().len(), 7);
        check_indexes(&mut pair.subscribed());
        pair.publish("TRUNCATE t; INSERT INTO t (id, v) VALUES (1, '[1,2,3]')");
        assert_eq!(pair.same(), [r#"(1,"[1,2,3]",,,,,)"#]);
        check_indexes(&mut pair.subscribed());
    }
}

#[test]
fn rows_without_a_key_are_found_by_all_their_values() {
    let pair = Pair::new();
    pair.on_both(&format!("CREATE TABLE t (id int, {COLUMNS})"));
    pair.subscribed().batch_execute(INDEXES).unwrap();
    pair.publish(&format!(
        "ALTER TABLE t REPLICA IDENTITY FULL; CREATE PUBLICATION p FOR TABLE t;
         INSERT INTO t VALUES {ROWS}"
    ));
    pair.subscribe("binary = true");
    pair.publish(
        "UPDATE t SET k = '00001111' WHERE id = 1; UPDATE t SET v = '[1,1,1]' WHERE id = 3;
         DELETE FROM t WHERE id IN (2, 4)",
    );
    assert_eq!(pair.same().len(), 2);
    check_indexes(&mut pair.subscribed());
}

/// A vector stored apart from its row is not sent again when it did not change.
#[test]
fn a_large_vector_survives_a_change_of_its_row() {
    let pair = Pair::new();
    pair.on_both(
        "CREATE TABLE t (id int PRIMARY KEY, note text, v vector(16000), s sparsevec(16000))",
    );
    pair.subscribed()
        .batch_execute("CREATE INDEX t_v ON t USING hnsw ((v::halfvec(16000)) halfvec_l2_ops)")
        .unwrap();
    pair.publish(
        "CREATE PUBLICATION p FOR TABLE t;
         INSERT INTO t SELECT i, 'new', v, v::sparsevec FROM (SELECT i, array_agg(random())::vector AS v
             FROM generate_series(1, 3) i, generate_series(1, 16000) GROUP BY i) r",
    );
    pair.subscribe("binary = true");
    pair.publish("UPDATE t SET note = 'changed'");
    assert_eq!(pair.same().len(), 3);
    let changed = "SELECT count(*)::text FROM t WHERE note = 'changed' AND vector_dims(v) = 16000";
    assert_eq!(text(&mut pair.subscribed(), changed).as_deref(), Some("3"));
    assert_eq!(index_problems(&mut pair.subscribed(), "t_v").unwrap(), [""; 0]);
}

#[test]
fn a_subscriber_may_have_another_type() {
    let pair = Pair::new();
    pair.publish("CREATE TABLE t (id int PRIMARY KEY, v vector(3), k bit(4))");
    pair.subscribed()
        .batch_execute(
            "CREATE TABLE t (id int PRIMARY KEY, v halfvec(3), k text, more int DEFAULT 7);
             CREATE INDEX t_v ON t USING ivf (v halfvec_cosine_ops)",
        )
        .unwrap();
    pair.publish(
        "INSERT INTO t SELECT i, ARRAY[i, 1, 2], i::bit(4) FROM generate_series(1, 9) i;
         CREATE PUBLICATION p FOR TABLE t",
    );
    pair.subscribe("binary = false");
    pair.publish("UPDATE t SET v = '[0.5,0.25,1]' WHERE id = 9; DELETE FROM t WHERE id < 8");
    pair.catch_up();
    assert_eq!(
        rows(&mut pair.subscribed()),
        [r#"(8,"[8,1,2]",1000,7)"#, r#"(9,"[0.5,0.25,1]",1001,7)"#]
    );
    assert_eq!(index_problems(&mut pair.subscribed(), "t_v").unwrap(), [""; 0]);
}

/// Row filters and lists of columns, which PostgreSQL has since version 15.
#[test]
fn a_publication_may_have_fewer_rows_and_columns() {
    let pair = Pair::new();
    if major(&mut pair.subscribed()) < 15 {
        return skipped("PostgreSQL before 15 has neither");
    }
    pair.publish("CREATE TABLE t (id int PRIMARY KEY, tenant int, v vector(3), h halfvec(3))");
    pair.subscribed()
        .batch_execute(
            "CREATE TABLE t (id int PRIMARY KEY, v vector(3));
             CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops)",
        )
        .unwrap();
    pair.publish(
        "INSERT INTO t SELECT i, i % 2, ARRAY[i, 1, 2] FROM generate_series(1, 4) i;
         CREATE PUBLICATION p FOR TABLE t (id, v) WHERE (id > 2)",
    );
    pair.subscribe("binary = true");
    pair.publish("UPDATE t SET id = 0 WHERE id = 3; UPDATE t SET v = '[7,7,7]' WHERE id = 4");
    pair.catch_up();
    assert_eq!(rows(&mut pair.subscribed()), [r#"(4,"[7,7,7]")"#]);
    assert_eq!(index_problems(&mut pair.subscribed(), "t_v").unwrap(), [""; 0]);
}

/// The move from pgvector without a pause: a server with vector_ext follows one with pgvector.
#[test]
fn a_server_with_pgvector_is_followed() {
    let prefix = Prefix::new("publisher").unwrap();
    imitate_pgvector(&prefix).unwrap();
    let settings = [("wal_level", "logical")];
    let publisher = Cluster::in_prefix(&prefix, "publisher", &settings).unwrap();
    let pair = Pair { publisher, subscriber: Cluster::new("subscriber", &[]).unwrap() };
    let table =
        "CREATE TABLE t (id int PRIMARY KEY, v vector(3), h halfvec(3), s sparsevec(9), k bit(8));
        CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops)";
    pair.publish(&format!("CREATE EXTENSION vector; {table}"));
    pair.subscribed().batch_execute(&format!("CREATE EXTENSION vector_ext; {table}")).unwrap();
    pair.publish(
        "INSERT INTO t SELECT i, ARRAY[i, 1, 2], ARRAY[1, i, 2], '{1:2}/9', i::bit(8)
             FROM generate_series(1, 100) i;
         CREATE PUBLICATION p FOR TABLE t",
    );
    pair.subscribe("binary = true");
    pair.publish("UPDATE t SET v = '[5,5,5]' WHERE id % 2 = 0; DELETE FROM t WHERE id % 3 = 0");
    assert_eq!(pair.same().len(), 67);
    assert_eq!(index_problems(&mut pair.subscribed(), "t_v").unwrap(), [""; 0]);
}

#[test]
fn a_consumer_of_changes_reads_vectors() {
    let server = Cluster::new("publisher", &[("wal_level", "logical")]).unwrap();
    let mut client = server.connect().unwrap();
    client
        .batch_execute(
            "CREATE EXTENSION vector_ext;
             CREATE TABLE t (id int PRIMARY KEY, v vector(2), s sparsevec(9), large vector(16000));
             CREATE INDEX ON t USING hnsw (v vector_l2_ops);
             CREATE PUBLICATION p FOR TABLE t",
        )
        .unwrap();
    client.query("SELECT pg_create_logical_replication_slot('slot', 'pgoutput')", &[]).unwrap();
    client
        .batch_execute(
            "INSERT INTO t VALUES (1, '[1,-2.5]', '{9:1}/9', array_fill(0.1, ARRAY[16000])::vector);
             INSERT INTO t SELECT 2, NULL, NULL, array_fill(0.1, ARRAY[16000])::vector;
             UPDATE t SET v = '[3,4]' WHERE id = 2;
             UPDATE t SET id = 3 WHERE id = 1;
             DELETE FROM t WHERE id = 3;
             TRUNCATE t",
        )
        .unwrap();
    let changes = "SELECT data FROM pg_logical_slot_get_binary_changes('slot', NULL, NULL,
        'proto_version', '1', 'publication_names', 'p')";
    let messages = client.query(changes, &[]).unwrap();
    let mut decoder = Decoder::default();
    let changes = messages.iter().filter_map(|message| decoder.decode(message.get(0)).unwrap());
    let text = |value: &str| Value::Text(value.into());
    let row = |id: &str, v, s, large| -> Row {
        let names = ["id", "v", "s", "large"].map(String::from);
        names.into_iter().zip([text(id), v, s, large]).collect()
    };
    let table = || String::from("t");
    let large = format!("[{}]", vec!["0.1"; 16_000].join(","));
    let (v, s) = (text("[1,-2.5]"), text("{9:1}/9"));
    let key = |id| row(id, Value::Null, Value::Null, Value::Null);
    assert_eq!(
        changes.collect::<Vec<_>>(),
        [
            Change::Insert { table: table(), row: row("1", v.clone(), s.clone(), text(&large)) },
            Change::Insert {
                table: table(),
                row: row("2", Value::Null, Value::Null, text(&large))
            },
            Change::Update {
                table: table(),
                old: Row::new(),
                row: row("2", text("[3,4]"), Value::Null, Value::Unchanged),
            },
            Change::Update { table: table(), old: key("1"), row: row("3", v, s, Value::Unchanged) },
            Change::Delete { table: table(), old: key("3") },
            Change::Truncate { tables: vec![table()] },
        ]
    );
}

#[test]
fn wal2json_prints_vectors_as_text() {
    let server = Cluster::new("publisher", &[("wal_level", "logical")]).unwrap();
    let mut client = server.connect().unwrap();
    let slot = "SELECT pg_create_logical_replication_slot('slot', 'wal2json')";
    if client.query(slot, &[]).is_err() {
        return skipped("wal2json is not installed (Debian: postgresql-15-wal2json)");
    }
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector_ext; CREATE TABLE t (id int PRIMARY KEY, {COLUMNS});
            INSERT INTO t VALUES {ROWS}"
        ))
        .unwrap();
    let changes = "CREATE TABLE changes AS SELECT data::jsonb AS change FROM pg_logical_slot_get_changes(
        'slot', NULL, NULL, 'format-version', '2', 'include-transaction', 'false', 'actions', 'insert')";
    client.batch_execute(changes).unwrap();
    let printed = |id: i32, what: &str| {
        format!(
            "SELECT string_agg(c ->> '{what}', ', ' ORDER BY n) FROM changes,
                jsonb_array_elements(change -> 'columns') WITH ORDINALITY AS columns (c, n)
            WHERE change -> 'columns' -> 0 ->> 'value' = '{id}'"
        )
    };
    let types = "integer, vector(3), halfvec(3), bf16vec(3), i8vec(3), sparsevec(9), bit(8)";
    assert_eq!(text(&mut client, &printed(1, "type")).as_deref(), Some(types));
    for id in 1..=4 {
        let row = format!("SELECT concat_ws(', ', id, v, h, b, i, s, k) FROM t WHERE id = {id}");
        assert_eq!(text(&mut client, &printed(id, "value")), text(&mut client, &row));
    }
}
