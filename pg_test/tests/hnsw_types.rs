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

/// An operator class, its operator, and the least recall at the default `hnsw.ef_search`.
struct Class<'a> {
    name: &'a str,
    operator: &'a str,
    floor: f64,
}

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
fn search_is_exact_in_order_and_finds_most(db: &mut TestDb, class: &Class<'_>) {
    let Class { name, operator, floor } = class;
    let built = format!(
        "TRUNCATE t; \
         INSERT INTO t SELECT * FROM rows WHERE id < {half}; \
         CREATE INDEX i ON t USING hnsw (v {name}); \
         INSERT INTO t SELECT * FROM rows WHERE id >= {half};",
        half = ROWS / 2
    );
    db.batch_execute(&built).unwrap();
    let exact = nearest(db, operator, false);
    let found = nearest(db, operator, true);
    let mut hits = 0;
    for (found, exact) in found.iter().zip(&exact) {
        assert_eq!(found.len(), K);
        assert!(found.is_sorted(), "{name}: {found:?}");
        hits += found.iter().filter(|&distance| distance <= &exact[K - 1]).count();
    }
    let recall = hits as f64 / (K * QUERIES) as f64;
    println!("{name}: recall {recall:.4}");
    assert!(recall >= *floor, "{name}: recall {recall}");
    assert_eq!(index_problems(db, "i").unwrap(), [""; 0]);
    db.batch_execute("DROP INDEX i").unwrap();
}

#[test]
fn bits_are_searched_by_both_distances() {
    let mut db = table(&format!("bit({DIMENSIONS})"), "binary_quantize(v)");
    // pgvector's recall on these rows is 0.98 and 0.96.
    for (name, operator, floor) in
        [("bit_hamming_ops", "<~>", 0.97), ("bit_jaccard_ops", "<%>", 0.94)]
    {
        search_is_exact_in_order_and_finds_most(&mut db, &Class { name, operator, floor });
    }
    let error = db.query("SELECT 1 FROM t ORDER BY v <~> '101' LIMIT 1", &[]).unwrap_err();
    assert_eq!(error.as_db_error().unwrap().message(), "different bit lengths 384 and 3");
}

#[test]
fn more_bits_than_an_index_can_have_are_refused() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (v bit(64001))").unwrap();
    let error = db.batch_execute("CREATE INDEX ON t USING hnsw (v bit_hamming_ops)").unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.message(), "column cannot have more than 64000 dimensions for hnsw index");
    assert_eq!(error.code().code(), "54000");
}

#[test]
fn bits_of_any_length_are_refused_and_those_of_a_domain_are_not() {
    let mut db = TestDb::new();
    let create = "CREATE DOMAIN three AS bit(3); CREATE DOMAIN any_length AS varbit; \
                  CREATE TABLE t (a three, b any_length, c varbit(3)); \
                  INSERT INTO t VALUES ('101', '1', '11'), ('100', '0101', '1'); \
                  CREATE INDEX ON t USING hnsw (a bit_hamming_ops); \
                  CREATE INDEX ON t USING hnsw ((c::bit(3)) bit_jaccard_ops);";
    db.batch_execute(create).unwrap();
    for column in ["b", "c"] {
        let create = format!("CREATE INDEX ON t USING hnsw ({column} bit_hamming_ops)");
        let error = db.batch_execute(&create).unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.message(), "type not supported for hnsw index");
        assert_eq!(error.code().code(), "0A000");
    }
}

#[test]
fn dense_types_are_searched_by_all_their_distances() {
    for (of, cast) in DENSE {
        let mut db = table(&format!("{of}({DIMENSIONS})"), cast);
        for (ops, operator) in METRICS {
            let class = Class { name: &format!("{of}_{ops}"), operator, floor: 0.97 };
            search_is_exact_in_order_and_finds_most(&mut db, &class);
        }
    }
}
