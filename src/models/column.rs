//! `embed_column`: a column whose vectors a model computes from another column. Which columns belong
//! together is what a trigger says of itself, so that it is renamed, dropped, and dumped with them.

use pgrx::PgSqlErrorCode::{
    ERRCODE_DATATYPE_MISMATCH, ERRCODE_GENERATED_ALWAYS, ERRCODE_TRIGGERED_ACTION_EXCEPTION,
    ERRCODE_UNDEFINED_COLUMN,
};
use pgrx::pg_sys::{self, Oid};

use super::endpoint::model_server;
use super::objects;
use crate::pg::catalog::{base_type, function, schema_name, type_in};
use crate::pg::error::Report;
use crate::pg::function::{Callee, pg_functions};
use crate::pg::relation::{Opened, quoted, quoted_literal};
use crate::pg::spi::{Connection, expect, run};
use crate::pg::table::Column;
use crate::pg::trigger::{Row, UpdatedRow};

/// Types whose values a model embeds.
const SOURCES: [Oid; 4] =
    [pg_sys::TEXTOID, pg_sys::VARCHAROID, pg_sys::BPCHAROID, pg_sys::BYTEAOID];

pg_functions! {
    /// Creates the trigger and an index of pending rows, or replaces the trigger, as the user who calls.
    fn embed_column(
        callee: Callee, rel: Oid, source: String, target: String, server: String,
    ) -> Result<(), Report> {
        let schema = callee.schema();
        model_server(&server, schema)?;
        let (table, columns) = {
            // Closed before it is changed.
            let opened = Opened::open(rel);
            (opened.name_in_sql()?, opened.columns()?)
        };
        check_type(column(&columns, &source, &table)?, &SOURCES, "text or bytea")?;
        let vectors = [c"vector", c"halfvec", c"bf16vec", c"i8vec"];
        let vectors: Vec<Oid> = vectors.iter().filter_map(|name| type_in(schema, name)).collect();
        let number = {
            let target = column(&columns, &target, &table)?;
            check_type(target, &vectors, "vector or halfvec")?;
            target.number
        };

        let stale = function(schema, c"embed_stale", &[]).unwrap_or(Oid::INVALID);
        let called = format!("{}.embed_stale", quoted(&schema_name(schema)?.unwrap_or_default()));
        let (from, to) = (quoted(&source), quoted(&target));
        let connection = Connection::begin()?;
        let known = objects::trigger(&connection, rel, stale, number)?;
        let name = match &known {
            Some(known) => known.name.clone(),
            None => objects::free_trigger_name(&connection, rel, &target)?,
        };
        // One of its own is replaced, also with another source; what is not known is not.
        let create = if known.is_some() { "CREATE OR REPLACE" } else { "CREATE" };
        execute(&format!(
            "{create} TRIGGER {} BEFORE UPDATE OF {from}, {to} ON {table} \
             FOR EACH ROW EXECUTE FUNCTION {called}({})",
            quoted(&name),
            quoted_literal(&server)?,
        ))?;
        if objects::index(&connection, rel, &source, &target)?.is_none() {
            // All keys are equal: the index is a list of rows.
            execute(&format!(
                "CREATE INDEX {} ON {table} ((1)) WHERE {to} IS NULL AND {from} IS NOT NULL",
                quoted(&objects::free_index_name(rel, &target)?),
            ))?;
        }
        if let Some(known) = known.filter(|known| known.source != source)
            && let Some(index) = objects::index(&connection, rel, &known.source, &target)?
        {
            execute(&format!("DROP INDEX {index}"))?;
        }
        Ok(())
    }

    /// The row that an update makes, without its vector if the source changes and the vector does not.
    fn embed_stale(updated: UpdatedRow) -> Result<Row, Report> {
        let &[source, target] = updated.columns() else {
            return Err(Report::new(
                ERRCODE_TRIGGERED_ACTION_EXCEPTION,
                "trigger does not name a source and a target",
            )
            .hint("Create it by embed_column()."));
        };
        let is_stale =
            updated.changes(source) && !updated.is_null(target) && !updated.changes(target);
        Ok(if is_stale { updated.row_without(target) } else { updated.row() })
    }
}

fn execute(statement: &str) -> Result<(), Report> {
    expect(run(statement, &[])?, pg_sys::SPI_OK_UTILITY, "create")
}

fn column<'c>(columns: &'c [Column], name: &str, table: &str) -> Result<&'c Column, Report> {
    columns.iter().find(|column| column.name == name).ok_or_else(|| {
        let message = format!("column \"{name}\" of table {table} does not exist");
        Report::new(ERRCODE_UNDEFINED_COLUMN, message)
    })
}

fn check_type(column: &Column, types: &[Oid], wanted: &str) -> Result<(), Report> {
    if column.is_generated {
        let message = format!("column \"{}\" is generated", column.name);
        return Err(Report::new(ERRCODE_GENERATED_ALWAYS, message)
            .detail(
                "The trigger of embed_column() neither sees nor sets values of generated columns.",
            )
            .hint("Use a plain column."));
    }
    if types.contains(&base_type(column.of)) {
        return Ok(());
    }
    let message = format!("column \"{}\" is not of type {wanted}", column.name);
    Err(Report::new(ERRCODE_DATATYPE_MISMATCH, message)
        .hint("embed_column(table, source, target, server): source is what is embedded, target its vector."))
}
