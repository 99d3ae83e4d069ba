//! Traps for scripts and functions that run with more rights than the user who sets them: operators,
//! functions, relations and types that are named like PostgreSQL's and the extension's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use postgres::Client;

use crate::Result;

/// Types to set traps on: those of catalogs' columns and of functions' arguments.
const TYPES: &[&str] = &[
    "\"char\"",
    "anyarray",
    "anycompatible",
    "anyelement",
    "anynonarray",
    "bigint",
    "bit",
    "boolean",
    "double precision",
    "double precision[]",
    "integer",
    "integer[]",
    "interval",
    "jsonb",
    "name",
    "numeric",
    "oid",
    "real",
    "regclass",
    "regnamespace",
    "regprocedure",
    "regtype",
    "smallint",
    "text",
    "text[]",
    "timestamp with time zone",
    "varchar",
];

/// Types that an argument may have instead of its own.
const NEAR: &[&str] =
    &["anyelement", "double precision", "integer", "name", "numeric", "oid", "text"];

/// A function that has a trap beside it.
pub struct Signature {
    name: String,
    arguments: Vec<String>,
    result: String,
}

/// The functions that `condition` selects from `pg_proc`, as far as a user could imitate them.
/// Types other than PostgreSQL's are replaced by what a value of them could become.
pub fn signatures(client: &mut Client, condition: &str) -> Result<Vec<Signature>> {
    let functions = format!(
        "SELECT proname::text, coalesce(array_agg(CASE
                WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN format_type(t.oid, NULL)
                ELSE 'anyelement' END ORDER BY n) FILTER (WHERE n > 0), '{{}}'),
            (SELECT CASE WHEN r.typtype = 'd' THEN format_type(r.typbasetype, NULL)
                WHEN r.typtype <> 'b' OR r.typnamespace <> 'pg_catalog'::regnamespace THEN 'text'
                ELSE format_type(r.oid, NULL) END FROM pg_type r WHERE r.oid = p.prorettype)
         FROM pg_proc p LEFT JOIN unnest(p.proargtypes) WITH ORDINALITY a (type, n) ON true
         LEFT JOIN pg_type t ON t.oid = a.type
         WHERE {condition} GROUP BY p.oid
         HAVING coalesce(bool_and(t.typtype <> 'p' OR t.typname LIKE 'any_%'), true)"
    );
    let rows = client.query(&functions, &[])?;
    let signature = |row: postgres::Row| Signature {
        name: row.get(0),
        arguments: row.get(1),
        result: row.get(2),
    };
    Ok(rows.into_iter().map(signature).collect())
}

/// Sets all traps in `schema`, as the current user: on what the scripts of the extension name, and
/// beside its functions `own`.  A function raises an error where a superuser runs it, and so do
/// views and domains, which call one.
pub fn set_traps(client: &mut Client, schema: &str, own: &[Signature]) -> Result<()> {
    let words = words(&scripts()?);
    let mut sql = format!(
        "SET check_function_bodies = off;
         CREATE FUNCTION {schema}.spring(trap text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
             SET search_path = pg_catalog AS $$
         BEGIN
             IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
                 RAISE EXCEPTION 'trap % sprang', trap;
             END IF;
             RETURN true;
         END $$;"
    );
    // A view cannot have columns of pseudo-types.
    let relations = "SELECT relname::text, (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND atttypid <> 'anyarray'::regtype)
        FROM pg_class c
        WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') AND relname = ANY ($1)";
    for row in client.query(relations, &[&words])? {
        let (name, columns): (String, String) = (row.get(0), row.get(1));
        write!(
            sql,
            "CREATE VIEW {schema}.{name} AS SELECT {columns} FROM pg_catalog.{name}
                 WHERE {schema}.spring('view {name}');"
        )?;
    }
    let types = "SELECT typname::text FROM pg_type
        WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typname = ANY ($1)";
    for row in client.query(types, &[&words])? {
        let name: String = row.get(0);
        write!(
            sql,
            "CREATE DOMAIN {schema}.\"{name}\" AS pg_catalog.\"{name}\"
                 CHECK ({schema}.spring('domain {name}'));"
        )?;
    }
    let list = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
    let condition = format!("pronamespace = 'pg_catalog'::regnamespace AND proname IN ({list})");
    let theirs = signatures(client, &condition)?;
    for ((name, arguments), result) in beside(&theirs, own) {
        write!(
            sql,
            "CREATE FUNCTION {schema}.{name}({arguments}) RETURNS {result} LANGUAGE plpgsql IMMUTABLE AS
                 $$ BEGIN PERFORM {schema}.spring('function {name}({arguments})'); RETURN NULL; END $$;"
        )?;
    }
    client.batch_execute(&sql)?;
    set_operator_traps(client, schema, &[])
}

/// Sets traps on operators that have PostgreSQL's names, on `more` types (without any: on all
/// others).  They are only declared: a statement fails as soon as it finds one.
pub fn set_operator_traps(client: &mut Client, schema: &str, more: &[&str]) -> Result<()> {
    let names = "SELECT DISTINCT oprname::text FROM pg_operator
        WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprname = ANY ($1)";
    let names = client.query(names, &[&operators(&scripts()?)])?;
    let names: Vec<String> = names.iter().map(|row| row.get(0)).collect();
    let types: Vec<&str> = TYPES.iter().chain(more).copied().collect();
    let pairs = types.iter().flat_map(|left| types.iter().map(move |right| (*left, *right)));
    // On two of the same type there are the extension's own.
    let wanted = |(left, right): &(&str, &str)| {
        more.is_empty() || more.contains(left) != more.contains(right)
    };
    let mut sql = String::new();
    for (left, right) in pairs.filter(wanted) {
        write!(
            sql,
            "CREATE FUNCTION {schema}.operands({left}, {right}) RETURNS boolean
                 LANGUAGE sql AS 'SELECT true';"
        )?;
        for name in &names {
            // A negator that is not there yet is declared.
            write!(
                sql,
                "CREATE OPERATOR {schema}.@#{name} (FUNCTION = {schema}.operands, LEFTARG = {left},
                     RIGHTARG = {right}, NEGATOR = OPERATOR({schema}.{name}));"
            )?;
        }
    }
    Ok(client.batch_execute(&sql)?)
}

/// Functions that calls of others could find instead, with their results by name and arguments: with
/// fewer arguments, or with one of another type.
fn beside(theirs: &[Signature], own: &[Signature]) -> BTreeMap<(String, String), String> {
    let mut functions = BTreeMap::new();
    for Signature { name, arguments, result } in theirs.iter().chain(own) {
        let fewer = (0..=arguments.len()).map(|n| arguments[..n].to_vec());
        let other = (0..arguments.len()).flat_map(|n| {
            NEAR.iter().map(move |near| {
                let mut arguments = arguments.clone();
                arguments[n] = (*near).to_string();
                arguments
            })
        });
        let alike = (1..=10).flat_map(|n| ["text", "anycompatible"].map(|t| vec![t.into(); n]));
        for arguments in fewer.chain(other).chain(alike) {
            let key = (name.clone(), arguments.join(", "));
            functions.entry(key).or_insert_with(|| result.clone());
        }
    }
    for Signature { name, arguments, .. } in own {
        functions.remove(&(name.clone(), arguments.join(", ")));
    }
    functions
}

/// All SQL that the extension installs.
fn scripts() -> Result<String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![repository.join("alias"), repository.join("from_pgvector")];
    for version in fs::read_dir(repository.join("sql"))? {
        folders.push(version?.path());
    }
    let mut scripts = String::new();
    for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "sql") {
                scripts += &fs::read_to_string(path)?;
            }
        }
    }
    Ok(scripts)
}

fn words(script: &str) -> Vec<String> {
    let words = script.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words: BTreeSet<_> = words.filter(|word| !word.is_empty()).collect();
    words.into_iter().map(str::to_string).collect()
}

fn operators(script: &str) -> Vec<String> {
    let operators = script.split(|c| !"+-*/<>=~!@#%^&|`?".contains(c));
    let operators: BTreeSet<_> = operators.filter(|operator| !operator.is_empty()).collect();
    operators.into_iter().map(str::to_string).collect()
}
