//! The extension as an object: what it installs, where, beside whom; and that no function of it
//! crashes, whatever SQL can pass to it.

use pg_test::{TestDb, hint, message, sqlstate};

/// All functions of the extension that SQL can call with values: oid as text, arguments' types.
fn functions(db: &mut TestDb) -> Vec<(String, Vec<String>)> {
    let query = "SELECT p.oid::regproc::text, proargtypes::regtype[]::text[]
        FROM pg_proc AS p JOIN pg_depend AS d
            ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'vector_ext'
        WHERE prokind = 'f' AND 'internal'::regtype <> ALL (proargtypes)
        ORDER BY 1";
    let rows = db.query(query, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Values of a type that are worth trying.
fn values(sql_type: &str) -> &'static [&'static str] {
    match sql_type {
        "vector" => &["[1]", "[-0]", "[1,2,3]", "[3e38,-3e38]", "[1e-45]"],
        "halfvec" => &["[1]", "[-0]", "[1,2,3]", "[65504,-65504]", "[6e-8]"],
        "bf16vec" => &["[1]", "[-0]", "[1,2,3]", "[3e38,-3e38]", "[1e-40]"],
        "i8vec" => &["[1]", "[0]", "[1,2,3]", "[127,-128]"],
        "sparsevec" => &["{}/1", "{1:1}/1", "{1:1,3:3e38}/3", "{2:1e-45}/1000000000"],
        "text" => &["", "L2", "COSINE", "HAMMING", "é"],
        "integer" => &["0", "1", "-1", "3", "2147483647", "-2147483648"],
        "boolean" => &["t"],
        "cstring" => {
            &["", "[", "[1,2,3]", "[1e999]", "[nan", "é", "{", "{1:1}/2", "{1:1e-99", "{}/9e9"]
        }
        "oid" => &["0", "4294967295"],
        "regclass" => &["0", "4294967295", "pg_class", "pg_class_oid_index", "pg_stat_activity"],
        "bit" => &["", "1", "101010101"],
        "cstring[]" => &["{}", "{1}", "{a}", "{1,2}", "{NULL}", "{{1,2},{3,4}}"],
        "integer[]" | "real[]" | "double precision[]" | "numeric[]" => {
            &["{}", "{1}", "{0}", "{1,2,3}", "{NULL}", "{1,NULL}", "{{1,2},{3,4}}", "[0:1]={1,2}"]
        }
        "anyelement" => &["(1,heap,2,t)"],
        "jsonb" => &["{}", "[1]", "{\"ef\": 1e99}"],
        "search_request" => &[
            "{}",
            "null",
            "{\"kind\": \"ann\", \"field\": \"amname\", \"query\": \"[1]\"}",
            "{\"kind\": \"fts\", \"field\": \"oid\", \"query\": 1, \"k\": -1}",
        ],
        "search_request[]" => &["{}", "{NULL}", "{\"{}\"}"],
        "vsphere" | "halfvec_sphere" | "bf16vec_sphere" | "i8vec_sphere" => {
            &["(,,)", "(\"[1,2]\",1,)", "(\"[1]\",NaN,0)", "(\"[1,2]\",inf,-inf)"]
        }
        "sparsevec_sphere" => &["(,,)", "({}/2,1,)", "(\"{1:1}/2\",0,NaN)"],
        "ranker" => &["{}", "[]", "{\"strategy\": \"rrf\", \"k\": \"\"}"],
        _ => &["{1,2}"],
    }
}

/// Calls of a function at most.
const MAX_CALLS: usize = 1_000;

/// All ways to choose a value for each argument; where they are many, some of them.
fn calls(arguments: &[String]) -> Vec<Vec<String>> {
    let n_calls: usize = arguments.iter().map(|sql_type| values(sql_type).len()).product();
    // Some are spread over all, several times over.
    let stride = if n_calls > MAX_CALLS { n_calls / MAX_CALLS * 6 + 1 } else { 1 };
    let call = |n: usize| {
        let mut rest = n * stride % n_calls;
        let choose = |sql_type: &String| {
            let values = values(sql_type);
            let value = values[rest % values.len()];
            rest /= values.len();
            literal(sql_type, value)
        };
        arguments.iter().map(choose).collect()
    };
    (0..n_calls.min(MAX_CALLS)).map(call).collect()
}

fn literal(sql_type: &str, value: &str) -> String {
    let cast = match sql_type {
        // `bit` without a length would cut to one bit.
        "bit" => "varbit",
        "anyelement" => "pg_am",
        sql_type => sql_type,
    };
    format!("'{value}'::{cast}")
}

#[test]
fn functions_are_pure_strict_and_safe_in_parallel() {
    let mut db = TestDb::new();
    for (sql_type, n_functions) in [
        ("vector", 36),
        ("halfvec", 36),
        ("bf16vec", 36),
        ("i8vec", 34),
        ("sparsevec", 40),
        ("bit", 6),
    ] {
        let query = format!(
            "SELECT count(*), string_agg(p.oid::regprocedure::text, ' ') FILTER (WHERE NOT
                ((proisstrict OR proname IN ('sphere', 'within'))
                    -- A model's answer may change from one statement to the next.
                    AND (provolatile, proparallel) = CASE proname WHEN 'embed'
                        THEN ('s'::\"char\", 'r'::\"char\") ELSE ('i'::\"char\", 's'::\"char\") END
                    AND NOT prosecdef AND obj_description(p.oid, 'pg_proc') IS NOT NULL))
            FROM pg_proc AS p JOIN pg_depend AS d
                ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
            WHERE prokind = 'f' AND '{sql_type}'::regtype
                IN (prorettype, proargtypes[0], proargtypes[1])"
        );
        let row = db.query_one(&query, &[]).unwrap();
        assert!(row.get::<_, i64>(0) >= n_functions, "{sql_type}: {}", row.get::<_, i64>(0));
        assert_eq!(row.get::<_, Option<String>>(1), None);
    }
}

#[test]
fn null_in_null_out() {
    let mut db = TestDb::new();
    for (function, arguments) in functions(&mut db) {
        // A search and what it is made of have arguments that may be left out.
        let name = function.rsplit('.').next().unwrap();
        let searches = name.contains("_search") || name.contains("ranker");
        if arguments.is_empty() || searches || ["ann", "bm25", "fts"].contains(&name) {
            continue;
        }
        let nulls: Vec<String> = arguments.iter().map(|sql| format!("NULL::{sql}")).collect();
        let call = format!("{function}({})", nulls.join(", "));
        // A function that returns rows returns none.
        let query = format!("SELECT count(*) FROM {call} AS result WHERE result IS NOT NULL");
        assert_eq!(db.query_one(&query, &[]).unwrap().get::<_, i64>(0), 0, "{query}");
    }
}

#[test]
fn no_argument_crashes_a_function() {
    let mut db = TestDb::new();
    let mut n_calls = 0;
    for (function, arguments) in functions(&mut db) {
        for call in calls(&arguments) {
            let query = format!("SELECT {function}({})", call.join(", "));
            if let Err(error) = db.simple_query(&query) {
                // An internal error would be a bug that SQL can reach, but for these two.
                let text = message(&error);
                let hand_made = text.ends_with(": expected state array")
                    || text.starts_with("could not open relation with OID");
                assert!(
                    hand_made || !matches!(sqlstate(&error), "" | "XX000"),
                    "{query}: {error:?}"
                );
            }
            n_calls += 1;
        }
    }
    assert!(n_calls > 1_000);
    assert!(!db.cluster().has_crashed());
}

#[test]
fn a_function_declared_wrongly_gives_an_error() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE FUNCTION lax(vector, vector) RETURNS float8
             AS '$libdir/vector_ext', 'vector_l2_distance' LANGUAGE C;
         CREATE FUNCTION short(vector) RETURNS float8
             AS '$libdir/vector_ext', 'vector_l2_distance' LANGUAGE C;
         CREATE FUNCTION bytes(bytea) RETURNS int AS '$libdir/vector_ext', 'vector_dims' LANGUAGE C",
    )
    .unwrap();
    for query in ["SELECT lax('[1]', NULL)", "SELECT short('[1]')"] {
        assert_eq!(sqlstate(&db.simple_query(query).unwrap_err()), "XX000");
    }
    // A datum whose length does not fit its dimensions is refused before an element is read.
    for bytes in ["\\x", "\\x00", "\\x0100", "\\xff7f0000", "\\x010000000000"] {
        let error = db.simple_query(&format!("SELECT bytes('{bytes}')")).unwrap_err();
        assert_eq!(sqlstate(&error), "XX001", "{bytes}");
    }
}

#[test]
fn installs_into_any_schema() {
    let mut db = TestDb::without_extension();
    db.batch_execute("CREATE SCHEMA s; CREATE EXTENSION vector_ext SCHEMA s").unwrap();
    let query =
        "SELECT '[1,2]'::s.vector OPERATOR(s.<->) '[1,2]', s.vector_dims('[1,2]'::s.vector)";
    db.query_one(query, &[]).unwrap();
    assert!(db.simple_query("SELECT '[1]'::vector").is_err());
    db.batch_execute("DROP EXTENSION vector_ext; DROP SCHEMA s").unwrap();
}

#[test]
fn an_owner_of_the_database_may_install_it() {
    let mut db = TestDb::without_extension();
    db.batch_execute(
        "DROP ROLE IF EXISTS owner_of_catalog_test;
         CREATE ROLE owner_of_catalog_test LOGIN;
         DO $$ BEGIN
             EXECUTE format('ALTER DATABASE %I OWNER TO owner_of_catalog_test', current_database());
         END $$;
         SET ROLE owner_of_catalog_test;
         CREATE SCHEMA mine;
         CREATE EXTENSION vector_ext SCHEMA mine;
         RESET ROLE",
    )
    .unwrap();
}

#[test]
fn refuses_to_stand_beside_pgvector() {
    // pgvector need not be installed: the name of an access method is what two cannot share.
    let mut db = TestDb::without_extension();
    db.batch_execute("CREATE ACCESS METHOD ivfflat TYPE INDEX HANDLER bthandler").unwrap();
    let error = db.batch_execute("CREATE EXTENSION vector_ext").unwrap_err();
    assert_eq!(sqlstate(&error), "42710");
    assert_eq!(message(&error), "cannot create vector_ext in a database that has pgvector");
    assert!(hint(&error).contains("either vector_ext or pgvector"));
}
