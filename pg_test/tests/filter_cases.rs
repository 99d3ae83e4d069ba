//! Filters of Milvus's language, run by the server: which rows each of them selects.
//!
//! What is expected was derived from Milvus's rules, row by row.

use std::error::Error;

use filter::{Kind, Parameter, Scalar, Table, Templates, Value, parse};
use pg_test::TestDb;
use postgres::types::{Format, IsNull, ToSql, Type, private::BytesMut};

/// One column of each kind. Row 5 has nothing but nulls.
const ROWS: &str = r#"
CREATE TABLE t (id int, b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, s text,
    c varchar(20), ts timestamptz, a int4[], w text[], j jsonb, o json, v vector(2), "$meta" jsonb);
INSERT INTO t VALUES
(1, true, 1, 10, 9223372036854775807, 0.1, 1.5, 1.50, 'apple pie', 'red', '2025-01-01Z', '{1,2,3}',
 '{x,y}', '{"k": 1, "n": {"x": [1, 2, [3, 4]]}, "s": "one", "b": true}', '{"k": 1}', '[1,2]',
 '{"color": "red", "size": 1}'),
(2, false, -7, 20, -9223372036854775808, 2.5, -7, 20.25, 'Apple 50% off', 'blue',
 '2025-06-01 12:00Z', '{}', '{}', '{"k": 5.0, "n": {}, "s": "two", "b": false}', '{"k": 2}', '[1,2]',
 '{"color": "blue", "size": [1, 2]}'),
(3, true, 7, 30, 0, -1, 0, 0, '', 'it''s', '2025-12-31Z', '{3}', '{"a\"b\\c"}',
 '{"k": "5", "n": null, "s": 7, "b": 1}', '{"k": null}', '[1,2]', '{"size": null}'),
(4, false, 0, -5, 42, 1e10, 1e300, -3, E'back\\slash\nline', 'Zoe', '2024-02-29Z', '{4,3}', '{y,z}',
 '{"k": [5, 6], "s": "a.*\"b", "n": {"x": []}}', '{}', '[1,2]', '{"color": "green"}'),
(5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"#;

const CASES: &[(&str, &[i32])] = &[
    ("", &[1, 2, 3, 4, 5]),
    ("true", &[1, 2, 3, 4, 5]),
    ("not true", &[]),
    // Simple comparisons; rows without a value never match, negated or not.
    ("i4 == 10", &[1]),
    ("10 == i4", &[1]),
    ("i4 != 10", &[2, 3, 4]),
    ("not (i4 == 10)", &[2, 3, 4]),
    ("not (i4 > 10)", &[1, 4]),
    ("15 < i4", &[2, 3]),
    ("i2 > 100000", &[]),
    ("i2 < 100000", &[1, 2, 3, 4]),
    ("i8 == 9223372036854775807", &[1]),
    ("i8 == -9223372036854775808", &[2]),
    ("i4 == 0xA", &[1]),
    ("b == true", &[1, 3]),
    ("b != true", &[2, 4]),
    ("f4 == 0.1", &[1]),
    ("f4 < 1e300", &[1, 2, 3, 4]),
    ("f8 == 1e300", &[4]),
    ("f8 > 1", &[1, 4]),
    ("n == 1.5", &[1]),
    ("n >= 20.25", &[2]),
    ("s == ''", &[3]),
    ("c == \"it's\"", &[3]),
    // By bytes: upper case comes before lower case.
    ("c < 'blue'", &[4]),
    ("c >= 'blue'", &[1, 2, 3]),
    // Ranges.
    ("10 <= i4 < 30", &[1, 2]),
    ("30 > i4 >= 20", &[2]),
    ("not (10 <= i4 < 30)", &[3, 4]),
    ("'a' < c < 's'", &[1, 2, 3]),
    // Lists.
    ("i4 in [10, 30, 99]", &[1, 3]),
    ("i4 not in [10, 30]", &[2, 4]),
    ("not (i4 in [10, 30])", &[2, 4]),
    ("i4 in []", &[]),
    ("i4 not in []", &[1, 2, 3, 4]),
    ("c in ['red', 'Zoe',]", &[1, 4]),
    ("f4 in [0.1, 2.5]", &[1, 2]),
    ("b in [true]", &[1, 3]),
    // Null.
    ("i4 is null", &[5]),
    ("i4 is not null", &[1, 2, 3, 4]),
    ("not (i4 is null)", &[1, 2, 3, 4]),
    ("a IS NULL", &[5]),
    ("j is null", &[5]),
    // Three values: unknown and true is unknown, unknown or true is true.
    ("i4 == 10 or true", &[1, 2, 3, 4, 5]),
    ("i4 == 10 or id == 5", &[1, 5]),
    ("not (i4 == 10 and id == 5)", &[1, 2, 3, 4]),
    ("not (i4 == 10 and id == 4)", &[1, 2, 3, 4, 5]),
    ("not (i4 == 10 or id == 4)", &[2, 3]),
    ("not not (i4 == 10)", &[1]),
    // Precedence.
    ("i4 == 10 or i4 == 20 and b == true", &[1]),
    ("i4 == 20 or i4 == 10 and b == true", &[1, 2]),
    ("(i4 == 10 or i4 == 20) and b == true", &[1]),
    ("i4 == 30 || i4 == 20 && b == true", &[3]),
    ("not (b == true) and i4 > 0", &[2]),
    ("not s like 'a%' and i4 > 0", &[2, 3]),
    ("i4 + 2 * 5 == 20", &[1]),
    ("i4 == 2 + 2 * 4", &[1]),
    ("i4 == -2 ** 2 - 1", &[4]),
    ("i4 == 2 ** 3 + 2", &[1]),
    ("b == 1 < 2", &[1, 3]),
    // Arithmetic.
    ("i4 + 5 == 15", &[1]),
    ("5 + i4 == 15", &[1]),
    ("i4 - 5 > 15", &[3]),
    ("i8 + 1 > 9223372036854775807", &[1]),
    ("i8 - 1 < -9223372036854775807", &[2]),
    ("i8 * 2 == 84", &[4]),
    ("i8 * 9223372036854775807 > 0", &[1, 4]),
    ("i2 / 2 == -3", &[2]),
    ("i2 / 2 == 3", &[3]),
    ("i8 / -1 > 0", &[2]),
    ("i2 % 4 == -3", &[2]),
    ("i2 % 4 == 3", &[3]),
    ("not (i2 % 4 == 3)", &[1, 2, 4]),
    ("(i2 & 4) == 4", &[3]),
    ("(i2 | 8) == 15", &[3]),
    ("(i2 ^ 1) == 6", &[3]),
    ("i4 + 2 + 3 == 15", &[1]),
    ("1 + (i4 + 2) == 13", &[1]),
    ("i4 - 2 + 3 - 1 > 20", &[3]),
    ("i8 + 9223372036854775807 + 9223372036854775807 > 9223372036854775807", &[1, 3, 4]),
    ("i8 + 9223372036854775807 - 1 == 9223372036854775806", &[3]),
    ("(i4 + 1) * 2 == 22", &[1]),
    ("2 * (i4 + 1) - 2 == 20", &[1]),
    ("(i2 + 1) / 2 == -3", &[2]),
    ("(i2 / 2) * 2 == -6", &[2]),
    ("(i2 % 4 + 1) == -2", &[2]),
    ("((i2 * 2) & 6) == 6", &[3]),
    ("((i2 | 8) + 1) == 16", &[3]),
    // What no integer of 64 bits holds has no bits: unknown.
    ("((i8 * 4) & 0) == 0", &[3, 4]),
    ("((i8 * 4) & 0) != 0", &[]),
    ("f8 * 2 + 1 == 4", &[1]),
    ("j['k'] + 1 + 2 == 4", &[1]),
    ("(j['k'] + 1) * 2 == 4", &[1]),
    ("id==1or id==2", &[1, 2]),
    ("id==0x1or f8==1.5or id==3", &[1, 3]),
    ("id in [1]and f8==1.5and b==true", &[1]),
    ("f8 * 2 == 3", &[1]),
    ("f8 / 2 == -3.5", &[2]),
    ("n + 0.5 == 2", &[1]),
    ("a[0] + 1 == 2", &[1]),
    // Columns.
    ("i2 < i4", &[1, 2, 3]),
    ("f8 > n", &[4]),
    ("s != c", &[1, 2, 3, 4]),
    // Patterns.
    ("s like 'apple%'", &[1]),
    ("s like '%50\\\\%%'", &[2]),
    ("s like '%50\\%%'", &[2]),
    ("s like '_pple pie'", &[1]),
    ("s like 'apple'", &[]),
    ("c like 'red'", &[1]),
    ("not (c like 'red')", &[2, 3, 4]),
    ("not (s like '%pp%')", &[3, 4]),
    ("s like '%'", &[1, 2, 3, 4]),
    ("s like 'back\\\\\\\\slash%'", &[4]),
    ("w[0] like 'x%'", &[1]),
    ("s =~ 'p+le'", &[1, 2]),
    ("s =~ '(?i)^APPLE'", &[1, 2]),
    ("s =~ '^apple'", &[1]),
    ("s !~ '(?i)apple'", &[3, 4]),
    ("not (s =~ 'apple')", &[2, 3, 4]),
    ("s =~ '\\d\\d%'", &[2]),
    ("s =~ '\\\\d\\\\d%'", &[2]),
    ("s =~ 'slash.line'", &[4]),
    ("s =~ '(?s)slash.line'", &[4]),
    ("s =~ '(?-s)slash.line'", &[]),
    ("s =~ '(?i:APPLE) [^p]'", &[2]),
    ("s =~ '^.{5,300}$'", &[1, 2, 4]),
    ("s =~ '\\p{Lu}\\p{Ll}+ [0-9]'", &[2]),
    ("s =~ '\\p{Han}'", &[]),
    ("s =~ 'h\\b'", &[4]),
    ("s =~ '(?m)^line$'", &[4]),
    ("s =~ 'slash[^a]line'", &[4]),
    ("s =~ '[[:digit:]]{2}'", &[2]),
    ("s =~ '[^\\W\\d]\\bpie|\\bpie\\z'", &[1]),
    ("s =~ r'k\\\\s'", &[4]),
    ("s =~ 'k\\\\\\\\s'", &[4]),
    ("starts_with(s, 'App')", &[2]),
    ("empty(s)", &[3]),
    ("not empty(s)", &[1, 2, 4]),
    // Arrays.
    ("a[0] == 1", &[1]),
    ("a[0] != 1", &[3, 4]),
    ("a[9] == 1", &[]),
    ("not (a[9] == 1)", &[]),
    ("a[9223372036854775807] == 1", &[]),
    ("a == [3]", &[3]),
    ("a != [3]", &[1, 2, 4]),
    ("array_contains(a, 3)", &[1, 3, 4]),
    ("not array_contains(a, 3)", &[2]),
    ("not array_contains(a, 99999999999)", &[1, 2, 3, 4]),
    ("array_contains_all(a, [1, 3])", &[1]),
    ("array_contains_any(a, [1, 4, 99999999999])", &[1, 4]),
    ("not array_contains_any(a, [1, 4])", &[2, 3]),
    ("ARRAY_CONTAINS(w, 'a\"b\\\\c')", &[3]),
    ("array_length(a) == 0", &[2]),
    ("array_length(a) > 1", &[1, 4]),
    ("not (array_length(a) > 1)", &[2, 3]),
    // Documents: what is missing, null or of another type is unknown.
    ("j['k'] == 5", &[2]),
    ("j['k'] == 1.0", &[1]),
    ("j['k'] != 5", &[1]),
    ("not (j['k'] == 5)", &[1]),
    ("j['k'] > 0", &[1, 2]),
    ("0 < j['k'] <= 1", &[1]),
    ("j['k'] == '5'", &[3]),
    ("j['k'] == [5, 6]", &[4]),
    ("j['k'] != [5]", &[4]),
    ("j['k'] in [1, '5']", &[1, 3]),
    ("j['k'] not in [1]", &[2]),
    ("j['k'] not in [1, 'x']", &[2, 3]),
    ("j['b'] == true", &[1]),
    ("j['b'] != true", &[2]),
    ("j['n']['x'][0] == 1", &[1]),
    ("j['n']['x'][2] == [3, 4]", &[1]),
    ("j[\"n\"][\"y\"] == 1", &[]),
    ("not (j['n']['y'] == 1)", &[]),
    ("j['k'] + 1 == 2", &[1]),
    ("j['k'] / 2 == 2.5", &[2]),
    ("j['k'] / 2 == 0", &[1]),
    ("(j['k'] & 1) == 1", &[1, 2]),
    ("j['s'] like 'o%'", &[1]),
    ("not (j['s'] like 'o%')", &[2, 4]),
    ("j['s'] =~ 'o'", &[1, 2]),
    ("j['s'] !~ 'o'", &[4]),
    ("j['s'] == 'a.*\"b'", &[4]),
    ("exists j['k']", &[1, 2, 3, 4]),
    ("exists j['n']", &[1]),
    ("not exists j['n']", &[2, 3, 4, 5]),
    ("j['n'] is null", &[2, 3, 4, 5]),
    ("j['n'] is not null", &[1]),
    ("json_contains(j['n']['x'], 1)", &[1]),
    ("json_contains(j['n']['x'], [3, 4])", &[1]),
    ("json_contains(j['n']['x'], [3])", &[]),
    ("not json_contains(j['n']['x'], 9)", &[1, 4]),
    ("json_contains_all(j['n']['x'], [1, 2])", &[1]),
    ("json_contains_any(j['n']['x'], [9, 2])", &[1]),
    ("not json_contains_any(j['n']['x'], [9, 2])", &[4]),
    ("array_length(j['k']) == 2", &[4]),
    ("o['k'] == 2", &[2]),
    // Dynamic fields.
    ("color == 'red'", &[1]),
    ("color != 'red'", &[2, 4]),
    ("$meta['color'] in ['blue', 'green']", &[2, 4]),
    ("size[1] == 2", &[2]),
    ("exists size", &[1, 2]),
    ("size is null", &[3, 4, 5]),
    ("color like 'gr%' or size == 1", &[1, 4]),
    // Time.
    ("ts > ISO '2025-06-01T14:00:00+08:00'", &[2, 3]),
    ("ISO '2025-01-01T00:00:00Z' == ts", &[1]),
    ("ts + INTERVAL 'P1D' > ISO '2026-01-01T00:00:00Z'", &[]),
    ("ts + INTERVAL 'P1DT1H' > ISO '2026-01-01T00:00:00Z'", &[3]),
    ("ISO '2025-01-01T00:00:00Z' <= ts < ISO '2025-12-31T00:00:00Z'", &[1, 2]),
    ("ts is null", &[5]),
    // Words.
    ("text_match(s, 'pie off')", &[1, 2]),
    ("text_match(s, 'APPLE')", &[1, 2]),
    ("text_match(s, 'apple pie', minimum_should_match=2)", &[1]),
    ("not text_match(s, 'apple')", &[3, 4]),
    ("text_match(s, ' , ')", &[]),
    ("text_match(s, \"it's | ! & ( 'pie\")", &[1]),
    ("phrase_match(s, 'apple pie')", &[1]),
    ("phrase_match(s, 'apple off')", &[]),
    ("phrase_match(s, 'apple off', 1)", &[2]),
    ("phrase_match(s, 'pie apple', 1)", &[]),
    ("phrase_match(s, 'pie apple', 2)", &[1]),
    ("phrase_match(s, 'off % apple', 3)", &[2]),
    ("phrase_match(s, 'slash LINE')", &[4]),
    ("not phrase_match(s, 'slash line')", &[1, 2, 3]),
    ("not phrase_match(s, '.')", &[1, 2, 3, 4]),
    ("text_match(s, 'back-50')", &[2, 4]),
    ("text_match(s, 'back-50 off', minimum_should_match=2)", &[2]),
    ("text_match(s, '50 50 off', minimum_should_match=3)", &[]),
    // Templates.
    ("i4 > {low} and c in {colours}", &[1]),
    ("s like {pattern}", &[1]),
    ("j[\"k\"] == {five}", &[2]),
    ("array_contains_any(a, {numbers})", &[1, 4]),
];

/// Texts that would mean something if they ever got out of their quotes.
const INJECTIONS: &[&str] = &[
    "'; DROP TABLE t; --",
    "\"",
    "\\",
    "\\'",
    "'' OR true",
    "$1",
    "$$",
    "*/ /*",
    "%_\\%",
    "\u{2019}\u{ff07}é中\u{1f600}",
    "\" || true || \"",
    "$.*",
    "@ == @",
    "\\u0022",
    "{\"a\":1}",
    "{a,b}",
    "NULL",
    "?",
    "\u{7f}\u{1}\n\t",
];

/// A parameter, sent as the text that its type's input function reads.
#[derive(Debug)]
struct Sent(String);

impl Sent {
    fn all(parameters: &[Parameter]) -> Vec<Self> {
        parameters.iter().map(|parameter| Self(parameter.text())).collect()
    }
}

impl ToSql for Sent {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    fn to_sql_checked(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(kind, out)
    }
}

fn table() -> Table {
    let columns = [
        ("b", Scalar::Bool),
        ("i2", Scalar::Int2),
        ("id", Scalar::Int4),
        ("i4", Scalar::Int4),
        ("i8", Scalar::Int8),
        ("f4", Scalar::Float4),
        ("f8", Scalar::Float8),
        ("n", Scalar::Numeric),
        ("s", Scalar::Text),
        ("c", Scalar::Varchar),
        ("ts", Scalar::Timestamptz),
    ];
    columns
        .into_iter()
        .fold(Table::new(), |table, (name, scalar)| table.column(name, Kind::Scalar(scalar)))
        .column("a", Kind::Array(Scalar::Int4))
        .column("w", Kind::Array(Scalar::Text))
        .column("j", Kind::Jsonb)
        .column("o", Kind::Json)
        .column("v", Kind::Vector)
        .column("$meta", Kind::Jsonb)
}

fn templates() -> Templates {
    Templates::from([
        ("low".into(), Value::Int(5)),
        ("five".into(), Value::Int(5)),
        ("colours".into(), vec!["red"].into()),
        ("numbers".into(), vec![1, 4].into()),
        ("pattern".into(), "%pie".into()),
    ])
}

/// Identifiers of the rows that the filter selects.
fn selected(db: &mut TestDb, text: &str, templates: &Templates) -> Result<Vec<i32>, String> {
    let condition = parse(text).and_then(|filter| filter.bind(&table(), templates));
    let sql = condition.and_then(|condition| condition.to_sql("r", 1));
    let sql = sql.map_err(|error| format!("{text}: {error}"))?;
    let sent = Sent::all(&sql.parameters);
    let sent: Vec<_> = sent.iter().map(|sent| sent as &(dyn ToSql + Sync)).collect();
    let query = format!("SELECT id FROM t r WHERE {} ORDER BY id", sql.text);
    let rows = db.query(&query, &sent).map_err(|error| {
        format!("{text}: {query} {:?}: {}", sql.parameters, pg_test::message(&error))
    })?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[test]
fn filters_select_the_rows_that_milvus_selects() {
    let mut db = TestDb::new();
    db.batch_execute(ROWS).unwrap();
    let mut wrong = Vec::new();
    for (text, expected) in CASES {
        match selected(&mut db, text, &templates()) {
            Ok(rows) if rows == *expected => {}
            Ok(rows) => wrong.push(format!("{text}: {rows:?}, not {expected:?}")),
            Err(error) => wrong.push(error),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn hostile_texts_are_only_texts() {
    let mut db = TestDb::new();
    db.batch_execute(ROWS).unwrap();
    for settings in
        ["SET standard_conforming_strings = on", "SET standard_conforming_strings = off"]
    {
        db.batch_execute(settings).unwrap();
        for hostile in INJECTIONS {
            let document = "jsonb_build_object($1::text, $1::text, 'k', $1::text)";
            let insert = format!(
                "INSERT INTO t (id, s, w, j) VALUES (99, $1::text, ARRAY[$1::text], {document})"
            );
            db.execute(&insert, &[hostile]).unwrap();
            let templates = Templates::from([
                ("text".into(), (*hostile).into()),
                ("list".into(), vec![*hostile].into()),
            ]);
            let quoted: String =
                hostile.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
            for text in [
                "s == {text}",
                "s in {list}",
                "array_contains(w, {text})",
                "array_contains_any(w, {list})",
                "w == {list}",
                "j['k'] == {text}",
                "j['k'] in {list}",
                &format!("j['{quoted}'] == {{text}}"),
                &format!("j['{quoted}'] like '%'"),
                &format!("exists j['{quoted}']"),
                &format!("s == '{quoted}'"),
                "starts_with(s, {text})",
            ] {
                let rows = selected(&mut db, text, &templates).unwrap();
                assert_eq!(rows.last(), Some(&99), "{text} {hostile}");
                let only = text.starts_with("starts_with") || text.contains("like");
                assert!(only || rows == [99] || hostile.is_empty(), "{text} {hostile}: {rows:?}");
            }
            for text in [
                "s like {text}",
                "text_match(s, {text})",
                "phrase_match(s, {text}, 1)",
                "s =~ {text}",
            ] {
                // Patterns may be refused, but by us.
                if let Err(error) = selected(&mut db, text, &templates) {
                    assert!(error.contains("invalid"), "{error}");
                }
            }
            db.execute("DELETE FROM t WHERE id = 99", &[]).unwrap();
        }
    }
    assert_eq!(selected(&mut db, "", &templates()), Ok(vec![1, 2, 3, 4, 5]));
}

#[test]
fn indexes_serve_filters() {
    let mut db = TestDb::new();
    db.batch_execute(ROWS).unwrap();
    db.batch_execute(
        "CREATE INDEX by_i4 ON t (i4); CREATE INDEX by_c ON t (c); CREATE INDEX by_a ON t USING gin (a);
         CREATE INDEX by_j ON t USING gin (j jsonb_path_ops); CREATE INDEX by_meta ON t USING gin (\"$meta\");
         CREATE INDEX by_s ON t USING gin (standard_tsvector(s)); SET enable_seqscan = off",
    )
    .unwrap();
    for (text, index) in [
        ("i4 == 10", "by_i4"),
        ("i4 + 5 > 10", "by_i4"),
        ("10 < i4 < 20", "by_i4"),
        ("i4 in [1, 2]", "by_i4"),
        ("c == 'red'", "by_c"),
        ("c in ['red']", "by_c"),
        ("array_contains(a, 1)", "by_a"),
        ("array_contains_any(a, [1])", "by_a"),
        ("j['n']['k'] == 1", "by_j"),
        ("j['n']['k'] == -1", "by_j"),
        ("j['k'] in [1, 'x']", "by_j"),
        ("json_contains(j['k'], 'x')", "by_j"),
        ("json_contains_all(j['k'], [1, 2])", "by_j"),
        ("color == 'red'", "by_meta"),
        ("text_match(s, 'apple pie')", "by_s"),
        ("phrase_match(s, 'apple pie')", "by_s"),
    ] {
        let condition = parse(text).unwrap().bind(&table(), &templates()).unwrap();
        let sql = condition.to_sql("r", 1).unwrap();
        let sent = Sent::all(&sql.parameters);
        let sent: Vec<_> = sent.iter().map(|sent| sent as &(dyn ToSql + Sync)).collect();
        let explain = format!("EXPLAIN (COSTS OFF) SELECT id FROM t r WHERE {}", sql.text);
        let rows = db.query(&explain, &sent).unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(plan.join("\n").contains(index), "{text}: {plan:#?}");
    }
}
