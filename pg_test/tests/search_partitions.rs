//! A search of a partitioned table reads no more than plain SQL does: partitions that a filter excludes
//! are not touched, and foreign ones are not fetched whole.

use pg_test::TestDb;
use postgres::Client;

/// A table of `count` partitions by tenant, each with `rows` rows.
fn partitioned(count: i32, rows: i32, index: &str) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(&format!(
        "CREATE TABLE items (tenant int, id int, e vector(2), g int, words tsvector, PRIMARY KEY (tenant, id))
            PARTITION BY LIST (tenant);
        DO $$ BEGIN
            FOR i IN 1 .. {count} LOOP
                EXECUTE format('CREATE TABLE items_%s PARTITION OF items FOR VALUES IN (%s)', i, i);
            END LOOP;
        END $$;
        {index};
        INSERT INTO items SELECT t, i, ARRAY[i, t]::vector, i % 3, 'tea'
            FROM generate_series(1, {count}) AS t, generate_series(1, {rows}) AS i;
        SET jit = off"
    ))
    .unwrap();
    db
}

/// Rows of a query, and the pages of the table and its indexes that it reads, planning included.
fn read(db: &mut Client, query: &str) -> (usize, i64) {
    let fetched = |db: &mut Client| -> i64 {
        let pages = "SELECT sum(pg_stat_get_xact_blocks_fetched(c.oid))::bigint FROM pg_class c
            WHERE relname LIKE 'items%'";
        db.query_one(pages, &[]).unwrap().get(0)
    };
    db.batch_execute("BEGIN").unwrap();
    let before = fetched(db);
    let found = db.query(query, &[]).unwrap_or_else(|error| panic!("{query}: {error:?}")).len();
    let pages = fetched(db) - before;
    db.batch_execute("COMMIT").unwrap();
    (found, pages)
}

const INDEX: &str = "CREATE INDEX ON items USING hnsw (e vector_l2_ops)";

#[test]
fn pages_are_those_of_plain_sql() {
    let l2 = r#"params => '{"metric_type": "L2"}'"#;
    for (count, rows, index) in
        [(1, 300, INDEX), (16, 60, INDEX), (16, 60, "SELECT"), (1000, 2, "SELECT")]
    {
        let mut db = partitioned(count, rows, index);
        let near = format!("ann('e', '[1,1]', {l2})");
        for (filter, condition) in [
            ("tenant == 1", "tenant = 1"),
            ("tenant in [1, 2]", "tenant IN (1, 2)"),
            ("id > 0", "id > 0"),
        ] {
            let plain =
                format!("SELECT * FROM items WHERE {condition} ORDER BY e <-> '[1,1]' LIMIT 10");
            // The first time reads the indexes' first pages, too.
            read(&mut db, &plain);
            let (wanted, plain) = read(&mut db, &plain);
            let filter = format!("filter => '{filter}'");
            for search in [
                format!("vector_search(NULL::items, {near}, {filter})"),
                format!("range_search(NULL::items, {near}, 1e9, k => 10, {filter})"),
                format!("hybrid_search(NULL::items, ARRAY[ann('e', '[1,1]', 10, {l2})], {filter})"),
            ] {
                let search = format!("SELECT * FROM {search}");
                read(&mut db, &search);
                let (found, pages) = read(&mut db, &search);
                assert_eq!(found, wanted, "{search}");
                let most = 1.3 * plain as f64;
                assert!(
                    pages as f64 <= most,
                    "{count} partitions, {index}: {pages} pages, not {plain}: {search}"
                );
            }
        }
    }
}

#[test]
fn groups_leave_partitions_alone() {
    let mut db = partitioned(200, 6, "SELECT");
    let near = r#"ann('e', '[1,1]', params => '{"metric_type": "L2"}')"#;
    let filter = "filter => 'tenant == 1'";
    for search in [
        format!("grouped_search(NULL::items, {near}, 'g', 3, 2, true, {filter})"),
        format!(
            "hybrid_search(NULL::items, ARRAY[{near}, fts('words', 'tea')], group_by => 'g', group_size => 2,
                strict_group_size => true, {filter})"
        ),
    ] {
        let (found, pages) = read(&mut db, &format!("SELECT * FROM {search}"));
        assert_eq!(found, 6, "{search}");
        assert!(pages < 10, "{pages} pages: {search}");
    }
}

#[test]
fn foreign_partitions_send_rows_in_order() {
    let mut db = TestDb::new();
    let socket = db.cluster().socket_dir().display().to_string();
    let name = db.name().to_owned();
    db.batch_execute(&format!(
        "CREATE EXTENSION postgres_fdw;
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '{socket}', dbname '{name}', extensions 'vector_ext');
        CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user 'postgres');
        CREATE SCHEMA far; CREATE TABLE far.items (tenant int, id int, e vector(2));
        INSERT INTO far.items SELECT 2, i, ARRAY[i, 0]::vector FROM generate_series(3000, 1, -1) AS i"
    ))
    .unwrap();
    db.batch_execute(
        "CREATE TABLE items (tenant int, id int, e vector(2)) PARTITION BY LIST (tenant);
        CREATE TABLE items_1 PARTITION OF items FOR VALUES IN (1);
        CREATE FOREIGN TABLE items_2 PARTITION OF items FOR VALUES IN (2) SERVER far
            OPTIONS (schema_name 'far', table_name 'items');
        INSERT INTO items_1 SELECT 1, i, ARRAY[i, 0]::vector FROM generate_series(1, 3000) AS i;
        ANALYZE items_1;
        ANALYZE items_2",
    )
    .unwrap();
    let search = r#"(NULL::items, ann('e', '[0,0]', params => '{"metric_type": "L2"}'), k => 4)"#;
    let rows = db
        .query(&format!("SELECT (hit).tenant, (hit).id FROM vector_search{search}"), &[])
        .unwrap();
    let mut found: Vec<(i32, i32)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    found.sort_unstable();
    assert_eq!(found, [(1, 1), (1, 2), (2, 1), (2, 2)]);
    let statement: String =
        db.query_one(&format!("SELECT vector_search_sql{search}"), &[]).unwrap().get(0);
    let rows =
        db.query(&format!("EXPLAIN (ANALYZE, VERBOSE, TIMING OFF) {statement}"), &[]).unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let remote = plan.iter().find(|line| line.contains("Remote SQL")).unwrap();
    assert!(remote.contains("ORDER BY"), "{plan:#?}");
    let scan = plan.iter().find(|line| line.contains("Foreign Scan")).unwrap();
    let rows = scan.split("actual rows=").nth(1).unwrap().split(' ').next().unwrap();
    let rows: f64 = rows.parse().unwrap();
    assert!(rows <= 5.0, "{plan:#?}");
}
