//! An index that leads beyond the end of its table is named, as is the way out.

use std::fs::OpenOptions;

use pg_test::{Cluster, hint, message, sqlstate};

const METHODS: [(&str, &str); 5] = [
    ("hnsw", "vector_l2_ops"),
    ("hnsw", "vector_l2_ops) WITH (quantization = sq8"),
    ("ivf", "vector_l2_ops"),
    ("ivf", "vector_l2_ops) WITH (quantization = sq8"),
    ("ivfflat", "vector_l2_ops"),
];

#[test]
fn a_scan_beyond_the_table_names_the_index() {
    let cluster = Cluster::new("table-end", &[]).unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    let mut files = Vec::new();
    for (i, (method, rest)) in METHODS.iter().enumerate() {
        client
            .batch_execute(&format!(
                "CREATE TABLE t{i} (id int, v vector(2));
                INSERT INTO t{i} SELECT i, array[i, 1] FROM generate_series(1, 1000) AS i;
                CREATE INDEX i{i} ON t{i} USING {method} (v {rest})"
            ))
            .unwrap();
        let file = client.query_one(&format!("SELECT pg_relation_filepath('t{i}')"), &[]).unwrap();
        files.push(cluster.data_dir().join(file.get::<_, String>(0)));
    }
    drop(client);
    cluster.stop().unwrap();
    for file in files {
        OpenOptions::new().write(true).open(file).unwrap().set_len(8192).unwrap();
    }
    cluster.start().unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("SET enable_seqscan = off").unwrap();
    for i in 0..METHODS.len() {
        let query = format!("SELECT id FROM t{i} ORDER BY v <-> '[1000,1]' LIMIT 5");
        let error = client.simple_query(&query).expect_err(&query);
        assert_eq!(sqlstate(&error), "XX002", "{error:?}");
        let message = message(&error);
        let place = message.strip_prefix(&format!("index public.i{i} is corrupted at block "));
        let (block, what) = place.expect(&message).split_once(": ").unwrap();
        assert!(block.parse::<u32>().unwrap() > 0);
        assert_eq!(what, "a row is beyond the end of the table");
        assert_eq!(hint(&error), format!("Rebuild it with REINDEX INDEX public.i{i}."));
        client.batch_execute(&format!("REINDEX INDEX i{i}")).unwrap();
        assert!(!client.query(&query, &[]).unwrap().is_empty());
    }
}
