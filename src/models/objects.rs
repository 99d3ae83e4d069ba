//! The trigger and the index of a column that a model computes. They are found by what they are: names may be
//! anybody's, because columns and triggers are renamed, and names are cut.

use std::ffi::CString;

use pgrx::pg_sys::{self, Oid};

use super::rows::{int2, oid};
use crate::pg::error::Report;
use crate::pg::parameter::Parameter;
use crate::pg::relation::{Opened, name_of, quoted};
use crate::pg::spi::Connection;

/// Its name, and that of the source.
pub struct Trigger {
    pub name: String,
    pub source: String,
}

/// The trigger that calls `function` for the column number `target` of a table.
///
/// # Errors
/// If a name is no text.
pub fn trigger(
    connection: &Connection,
    rel: Oid,
    function: Oid,
    target: i16,
) -> Result<Option<Trigger>, Report> {
    let found = connection.select(
        "SELECT g.tgname, s.attname FROM pg_catalog.pg_trigger AS g \
         JOIN pg_catalog.pg_attribute AS s ON s.attrelid OPERATOR(pg_catalog.=) g.tgrelid \
         AND s.attnum OPERATOR(pg_catalog.=) g.tgattr[0] \
         WHERE g.tgrelid OPERATOR(pg_catalog.=) $1 AND g.tgfoid OPERATOR(pg_catalog.=) $2 \
         AND g.tgattr[1] OPERATOR(pg_catalog.=) $3",
        &[oid(rel), oid(function), int2(target)],
    )?;
    if found.count() == 0 {
        return Ok(None);
    }
    Ok(Some(Trigger { name: found.text(0, 1)?, source: found.text(0, 2)? }))
}

/// A name for the trigger of a column that no trigger of the table has.
///
/// # Errors
/// If a name is no text.
pub fn free_trigger_name(
    connection: &Connection,
    rel: Oid,
    target: &str,
) -> Result<String, Report> {
    let query = "SELECT g.tgname FROM pg_catalog.pg_trigger AS g \
        WHERE g.tgrelid OPERATOR(pg_catalog.=) $1";
    let found = connection.select(query, &[oid(rel)])?;
    let mut taken = memory::with_room(found.count())?;
    for row in 0..found.count() {
        taken.push(found.text(row, 1)?);
    }
    let (mut label, mut number) = (None::<CString>, 1);
    loop {
        let name = name_of(c"vector_ext_embed", target, label.as_deref())?;
        if !taken.contains(&name) {
            return Ok(name);
        }
        number += 1;
        label = CString::new(number.to_string()).ok();
    }
}

/// The index of a column's pending rows, as a statement names it.
///
/// # Errors
/// If a name is no text.
pub fn index(
    connection: &Connection,
    rel: Oid,
    source: &str,
    target: &str,
) -> Result<Option<String>, Report> {
    let name = |name: &str| Parameter::of_text(pg_sys::TEXTOID, name.to_owned());
    let found = connection.select(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_index AS i \
         JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid \
         JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
         WHERE i.indrelid OPERATOR(pg_catalog.=) $1 AND i.indisvalid \
         AND pg_catalog.pg_get_expr(i.indexprs, i.indrelid) OPERATOR(pg_catalog.=) '1' \
         AND pg_catalog.pg_get_expr(i.indpred, i.indrelid) OPERATOR(pg_catalog.=) \
         pg_catalog.format('((%I IS NULL) AND (%I IS NOT NULL))', $2, $3)",
        &[oid(rel), name(target), name(source)],
    )?;
    if found.count() == 0 {
        return Ok(None);
    }
    Ok(Some(format!("{}.{}", quoted(&found.text(0, 1)?), quoted(&found.text(0, 2)?))))
}

/// A name for the index of a column's pending rows that is free.
///
/// # Errors
/// If a name is no text.
pub fn free_index_name(rel: Oid, target: &str) -> Result<String, Report> {
    Opened::open(rel).free_index_name(target, c"pending")
}
