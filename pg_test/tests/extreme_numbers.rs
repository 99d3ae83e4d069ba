//! Whatever finite numbers a column holds, indexes of every kind are sound, survive VACUUM, and return
//! all rows in the order of the operator's distances.

use pg_test::{TestDb, index_problems};
use postgres::Client;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const ROWS: i32 = 60;
const DIMENSIONS: usize = 3;

/// A column's type, and its largest, smallest normal and smallest numbers.
struct Numbers {
    name: &'static str,
    ends: [f32; 3],
}

const TYPES: [Numbers; 5] = [
    Numbers { name: "vector", ends: [f32::MAX, f32::MIN_POSITIVE, 1e-45] },
    Numbers { name: "halfvec", ends: [65_504.0, 6.104e-5, 6e-8] },
    Numbers { name: "bf16vec", ends: [3.3895e38, 1.1755e-38, 1e-40] },
    Numbers { name: "i8vec", ends: [127.0, 1.0, 0.0] },
    Numbers { name: "sparsevec", ends: [f32::MAX, f32::MIN_POSITIVE, 1.5e-45] },
];

impl Numbers {
    /// A number of any exponent that the type has.
    fn number(&self, random: &mut SmallRng) -> f32 {
        let [largest, _, smallest] = self.ends;
        let number = match random.random_range(0..10) {
            0 => 0.0,
            1 => 1.0,
            2..5 => *self.ends.choose(random).unwrap(),
            _ => {
                let (low, high) = (smallest.max(1e-45).log2(), largest.log2());
                random.random_range(low..high).exp2()
            }
        };
        let number = if self.name == "i8vec" { number.round() } else { number };
        if random.random() { number } else { -number }
    }

    fn value(&self, random: &mut SmallRng) -> String {
        let one = self.number(random);
        let alike = random.random_range(0..3);
        let number = |i| match alike {
            0 => one,
            1 if i > 0 => 0.0,
            1 => one,
            _ => self.number(random),
        };
        let numbers: Vec<f32> = (0..DIMENSIONS).map(number).collect();
        if self.name != "sparsevec" {
            let numbers: Vec<String> = numbers.iter().map(f32::to_string).collect();
            return format!("[{}]", numbers.join(","));
        }
        let elements = numbers.iter().enumerate().filter(|(_, x)| **x != 0.0);
        let elements: Vec<String> = elements.map(|(i, x)| format!("{}:{x}", i + 1)).collect();
        format!("{{{}}}/{DIMENSIONS}", elements.join(","))
    }
}

/// A kind of index on a type.
struct Kind {
    method: String,
    class: String,
    operator: String,
    options: String,
}

fn kinds(client: &mut Client, of: &str) -> Vec<Kind> {
    let classes = "SELECT amname, opcname, oprname FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod \
         JOIN pg_amop o ON amopfamily = opcfamily AND amoppurpose = 'o' \
         JOIN pg_operator p ON p.oid = amopopr \
         WHERE opcintype = $1::text::regtype AND amname IN ('hnsw', 'ivf', 'ivfflat') ORDER BY 1, 2";
    let mut kinds = Vec::new();
    for row in client.query(classes, &[&of]).unwrap() {
        let (method, class): (String, String) = (row.get(0), row.get(1));
        let forms: &[&str] = match &method[..] {
            "hnsw" if of == "sparsevec" || class.ends_with("l1_ops") => &["auto", "none"],
            "hnsw" => &["auto", "none", "sq8", "rabitq"],
            "ivf" => &["sq8", "rabitq"],
            _ => &[""],
        };
        for form in forms {
            let form =
                if form.is_empty() { String::new() } else { format!("quantization = {form}") };
            let lists = if method == "hnsw" { "" } else { "lists = 4" };
            let both = [&form[..], lists].into_iter().filter(|option| !option.is_empty());
            let options = both.collect::<Vec<_>>().join(", ");
            let (method, class, operator) = (method.clone(), class.clone(), row.get(2));
            kinds.push(Kind { method, class, operator, options });
        }
    }
    kinds
}

/// Rows and the operator's distances, as the index or a sort gives them.
fn rows(client: &mut Client, kind: &Kind, value: &str, by_index: bool) -> Vec<(i32, f64)> {
    let query = format!(
        "SET enable_seqscan = {0}; SET enable_indexscan = {1}",
        if by_index { "off" } else { "on" },
        if by_index { "on" } else { "off" },
    );
    client.batch_execute(&query).unwrap();
    let Kind { operator, .. } = kind;
    let query = format!("SELECT id, v {operator} '{value}' FROM t ORDER BY v {operator} '{value}'");
    let rows = client.query(&query, &[]).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Ranks by distance: those that are no number are as far as infinite ones.
fn rank(distance: f64) -> f64 {
    if distance.is_nan() { f64::INFINITY } else { distance }
}

fn expect_rows(client: &mut Client, kind: &Kind, value: &str, what: &str) {
    let zero =
        !value.contains(|digit: char| ('1'..='9').contains(&digit)) || value.starts_with("{}");
    if zero && kind.class.contains("cosine") {
        return;
    }
    let placed = |rows: Vec<(i32, f64)>| {
        let of_zero = |distance: f64| kind.class.contains("cosine") && distance.is_nan();
        let mut ids: Vec<i32> =
            rows.iter().filter(|row| !of_zero(row.1)).map(|row| row.0).collect();
        ids.sort_unstable();
        ids
    };
    let expected = rows(client, kind, value, false);
    let relaxed = "SET hnsw.iterative_scan = relaxed_order; SET ivf.iterative_scan = relaxed_order";
    client.batch_execute(relaxed).unwrap();
    let found = rows(client, kind, value, true);
    assert_eq!(placed(found), placed(expected), "{what} near {value}");
    let strict = "SET hnsw.iterative_scan = strict_order; SET ivf.iterative_scan = strict_order";
    client.batch_execute(strict).unwrap();
    let found = rows(client, kind, value, true);
    assert!(found.is_sorted_by(|a, b| rank(a.1) <= rank(b.1)), "{what} near {value}: {found:?}");
}

#[test]
fn every_index_holds_every_number() {
    let mut db = TestDb::new();
    db.batch_execute("SET ivf.probes = 4; SET ivfflat.probes = 4; SET hnsw.ef_search = 20")
        .unwrap();
    for numbers in TYPES {
        let mut random = SmallRng::seed_from_u64(8);
        let values: Vec<String> = (0..ROWS).map(|_| numbers.value(&mut random)).collect();
        for kind in kinds(&mut db, numbers.name) {
            let Kind { method, class, options, .. } = &kind;
            let what = format!("{method} ({class}) WITH ({options})");
            let make =
                format!("DROP TABLE IF EXISTS t; CREATE TABLE t (id int, v {}(3))", numbers.name);
            db.batch_execute(&make).unwrap();
            let insert = format!(
                "INSERT INTO t SELECT i, v::{}(3) FROM unnest($1::text[]) WITH ORDINALITY r (v, i) \
                 WHERE i % 2 = $2",
                numbers.name
            );
            db.execute(&insert, &[&values, &0i64]).unwrap();
            let with = if options.is_empty() { String::new() } else { format!("WITH ({options})") };
            db.batch_execute(&format!("CREATE INDEX i ON t USING {method} (v {class}) {with}"))
                .unwrap();
            db.execute(&insert, &[&values, &1i64])
                .unwrap_or_else(|error| panic!("{what}: {error:?}"));
            for step in ["", "DELETE FROM t WHERE id % 3 = 0", "UPDATE t SET id = -id"] {
                db.batch_execute(step).unwrap();
                let vacuumed = db.batch_execute("VACUUM t");
                vacuumed.unwrap_or_else(|error| panic!("{what}: {error:?}"));
                assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0], "{what}");
                for value in values.iter().step_by(9) {
                    expect_rows(&mut db, &kind, value, &what);
                }
            }
        }
    }
}
