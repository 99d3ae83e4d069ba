//! Searches inside of other queries, composed at random: what is found by way of an index is what is
//! found without it. `FUZZ_SECONDS` and `FUZZ_SEED` say how long, and from where.

use std::io::Read;

use fuzz::Case;
use pg_test::TestDb;
use postgres::{Client, SimpleQueryMessage};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

/// Tables small enough that a search that is told to looks at all of their rows: no answer is
/// approximate. No two rows are equally far from anything, and no vector is missing in its row, as
/// indexes leave such rows out.
const TABLES: &str = "
    CREATE TABLE t (id int PRIMARY KEY, doc int, v vector(3));
    CREATE TABLE u (id int PRIMARY KEY, doc int, v vector(3));
    SELECT setseed(0.5);
    INSERT INTO t SELECT i, i % 17, ARRAY[random(), random(), random()] FROM generate_series(1, 200) i;
    INSERT INTO u SELECT i, i % 11, ARRAY[random(), random(), random()] FROM generate_series(1, 150) i;
    INSERT INTO t VALUES (0, NULL, '[0.3,0.4,0.5]');
    CREATE INDEX ON t USING hnsw (v vector_l2_ops);
    CREATE INDEX ON t USING hnsw ((v::halfvec(3)) halfvec_l2_ops) WHERE doc > 3;
    CREATE INDEX ON u USING ivfflat (v vector_cosine_ops) WITH (lists = 3);
    CREATE INDEX ON u (doc);
    CREATE VIEW near AS SELECT id, doc FROM t ORDER BY v <-> '[0.1,0.2,0.3]' LIMIT 12;
    CREATE FUNCTION nearest(vector, int) RETURNS TABLE (id int, doc int) LANGUAGE sql STABLE AS
        'SELECT id, doc FROM t ORDER BY v <-> $1 LIMIT $2';
    ANALYZE t, u;
    SET hnsw.ef_search = 400; SET ivfflat.probes = 3; SET plan_cache_mode = force_generic_plan;
    SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0";

/// Settings that let the planner choose, that make it search indexes, alone or with workers, and that
/// keep it from them.
const PLANS: [&str; 4] = [
    "RESET enable_seqscan; RESET enable_sort; RESET enable_indexscan; RESET min_parallel_table_scan_size",
    "SET enable_seqscan = off; SET enable_sort = off",
    "SET enable_seqscan = on; SET enable_sort = off; SET min_parallel_table_scan_size = 0",
    "SET enable_sort = on; SET enable_indexscan = off; RESET min_parallel_table_scan_size",
];

struct Generator<'a>(&'a mut SmallRng);

impl Generator<'_> {
    fn number(&mut self, limit: i32) -> i32 {
        self.0.random_range(0..limit)
    }

    fn one_of<'b>(&mut self, choices: &[&'b str]) -> &'b str {
        choices.choose(self.0).expect("is not empty")
    }

    /// A vector, constant or of a row of `outer`.
    fn vector(&mut self, outer: Option<&str>) -> String {
        match outer {
            Some(outer) if self.0.random() => {
                // Always one that is there: all rows are equally far from none.
                format!("(SELECT v FROM t w WHERE w.id = coalesce({outer}.id % 200, 0))")
            }
            _ => {
                let [x, y, z]: [f32; 3] = self.0.random();
                format!("'[{x},{y},{z}]'")
            }
        }
    }

    /// The end of a query whose order is known.
    fn limit(&mut self) -> String {
        let limit = self.number(25);
        match self.number(3) {
            0 => format!("LIMIT {limit} OFFSET {}", self.number(8)),
            _ => format!("LIMIT {limit}"),
        }
    }

    fn condition(&mut self, alias: &str) -> String {
        let number = self.number(15);
        self.one_of(&[
            "id > ?",
            "doc < ?",
            "id % 3 = ? % 3",
            "doc = ?",
            "doc IS NOT NULL",
            "id <> ?",
        ])
        .replace("id", &format!("{alias}.id"))
        .replace("doc", &format!("{alias}.doc"))
        .replace('?', &number.to_string())
    }

    /// The nearest rows of a table.
    fn search(&mut self, outer: Option<&str>) -> String {
        let (q, limit, filter) = (self.vector(outer), self.limit(), self.condition("s"));
        let filter = if self.0.random() { format!("WHERE {filter}") } else { String::new() };
        match self.number(9) {
            0 => format!("SELECT id, doc FROM nearest({q}, {})", self.number(20)),
            1 => "SELECT id, doc FROM near".into(),
            2 => format!("SELECT s.id, s.doc FROM u s {filter} ORDER BY v <=> {q} {limit}"),
            3 => format!(
                "SELECT s.id, s.doc FROM t s WHERE doc > 3
                 ORDER BY v::halfvec(3) <-> {q}::vector::halfvec(3), id {limit}"
            ),
            4 => format!(
                "SELECT x.id, x.doc FROM
                 (SELECT s.*, v <-> {q} AS d FROM t s {filter} ORDER BY d {limit}) x WHERE d < 0.7"
            ),
            5 => format!(
                "SELECT s.id, (10 * (v <-> {q}))::int AS doc FROM t s {filter} ORDER BY v <-> {q} {limit}"
            ),
            _ => format!("SELECT s.id, s.doc FROM t s {filter} ORDER BY v <-> {q} {limit}"),
        }
    }

    /// A query of columns `id` and `doc`, of searches that are composed `depth` times.
    fn query(&mut self, depth: i32) -> String {
        if depth == 0 {
            return self.search(None);
        }
        let r = self.query(depth - 1);
        let filter = self.condition("a");
        match self.number(16) {
            0 | 1 => format!("SELECT id, doc FROM ({r}) a WHERE {filter}"),
            2 => {
                let join = self.one_of(&["JOIN", "LEFT JOIN", "FULL JOIN"]);
                let other = self.query(depth - 1);
                format!("SELECT a.id, b.doc FROM ({r}) a {join} ({other}) b ON a.doc = b.doc")
            }
            3 | 4 => {
                let (search, filter) = (self.search(Some("a")), self.condition("l"));
                let join = self.one_of(&["JOIN", "LEFT JOIN"]);
                format!("SELECT a.id, l.doc FROM ({r}) a {join} LATERAL ({search}) l ON {filter}")
            }
            5 => format!("SELECT DISTINCT doc % 5 AS id, doc FROM ({r}) a"),
            6 => format!("SELECT DISTINCT ON (doc) id, doc FROM ({r}) a ORDER BY doc, id"),
            7 => {
                let member = self.one_of(&["IN", "NOT IN"]);
                format!(
                    "SELECT a.id, a.doc FROM t a WHERE {filter} AND a.id {member} (SELECT id FROM ({r}) b)"
                )
            }
            8 => {
                let exists = self.one_of(&["EXISTS", "NOT EXISTS"]);
                format!(
                    "SELECT a.id, a.doc FROM u a WHERE {exists} (SELECT FROM ({r}) b WHERE b.doc = a.doc)"
                )
            }
            9 => format!("SELECT min(id) AS id, doc FROM ({r}) a GROUP BY doc HAVING count(*) < 9"),
            10 => format!("SELECT id, row_number() OVER (ORDER BY id)::int AS doc FROM ({r}) a"),
            11 => {
                let both = self.one_of(&["UNION ALL", "UNION", "EXCEPT", "INTERSECT"]);
                format!("({r}) {both} ({})", self.query(depth - 1))
            }
            12 => {
                let limit = self.limit();
                format!("SELECT id, doc FROM ({r}) a ORDER BY id, doc {limit}")
            }
            13 => {
                let other = self.query(depth - 1);
                format!(
                    "SELECT id, (SELECT count(*)::int FROM ({other}) b WHERE b.doc = a.doc) AS doc
                     FROM ({r}) a"
                )
            }
            14 => {
                let how = self.one_of(&["", "MATERIALIZED", "NOT MATERIALIZED"]);
                format!("WITH c AS {how} ({r}) SELECT a.id, a.doc FROM c a WHERE {filter}")
            }
            _ => format!("WITH c AS ({r}) SELECT a.id, b.doc FROM c a JOIN c b ON a.doc = b.id"),
        }
    }
}

/// Rows in an order of their own, or the error of the server.
fn rows(db: &mut Client, statements: &str) -> Result<Vec<String>, String> {
    let text = |message| {
        let SimpleQueryMessage::Row(row) = message else { return None };
        Some((0..row.len()).map(|i| row.get(i).unwrap_or("NULL").to_string() + ",").collect())
    };
    let messages = db.simple_query(statements).map_err(|error| format!("{error:?}"))?;
    let mut rows: Vec<String> = messages.into_iter().filter_map(text).collect();
    rows.sort();
    Ok(rows)
}

/// Runs a query in one of the ways that a client or another query could.
fn run(db: &mut Client, way: i32, query: &str) -> Result<Vec<String>, String> {
    let cursor = "BEGIN; DECLARE c SCROLL CURSOR FOR";
    match way {
        0 => rows(db, &format!("PREPARE p AS {query}; EXECUTE p; DEALLOCATE p")),
        1 => rows(db, &format!("{cursor} {query}; FETCH 1 FROM c; FETCH ALL FROM c; COMMIT")),
        2 => rows(db, &format!("{cursor} {query}; MOVE 2 FROM c; MOVE ABSOLUTE 0 FROM c; FETCH ALL FROM c; COMMIT")),
        3 => rows(db, &format!("CREATE TEMP TABLE c AS {query}; SELECT * FROM c; DROP TABLE c")),
        4 => rows(
            db,
            &format!(
                "CREATE FUNCTION c() RETURNS SETOF record LANGUAGE plpgsql AS
                     $$ DECLARE r record; BEGIN FOR r IN {query} LOOP RETURN NEXT r; END LOOP; END $$;
                 SELECT * FROM c() AS c (id int, doc int); DROP FUNCTION c"
            ),
        ),
        5 => {
            let mut text = String::new();
            let copy = format!("COPY ({query}) TO STDOUT (FORMAT csv, NULL 'NULL')");
            let mut reader = db.copy_out(&copy).map_err(|error| format!("{error:?}"))?;
            reader.read_to_string(&mut text).map_err(|error| format!("{error:?}"))?;
            drop(reader);
            let mut rows: Vec<String> = text.lines().map(|line| format!("{line},")).collect();
            rows.sort();
            Ok(rows)
        }
        _ => rows(db, query),
    }
}

#[test]
fn an_index_changes_no_result() {
    let mut db = TestDb::new();
    db.batch_execute(TABLES).unwrap();
    let compare = |case: &mut Case| {
        let depth = case.rng.random_range(0..4);
        let query = Generator(&mut case.rng).query(depth);
        case.input(&query);
        db.batch_execute(PLANS[3]).unwrap();
        let expected = rows(&mut db, &query);
        assert!(expected.is_ok(), "{expected:?}: {query}");
        for plan in &PLANS[..3] {
            db.batch_execute(plan).unwrap();
            assert_eq!(rows(&mut db, &query), expected, "{plan}: {query}");
            let way = case.rng.random_range(0..6);
            assert_eq!(run(&mut db, way, &query), expected, "{plan}, way {way}: {query}");
            let shown = rows(&mut db, &format!("EXPLAIN (VERBOSE, COSTS OFF) {query}"));
            assert!(shown.is_ok(), "{plan}: {shown:?}: {query}");
        }
    };
    fuzz::run("composed_queries", compare);
    assert!(!db.cluster().has_crashed());
}
