//! A table whose partitions are foreign tables on other servers is searched like one table.

use pg_test::shards::{SPREAD, Shards, TIED, rows};

/// Searches of a table `$t`.
fn searches(metric: &str) -> Vec<String> {
    let params = format!(r#"params => '{{"metric_type": "{metric}"}}'"#);
    let (radius, within) = match metric {
        "L2" => ("4", "0"),
        _ => ("-1", "99"),
    };
    let near = |query: &str| format!("ann('e', '{query}', {params})");
    let mut searches = Vec::new();
    for query in ["[0.5,0.2,0.9]", "[0,0,0]"] {
        let near = near(query);
        for options in [
            "k => 1",
            "k => 40, skip => 33",
            "k => 7, filter => 'tenant == 1'",
            "k => 5, filter => 'id < 9'",
            "k => 5, filter => 'id in [3, 5, 700]'",
        ] {
            searches.push(format!("vector_search(NULL::$t, {near}, {options})"));
        }
        searches.push(format!("range_search(NULL::$t, {near}, {radius}, {within}, k => 500)"));
        searches.push(format!("grouped_search(NULL::$t, {near}, 'tenant', 2, 4, true)"));
        searches
            .push(format!("grouped_search(NULL::$t, {near}, 'id', 20, filter => 'tenant == 2')"));
    }
    let (near, far) = (near("[0.5,0.2,0.9]"), near("[9,1,-1]"));
    searches.push("vector_search(NULL::$t, fts('words', 'pot & 3'), k => 30)".into());
    let legs = format!("ARRAY[{near}, {far}, fts('words', 'pot')]");
    searches.push(format!("hybrid_search(NULL::$t, {legs}, k => 30, skip => 2)"));
    searches.push(format!("hybrid_search(NULL::$t, {legs}, weighted_ranker('{{0.2, 0.3, 0.5}}'))"));
    searches.push(format!(
        "hybrid_search(NULL::$t, {legs}, k => 3, group_by => 'tenant', group_size => 3,
            strict_group_size => true)"
    ));
    let shown = "SELECT to_jsonb(f)::text FROM";
    searches.into_iter().map(|search| format!("{shown} {search} AS f")).collect()
}

/// Those that find no rows of equal scores. Ties are broken by the columns that divide the table.
fn untied(metric: &str) -> Vec<String> {
    let mut searches = searches(metric);
    searches.retain(|search| !search.contains("fts("));
    searches
}

#[test]
fn rows_are_those_of_one_table() {
    let mut shards = Shards::hashed(SPREAD, 3000);
    for metric in ["L2", "IP"] {
        shards.same(&searches(metric));
    }
    shards.same(&["SELECT id::text || (e <-> '[0.1,0.2,0.3]') FROM $t ORDER BY e <-> '[0.1,0.2,0.3]' LIMIT 50".into()]);
}

#[test]
fn ties_are_those_of_one_table() {
    let mut shards = Shards::hashed(TIED, 3000);
    for metric in ["L2", "COSINE"] {
        shards.same(&searches(metric));
    }
    // Zero vectors come before those at an obtuse angle, and after all others.
    let cosine = |query: &str, k: i32| {
        format!(
            r#"SELECT to_jsonb(f)::text FROM vector_search(NULL::$t,
                ann('e', '{query}', params => '{{"metric_type": "COSINE"}}'), k => {k}) AS f"#
        )
    };
    shards.same(&[cosine("[-1,0.1,-1]", 60), cosine("[1,1,1]", 2960), cosine("[1,1,1]", 4000)]);
}

/// Partitions here beside those on other servers, and an index of the partitioned table, which tells
/// the metric.
#[test]
fn partitions_may_be_here_and_there() {
    let mut shards = Shards::by_tenant();
    shards
        .db
        .batch_execute(
            r#"ALTER TABLE items DETACH PARTITION items_1;
            CREATE TABLE here (words tsvector, e vector(3), id int, tenant int);
            INSERT INTO here SELECT words, e, id, tenant FROM whole WHERE tenant = 1;
            CREATE SCHEMA "$1";
            ALTER TABLE here SET SCHEMA "$1"; ALTER TABLE "$1".here RENAME TO "he""re; '$1";
            ALTER TABLE items ATTACH PARTITION "$1"."he""re; '$1" FOR VALUES IN (1);
            CREATE INDEX ON items USING hnsw (e vector_l2_ops);
            CREATE INDEX ON whole USING hnsw (e vector_l2_ops);
            SET hnsw.ef_search = 200; ANALYZE items"#,
        )
        .unwrap();
    shards.same(&untied("L2"));
    shards.same(&[
        "SELECT to_jsonb(f)::text FROM vector_search(NULL::$t, ann('e', '[1,1,1]'), k => 30) AS f"
            .into(),
    ]);
}

/// Only the servers that may have rows of a tenant are asked.
#[test]
fn tenants_are_those_of_one_table() {
    Shards::by_tenant().same(&untied("L2"));
}

#[test]
fn foreign_tables_are_tables() {
    let mut shards = Shards::hashed(TIED, 3000);
    shards
        .db
        .batch_execute(
            "DROP TABLE whole;
            CREATE TABLE whole (LIKE items);
            INSERT INTO whole SELECT * FROM items_0 ORDER BY ctid",
        )
        .unwrap();
    for search in searches("L2") {
        let found = rows(&mut shards.db, &search.replace("$t", "items_0"));
        assert_eq!(found, rows(&mut shards.db, &search.replace("$t", "whole")), "{search}");
    }
}

/// The statement finds partitions by their names, so these stay theirs until it has run.
#[test]
fn partitions_are_locked_once_they_are_named() {
    let mut shards = Shards::hashed(SPREAD, 300);
    let locked = "SELECT string_agg(DISTINCT relation::regclass::text, ' ') FROM pg_locks
        WHERE pid = pg_backend_pid() AND relation::regclass::text LIKE 'items\\__'";
    shards.db.batch_execute("BEGIN").unwrap();
    rows(
        &mut shards.db,
        r#"SELECT vector_search_sql(NULL::items, ann('e', '[1,2,3]', params => '{"metric_type": "L2"}'))"#,
    );
    assert_eq!(rows(&mut shards.db, locked), ["items_0 items_1 items_2"]);
    shards.db.batch_execute("COMMIT").unwrap();
}

/// Foreign tables inherit from a table that has rows itself, and whose key they may repeat.
#[test]
fn heirs_may_be_on_other_servers() {
    let mut shards = Shards::hashed(SPREAD, 3000);
    shards
        .db
        .batch_execute(
            "ALTER TABLE items RENAME TO parts; ALTER TABLE items_0 RENAME TO part_0;
            CREATE TABLE items (id int PRIMARY KEY, tenant int, e vector(3), words tsvector);
            INSERT INTO items SELECT * FROM part_0;
            CREATE INDEX ON items USING hnsw (e vector_l2_ops);
            CREATE INDEX ON whole USING hnsw (e vector_l2_ops);
            CREATE FOREIGN TABLE heir_1 () INHERITS (items) SERVER shard_1 OPTIONS (table_name 'items');
            CREATE FOREIGN TABLE heir_2 (words tsvector, id int NOT NULL, e vector(3), tenant int)
                SERVER shard_2 OPTIONS (table_name 'items');
            ALTER TABLE heir_2 INHERIT items;
            SET hnsw.ef_search = 200; ANALYZE items",
        )
        .unwrap();
    shards.same(&searches("L2"));
    let near = "ann('e', '[0.5,0.2,0.9]')";
    let search = format!("SELECT vector_search_sql(NULL::items, {near}, k => 10)");
    let search = rows(&mut shards.db, &search).remove(0);
    let plan = shards.plan(&search);
    let limited = |line: &&String| line.contains("Remote SQL") && line.contains(" LIMIT ");
    assert_eq!(plan.iter().filter(limited).count(), 2, "{plan:#?}");

    // Rows of the same key are as many.
    let nearest = "SELECT id::text FROM whole ORDER BY e <-> '[0.5,0.2,0.9]' LIMIT 1";
    let id = rows(&mut shards.db, nearest).remove(0);
    for table in ["heir_1", "heir_2"] {
        shards.db.batch_execute(&format!("DELETE FROM {table} WHERE id = {id}")).unwrap();
        let row = format!("INSERT INTO {table} (id, e) SELECT id, e FROM whole WHERE id = {id}");
        shards.db.batch_execute(&row).unwrap();
    }
    let hybrid = format!(
        "SELECT (f.hit).id::text FROM hybrid_search(NULL::items, ARRAY[{near}, {near}], k => 4) f"
    );
    let found = rows(&mut shards.db, &hybrid);
    assert!(found.iter().filter(|found| **found == id).count() >= 2, "{found:?}");
}
