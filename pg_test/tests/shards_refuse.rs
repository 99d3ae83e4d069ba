//! Privileges and policies hold for searches on other servers, and what cannot be searched is refused.

use std::slice;

use pg_test::shards::{SPREAD, Shards, rows};
use pg_test::{hint, message, refusal, sqlstate};

/// What `ann` must know, as the shards' indexes are not known here.
const L2: &str = r#"params => '{"metric_type": "L2"}'"#;

/// Who may read the table alone, or only some of its rows, finds these.
#[test]
fn privileges_and_policies_are_those_of_the_table() {
    let mut shards = Shards::hashed(SPREAD, 3000);
    let name = shards.db.name().to_owned();
    let near = format!("ann('e', '[0.5,0.2,0.9]', {L2})");
    let search =
        format!("SELECT to_jsonb(f)::text FROM vector_search(NULL::$t, {near}, k => 20) AS f");
    shards
        .db
        .batch_execute(&format!(
            "CREATE ROLE reader_{name}; GRANT SELECT ON items, whole TO reader_{name};
            GRANT USAGE ON FOREIGN SERVER shard_0, shard_1, shard_2 TO reader_{name};
            SET ROLE reader_{name}"
        ))
        .unwrap();
    // Without a password, PostgreSQL lets only superusers connect to other servers.
    let (code, _, _) = refusal(&mut shards.db, &search.replace("$t", "items"));
    assert_eq!(code, "2F003");
    let allow = |n| {
        format!(
            "ALTER USER MAPPING FOR PUBLIC SERVER shard_{n} OPTIONS (ADD password_required 'false')"
        )
    };
    let allow = [0, 1, 2].map(allow).join(";");
    shards.db.batch_execute(&format!("RESET ROLE; {allow}; SET ROLE reader_{name}")).unwrap();
    shards.same(slice::from_ref(&search));
    let statement = format!("SELECT vector_search_sql(NULL::items, {near})");
    assert!(!rows(&mut shards.db, &statement).remove(0).contains("items_0"));
    let denied = refusal(&mut shards.db, &search.replace("$t", "items_0"));
    assert_eq!(denied.0, "42501");
    shards
        .db
        .batch_execute(&format!(
            "RESET ROLE; GRANT SELECT ON items_0, items_1, items_2 TO reader_{name};
            SET ROLE reader_{name}"
        ))
        .unwrap();
    assert!(rows(&mut shards.db, &statement).remove(0).contains("items_0"));
    shards.same(slice::from_ref(&search));
    let policy = |table| {
        format!(
            "CREATE POLICY odd ON {table} USING (id % 2 = 1); ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        )
    };
    let policies = ["items", "whole"].map(policy).join(";");
    shards.db.batch_execute(&format!("RESET ROLE; {policies}; SET ROLE reader_{name}")).unwrap();
    shards.same(slice::from_ref(&search));
    assert!(!rows(&mut shards.db, &statement).remove(0).contains("items_0"));
    shards
        .db
        .batch_execute(&format!("RESET ROLE; DROP OWNED BY reader_{name}; DROP ROLE reader_{name}"))
        .unwrap();
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let mut shards = Shards::new();
    shards
        .db
        .batch_execute(
            "CREATE TABLE items (id int, e vector(3), body text) PARTITION BY HASH (id);
            CREATE FOREIGN TABLE items_0 PARTITION OF items FOR VALUES WITH (MODULUS 1, REMAINDER 0)
                SERVER shard_0;
            CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
            CREATE FOREIGN TABLE lines (id int, e vector(3)) SERVER files OPTIONS (filename '/dev/null');
            CREATE TABLE parent (id int, e vector(3));
            CREATE FOREIGN TABLE heir () INHERITS (parent) SERVER files OPTIONS (filename '/dev/null')",
        )
        .unwrap();
    for (search, code, expected, advice) in [
        (
            "vector_search(NULL::items, ann('e', '[1,2,3]'))",
            "22023",
            "metric type of column e of table public.items is unknown",
            r#"Name the metric type: params => '{"metric_type": "COSINE"}'."#,
        ),
        (
            "vector_search(NULL::items_0, bm25('body', 'tea'))",
            "0A000",
            "bm25 cannot search table public.items_0, which has foreign rows",
            "Use fts() with a tsvector column, or search each server by itself.",
        ),
        (
            "hybrid_search(NULL::lines, ARRAY[ann('e', '[1,2,3]', params => '{\"metric_type\": \"L2\"}')])",
            "0A000",
            "cannot tell rows of foreign table public.lines apart",
            "Only postgres_fdw tells their ctid. vector_search works with others.",
        ),
        (
            "hybrid_search(NULL::parent, ARRAY[ann('e', '[1,2,3]', params => '{\"metric_type\": \"L2\"}')])",
            "0A000",
            "cannot tell rows of foreign table public.heir apart",
            "Only postgres_fdw tells their ctid. vector_search works with others.",
        ),
    ] {
        let error = shards.db.query(&format!("SELECT * FROM {search}"), &[]).unwrap_err();
        assert_eq!((sqlstate(&error), &*message(&error)), (code, expected), "{search}");
        assert_eq!(hint(&error), advice, "{search}");
    }
}
