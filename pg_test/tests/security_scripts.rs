//! Expressions in the scripts name the schema of every operator and type: found by `search_path`,
//! they could be another user's. Needs no server.

use std::fs;
use std::path::{Path, PathBuf};

/// What begins a line that declares operators, and has no expression.
const DECLARES: &[&str] = &["COMMENT ON OPERATOR", "COMMUTATOR =", "CREATE OPERATOR", "OPERATOR "];
/// What finds an operator without naming it.
const HIDDEN: &[&str] = &[
    " IN (",
    "BETWEEN",
    "IS DISTINCT",
    "IS NOT DISTINCT",
    "LIKE",
    "NATURAL",
    "NULLIF",
    "SIMILAR TO",
    "USING (",
];
/// Pins the path, in a function until its end, in a session until the next one.
const PINS: &str = "SET search_path = pg_catalog, pg_temp";

fn folder(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn scripts() -> Vec<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files: Vec<_> =
        folder(&repository.join("sql")).iter().flat_map(|path| folder(path)).collect();
    files.extend(["alias", "from_pgvector"].iter().flat_map(|path| folder(&repository.join(path))));
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files
}

/// A line without its comment, and without what is in quotes.
fn bare(line: &str) -> String {
    let mut bare = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['\'', '"', '-']) {
        let (before, quoted) = rest.split_at(at);
        bare += before;
        let quote = &quoted[..1];
        rest = &quoted[1..];
        if quote != "-" {
            rest = rest.split_once(quote).map_or("", |(_, rest)| rest);
        } else if rest.starts_with('-') {
            rest = "";
        } else {
            bare += quote;
        }
    }
    bare + rest
}

/// What a line of a script leaves to `search_path`.
fn unqualified(line: &str) -> Option<String> {
    let line = bare(line);
    let declares = DECLARES.iter().any(|declaration| line.trim_start().starts_with(declaration));
    if declares || line.starts_with('\\') {
        return None;
    }
    if let Some(word) = HIDDEN.iter().find(|word| line.contains(*word)) {
        return Some((*word).into());
    }
    if line.split("CASE ").skip(1).any(|rest| !rest.starts_with("WHEN")) {
        return Some("CASE with an operand".into());
    }
    if line.contains("LANGUAGE sql") && line.contains(" AS ") {
        return Some("a body that is parsed when it is called".into());
    }
    let named = ["pg_catalog.", "@extschema@.", "integer"];
    let types = line.split("::").skip(1);
    if let Some(name) = types.into_iter().find(|rest| !named.iter().any(|n| rest.starts_with(n))) {
        return Some(name.into());
    }
    operator(&line)
}

/// The first operator of an expression that has no schema.
fn operator(line: &str) -> Option<String> {
    let is_operator = |c| "+-*/<>=~!@#%^&|`?".contains(c);
    let line = line.replace("@extschema@", "").replace("SELECT *", "").replace("(*)", "");
    let mut rest = line.as_str();
    while let Some(at) = rest.find(is_operator) {
        let (before, after) = rest.split_at(at);
        let end = after.find(|c| !is_operator(c)).unwrap_or(after.len());
        let (operator, after) = after.split_at(end);
        let is_named = before.ends_with("OPERATOR(pg_catalog.");
        let is_assignment = operator == "=" && before.ends_with(':') || operator == "=>";
        let is_option =
            operator == "=" && before.trim_end().ends_with(|c: char| c.is_ascii_uppercase());
        if !(is_named || is_assignment || is_option) {
            return Some(operator.into());
        }
        rest = after;
    }
    None
}

#[test]
fn every_operator_and_type_has_a_schema() {
    let mut faults = Vec::new();
    for path in scripts() {
        let script = fs::read_to_string(&path).unwrap();
        let mut pinned_until = None;
        for (number, line) in (1..).zip(script.lines()) {
            if line.trim_start().starts_with(PINS) {
                pinned_until = Some(if line.ends_with(';') { "\\connect" } else { "$$;" });
            } else if pinned_until == Some(line) {
                pinned_until = None;
            }
            if pinned_until.is_none()
                && let Some(fault) = unqualified(line)
            {
                faults.push(format!("{}:{number}: {fault}", path.display()));
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn what_has_no_schema_is_noticed() {
    for (line, fault) in [
        ("WHERE a = b", "="),
        ("	x := y || 'it''s'; -- z", "||"),
        ("IF kept < 0 THEN", "<"),
        ("SELECT count(*) * 2", "*"),
        ("amname IN ('hnsw', 'ivfflat')", " IN ("),
        ("JOIN pg_catalog.pg_class USING (oid)", "USING ("),
        ("CASE classid WHEN 1 THEN 2 END", "CASE with an operand"),
        ("value::float8", "float8"),
        ("LANGUAGE sql AS 'SELECT 1'", "a body that is parsed when it is called"),
    ] {
        assert_eq!(unqualified(line).as_deref(), Some(fault), "{line}");
    }
    for line in [
        "	COMMUTATOR = >, NEGATOR = >=,",
        "	RESTRICT = scalarltsel, JOIN = scalarltjoinsel",
        "a OPERATOR(pg_catalog.=) 'x = y' -- a = b",
        "kept := kept OPERATOR(pg_catalog.-) 1::pg_catalog.int4;",
        "SELECT * FROM x CASE WHEN true THEN 1 END",
    ] {
        assert_eq!(unqualified(line), None, "{line}");
    }
}
