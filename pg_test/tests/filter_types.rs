//! Filters on columns of all types that have an order, through `vector_search`: each constant is read
//! by its type's own input function, and nothing of a user's runs.

use pg_test::{TestDb, hint, message, sqlstate};
use postgres::Client;

/// Row 3 has nothing but nulls. Each type has its domain, and arrays of some.
const ROWS: &str = "
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE SCHEMA other; CREATE TYPE other.\"Size\" AS ENUM ('S', 'M', 'L');
CREATE DOMAIN key AS uuid; CREATE DOMAIN money_of AS numeric(30,12); CREATE DOMAIN short AS varchar(8);
CREATE DOMAIN feeling AS mood; CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE DOMAIN smaller AS small; CREATE DOMAIN day AS date; CREATE DOMAIN code AS char(3);
CREATE DOMAIN numbers AS int[]; CREATE DOMAIN document AS jsonb;
CREATE TABLE t (id int PRIMARY KEY, e vector(1),
    u uuid, d date, ti time, tz timetz, ts timestamp, tt timestamptz, iv interval, c char(5), n name,
    m mood, z other.\"Size\", nu numeric, ip inet, mac macaddr, v varchar(5),
    du key, dn money_of, dv short, df feeling, ds smaller, dd day, dc code, da numbers, dj document,
    ua uuid[], ma mood[], da2 date[], ca char(2)[], sa small[], p point, pa point[]);
INSERT INTO t VALUES
(1, '[1]', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2025-01-31', '08:00', '08:00+02', '2025-01-31 08:00',
 '2025-01-31 08:00Z', '1 day', 'ab', 'n1', 'happy', 'S', 12345678901234567890.123, '10.0.0.1',
 '08:00:2b:01:02:03', 'x', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 0.1, 'one', 'happy', 7, '2025-01-31',
 'abc', '{1,2}', '{\"k\": 1}', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}', '{sad,happy}', '{2025-01-31}', '{a,b}',
 '{1,2}', '(1,2)', '{\"(1,2)\"}'),
(2, '[2]', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a22', '2024-02-29', '23:59', '23:59+02', '2024-02-29 12:00',
 '2024-02-29 12:00Z', '2 hours', 'a%', 'n2', 'sad', 'L', 12345678901234567890.124, '192.168.0.0/16',
 '08:00:2b:01:02:04', 'y', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a22', 0.25, 'two', 'sad', 8, '2024-02-29',
 'xyz', '{3}', '{\"k\": 2}', '{}', '{ok}', '{2024-02-29,2025-01-31}', '{c}', '{3}', '(3,4)', '{}');
INSERT INTO t (id, e) VALUES (3, '[3]');
CREATE INDEX ON t USING hnsw (e vector_l2_ops);
";

const CASES: &[(&str, &[i32])] = &[
    ("u == 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", &[1]),
    ("u == '{A0EEBC999C0B4EF8BB6D6BB9BD380A11}'", &[1]),
    ("u != 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", &[2]),
    ("not (u == 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')", &[2]),
    (
        "u in ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a22']",
        &[1, 2],
    ),
    ("u not in ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']", &[2]),
    ("u is null", &[3]),
    ("u is not null", &[1, 2]),
    ("d > '2024-12-31'", &[1]),
    ("'2024-01-01' <= d < '2025-01-01'", &[2]),
    ("d == ISO '2025-01-31'", &[1]),
    ("d in ['2025-01-31', '2024-02-29']", &[1, 2]),
    ("ti < '12:00'", &[1]),
    ("tz == '06:00+00'", &[]),
    ("tz < '12:00+02'", &[1]),
    ("ts == '2025-01-31T08:00:00'", &[1]),
    ("ts < ISO '2025-01-01T00:00:00'", &[2]),
    ("tt == '2025-01-31 10:00+02'", &[1]),
    ("tt in ['2025-01-31 08:00Z']", &[1]),
    ("tt + INTERVAL 'P1D' > ISO '2025-02-01T00:00:00Z'", &[1]),
    ("iv < '1 day'", &[2]),
    ("iv == '24 hours'", &[1]),
    // Trailing blanks are none of the value's.
    ("c == 'ab'", &[1]),
    ("c like 'ab'", &[1]),
    ("c like 'a\\\\%'", &[2]),
    ("c like '__'", &[1, 2]),
    ("c =~ 'b$'", &[1]),
    ("c in ['ab', 'zz']", &[1]),
    ("c < 'ab'", &[2]),
    ("starts_with(c, 'a')", &[1, 2]),
    ("text_match(c, 'AB')", &[1]),
    ("n == 'n1'", &[1]),
    ("n in ['n2']", &[2]),
    ("n like 'n%'", &[1, 2]),
    ("n >= 'n2'", &[2]),
    // By the order of the type, not of its labels.
    ("m > 'ok'", &[1]),
    ("m in ['sad', 'ok']", &[2]),
    ("'sad' <= m < 'happy'", &[2]),
    ("m == {feeling}", &[1]),
    ("m in {feelings}", &[1, 2]),
    ("z < 'M'", &[1]),
    // Numbers are exact.
    ("nu == 12345678901234567890.123", &[1]),
    ("nu > 12345678901234567890.123", &[2]),
    ("nu in [12345678901234567890.124]", &[2]),
    ("nu + 1 == 12345678901234567891.123", &[1]),
    ("ip == '10.0.0.1'", &[1]),
    ("mac > '08-00-2b-01-02-03'", &[2]),
    // Domains are as what they are over.
    ("du == 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", &[1]),
    ("dn == 0.1", &[1]),
    ("dn + 1 < 1.2", &[1]),
    ("dv in ['two', 'much longer']", &[2]),
    ("dv like 'o%'", &[1]),
    ("df > 'ok'", &[1]),
    ("ds > 7", &[2]),
    // Beyond what the domain allows: no row has it.
    ("ds > 100", &[]),
    ("ds != 100", &[1, 2]),
    ("ds is null", &[3]),
    ("dd < ISO '2025-01-01'", &[2]),
    ("dc == 'abc'", &[1]),
    ("dc =~ 'z$'", &[2]),
    ("da[0] == 1", &[1]),
    ("array_contains(da, 3)", &[2]),
    ("array_length(da) == 2", &[1]),
    ("dj['k'] == 2", &[2]),
    ("du == u", &[1, 2]),
    // Arrays.
    ("array_contains(ua, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11')", &[1]),
    ("array_contains_any(ma, ['ok', 'happy'])", &[1, 2]),
    ("array_contains_all(ma, ['sad', 'happy'])", &[1]),
    ("ma[0] == 'sad'", &[1]),
    ("da2 == ['2024-02-29', '2025-01-31']", &[2]),
    ("da2[1] > '2025-01-01'", &[2]),
    ("array_contains(ca, 'b')", &[1]),
    ("array_contains(sa, 3)", &[2]),
    ("sa[1] == 2", &[1]),
    ("p is null", &[3]),
    ("p is not null", &[1, 2]),
];

fn search(filter: &str) -> String {
    let filter = filter.replace('\'', "''");
    format!(
        "SELECT (hit).id FROM vector_search(NULL::t, ann('e', '[0]'), filter => '{filter}', \
         filter_params => '{{\"feeling\": \"happy\", \"feelings\": [\"happy\", \"sad\"]}}') ORDER BY 1"
    )
}

fn found(db: &mut Client, filter: &str) -> Result<Vec<i32>, postgres::Error> {
    Ok(db.query(&search(filter), &[])?.iter().map(|row| row.get(0)).collect())
}

#[test]
fn values_of_all_types_are_compared() {
    let mut db = TestDb::new();
    db.batch_execute(ROWS).unwrap();
    let mut wrong = Vec::new();
    for (filter, expected) in CASES {
        match found(&mut db, filter) {
            Ok(rows) if rows == *expected => {}
            Ok(rows) => wrong.push(format!("{filter}: {rows:?}, not {expected:?}")),
            Err(error) => wrong.push(format!("{filter}: {}", message(&error))),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn refusals_name_the_column_and_the_value() {
    let mut db = TestDb::new();
    db.batch_execute(ROWS).unwrap();
    for (filter, code, said, context) in [
        ("u == 'zz'", "22P02", "invalid input syntax for type uuid: \"zz\"", "column u"),
        ("u in ['zz']", "22P02", "invalid input syntax for type uuid: \"zz\"", "column u"),
        ("m == 'angry'", "22P02", "invalid input value for enum mood: \"angry\"", "column m"),
        ("m in ['ok', 'angry']", "22P02", "enum mood: \"angry\"", "column m"),
        ("df == 'angry'", "22P02", "enum mood: \"angry\"", "column df"),
        ("array_contains(ma, 'angry')", "22P02", "enum mood: \"angry\"", "column ma"),
        ("d > '2025-13-01'", "22008", "\"2025-13-01\"", "column d"),
        ("tt > 'soon'", "22007", "timestamp with time zone: \"soon\"", "column tt"),
        ("ip == '10.0.0.300'", "22P02", "inet: \"10.0.0.300\"", "column ip"),
        ("u == 1", "42804", "incompatible operands: u == 1", ""),
        ("u in [1]", "42804", "value '1' in list cannot be casted to uuid", ""),
        ("u like 'a%'", "42804", "like operation on non-string", ""),
        ("p == '(1,2)'", "0A000", "column p is of type point, which filters cannot compare", ""),
        ("pa == ['(1,2)']", "0A000", "column pa is of type point[], which filters", ""),
        ("c =~ 'a('", "2201B", "unclosed group", ""),
    ] {
        let error = found(&mut db, filter).expect_err(filter);
        assert_eq!(sqlstate(&error), code, "{filter}: {}", message(&error));
        assert!(message(&error).contains(said), "{filter}: {}", message(&error));
        let told = error.as_db_error().and_then(|error| error.where_()).unwrap_or_default();
        assert!(told.contains(context), "{filter}: {told}");
    }
    let error = found(&mut db, "p == '(1,2)'").unwrap_err();
    assert!(hint(&error).contains("is null"), "{}", hint(&error));
}

/// Operators and functions of every kind that filters use, for domains and enums, of a user's.
const TRAPS: &str = "
CREATE SCHEMA traps;
CREATE FUNCTION traps.sprung(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN RAISE 'trap'; END $$;
CREATE FUNCTION traps.key(key, uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trap'; END $$;
CREATE FUNCTION traps.small(smaller, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trap'; END $$;
CREATE FUNCTION traps.short(short, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trap'; END $$;
CREATE FUNCTION traps.standard_tsvector(text) RETURNS tsvector LANGUAGE plpgsql AS $$ BEGIN RAISE 'trap'; END $$;
CREATE FUNCTION traps.standard_tsvector(short) RETURNS tsvector LANGUAGE plpgsql AS $$ BEGIN RAISE 'trap'; END $$;
CREATE OPERATOR traps.= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = traps.sprung);
CREATE OPERATOR traps.< (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = traps.sprung);
CREATE OPERATOR traps.= (LEFTARG = key, RIGHTARG = uuid, FUNCTION = traps.key);
CREATE OPERATOR traps.= (LEFTARG = smaller, RIGHTARG = bigint, FUNCTION = traps.small);
CREATE OPERATOR traps.= (LEFTARG = short, RIGHTARG = text, FUNCTION = traps.short);
CREATE OPERATOR traps.~~ (LEFTARG = short, RIGHTARG = text, FUNCTION = traps.short);
SET search_path = traps, public, pg_catalog;
";

#[test]
fn operators_of_others_are_not_used() {
    let mut db = TestDb::new();
    db.batch_execute(ROWS).unwrap();
    db.batch_execute(TRAPS).unwrap();
    for (filter, expected) in CASES {
        assert_eq!(found(&mut db, filter).unwrap(), *expected, "{filter}");
    }
    assert_eq!(found(&mut db, "text_match(dv, 'one')").unwrap(), [1]);
}

#[test]
fn indexes_serve_columns_of_domains() {
    let mut db = TestDb::new();
    db.batch_execute(ROWS).unwrap();
    db.batch_execute(
        "CREATE INDEX by_u ON t (u); CREATE INDEX by_m ON t (m); CREATE INDEX by_d ON t (d);
        CREATE INDEX by_du ON t (du); CREATE INDEX by_ds ON t (ds); CREATE INDEX by_df ON t (df);
        CREATE INDEX by_c ON t (c); CREATE INDEX by_dj ON t USING gin (dj jsonb_path_ops);
        CREATE INDEX by_da ON t USING gin (da); CREATE INDEX by_ma ON t USING gin (ma);
        SET enable_seqscan = off; SET enable_indexscan = off",
    )
    .unwrap();
    for (filter, index) in [
        ("u == 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "by_u"),
        ("m in ['sad']", "by_m"),
        ("'2024-01-01' <= d < '2025-01-01'", "by_d"),
        ("du == 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "by_du"),
        ("ds == 7", "by_ds"),
        ("df == 'ok'", "by_df"),
        ("c == 'ab'", "by_c"),
        ("dj['k'] == 2", "by_dj"),
        ("array_contains(da, 3)", "by_da"),
        ("array_contains(ma, 'ok')", "by_ma"),
    ] {
        let statement = search(filter)
            .replace("SELECT (hit).id FROM vector_search(", "SELECT vector_search_sql(");
        let statement = statement.replace(" ORDER BY 1", "");
        let statement: String = db.query_one(&statement, &[]).unwrap().get(0);
        let plan = db.query(&format!("EXPLAIN (COSTS OFF) {statement}"), &[]).unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        assert!(plan.join("\n").contains(index), "{filter}: {plan:#?}");
    }
}
