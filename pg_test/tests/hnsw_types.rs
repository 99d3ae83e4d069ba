//! Searches on columns of every type that an index can be on: real sentences, cast to the type.

use pg_test::data::{DIMENSIONS, documents, queries};
use pg_test::{TestDb, copy_vectors, index_problems};
use postgres::Client;

const K: usize = 10;
const ROWS: usize = 3_000;
const QUERIES: usize = 40;

/// A type, and how a row of it is made of a vector `v` of length one.
const DENSE: [(&str, &str); 3] = [
    ("halfvec", "v::halfvec"),
    ("bf16vec", "v::bf16vec"),
    ("i8vec", "(SELECT array_agg(round(x * 400)) FROM unnest(v::real[]) AS x)::real[]::i8vec"),
];
const METRICS: [(&str, &str); 4] =
    [("l2_ops", "<->"), ("ip_ops", "<#>"), ("cosine_ops", "<=>"), ("l1_ops", "<+>")];

/// Tables of a type: `rows`, `q` of queries, and `t`, which is empty.
fn table(of: &str, cast: &str) -> TestDb {
    let mut db = TestDb::new();
    let source = format!(
        "CREATE TABLE docs (id int, v vector({DIMENSIONS})); \
         CREATE TABLE asked (id int, v vector({DIMENSIONS}));"
    );
    db.batch_execute(&source).unwrap();
    let (rows, asked) = (documents().unwrap(), queries().unwrap());
    copy_vectors(&mut db, "docs", 0, rows[..ROWS].iter().map(|row| &row.embedding[..])).unwrap();
    let asked = asked[..QUERIES].iter().map(|row| &row.embedding[..]);
    copy_vectors(&mut db, "asked", 0, asked).unwrap();
    let made = format!(
        "CREATE TABLE t (id int, v {of}); \
         CREATE TABLE q AS SELECT id, {cast} AS v FROM asked; \
         CREATE TABLE rows AS SELECT id, {cast} AS v FROM docs;"
    );
    db.batch_execute(&made).unwrap();
    db
}

/// The nearest rows to each query, and their distances by the operator, nearest first.
fn nearest(client: &mut Client, operator: &str, by_index: bool) -> Vec<Vec<f64>> {
    let settings = format!(
        "SET enable_seqscan = {}; SET enable_indexscan = {by_index}; SET enable_sort = {}",
        !by_index, !by_index
    );
    client.batch_execute(&settings).unwrap();
    let search = format!(
        "SELECT array(SELECT t.v {operator} q.v FROM t ORDER BY t.v {operator} q.v LIMIT {K}) \
         FROM q ORDER BY q.id"
    );
    let rows = client.query(&search, &[]).unwrap();
    client.batch_execute("RESET ALL").unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Half of the rows are there when the index is built, the others come later.
fn search_is_exact_in_order_and_finds_most(
    db: &mut TestDb,
    opclass: &str,
    operator: &str,
    of: &str,
) {
    let built = format!(
        "TRUNCATE t; \
         INSERT INTO t SELECT * FROM rows WHERE id < {half}; \
         CREATE INDEX i ON t USING hnsw (v {opclass}); \
         INSERT INTO t SELECT * FROM rows WHERE id >= {half};",
        half = ROWS / 2
    );
    db.batch_execute(&built).unwrap();
    let exact = nearest(db, operator, false);
    let found = nearest(db, operator, true);
    let mut hits = 0;
    for (found, exact) in found.iter().zip(&exact) {
        assert_eq!(found.len(), K);
        assert!(found.is_sorted(), "{opclass}: {found:?}");
        hits += found.iter().filter(|&distance| distance <= &exact[K - 1]).count();
    }
    let recall = hits as f64 / (K * QUERIES) as f64;
    println!("{of} {opclass}: recall {recall:.4}");
    assert!(recall >= 0.97, "{of} {opclass}: recall {recall}");
    assert_eq!(index_problems(db, "i").unwrap(), [""; 0]);
    db.batch_execute("DROP INDEX i").unwrap();
}

#[test]
fn dense_types_are_searched_by_all_their_distances() {
    for (of, cast) in DENSE {
        let mut db = table(&format!("{of}({DIMENSIONS})"), cast);
        for (ops, operator) in METRICS {
            search_is_exact_in_order_and_finds_most(&mut db, &format!("{of}_{ops}"), operator, of);
        }
    }
}
