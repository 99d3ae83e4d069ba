//! `vector_score`: Milvus's scores, for every type.

use pg_test::{TestDb, hint, message, sqlstate};

#[test]
fn scores_are_those_of_milvus() {
    let mut db = TestDb::new();
    for (sql_type, a, b) in [
        ("vector", "[1,2,0]", "[3,4,0]"),
        ("halfvec", "[1,2,0]", "[3,4,0]"),
        ("bf16vec", "[1,2,0]", "[3,4,0]"),
        ("i8vec", "[1,2,0]", "[3,4,0]"),
        ("sparsevec", "{1:1,2:2}/3", "{1:3,2:4}/3"),
    ] {
        for (metric, score) in [
            (", 'L2'", 8.0),
            (", 'IP'", 11.0),
            (", 'COSINE'", 11.0 / 125f32.sqrt()),
            (", 'cosine'", 11.0 / 125f32.sqrt()),
            (", metric => 'ip'", 11.0),
            ("", 11.0 / 125f32.sqrt()),
        ] {
            let query = format!("SELECT vector_score('{a}'::{sql_type}, '{b}'{metric})");
            assert_eq!(db.query_one(&query, &[]).unwrap().get::<_, f32>(0), score, "{query}");
        }
    }
    for (arguments, score) in [
        ("B'1100', B'0110', 'HAMMING'", 2.0),
        ("B'1100', B'0110'", 2.0),
        ("B'1100', B'0110', 'jaccard'", 2.0 / 3.0),
        ("B'0000', B'0000', 'JACCARD'", 1.0),
        ("''::varbit, ''::varbit, 'JACCARD'", 1.0),
        ("repeat('1', 900)::varbit, repeat('0', 900)::varbit", 900.0),
    ] {
        let query = format!("SELECT vector_score({arguments})");
        assert_eq!(db.query_one(&query, &[]).unwrap().get::<_, f32>(0), score, "{query}");
    }
}

#[test]
fn the_cosine_of_a_zero_vector_is_0() {
    let mut db = TestDb::new();
    for arguments in [
        "'[0,0]'::vector, '[1,2]'",
        "'[1,2]'::vector, '[0,0]', 'COSINE'",
        "'[0]'::vector, '[0]'",
        "'[0]'::halfvec, '[1]'",
        "'[1]'::bf16vec, '[0]'",
        "'[0]'::i8vec, '[0]'",
        "'{}/2'::sparsevec, '{1:1}/2'",
        "'{}/2'::sparsevec, '{}/2'",
    ] {
        let query = format!("SELECT vector_score({arguments})");
        assert_eq!(db.query_one(&query, &[]).unwrap().get::<_, f32>(0), 0.0, "{query}");
    }
}

#[test]
fn a_metric_that_the_type_has_not_is_refused() {
    let mut db = TestDb::new();
    let of_numbers = "Its metrics are L2, IP, COSINE.";
    for (sql_type, value, metric, metrics) in [
        ("vector", "[1]", "HAMMING", of_numbers),
        ("vector", "[1]", "", of_numbers),
        ("vector", "[1]", "l2 ", of_numbers),
        ("i8vec", "[1]", "JACCARD", of_numbers),
        ("sparsevec", "{}/1", "JACCARD", of_numbers),
        ("sparsevec", "{}/1", "é", of_numbers),
        ("bit", "1", "COSINE", "Its metrics are HAMMING, JACCARD."),
    ] {
        let value = format!("'{value}'::{sql_type}");
        let query = format!("SELECT vector_score({value}, {value}, '{metric}')");
        let error = db.simple_query(&query).unwrap_err();
        assert_eq!(sqlstate(&error), "22023", "{query}");
        assert_eq!(message(&error), format!("type {sql_type} has no metric \"{metric}\""));
        assert_eq!(hint(&error), metrics);
    }
}
