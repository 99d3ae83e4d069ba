//! Errors that PostgreSQL raises below our code reach the client with all of their fields, as if our
//! code were not there.

use pg_test::{TestDb, sqlstate, text};
use postgres::Client;
use postgres::error::DbError;

/// An error with every field that a function may set, where `test.fail` is on. The function that
/// raises it is volatile, or plans would keep its result.
const SETUP: &str = "
CREATE FUNCTION fail() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('test.fail', true) = 'on' THEN
        RAISE EXCEPTION 'told to fail' USING ERRCODE = 'P1234', DETAIL = 'The detail.',
            HINT = 'The hint.', COLUMN = 'a column', CONSTRAINT = 'a constraint',
            DATATYPE = 'a type', TABLE = 'a table', SCHEMA = 'a schema';
    END IF;
END $$;
CREATE FUNCTION fails(i int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM public.fail(); RETURN true; END $$;
CREATE FUNCTION vec(i int) RETURNS vector LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM public.fail(); RETURN array[i, 1]::real[]; END $$;
CREATE TABLE t (id int PRIMARY KEY, v vector(2));
INSERT INTO t SELECT i, array[i, 1] FROM generate_series(1, 300) AS i;
";

/// The error of a statement that must fail.
#[track_caller]
fn error(client: &mut Client, statement: &str) -> DbError {
    let error = client.batch_execute(statement).expect_err(statement);
    error.as_db_error().expect(statement).clone()
}

/// All fields but the context.
fn fields(error: &DbError) -> Vec<Option<String>> {
    let text = |field: Option<&str>| field.map(str::to_owned);
    vec![
        text(Some(error.severity())),
        text(Some(error.code().code())),
        text(Some(error.message())),
        text(error.detail()),
        text(error.hint()),
        error.position().map(|position| format!("{position:?}")),
        text(error.schema()),
        text(error.table()),
        text(error.column()),
        text(error.datatype()),
        text(error.constraint()),
        text(error.file()),
        error.line().map(|line| line.to_string()),
        text(error.routine()),
    ]
}

/// Asserts that `ours`, raised below our code, is `theirs`, raised where our code is not.
#[track_caller]
fn assert_same(ours: &DbError, theirs: &DbError) {
    assert_eq!(fields(ours), fields(theirs));
    assert_eq!(ours.where_(), theirs.where_());
}

/// As [`assert_same`], but the statement that our code runs is at the end of the context.
#[track_caller]
fn assert_same_within(ours: &DbError, theirs: &DbError) {
    assert_eq!(fields(ours), fields(theirs));
    let (ours, theirs) = (ours.where_().unwrap_or_default(), theirs.where_().unwrap_or_default());
    assert!(ours.starts_with(theirs), "{ours}\n does not begin with\n{theirs}");
}

/// Indexes of which an expression or a predicate fails.
const INDEXES: [&str; 2] =
    ["((vec(id)::vector(2)) vector_l2_ops)", "(v vector_l2_ops) WHERE fails(id)"];

fn database() -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(SETUP).unwrap();
    db
}

/// The planner evaluates what is immutable, and inlines functions, below our hook.
#[test]
fn planning_any_statement() {
    let mut db = TestDb::without_extension();
    db.batch_execute(
        "CREATE DOMAIN positive AS int CONSTRAINT above_zero CHECK (VALUE > 0);
        CREATE FUNCTION all_fields() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN RAISE EXCEPTION 'told to fail' USING ERRCODE = 'P1234', DETAIL = 'The detail.',
            HINT = 'The hint.', COLUMN = 'a column', CONSTRAINT = 'a constraint',
            DATATYPE = 'a type', TABLE = 'a table', SCHEMA = 'a schema'; END $$;
        CREATE FUNCTION of_domain() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
        DECLARE p positive := 1; BEGIN p := -1; RETURN p; END $$;
        CREATE FUNCTION dynamic() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN EXECUTE 'SELECT  nope'; RETURN 1; END $$;
        CREATE FUNCTION caught() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN RETURN all_fields();
        EXCEPTION WHEN SQLSTATE 'P1234' THEN RETURN 1 / 0; END $$;
        CREATE FUNCTION endless(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN RETURN endless(i + 1); END $$;
        SET check_function_bodies = off;
        CREATE FUNCTION inlined(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i +  nope';",
    )
    .unwrap();
    let (mut with, mut without) = (db.connect(), db.connect());
    with.batch_execute("LOAD 'vector_ext'").unwrap();
    for expression in [
        "all_fields()",
        "of_domain()",
        "dynamic()",
        "caught()",
        "inlined(1)",
        "1 / 0",
        "'x'::text::int",
        "repeat('x', 1073741824)",
    ] {
        for statement in ["SELECT @", "EXPLAIN SELECT @", "DO 'BEGIN PERFORM @; END'"] {
            let expression =
                expression.replace('\'', if statement.contains('\'') { "''" } else { "'" });
            let statement = statement.replace('@', &expression);
            let (ours, theirs) = (error(&mut with, &statement), error(&mut without, &statement));
            assert_same(&ours, &theirs);
        }
    }
    // The depth depends on the size of frames.
    let deep = "SET max_stack_depth = '1MB'; SELECT endless(1)";
    assert_eq!(error(&mut with, deep).code().code(), "54001");
    assert_eq!(error(&mut with, "SELECT all_fields()").code().code(), "P1234");
}

/// Code that catches an error by its SQLSTATE does so as often as it likes.
#[test]
fn exceptions_are_caught_by_their_sqlstate() {
    let mut db = database();
    db.batch_execute("SET test.fail = on").unwrap();
    db.batch_execute(
        "DO $$
        DECLARE state text; context text; caught int := 0;
        BEGIN
            FOR i IN 1..100 LOOP
                BEGIN
                    PERFORM fails(1);
                EXCEPTION WHEN SQLSTATE 'P1234' THEN
                    GET STACKED DIAGNOSTICS state = CONSTRAINT_NAME, context = PG_EXCEPTION_CONTEXT;
                    ASSERT state = 'a constraint' AND context LIKE 'PL/pgSQL function fail() line 4%';
                    caught := caught + 1;
                END;
                BEGIN
                    PERFORM '[1]'::vector <-> '[1,2]';
                EXCEPTION WHEN data_exception THEN caught := caught + 1;
                END;
            END LOOP;
            ASSERT caught = 200;
        END $$",
    )
    .unwrap();
    assert_eq!(text(&mut db, "SELECT 'alive'").as_deref(), Some("alive"));
}

/// A build evaluates the expression and the predicate of its index below our code.
#[test]
fn building_an_index() {
    let mut db = database();
    db.batch_execute("SET test.fail = on").unwrap();
    for index in INDEXES {
        let plain = index.replace("vector_l2_ops", "");
        let theirs = error(&mut db, &format!("CREATE INDEX ON t USING btree {plain}"));
        assert_eq!(theirs.code().code(), "P1234");
        for method in ["hnsw", "ivf", "ivfflat"] {
            let ours = error(&mut db, &format!("CREATE INDEX ON t USING {method} {index}"));
            assert_same(&ours, &theirs);
        }
    }
}

/// An insert evaluates them above our code.
#[test]
fn inserting_a_row() {
    let mut db = database();
    for index in INDEXES {
        let plain = index.replace("vector_l2_ops", "");
        let [theirs, ours @ ..] =
            [format!("btree {plain}"), format!("hnsw {index}"), format!("ivf {index}")].map(
                |index| {
                    db.batch_execute(&format!("CREATE INDEX i ON t USING {index}")).unwrap();
                    db.batch_execute("SET test.fail = on").unwrap();
                    let error = error(&mut db, "INSERT INTO t VALUES (1000, '[1,2]')");
                    db.batch_execute("SET test.fail = off; DROP INDEX i").unwrap();
                    error
                },
            );
        assert_eq!(theirs.code().code(), "P1234");
        ours.iter().for_each(|ours| assert_same(ours, &theirs));
    }
}

/// A scan whose index holds codes computes distances from the table, expressions included.
#[test]
fn scanning_an_index() {
    let mut db = database();
    let query = "SELECT id FROM t ORDER BY vec(id)::vector(2) <-> '[1,1]' LIMIT 1";
    db.batch_execute("SET test.fail = on").unwrap();
    let theirs = error(&mut db, query);
    assert_eq!(theirs.code().code(), "P1234");
    db.batch_execute(
        "SET test.fail = off; SET enable_seqscan = off;
        CREATE INDEX i ON t USING hnsw ((vec(id)::vector(2)) vector_l2_ops) WITH (quantization = sq8)",
    )
    .unwrap();
    db.batch_execute("SET test.fail = on").unwrap();
    assert_same(&error(&mut db, query), &theirs);
    db.batch_execute(&format!(
        "DO $$ BEGIN FOR i IN 1..20 LOOP
            BEGIN PERFORM ({query}); ASSERT false;
            EXCEPTION WHEN SQLSTATE 'P1234' THEN NULL; END;
        END LOOP; END $$"
    ))
    .unwrap();
    db.batch_execute("SET test.fail = off").unwrap();
    db.batch_execute(query).unwrap();
}

/// A search runs policies of row security as part of its statement.
#[test]
fn searching_under_a_policy() {
    let mut db = database();
    db.batch_execute(
        "CREATE ROLE protected; GRANT SELECT ON t TO protected;
        ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (fails(id));
        SET test.fail = on; SET ROLE protected",
    )
    .unwrap();
    let theirs = error(&mut db, "SELECT id FROM t");
    assert_eq!(theirs.code().code(), "P1234");
    for search in [
        "vector_search(NULL::t, ann('v', '[1,1]'::vector))",
        "range_search(NULL::t, ann('v', '[1,1]'::vector), 5::real)",
        "grouped_search(NULL::t, ann('v', '[1,1]'::vector), 'id')",
        "hybrid_search(NULL::t, ARRAY[ann('v', '[1,1]'::vector)])",
    ] {
        assert_same_within(&error(&mut db, &format!("SELECT * FROM {search}")), &theirs);
    }
    db.batch_execute("RESET ROLE; DROP OWNED BY protected; DROP ROLE protected").unwrap();
}

/// What another server or a file says of its rows is told as it was.
#[test]
fn searching_foreign_partitions() {
    let mut db = database();
    let socket = db.cluster().socket_dir().display().to_string();
    let name = db.name().to_owned();
    db.batch_execute(&format!(
        "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
        CREATE TABLE file (id int, v vector(2)) PARTITION BY LIST (id);
        CREATE FOREIGN TABLE file_1 PARTITION OF file DEFAULT SERVER files
            OPTIONS (program 'printf \"1|[1,2]\\nx|[1,2]\\n\"', format 'csv', delimiter '|');
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '{socket}', dbname '{name}');
        CREATE USER MAPPING FOR CURRENT_USER SERVER loopback OPTIONS (user 'postgres');
        CREATE TABLE words (id text, v vector(2)); INSERT INTO words VALUES ('x', '[1,2]');
        CREATE TABLE remote (id int, v vector(2)) PARTITION BY LIST (id);
        CREATE FOREIGN TABLE remote_1 PARTITION OF remote DEFAULT SERVER loopback
            OPTIONS (table_name 'words');",
    ))
    .unwrap();
    for table in ["file", "remote"] {
        let theirs = error(&mut db, &format!("SELECT id, v FROM {table} AS t"));
        let search = format!(
            r#"SELECT * FROM vector_search(NULL::{table},
                ann('v', '[1,1]'::vector, params => '{{"metric_type": "L2"}}'))"#
        );
        let ours = error(&mut db, &search);
        assert_same_within(&ours, &theirs);
    }
}

/// Errors of ours have the position of the literal, as those of PostgreSQL's own types.
#[test]
fn reading_a_literal() {
    let mut db = database();
    let theirs = error(&mut db, "SELECT  'x'::int");
    let ours = error(&mut db, "SELECT  'x'::vector");
    assert!(theirs.position().is_some());
    assert_eq!(ours.position(), theirs.position());
    assert_eq!(ours.code(), theirs.code());
}

/// A statement that is cancelled below our code says so as any other.
#[test]
fn cancelling_a_build() {
    let mut db = database();
    db.batch_execute(
        "CREATE FUNCTION slow(i int) RETURNS vector LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN PERFORM pg_sleep(600); RETURN array[i, 1]::real[]; END $$;
        SET statement_timeout = '100ms'",
    )
    .unwrap();
    let theirs = error(&mut db, "CREATE INDEX ON t USING btree ((slow(id)::vector(2)))");
    assert_eq!(theirs.code().code(), "57014");
    for method in ["hnsw", "ivf"] {
        let build =
            format!("CREATE INDEX ON t USING {method} ((slow(id)::vector(2)) vector_l2_ops)");
        let ours = error(&mut db, &build);
        assert_same(&ours, &theirs);
    }
}

/// Functions written in PL/pgSQL pass on what happens in the statements that they run.
#[test]
fn measuring_recall() {
    let mut db = database();
    db.batch_execute("CREATE INDEX i ON t USING hnsw ((vec(id)::vector(2)) vector_l2_ops)")
        .unwrap();
    db.batch_execute("SET test.fail = on").unwrap();
    let theirs = error(&mut db, "SELECT vec(id) FROM t");
    let ours = error(&mut db, "SELECT * FROM vector_index_recall('i')");
    assert_same_within(&ours, &theirs);
    let unknown = db.batch_execute("SELECT * FROM vector_index_info(0)").unwrap_err();
    assert_eq!(sqlstate(&unknown), "22023");
}
