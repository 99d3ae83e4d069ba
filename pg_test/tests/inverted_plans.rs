//! Full text in statements: the index is found and used, conditions keep the LIMIT full, and what cannot
//! be done is refused.

use pg_test::{TestDb, explain_plan, hint, message, refusal, sqlstate};
use postgres::Client;

fn table() -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE docs (id int PRIMARY KEY, kind int, title varchar(80), body text);
         INSERT INTO docs SELECT i, i % 10, 'title ' || i % 5,
                'common ' || CASE WHEN i % 3 = 0 THEN 'fizz ' ELSE '' END
                || CASE WHEN i % 5 = 0 THEN 'buzz ' ELSE '' END || repeat('filler ', i % 17)
           FROM generate_series(1, 3000) i;
         CREATE INDEX docs_body ON docs USING inverted (body);
         CREATE INDEX docs_kind ON docs (kind); ANALYZE docs",
    )
    .unwrap();
    db
}

fn ids(client: &mut Client, query: &str) -> Vec<i32> {
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn the_index_of_the_column_is_found() {
    let mut db = table();
    for order in ["body <@> 'fizz buzz'", "body <@> bm25query('docs_body', 'fizz buzz')"] {
        let query = format!("SELECT id FROM docs ORDER BY {order} LIMIT 10");
        let plan = explain_plan(&mut db, &query).unwrap();
        assert!(plan.contains("Index Name: docs_body"), "{plan}");
        // Both words, and the fewest others.
        assert!(ids(&mut db, &query).iter().all(|id| id % 15 == 0), "{order}");
    }
    let view = "CREATE VIEW v AS SELECT id, body AS b FROM docs WHERE kind = 5;
        PREPARE p(text) AS SELECT id FROM v ORDER BY b <@> $1 LIMIT 4;
        SET plan_cache_mode = force_generic_plan";
    db.batch_execute(view).unwrap();
    let found = ids(&mut db, "EXECUTE p('buzz fizz')");
    assert!(found.len() == 4 && found.iter().all(|id| id % 10 == 5 && id % 3 == 0), "{found:?}");
    db.batch_execute("CREATE INDEX docs_title ON docs USING inverted (lower(title))").unwrap();
    let query = "SELECT id FROM docs ORDER BY lower(title) <@> 'title 3' LIMIT 2";
    assert!(explain_plan(&mut db, query).unwrap().contains("Index Name: docs_title"));
    assert!(ids(&mut db, query).iter().all(|id| id % 5 == 3));
}

#[test]
fn conditions_keep_the_limit_full_in_every_strategy() {
    let mut db = table();
    let score = "-bm25_distance(body, bm25query('docs_body', 'fizz common'))";
    for condition in ["kind = 4", "kind < 8", "id > 2900", "kind = 4 AND id % 7 = 1"] {
        let expected = ids(
            &mut db,
            &format!("SELECT id FROM docs WHERE {condition} ORDER BY {score} DESC, ctid LIMIT 12"),
        );
        assert_eq!(expected.len(), 12);
        for strategy in ["auto", "look", "inline", "exact"] {
            db.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
            let query = format!(
                "SELECT id FROM docs WHERE {condition} ORDER BY body <@> 'fizz common' LIMIT 12"
            );
            assert_eq!(ids(&mut db, &query), expected, "{condition}, {strategy}");
        }
    }
    // Rows without any of the words are not found, whichever way.
    for strategy in ["auto", "look", "inline", "exact"] {
        db.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
        let query = "SELECT id FROM docs WHERE kind = 4 ORDER BY body <@> 'buzz' LIMIT 12";
        assert_eq!(ids(&mut db, query), [0; 0], "{strategy}");
        let query = "SELECT id FROM docs WHERE kind = 5 ORDER BY body <@> 'fizz' LIMIT 5000";
        assert_eq!(ids(&mut db, query).len(), 100, "{strategy}");
    }
}

#[test]
fn partitions_rank_their_own_rows() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE p (id int, body text) PARTITION BY RANGE (id);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
         CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200);
         INSERT INTO p SELECT i, 'text ' || CASE WHEN i % 10 = 0 THEN 'ten' ELSE 'other' END
           FROM generate_series(0, 199) i;
         CREATE INDEX p_body ON p USING inverted (body); ANALYZE p",
    )
    .unwrap();
    let query = "SELECT id, body <@> 'ten' FROM p ORDER BY body <@> 'ten' LIMIT 30";
    let plan = explain_plan(&mut db, query).unwrap();
    assert!(plan.contains("Merge Append") && plan.contains("Index Name: p1_body_idx"), "{plan}");
    let found = ids(&mut db, query);
    assert!(found.len() == 20 && found.iter().all(|id| id % 10 == 0), "{found:?}");
    let filtered = "SELECT id FROM p WHERE id > 150 ORDER BY body <@> 'ten' LIMIT 30";
    assert_eq!(ids(&mut db, filtered).len(), 4);
    let alone = "SELECT body <@> bm25query('p_body', 'ten') FROM p";
    let (state, message, _) = refusal(&mut db, alone);
    assert_eq!((state.as_str(), message.as_str()), ("0A000", "index public.p_body is partitioned"));
}

#[test]
fn what_cannot_be_ranked_is_refused() {
    let mut db = table();
    let mut refused = |query: &str| {
        let error = db.simple_query(query).expect_err(query);
        assert!(!hint(&error).is_empty() || sqlstate(&error) == "22023", "{query}");
        (sqlstate(&error).to_owned(), message(&error))
    };
    let no_index = "table public.docs has no BM25 index on this column";
    for (query, state, message) in [
        ("SELECT FROM docs ORDER BY title <@> 'x' LIMIT 1", "42704", no_index),
        (
            "SELECT 'a text' <@> 'words'",
            "42704",
            "operator <@> does not know which index ranks the document",
        ),
        (
            "SELECT 'x' <@> bm25query('docs_kind', 'words')",
            "42809",
            "public.docs_kind is not an inverted index",
        ),
        (
            "CREATE INDEX ON docs USING inverted (body) WITH (k1 = 4)",
            "22023",
            "value 4 out of bounds for option \"k1\"",
        ),
    ] {
        assert_eq!(refused(query), (state.to_owned(), message.to_owned()), "{query}");
    }
    db.batch_execute("CREATE INDEX second ON docs USING inverted (body)").unwrap();
    let ambiguous = "SELECT id FROM docs ORDER BY body <@> 'x' LIMIT 1";
    assert_eq!(refusal(&mut db, ambiguous).0, "42725");
    // Named, either will do.
    db.batch_execute(
        "PREPARE named(regclass) AS
            SELECT id FROM docs ORDER BY body <@> bm25query($1, 'fizz') LIMIT 3;
         SET plan_cache_mode = force_generic_plan",
    )
    .unwrap();
    for index in ["second", "docs_body"] {
        // It is known only when it runs, so rows are sorted, and those with equal scores in any order.
        let mut found = ids(&mut db, &format!("EXECUTE named('{index}')"));
        found.sort_unstable();
        assert_eq!(found, [51, 102, 153], "{index}");
    }
    db.batch_execute("RESET plan_cache_mode").unwrap();
    let named = "SELECT id FROM docs ORDER BY body <@> bm25query('second', 'fizz') LIMIT 3";
    assert!(explain_plan(&mut db, named).unwrap().contains("Index Name: second"));
    assert_eq!(ids(&mut db, named).len(), 3);
}

#[test]
fn statistics_are_for_those_who_may_read_the_table() {
    let mut db = table();
    let other = "bm25_without_privilege";
    db.batch_execute(&format!("CREATE ROLE {other}; SET ROLE {other}")).unwrap();
    let query = "SELECT 'fizz' <@> bm25query('docs_body', 'fizz')";
    assert_eq!(refusal(&mut db, query).0, "42501");
    db.batch_execute(&format!("RESET ROLE; DROP ROLE {other}")).unwrap();
}

#[test]
fn words_and_phrases_are_found_by_the_index_as_without_it() {
    let mut db = table();
    let conditions = [
        ("text_match(body, 'fizz buzz')", "body ~ 'fizz|buzz'"),
        ("text_match(body, 'FIZZ Buzz', 2)", "body ~ 'fizz' AND body ~ 'buzz'"),
        ("text_match(body, 'fizz', minimum_should_match => 2)", "false"),
        ("NOT text_match(body, 'fizz')", "body !~ 'fizz'"),
        ("phrase_match(body, 'fizz buzz filler')", "body ~ 'fizz buzz filler'"),
        ("phrase_match(body, 'common buzz')", "body ~ 'common buzz'"),
        ("phrase_match(body, 'common buzz', 1)", "body ~ 'common (fizz )?buzz'"),
        ("phrase_match(body, 'buzz fizz', slop => 2)", "body ~ 'fizz buzz'"),
        ("text_match(body, '')", "false"),
        ("phrase_match(body, '?')", "false"),
        ("phrase_match(body, 'buzz')", "body ~ 'buzz'"),
        ("text_match_fuzzy(body, 'fuzz')", "body ~ 'fizz|buzz'"),
        ("text_match_fuzzy(body, 'fuz', max_edit_distance => 1)", "false"),
        ("text_match(body, 'fizz') AND kind = 4", "body ~ 'fizz' AND kind = 4"),
        ("text_match(body, 'fizz') OR kind = 4", "body ~ 'fizz' OR kind = 4"),
    ];
    for options in ["", "WITH (positions = false)"] {
        let create = "DROP INDEX docs_body; CREATE INDEX docs_body ON docs USING inverted (body)";
        db.batch_execute(&format!("{create} {options}")).unwrap();
        // Some in the write buffer. Rows that were updated in place would keep the next index from being
        // used while there are older transactions.
        db.batch_execute(
            "WITH moved AS (DELETE FROM docs WHERE id % 9 = 0 RETURNING *)
             INSERT INTO docs SELECT * FROM moved",
        )
        .unwrap();
        for off in ["enable_seqscan", "enable_bitmapscan", "enable_indexscan"] {
            db.batch_execute(&format!("SET {off} = off")).unwrap();
            for (condition, same) in conditions {
                let by = |condition| format!("SELECT id FROM docs WHERE {condition} ORDER BY id");
                assert_eq!(ids(&mut db, &by(condition)), ids(&mut db, &by(same)), "{condition}");
            }
        }
        db.batch_execute("RESET ALL").unwrap();
    }
    // The index serves a condition, also beside an order of its own and of a vector.
    db.batch_execute("SET enable_seqscan = off").unwrap();
    let plan = explain_plan(&mut db, "SELECT id FROM docs WHERE text_match(body, 'fizz')").unwrap();
    assert!(plan.contains("docs_body"), "{plan}");
    let both = "SELECT id FROM docs WHERE phrase_match(body, 'fizz buzz')
                ORDER BY body <@> 'filler' LIMIT 7";
    let found = ids(&mut db, both);
    assert!(found.len() == 7 && found.iter().all(|id| id % 15 == 0), "{found:?}");
    for (condition, message) in [
        ("text_match(body, 'x', 0)", "minimum_should_match should be in [1, 1000], got 0"),
        ("text_match_fuzzy(body, 'x', 3)", "max_edit_distance should be in [0, 2], got 3"),
        ("phrase_match(body, 'x', -1)", "slop should not be negative, got -1"),
    ] {
        let refused = refusal(&mut db, &format!("SELECT FROM docs WHERE {condition}"));
        assert_eq!((refused.0.as_str(), refused.1.as_str()), ("22023", message));
    }
}

#[test]
fn a_condition_on_words_serves_a_search_for_vectors() {
    let mut db = table();
    db.batch_execute(
        // Of a table whose rows were updated in place, older transactions would keep it from being used.
        "ALTER TABLE docs ADD v vector(2); CREATE INDEX ON docs USING hnsw (v vector_l2_ops);
         UPDATE docs SET v = ARRAY[sin(id), cos(id)]; ANALYZE docs;
         SET enable_seqscan = off; SET enable_sort = off",
    )
    .unwrap();
    let query =
        "SELECT id FROM docs WHERE phrase_match(body, 'fizz buzz') ORDER BY v <-> '[1,0]' LIMIT 9";
    let exact = query.replace("v <->", "v + '[0,0]' <->");
    let expected = ids(&mut db, &exact);
    for strategy in ["auto", "look", "inline", "exact"] {
        db.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
        assert_eq!(ids(&mut db, query), expected, "{strategy}");
    }
    let plan = explain_plan(&mut db, query).unwrap();
    assert!(plan.contains("Bitmap Index Scan on docs_body"), "{plan}");
}

/// Rows that a plan expects of its first node.
fn expected_rows(db: &mut TestDb, condition: &str) -> f64 {
    rows_of(db, &format!("EXPLAIN SELECT FROM docs WHERE {condition}"))
}

fn rows_of(db: &mut TestDb, explain: &str) -> f64 {
    let line: String = db.query(explain, &[]).unwrap()[0].get(0);
    let rows = line.split("rows=").nth(1).unwrap();
    rows.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn the_planner_knows_how_many_rows_hold_words() {
    let mut db = table();
    for (condition, real) in [
        ("text_match(body, 'fizz')", 1_000.0),
        ("text_match(body, 'common')", 3_000.0),
        ("text_match(body, 'fizz buzz')", 1_400.0),
        ("text_match(body, 'fizz buzz', 2)", 200.0),
        ("text_match(body, 'nothing')", 1.0),
    ] {
        let rows = expected_rows(&mut db, condition);
        assert!(rows >= real * 0.9 && rows <= real * 1.1, "{condition}: {rows}");
    }
    // A ranking returns the rows that match any word.
    for (words, real) in
        [("fizz", 1_000.0), ("common", 3_000.0), ("fizz buzz", 1_400.0), ("nothing", 1.0)]
    {
        let explain = format!("EXPLAIN SELECT FROM docs ORDER BY body <@> '{words}'");
        let rows = rows_of(&mut db, &explain);
        assert!(rows >= real * 0.9 && rows <= real * 1.1, "{words}: {rows}");
    }
    let joined =
        "EXPLAIN SELECT FROM docs JOIN docs o ON o.id = docs.id ORDER BY docs.body <@> 'buzz'";
    let rows = rows_of(&mut db, joined);
    assert!((500.0..=700.0).contains(&rows), "{rows}");
    // Whom policies hide rows from does not learn of them by estimates.
    db.batch_execute(
        "CREATE ROLE bm25_behind_policies; GRANT SELECT ON docs TO bm25_behind_policies;
         ALTER TABLE docs ENABLE ROW LEVEL SECURITY; SET ROLE bm25_behind_policies",
    )
    .unwrap();
    db.batch_execute(
        "RESET ROLE; CREATE POLICY p ON docs USING (kind < 11); SET ROLE bm25_behind_policies",
    )
    .unwrap();
    assert!(expected_rows(&mut db, "text_match(body, 'fizz')") < 100.0);
    assert!(rows_of(&mut db, "EXPLAIN SELECT FROM docs ORDER BY body <@> 'nothing'") > 2_000.0);
    db.batch_execute(
        "RESET ROLE; DROP OWNED BY bm25_behind_policies; DROP ROLE bm25_behind_policies",
    )
    .unwrap();
}

/// Words are counted in the index of the partition or heir that is planned, or in those of all partitions.
#[test]
fn the_planner_knows_how_many_rows_of_partitions_and_heirs_hold_words() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE p (id int, body text) PARTITION BY RANGE (id);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (1000);
         CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (1000) TO (3000) PARTITION BY RANGE (id);
         CREATE TABLE p2a PARTITION OF p2 FOR VALUES FROM (1000) TO (3000);
         INSERT INTO p SELECT i, 'text ' || CASE WHEN i < 1000 THEN 'low ' ELSE 'high ' END
                || CASE WHEN i % 4 = 0 THEN 'four' ELSE 'other' END FROM generate_series(0, 2999) i;
         CREATE INDEX p_body ON p USING inverted (body);
         CREATE TABLE base (id int, body text); CREATE TABLE heir () INHERITS (base);
         INSERT INTO heir SELECT * FROM p;
         CREATE INDEX base_body ON base USING inverted (body);
         CREATE INDEX heir_body ON heir USING inverted (body); ANALYZE p, base, heir",
    )
    .unwrap();
    for (condition, real) in [
        ("text_match(body, 'low')", 1_000.0),
        ("text_match(body, 'high')", 2_000.0),
        ("text_match(body, 'low four', 2)", 250.0),
        ("text_match(body, 'four')", 750.0),
        ("phrase_match(body, 'nothing')", 2.0),
    ] {
        for table in ["p", "base"] {
            let explain = format!("EXPLAIN SELECT FROM {table} WHERE {condition}");
            let rows = rows_of(&mut db, &explain);
            assert!(rows >= real * 0.9 && rows <= real * 1.1, "{table}, {condition}: {rows}");
        }
    }
    // A user who may read the parent alone.
    db.batch_execute(
        "CREATE ROLE bm25_reads_a_parent; GRANT SELECT ON p TO bm25_reads_a_parent;
         SET ROLE bm25_reads_a_parent",
    )
    .unwrap();
    let rows = rows_of(&mut db, "EXPLAIN SELECT FROM p WHERE text_match(body, 'four')");
    assert!((675.0..=825.0).contains(&rows), "{rows}");
    let rows = rows_of(&mut db, "EXPLAIN SELECT FROM p ORDER BY body <@> 'four'");
    assert!((675.0..=825.0).contains(&rows), "{rows}");
    db.batch_execute(
        "RESET ROLE; DROP OWNED BY bm25_reads_a_parent; DROP ROLE bm25_reads_a_parent",
    )
    .unwrap();
}

/// A condition may name an index of a table of the caller's own. What it estimates of another table tells
/// nothing of rows that policies or privileges hide.
#[test]
fn estimates_tell_nothing_of_hidden_rows() {
    let mut db = TestDb::new();
    let caller = format!("bm25_caller_{}", db.name());
    let table = |name: &str| {
        format!(
            "CREATE TABLE {name} (id int, body text);
             INSERT INTO {name} SELECT i, 'secret' FROM generate_series(1, 1000) i;
             CREATE INDEX ON {name} USING inverted (body); ANALYZE {name};"
        )
    };
    let tables = ["policies", "privileges"].map(table).concat();
    db.batch_execute(&format!(
        "CREATE ROLE {caller}; {tables}
         CREATE POLICY later ON policies USING (id > 500); ALTER TABLE policies ENABLE ROW LEVEL SECURITY;
         CREATE VIEW seen AS SELECT body FROM privileges WHERE id < 500;
         GRANT SELECT ON policies, seen TO {caller}; GRANT CREATE ON SCHEMA public TO {caller};
         SET ROLE {caller}; CREATE TABLE own (body text); CREATE INDEX own_body ON own USING inverted (body)"
    ))
    .unwrap();
    for hidden in ["policies", "seen"] {
        let mut rows = |word: &str| {
            let condition = format!("text_condition('own_body', '{word}', 1, -2147483648, 0)");
            rows_of(&mut db, &format!("EXPLAIN SELECT FROM {hidden} WHERE body <?> {condition}"))
        };
        assert_eq!(rows("secret"), rows("absent"), "{hidden}");
    }
    db.batch_execute(&format!("RESET ROLE; DROP OWNED BY {caller}; DROP ROLE {caller}")).unwrap();
}

/// Rows that match are few, and take no longer to find than as many of a frequent word.
#[test]
fn a_rare_word_costs_no_more_than_a_frequent_one() {
    let mut db = table();
    db.batch_execute("UPDATE docs SET body = body || ' rare' WHERE id % 300 = 0").unwrap();
    db.batch_execute("VACUUM ANALYZE docs").unwrap();
    let mut cost = |words: &str, condition: &str| -> f64 {
        let query = format!(
            "EXPLAIN SELECT FROM docs WHERE {condition} ORDER BY body <@> '{words}' LIMIT 10"
        );
        let line: String = db.query(&query, &[]).unwrap()[0].get(0);
        let total = line.split("..").nth(1).unwrap().split_whitespace().next().unwrap();
        total.parse().unwrap()
    };
    for condition in ["true", "kind < 8", "id % 2 = 0"] {
        let (rare, frequent) = (cost("rare", condition), cost("common", condition));
        assert!(rare <= 2.0 * frequent, "{condition}: {rare} {frequent}");
    }
}

#[test]
fn rows_that_do_not_match_are_left_out_by_a_ranking_alone() {
    let mut db = table();
    let mut number = |query: &str| -> i64 { db.query_one(query, &[]).unwrap().get(0) };
    for query in [
        "SELECT count(*) FROM (SELECT rank() OVER (ORDER BY body <@> 'fizz') FROM docs) AS r",
        "SELECT sum(n)::bigint FROM (SELECT count(*) AS n FROM docs GROUP BY body <@> 'fizz' ORDER BY body <@> 'fizz') AS g",
        "SELECT cardinality(array_agg(id ORDER BY body <@> 'fizz'))::bigint FROM docs",
        "SELECT count(d) FROM (SELECT d.id AS d FROM docs o LEFT JOIN docs d ON d.id = o.id ORDER BY d.body <@> 'fizz') AS j",
    ] {
        assert_eq!(number(query), 3_000, "{query}");
    }
    assert_eq!(
        number("SELECT count(*) FROM (SELECT id FROM docs ORDER BY body <@> 'fizz') AS r"),
        1_000
    );
    let grouped = "SELECT count(*) FROM (SELECT body <@> 'fizz' AS d FROM docs GROUP BY body) AS g WHERE d < 0";
    assert_eq!(number(grouped), 34);
    let lowest = "SELECT count(*) FROM (SELECT min(body <@> 'nothing') AS least FROM docs) AS m WHERE least = 0";
    assert_eq!(number(lowest), 1);
}

#[test]
fn texts_and_queries_that_are_null_match_nothing() {
    let mut db = table();
    db.batch_execute(
        "UPDATE docs SET body = NULL WHERE kind = 4 AND id > 30; ANALYZE docs;
         PREPARE p(text) AS SELECT id FROM docs WHERE kind = 4 ORDER BY body <@> $1 LIMIT 50;
         SET plan_cache_mode = force_generic_plan",
    )
    .unwrap();
    for strategy in ["auto", "look", "inline", "exact"] {
        db.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
        let query = "SELECT id FROM docs WHERE kind = 4 ORDER BY body <@> 'common' LIMIT 50";
        let mut found = ids(&mut db, query);
        found.sort_unstable();
        assert_eq!(found, [4, 14, 24], "{strategy}");
        assert_eq!(ids(&mut db, "EXECUTE p(NULL)"), [0; 0], "{strategy}");
    }
}

#[test]
fn a_row_changed_while_a_partition_is_searched_is_still_found() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE p (id int, n int, body text) PARTITION BY RANGE (id);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
         INSERT INTO p SELECT i, 0, 'word' || i FROM generate_series(0, 99) i;
         CREATE INDEX ON p USING inverted (body)",
    )
    .unwrap();
    let mut writer = db.connect();
    writer.batch_execute("BEGIN; UPDATE p SET n = 1 WHERE id = 7").unwrap();
    let mut reader = db.connect();
    let pid: i32 = reader.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    std::thread::scope(|scope| {
        let found = scope.spawn(move || {
            let search = "SELECT id, n, body <@> 'word7' FROM p ORDER BY body <@> 'word7' LIMIT 5 FOR UPDATE";
            let row = reader.query_one(search, &[]).unwrap();
            (row.get::<_, i32>(0), row.get::<_, i32>(1), row.get::<_, Option<f64>>(2))
        });
        let waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1";
        pg_test::wait_until("the search waits", || {
            let row = db.query_one(waits, &[&pid])?;
            Ok(row.get::<_, Option<bool>>(0) == Some(true))
        })
        .unwrap();
        writer.batch_execute("COMMIT").unwrap();
        let by_partition = "SELECT body <@> bm25query('p1_body_idx', 'word7') FROM p1 WHERE id = 7";
        let score: f64 = db.query_one(by_partition, &[]).unwrap().get(0);
        assert!(score < 0.0);
        assert_eq!(found.join().unwrap(), (7, 1, Some(score)));
    });
}

/// What index PostgreSQL asks, a condition is about the tokens of the index that it names.
#[test]
fn a_condition_may_name_another_index_than_the_one_that_is_asked() {
    let mut db = table();
    db.batch_execute(
        "UPDATE docs SET body = body || 'stones' WHERE id % 7 = 0;
         CREATE INDEX stems ON docs USING inverted (body) WITH (analyzer = 'english');
         CREATE INDEX same ON docs USING inverted (body) WITH (k1 = 2); ANALYZE docs;
         PREPARE p(text_condition) AS SELECT id FROM docs WHERE body <?> $1 ORDER BY id;
         PREPARE ranked(text_condition) AS SELECT id FROM docs WHERE body <?> $1
            ORDER BY body <@> bm25query('docs_body', 'fizz') LIMIT 1000",
    )
    .unwrap();
    let condition = |index| format!("text_condition('{index}', 'stone', 1, {}, 0)", i32::MIN);
    let stones: Vec<i32> = (1..=3000).filter(|id| id % 7 == 0).collect();
    let fizz: Vec<i32> = (1..=3000).filter(|id| id % 21 == 0).collect();
    for plan in
        ["SET plan_cache_mode = force_custom_plan", "SET plan_cache_mode = force_generic_plan"]
    {
        db.batch_execute(plan).unwrap();
        for scan in ["seqscan", "bitmapscan", "indexscan"] {
            let others = ["seqscan", "bitmapscan", "indexscan"].into_iter().filter(|o| *o != scan);
            let off: String = others.map(|other| format!("SET enable_{other} = off;")).collect();
            db.batch_execute(&off).unwrap();
            for (index, all, best) in
                [("stems", &stones[..], &fizz[..]), ("docs_body", &[], &[]), ("same", &[], &[])]
            {
                let found = ids(&mut db, &format!("EXECUTE p({})", condition(index)));
                assert_eq!(found, all, "{plan}, {scan}, {index}");
                let ranked = format!("EXECUTE ranked({})", condition(index));
                let mut found = ids(&mut db, &ranked);
                found.sort_unstable();
                assert_eq!(found, best, "{plan}, {scan}, {index}");
            }
            db.batch_execute(
                "RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_indexscan",
            )
            .unwrap();
        }
    }
}

/// Rows that match are kept within `work_mem`: what is forgotten is tested again.
#[test]
fn matches_beyond_work_mem_are_tested_again() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE docs (id int PRIMARY KEY, body text) WITH (fillfactor = 10);
         INSERT INTO docs SELECT i, 'common ' || CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END
           FROM generate_series(1, 40000) i;
         CREATE INDEX ON docs USING inverted (body); ANALYZE docs; SET work_mem = '64kB'",
    )
    .unwrap();
    for setting in ["", "SET enable_bitmapscan = off;"] {
        db.batch_execute(&format!("SET enable_seqscan = off; {setting}")).unwrap();
        let count = "SELECT count(*)::int FROM docs WHERE text_match(body, 'even')";
        assert_eq!(ids(&mut db, count), [20_000], "{setting}");
        let count = "SELECT count(*)::int FROM (SELECT id FROM docs WHERE text_match(body, 'even')
                     ORDER BY body <@> 'common') AS found";
        assert_eq!(ids(&mut db, count), [20_000], "{setting}");
    }
    let analyzed =
        "SELECT id FROM docs WHERE text_match(body, 'even') ORDER BY body <@> 'common' LIMIT 20000";
    let plan: String = db
        .query(&format!("EXPLAIN (ANALYZE, COSTS off) {analyzed}"), &[])
        .unwrap()
        .iter()
        .map(|row| row.get::<_, String>(0) + "\n")
        .collect();
    assert!(plan.contains("Rows Removed by Filter"), "{plan}");
}
