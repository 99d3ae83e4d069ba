//! Random text and binary input of every type: the answer is a value that comes back as it went
//! in, or an ordinary error that names the type; and the server lives on.

use std::error::Error;

use bytes::BytesMut;
use fuzz::{Case, mutate};
use pg_test::TestDb;
use postgres::Statement;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

/// The types with input of their own.
const TYPES: [&str; 5] = ["vector", "halfvec", "bf16vec", "i8vec", "sparsevec"];

/// Pieces of literals, right and wrong ones.
const PIECES: [&str; 44] = [
    "0",
    "1",
    "-1",
    "2.5",
    "-0",
    "127",
    "-128",
    "128",
    "65504",
    "65520",
    "1e38",
    "3.5e38",
    "1e-45",
    "1e-50",
    "1e400",
    "99999999999999999999",
    ".5",
    "5.",
    "-",
    "+",
    "e",
    "1e",
    "1e+",
    "0x10",
    "nan",
    "-inf",
    "Infinity",
    "[",
    "]",
    "{",
    "}",
    "/",
    ":",
    ",",
    ",,",
    " ",
    "\t",
    "\n",
    "\u{b}",
    "\"",
    "NULL",
    "é",
    "\u{1d7d8}",
    "2147483648",
];

/// Bytes as they are, for a parameter of any type.
#[derive(Debug)]
struct Raw<'a>(&'a [u8]);

impl ToSql for Raw<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A number as a literal has it, mostly one that all types take.
fn number(rng: &mut SmallRng) -> String {
    match rng.random_range(0..8) {
        0..5 => rng.random_range(-128..128).to_string(),
        5 => f32::from_bits(rng.random()).to_string(),
        6 => format!("{:e}", rng.random_range(-70_000.0..70_000.0)),
        _ => PIECES.choose(rng).copied().unwrap_or_default().into(),
    }
}

/// A literal of the type, often with some damage.
fn literal(rng: &mut SmallRng, sql_type: &str) -> String {
    if rng.random_range(0..6) == 0 {
        return (0..rng.random_range(0..12)).filter_map(|_| PIECES.choose(rng).copied()).collect();
    }
    let n = if rng.random_range(0..50) == 0 { 16_005 } else { rng.random_range(0..20) };
    let text = if sql_type == "sparsevec" {
        let dims = rng.random_range(1..40);
        let element = |i| format!("{}:{}", (i * 7) % dims + 1, number(rng));
        let elements: Vec<String> = (0..n).map(element).collect();
        format!("{{{}}}/{dims}", elements.join(","))
    } else {
        let elements: Vec<String> = (0..n).map(|_| number(rng)).collect();
        format!("[{}]", elements.join(","))
    };
    let mut bytes = text.into_bytes();
    for _ in 0..rng.random_range(0..3) {
        mutate(rng, &mut bytes);
    }
    // The server's encoding has no zeros.
    String::from_utf8_lossy(&bytes).replace('\0', "0")
}

/// A binary message of the type, often with some damage.
fn message(rng: &mut SmallRng, sql_type: &str) -> Vec<u8> {
    let n = if rng.random_range(0..50) == 0 { 16_005 } else { rng.random_range(0..20u32) };
    let mut bytes = Vec::new();
    if sql_type == "sparsevec" {
        let numbers = [n + 9, n, 0].into_iter().chain((0..n).map(|i| i + i / 3));
        bytes.extend(numbers.flat_map(u32::to_be_bytes));
    } else {
        bytes.extend((n as u16).to_be_bytes());
        bytes.extend(0u16.to_be_bytes());
    }
    for _ in 0..n {
        let number: f32 = if rng.random() { rng.random() } else { f32::from_bits(rng.random()) };
        let width = [4, 2, 2, 1, 4][TYPES.iter().position(|&t| t == sql_type).unwrap()];
        bytes.extend(&number.to_be_bytes()[..width]);
    }
    for _ in 0..rng.random_range(0..3) {
        mutate(rng, &mut bytes);
    }
    bytes
}

/// Whether an error is one of those that input may end in: by its state that of bad data, and its
/// message names the type where it is about one.
fn is_ordinary(error: &postgres::Error, sql_type: &str) -> bool {
    let Some(error) = error.as_db_error() else {
        return false; // the connection is lost
    };
    let state = error.code().code();
    // PostgreSQL's own complaint about a message that is too short or too long.
    let of_protocol = ["08P01", "22P03"].contains(&state);
    let named =
        error.message().contains(sql_type) || error.message().starts_with("expected unused");
    error.severity() == "ERROR"
        && (of_protocol || named && (state.starts_with("22") || state == "54000"))
}

/// A connection, with what is run for one type.
struct Server {
    db: TestDb,
    postmaster: u32,
    backend: i32,
    /// For each type: the value sent, and sent again after a round trip through text.
    from_text: Vec<Statement>,
    from_binary: Vec<Statement>,
    /// Does something with the value.
    work: Vec<Statement>,
}

impl Server {
    fn new() -> Self {
        let mut db = TestDb::new();
        let (mut from_text, mut from_binary, mut work) = (vec![], vec![], vec![]);
        for t in TYPES {
            let sql = |parameter: &str| {
                let sent = format!("{t}_send(v), {t}_send(v::text::{t})");
                format!("SELECT {sent} FROM (SELECT {parameter}::{t} AS v OFFSET 0) s")
            };
            from_text.push(db.prepare(&sql("$1::text")).unwrap());
            from_binary.push(db.prepare(&sql("$1")).unwrap());
            let distances = "v <-> v, v <#> v, v <=> v, v <+> v, v = v, v < v, v::vector";
            let sql = format!("SELECT {distances} FROM (SELECT $1::{t} AS v OFFSET 0) s");
            work.push(db.prepare(&sql).unwrap());
        }
        let backend = db.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
        let postmaster = db.cluster().postmaster_pid().unwrap();
        Self { db, postmaster, backend, from_text, from_binary, work }
    }

    /// Runs a statement on a value of a type; returns what it was sent as, if it was taken.
    fn check(
        &mut self,
        of: usize,
        statement: &Statement,
        input: &(dyn ToSql + Sync),
    ) -> Option<Vec<u8>> {
        let refused = |error| {
            assert!(is_ordinary(&error, TYPES[of]), "{}: {error:?}", TYPES[of]);
        };
        let row = self.db.query_one(statement, &[input]).map_err(refused).ok()?;
        let (sent, again): (Vec<u8>, Vec<u8>) = (row.get(0), row.get(1));
        assert_eq!(sent, again, "{} changed on its way through text", TYPES[of]);
        // Sums may overflow, or vectors have too many dimensions; nothing else.
        if let Err(error) = self.db.query_one(&self.work[of], &[&Raw(&sent)]) {
            let state = error.code().map(|state| state.code()).unwrap_or_default();
            assert!(["22003", "54000"].contains(&state), "{}: {error:?}", TYPES[of]);
        }
        Some(sent)
    }

    /// No process of the server was lost.
    fn assert_alive(&mut self) {
        let backend: i32 = self.db.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
        assert_eq!(backend, self.backend);
        assert_eq!(self.db.cluster().postmaster_pid().unwrap(), self.postmaster);
        assert!(!self.db.cluster().has_crashed());
    }
}

fn any_type(case: &mut Case) -> usize {
    case.rng.random_range(0..TYPES.len())
}

#[test]
fn text_is_taken_or_refused() {
    let mut server = Server::new();
    let mut taken = 0;
    let cases = fuzz::run("text", |case| {
        let of = any_type(case);
        let literal = literal(&mut case.rng, TYPES[of]);
        case.input(&literal);
        let statement = server.from_text[of].clone();
        taken += u64::from(server.check(of, &statement, &literal).is_some());
    });
    server.assert_alive();
    assert!(cases == 1 || (1..cases).contains(&taken), "{taken} of {cases} were taken");
}

#[test]
fn binary_is_taken_or_refused() {
    let mut server = Server::new();
    let mut taken = 0;
    let cases = fuzz::run("binary", |case| {
        let of = any_type(case);
        let message = message(&mut case.rng, TYPES[of]);
        case.input(&message);
        let statement = server.from_binary[of].clone();
        if let Some(sent) = server.check(of, &statement, &Raw(&message)) {
            assert_eq!(sent, message, "{}", TYPES[of]);
            taken += 1;
        }
    });
    server.assert_alive();
    assert!(cases == 1 || (1..cases).contains(&taken), "{taken} of {cases} were taken");
}
