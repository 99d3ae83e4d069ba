//! What is refused: with the place, the class and the words of the mistake.

use filter::{Column, Error, ErrorKind, Kind, Scalar, Table, Templates, Value, parse};

fn table() -> Table {
    let of = |name: &str, kind, type_name: &str| Column {
        type_name: type_name.into(),
        shown_type: type_name.into(),
        ..Column::new(name, kind)
    };
    let mut table = columns().reader(|scalar, _, text| {
        if matches!(scalar, Scalar::Other(_)) {
            return text.parse::<u8>().map(|_| ()).map_err(|_| "no uuid".into());
        }
        text.starts_with('2').then_some(()).ok_or("no time".into())
    });
    table.extend([of("u", Kind::Scalar(Scalar::Other(7)), "uuid"), of("p", Kind::Other, "point")]);
    table
}

fn columns() -> Table {
    Table::new()
        .column("i", Kind::Scalar(Scalar::Int4))
        .column("f", Kind::Scalar(Scalar::Float8))
        .column("b", Kind::Scalar(Scalar::Bool))
        .column("s", Kind::Scalar(Scalar::Text))
        .column("ts", Kind::Scalar(Scalar::Timestamptz))
        .column("a", Kind::Array(Scalar::Int4))
        .column("j", Kind::Jsonb)
        .column("v", Kind::Vector)
}

fn error(text: &str) -> Error {
    let templates = Templates::from([("n".into(), Value::Int(1))]);
    let bound = parse(text).and_then(|filter| filter.bind(&table(), &templates));
    bound.err().unwrap_or_else(|| panic!("{text} is accepted"))
}

#[test]
fn mistakes_are_placed_and_named() {
    for (text, position, kind, message) in [
        ("i ==", 4, ErrorKind::Syntax, "the expression ends"),
        ("i == 1 1", 7, ErrorKind::Syntax, "mismatched input '1'"),
        ("(i == 1", 7, ErrorKind::Syntax, "expected ')'"),
        ("i = 1", 2, ErrorKind::Syntax, "mismatched input '='"),
        ("i And 1", 2, ErrorKind::Syntax, "mismatched input 'And'"),
        ("x == 1", 0, ErrorKind::Unknown, "field x not exist"),
        ("i == 1 and I == 2", 11, ErrorKind::Unknown, "field I not exist"),
        ("i == null", 5, ErrorKind::Unknown, "field null not exist"),
        ("i == {m}", 5, ErrorKind::Unknown, "variable name {m} is not found"),
        ("i in {n}", 5, ErrorKind::Type, "variable {n} is not array"),
        ("1 == {n}", 0, ErrorKind::Unsupported, "placeholder"),
        ("b", 0, ErrorKind::Type, "predicate is not a boolean expression: b, data type: Bool"),
        ("i + 1", 0, ErrorKind::Type, "predicate is not a boolean expression"),
        ("b and i == 1", 0, ErrorKind::Type, "'and' can only be used between boolean expressions"),
        ("not i == 1", 4, ErrorKind::Type, "'not' can only be applied"),
        ("not i in [1]", 4, ErrorKind::Type, "'not' can only be applied"),
        ("i & 4 == 4", 0, ErrorKind::Type, "arithmetic"),
        ("i == 1.5", 0, ErrorKind::Type, "cannot cast value to Int64, value: 1.5"),
        ("i == 'x'", 0, ErrorKind::Type, "two incompatible operands: i == 'x'"),
        ("s > 1", 0, ErrorKind::Type, "two incompatible operands"),
        ("v == [1]", 0, ErrorKind::Type, "two incompatible operands"),
        ("i in ['x']", 5, ErrorKind::Type, "value 'x' in list cannot be casted to Int32"),
        ("i in 5", 5, ErrorKind::Type, "must be a list"),
        ("1 in [1]", 0, ErrorKind::Type, "'term' can only be used on single field"),
        ("5 < i < 1", 0, ErrorKind::Type, "lowerbound is greater than upperbound"),
        ("1 > i > 5", 0, ErrorKind::Type, "lowerbound is greater than upperbound"),
        ("true < b < false", 0, ErrorKind::Type, "bool"),
        ("i < f < 5", 0, ErrorKind::Type, "bounds of a range must be constants"),
        ("i + f == 2", 0, ErrorKind::Unsupported, "between multiple fields"),
        ("(i + 1) * f == 4", 0, ErrorKind::Unsupported, "between multiple fields"),
        ("i + array_length(a) == 4", 0, ErrorKind::Unsupported, "complicated arithmetic"),
        ("j['x'] / 2 + 1 == 4", 0, ErrorKind::Unsupported, "complicated arithmetic"),
        ("2 - (i + 1) == 4", 0, ErrorKind::Unsupported, "module field is not yet supported"),
        ("i + 2 + 0.5 == 4", 0, ErrorKind::Type, "between integer field and float constant"),
        ("i * 2 / 0 == 4", 0, ErrorKind::Type, "division or modulus by zero"),
        ("(f + 1) & 1 == 4", 0, ErrorKind::Type, ""),
        ("1 - i == 4", 0, ErrorKind::Unsupported, "module field is not yet supported"),
        ("i ** 2 == 4", 0, ErrorKind::Unsupported, "power can only apply on constants"),
        ("i << 2 == 4", 0, ErrorKind::Unsupported, "shift is not supported"),
        ("~i == 4", 0, ErrorKind::Unsupported, "unexpected op: ~"),
        ("i / 0 == 4", 0, ErrorKind::Type, "division or modulus by zero"),
        ("f % 2 == 1", 0, ErrorKind::Type, "modulo can only apply on integer types"),
        ("f & 2 == 1", 0, ErrorKind::Type, ""),
        ("i + 1.5 == 2", 0, ErrorKind::Type, "between integer field and float constant"),
        ("i like 'x'", 0, ErrorKind::Type, "non-string"),
        ("s like 'x\\\\'", 7, ErrorKind::Syntax, "ends with an escape"),
        ("s =~ '('", 6, ErrorKind::Pattern, "invalid regex pattern"),
        ("s =~ 'é\\\\d*+'", 12, ErrorKind::Pattern, "bad repetition operator"),
        ("s =~ r'a{1001}'", 8, ErrorKind::Pattern, "repetition count is too large"),
        ("s =~ '(?=a)'", 6, ErrorKind::Pattern, "look-around is not supported"),
        ("s =~ '(?:a*b*){900}'", 6, ErrorKind::Limit, "too large"),
        ("s == '\\d'", 5, ErrorKind::Syntax, "invalid escape"),
        ("a['x'] == 1", 0, ErrorKind::Type, "with integer index"),
        ("s['x'] == 1", 0, ErrorKind::Type, "VarChar data type not supported accessed with []"),
        ("a[0] is null", 0, ErrorKind::Unsupported, "array element access"),
        ("v is null", 0, ErrorKind::Unsupported, "vector fields"),
        ("exists i", 7, ErrorKind::Type, "json field"),
        ("exists j", 7, ErrorKind::Type, "json key"),
        ("j['x'] == j['y']", 0, ErrorKind::Unsupported, "two column comparison with JSON"),
        ("array_contains_any(a, 1)", 22, ErrorKind::Type, "ContainsAny operation element"),
        ("array_length(i) == 1", 0, ErrorKind::Type, "array_length"),
        ("ts > ISO 'now'", 5, ErrorKind::Type, "invalid timestamp string"),
        ("ts + INTERVAL '1 day' > ISO '2025-01-01'", 5, ErrorKind::Type, "invalid interval"),
        ("i > ISO '2025-01-01'", 0, ErrorKind::Type, "two incompatible operands"),
        ("ts > 20250101", 0, ErrorKind::Type, "two incompatible operands"),
        ("ts > 'soon'", 0, ErrorKind::Value, "value 'soon' does not fit column ts: no time"),
        ("u == 1", 0, ErrorKind::Type, "two incompatible operands"),
        ("u == 'x'", 0, ErrorKind::Value, "value 'x' does not fit column u: no uuid"),
        ("u in ['0', 'x']", 5, ErrorKind::Value, "value 'x' does not fit column u: no uuid"),
        ("u in [1]", 5, ErrorKind::Type, "value '1' in list cannot be casted to uuid"),
        ("u like '0%'", 0, ErrorKind::Type, "non-string"),
        ("u + 1 == '0'", 0, ErrorKind::Type, "arithmetic operations"),
        ("p == '(1,2)'", 0, ErrorKind::Unsupported, "column p is of type point"),
        ("i == 1 and p in ['(1,2)']", 11, ErrorKind::Unsupported, "column p is of type point"),
        ("random_sample(0.5) or i == 1", 0, ErrorKind::Unsupported, "random sample"),
        ("random_sample(2)", 14, ErrorKind::Type, "sample factor"),
        ("text_match(i, 'x')", 11, ErrorKind::Type, "non-string"),
        ("text_match(s, 'x', minimum_should_match=0)", 40, ErrorKind::Type, ">= 1, got 0"),
        ("phrase_match(s, 'x y', -1)", 23, ErrorKind::Type, "negative"),
        ("st_within(s, 'x')", 0, ErrorKind::Unsupported, "not supported yet"),
        ("pg_sleep(9)", 0, ErrorKind::Unknown, "function pg_sleep not found"),
        ("i == 9223372036854775808", 5, ErrorKind::Syntax, "out of range"),
    ] {
        let error = error(text);
        assert_eq!((error.position, error.kind), (position, kind), "{text}: {error}");
        assert!(error.message.contains(message), "{text}: {error}");
    }
}

#[test]
fn hints_say_what_to_write() {
    for (text, hint) in [
        ("b", "Write b == true."),
        ("not i == 1", "not binds tighter than comparisons: write not (a == 1)."),
        ("I == 1", "Perhaps you meant i."),
        ("i == null", "Test for null by: field is null."),
        ("ts > 20250101", "Write a point in time as ISO '2025-01-31T08:00:00Z'."),
    ] {
        assert_eq!(error(text).hint.as_deref(), Some(hint), "{text}");
    }
}

#[test]
fn size_is_limited() {
    for text in [
        "(".repeat(5000),
        "not ".repeat(5000) + "true",
        "-".repeat(5000) + "1 == 1",
        "1 + ".repeat(5000) + "1 == 1",
        "[".repeat(5000),
        " ".repeat(filter::MAX_TEXT + 1),
        format!("i in [{}]", "1,".repeat(filter::MAX_LIST + 1)),
    ] {
        let error = error(&text);
        assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    }
    let many = vec!["i == 1"; filter::MAX_PARAMETERS + 1].join(" or ");
    let condition = parse(&many).unwrap().bind(&table(), &Templates::new()).unwrap();
    assert_eq!(condition.to_sql("t", 1).unwrap_err().kind, ErrorKind::Limit);
    let fits = vec!["i == 1"; 1000].join(" or ");
    let condition = parse(&fits).unwrap().bind(&table(), &Templates::new()).unwrap();
    assert_eq!(condition.to_sql("t", 5).unwrap().parameters.len(), 1000);
}
