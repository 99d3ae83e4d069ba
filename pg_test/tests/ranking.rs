//! What one ranking is made of in plain SQL: `rrf`, `norm_score`,
//! `min_max_score`, the decay functions.

use std::f64::consts::{LN_2, PI};

use pg_test::{TestDb, explain_plan, hint, message, refusal, scans_index};
use postgres::Client;

fn number(client: &mut Client, expression: &str) -> Option<f64> {
    client.query_one(&format!("SELECT ({expression})::float8"), &[]).unwrap().get(0)
}

fn near(client: &mut Client, expression: &str, wanted: f64) {
    let found = number(client, expression).unwrap();
    assert!((found - wanted).abs() < 1e-6, "{expression}: {found}, not {wanted}");
}

#[test]
fn ranks_are_fused() {
    let mut db = TestDb::new();
    near(&mut db, "rrf(1) + rrf(2)", 0.03252247);
    near(&mut db, "rrf(3, 2)", 0.2);
    near(&mut db, "rrf(3, 2, weight => 0.5)", 0.1);
    near(&mut db, "rrf(row_number() OVER ())", 1.0 / 61.0);
    assert_eq!(number(&mut db, "rrf(NULL)"), None);
}

#[test]
fn scores_come_to_one_scale() {
    let mut db = TestDb::new();
    for (score, metric, wanted) in [
        (0.5, "COSINE", 0.75),
        (-1.0, "cosine", 0.0),
        (1.0, "IP", 0.75),
        (-1.0, "IP", 0.25),
        (1.0, "BM25", 0.5),
        (0.0, "L2", 1.0),
        (1.0, "L2", 0.5),
        (3.0, "HAMMING", 1.0 - 2.0 * 3f64.atan() / PI),
        (1.0, "jaccard", 0.5),
        (1.0, "MAX_SIM_COSINE", 0.75),
    ] {
        near(&mut db, &format!("norm_score({score}, '{metric}')"), wanted);
    }
    assert_eq!(number(&mut db, "norm_score(NULL, 'L2')"), None);
    let error = db.simple_query("SELECT norm_score(1, 'cos')").unwrap_err();
    assert_eq!(message(&error), "norm_score has no metric \"cos\"");
    assert!(hint(&error).starts_with("Its metrics are COSINE, IP, BM25, L2, "), "{}", hint(&error));
}

#[test]
fn scores_are_scaled_by_the_worst_and_the_best() {
    let mut db = TestDb::new();
    for (arguments, wanted) in [
        ("3, 1, 5", 0.5),
        ("2, worst => 5, best => 1", 0.75),
        ("2, 2, 2", 1.0),
        ("7, 1, 5", 1.0),
        ("0, 0, 'infinity'", 0.0),
        ("'NaN', 0, 1", 0.0),
    ] {
        near(&mut db, &format!("min_max_score({arguments})"), wanted);
    }
    assert_eq!(number(&mut db, "min_max_score(NULL, 1, 2)"), None);
    // Of all rows of a search.
    let scaled = "SELECT min_max_score(score, min(score) OVER (), max(score) OVER ())
        FROM unnest(ARRAY[1, 2, 5]) AS score";
    let scaled: Vec<f32> = db.query(scaled, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(scaled, [0.0, 0.25, 1.0]);
}

#[test]
fn factors_decay() {
    let mut db = TestDb::new();
    for shape in ["gauss", "exp", "linear"] {
        // 1 within the offset, `decay` a scale further, on both sides.
        near(&mut db, &format!("decay_{shape}(12, 10, 5, 2)"), 1.0);
        near(&mut db, &format!("decay_{shape}(3, 10, 5, 2)"), 0.5);
        near(&mut db, &format!("decay_{shape}(17, 10, 5, \"offset\" => 2, decay => 0.2)"), 0.2);
        assert_eq!(number(&mut db, &format!("decay_{shape}(NULL, 10, 5)")), None);
        assert!(number(&mut db, &format!("decay_{shape}('NaN', 10, 5)")).unwrap().is_nan());
    }
    near(&mut db, "decay_gauss(20, 0, 10)", (-4.0 * LN_2).exp());
    near(&mut db, "decay_exp(20, 0, 10)", 0.25);
    near(&mut db, "decay_linear(5, 0, 10)", 0.75);
    near(&mut db, "decay_linear(20, 0, 10)", 0.5);
    near(&mut db, "decay_exp('infinity', 0, 10)", 0.0);
}

#[test]
fn factors_decay_with_age() {
    let mut db = TestDb::new();
    let (then, now) = ("'2026-01-01 00:00+00'::timestamptz", "'2026-01-08 00:00+00'::timestamptz");
    near(&mut db, &format!("decay_exp({then}, {now}, '7 days')"), 0.5);
    near(&mut db, &format!("decay_gauss({then}, {now}, '3 days', '1 day')"), (-4.0 * LN_2).exp());
    near(&mut db, &format!("decay_linear({now}, {then}, '14 days', decay => 0.1)"), 0.55);
    assert_eq!(number(&mut db, &format!("decay_exp(NULL, {now}, '7 days')")), None);
}

#[test]
fn a_decay_that_does_not_fall_is_refused() {
    let mut db = TestDb::new();
    for (arguments, rule) in [
        ("1, 0, 0", "scale must be greater than 0"),
        ("1, 0, -1", "scale must be greater than 0"),
        ("1, 0, 'NaN'", "scale must be greater than 0"),
        ("1, 0, 1, -1", "offset must not be negative"),
        ("1, 0, 1, 0, 0", "decay must lie between 0 and 1"),
        ("1, 0, 1, 0, 1", "decay must lie between 0 and 1"),
    ] {
        let (code, text, _) = refusal(&mut db, &format!("SELECT decay_gauss({arguments})"));
        assert_eq!((code.as_str(), text.as_str()), ("22023", rule), "{arguments}");
    }
}

/// Rows found by two indexes, in one ranking, by a query that any client can write.
#[test]
fn a_hand_written_fusion_runs_on_index_scans() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (id integer PRIMARY KEY, a vector(8), b halfvec(8)) \
         WITH (autovacuum_enabled = false);
         SELECT setseed(0.5);
         INSERT INTO t SELECT i, ARRAY(SELECT random() FROM generate_series(1, 8) WHERE i > 0)::vector, \
            ARRAY(SELECT random() FROM generate_series(1, 8) WHERE i > 0)::vector \
         FROM generate_series(1, 3000) i;
         CREATE INDEX t_a ON t USING hnsw (a vector_cosine_ops);
         CREATE INDEX t_b ON t USING ivf (b halfvec_l2_ops);
         ANALYZE t",
    )
    .unwrap();
    let leg = |column: &str, operator: &str, kind: &str| {
        let nearest = format!("{column} {operator} '[1,0,1,0,1,0,1,0]'::{kind}");
        format!(
            "(SELECT id, row_number() OVER (ORDER BY {nearest}) AS rank FROM t \
              ORDER BY {nearest} LIMIT 50)"
        )
    };
    let query = format!(
        "SELECT id, sum(rrf(rank)) AS score FROM ({} UNION ALL {}) legs \
         GROUP BY id ORDER BY score DESC, id LIMIT 10",
        leg("a", "<=>", "vector"),
        leg("b", "<->", "halfvec")
    );
    let plan = explain_plan(&mut db, &query).unwrap();
    assert!(scans_index(&plan, "t_a") && scans_index(&plan, "t_b"), "{plan}");
    assert!(!plan.contains("Seq Scan"), "{plan}");
    // Inlined: the plan has the quotient, not a call.
    let verbose = db.query(&format!("EXPLAIN (VERBOSE) {query}"), &[]).unwrap();
    let verbose: Vec<String> = verbose.iter().map(|row| row.get(0)).collect();
    assert!(verbose.iter().all(|line| !line.contains("rrf(")), "{verbose:#?}");
    let rows = db.query(&query, &[]).unwrap();
    let scores: Vec<f64> = rows.iter().map(|row| row.get(1)).collect();
    assert!(scores.len() == 10 && scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert!(scores[0] <= 2.0 / 61.0 && scores[9] > 0.0, "{scores:?}");
}
