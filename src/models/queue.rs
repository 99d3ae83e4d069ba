//! The pending rows of a column: the statements that find, read, and write them.

use std::collections::HashSet;
use std::str::FromStr;

use memory::Grow;
use models::Input;
use pgrx::PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE;
use pgrx::pg_sys::{self, Oid};

use super::cache::Vector;
use crate::pg::catalog::{array_type, base_type, schema_name, type_in};
use crate::pg::claim::Claims;
use crate::pg::error::Report;
use crate::pg::indexes::with_heirs;
use crate::pg::parameter::Parameter;
use crate::pg::procedure::Transactions;
use crate::pg::relation::{Opened, quoted};
use crate::pg::role::{current_user, is_superuser, is_superuser_role};
use crate::pg::spi::{Connection, ResultRows};
use crate::pg::value::SqlValue;

/// A version of a row: no other has its table, place, and transaction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RowVersion {
    table: u32,
    block: u32,
    offset: u16,
    transaction: u32,
}

/// What is to be embedded.
pub enum Source {
    /// A text.
    Text(String),
    /// The bytes of an image.
    Image(Vec<u8>),
}

impl Source {
    /// As a model takes it.
    pub fn input(&self) -> Input<'_> {
        match self {
            Source::Text(text) => Input::Text(text),
            Source::Image(image) => Input::Image(image),
        }
    }

    /// As [`Queue::text`] of its row.
    fn text(&self) -> String {
        match self {
            Source::Text(text) => text.clone(),
            Source::Image(image) => image.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// A column whose vectors a model computes.
pub struct Queue {
    /// The name of the model's server.
    pub server: String,
    rel: Oid,
    /// The number of the target.
    number: i16,
    /// The names of the table, its columns, and the extension's schema, quoted.
    table: String,
    source: String,
    target: String,
    schema: String,
    /// The type `vector`.
    vector: Oid,
    has_images: bool,
}

impl Queue {
    /// Those of a table.
    ///
    /// # Errors
    /// If a name is no text.
    pub fn of_table(work: &Transactions, rel: Oid, schema: Oid) -> Result<Vec<Queue>, Report> {
        let (table, columns) = {
            let opened = Opened::open(rel);
            check_owners(rel)?;
            (opened.name_in_sql()?, opened.columns()?)
        };
        let vector = type_in(schema, c"vector").unwrap_or(Oid::INVALID);
        let schema = quoted(&schema_name(schema)?.unwrap_or_default());
        let query = format!(
            "SELECT c.source, c.target, c.server, c.target_number FROM {schema}.embed_columns AS c \
             WHERE c.rel::pg_catalog.oid OPERATOR(pg_catalog.=) $1"
        );
        let found = work.select(&query, &[oid(rel)])?;
        let queue = |row: usize| {
            let source = found.text(row, 1)?;
            let of = columns.iter().find(|column| column.name == source).map(|column| column.of);
            Ok(Queue {
                server: found.text(row, 3)?,
                rel,
                number: number(&found, row, 4)?,
                table: table.clone(),
                source: quoted(&source),
                target: quoted(&found.text(row, 2)?),
                schema: schema.clone(),
                vector,
                has_images: of.map(base_type) == Some(pg_sys::BYTEAOID),
            })
        };
        (0..found.count()).map(queue).collect()
    }

    /// Claims up to `count` pending rows, and returns them.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn claim(
        &self,
        work: &Transactions,
        count: usize,
        claims: &Claims,
        except: &HashSet<RowVersion>,
    ) -> Result<Vec<RowVersion>, Report> {
        let query = format!(
            "SELECT t.tableoid, t.ctid, t.xmin FROM {} AS t WHERE {} LIMIT $3",
            self.table,
            self.pending()
        );
        let (mut claimed, mut seen) = (Vec::new(), 0);
        // Others may have claimed the first ones.
        let mut limit = count.saturating_mul(2);
        while claimed.len() < count {
            let [rel, target] = self.key();
            let found = work.select(&query, &[rel, target, int8(limit)])?;
            for row in seen..found.count() {
                let version = version(&found, row)?;
                let RowVersion { table, block, offset, .. } = version;
                if claimed.len() < count
                    && !except.contains(&version)
                    && claims.try_take(Oid::from(table), block, offset)?
                {
                    claimed.try_push(version)?;
                }
            }
            if found.count() < limit {
                break;
            }
            seen = found.count();
            limit = limit.saturating_mul(2);
        }
        Ok(claimed)
    }

    /// Those of some rows that are still pending, in their current versions.
    ///
    /// # Errors
    /// If a source is no text.
    pub fn read(
        &self,
        work: &Transactions,
        rows: &[RowVersion],
    ) -> Result<Vec<(RowVersion, Source)>, Report> {
        let content = if self.has_images {
            format!("t.{}::pg_catalog.bytea", self.source)
        } else {
            self.text()
        };
        let query = format!(
            "SELECT t.tableoid, t.ctid, t.xmin, {content} \
             FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4)) AS c(o, p) \
             JOIN {} AS t ON t.tableoid OPERATOR(pg_catalog.=) c.o AND t.ctid OPERATOR(pg_catalog.=) c.p \
             WHERE {}",
            self.table,
            self.pending()
        );
        let ([rel, target], [tables, places, _]) = (self.key(), versions(rows.iter()));
        let found = work.select(&query, &[rel, target, tables, places])?;
        let mut read = memory::with_room(found.count())?;
        for row in 0..found.count() {
            let source = if self.has_images {
                let image = found.value(row, 4).map(SqlValue::binary);
                Source::Image(image.unwrap_or_default())
            } else {
                Source::Text(found.text(row, 4)?)
            };
            read.push((version(&found, row)?, source));
        }
        Ok(read)
    }

    /// Writes vectors to rows that are still the same and have none. How many there were.
    ///
    /// # Errors
    /// If there are too many.
    pub fn write(
        &self,
        work: &Transactions,
        rows: &[&RowVersion],
        vectors: &[Vector],
    ) -> Result<u64, Report> {
        let statement = format!(
            "UPDATE {} AS t SET {target} = c.v FROM ROWS FROM (pg_catalog.unnest($1), \
             pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) AS c(o, p, x, v) \
             WHERE t.tableoid OPERATOR(pg_catalog.=) c.o AND t.ctid OPERATOR(pg_catalog.=) c.p \
             AND t.xmin OPERATOR(pg_catalog.=) c.x AND t.{target} IS NULL",
            self.table,
            target = self.target,
        );
        let vectors =
            list(array_type(self.vector), vectors.iter().map(|vector| vector_text(vector)));
        let [tables, places, transactions] = versions(rows.iter().copied());
        work.change(&statement, &[tables, places, transactions, vectors])
    }

    /// Keeps why a source could not be embedded. It is tried again after a minute, then after twice as long
    /// each time, up to 17 hours.
    ///
    /// # Errors
    /// If PostgreSQL refuses it.
    pub fn keep_failure(
        &self,
        work: &Transactions,
        source: &Source,
        reason: &str,
    ) -> Result<(), Report> {
        let statement = format!(
            "INSERT INTO {schema}.embed_failure AS f (rel, target, source, reason, attempts, failed, retry) \
             VALUES ($1, $2, {hash}, $4, 1, pg_catalog.now(), \
             pg_catalog.now() OPERATOR(pg_catalog.+) '1 minute'::pg_catalog.interval) \
             ON CONFLICT (rel, target, source) DO UPDATE SET reason = excluded.reason, \
             attempts = f.attempts OPERATOR(pg_catalog.+) 1, failed = excluded.failed, \
             retry = pg_catalog.now() OPERATOR(pg_catalog.+) ('1 minute'::pg_catalog.interval \
             OPERATOR(pg_catalog.*) pg_catalog.power(2::pg_catalog.float8, LEAST(f.attempts, 10)::pg_catalog.float8))",
            schema = self.schema,
            hash = hash("$3"),
        );
        let [rel, target] = self.key();
        let text = |text: String| Parameter::of_text(pg_sys::TEXTOID, text);
        let parameters = [rel, target, text(source.text()), text(reason.to_owned())];
        work.change(&statement, &parameters)?;
        Ok(())
    }

    /// Forgets failures of sources that are not pending any more, and of columns that are gone.
    ///
    /// # Errors
    /// If PostgreSQL refuses it.
    pub fn forget_others(&self, work: &Transactions) -> Result<(), Report> {
        let statement = format!(
            "DELETE FROM {schema}.embed_failure AS f WHERE f.rel OPERATOR(pg_catalog.=) $1 \
             AND f.target OPERATOR(pg_catalog.=) $2 AND NOT EXISTS (SELECT FROM {table} AS t \
             WHERE t.{target} IS NULL AND t.{source} IS NOT NULL \
             AND {hash} OPERATOR(pg_catalog.=) f.source)",
            schema = self.schema,
            table = self.table,
            target = self.target,
            source = self.source,
            hash = hash(&self.text()),
        );
        work.change(&statement, &self.key())?;
        work.select(&format!("SELECT {}.embed_forget_dropped()", self.schema), &[])?;
        Ok(())
    }

    /// The condition of rows `t` that are to be embedded now; `$1` and `$2` are [`Self::key`].
    fn pending(&self) -> String {
        format!(
            "t.{} IS NULL AND t.{} IS NOT NULL AND NOT EXISTS (SELECT FROM {}.embed_failure AS f \
             WHERE f.rel OPERATOR(pg_catalog.=) $1 AND f.target OPERATOR(pg_catalog.=) $2 \
             AND f.source OPERATOR(pg_catalog.=) {} \
             AND f.retry OPERATOR(pg_catalog.>) pg_catalog.now())",
            self.target,
            self.source,
            self.schema,
            hash(&self.text())
        )
    }

    /// The source of a row `t` as a text.
    fn text(&self) -> String {
        if self.has_images {
            format!("pg_catalog.encode(t.{}::pg_catalog.bytea, 'hex')", self.source)
        } else {
            format!("t.{}::pg_catalog.text", self.source)
        }
    }

    /// What failures of the column have in common.
    fn key(&self) -> [Parameter; 2] {
        let target = Parameter::of_text(pg_sys::INT2OID, self.number.to_string());
        [oid(self.rel), target]
    }
}

/// Number of pending rows of a column, also of those that a model refused; none unless the table and all that
/// inherit from it belong to the current user. Even planning a query runs code of a table's owner, and whoever
/// asks for all columns names no table.
///
/// # Errors
/// If there is no such column.
pub fn count(rel: Oid, source: &str, target: &str) -> Result<Option<i64>, Report> {
    let Some(opened) = Opened::find(rel) else {
        return Ok(None);
    };
    let user = current_user();
    if owners(rel).any(|owner| owner != user) {
        return Ok(None);
    }
    let query = format!(
        "SELECT pg_catalog.count(*) FROM {} AS t WHERE t.{} IS NULL AND t.{} IS NOT NULL",
        opened.name_in_sql()?,
        quoted(target),
        quoted(source)
    );
    let connection = Connection::begin()?;
    number(&connection.select_once(&query, &[])?, 0, 1).map(Some)
}

/// The owners of a table and of all that inherit from it, which stay so until the end of the transaction.
fn owners(table: Oid) -> impl Iterator<Item = Oid> {
    with_heirs(table).into_iter().filter_map(Opened::find).map(|table| table.owner())
}

/// Refuses to run the code of others, such as triggers and index expressions, as a superuser.
///
/// # Errors
/// If the current user is a superuser, and an owner of the table is not.
pub fn check_owners(rel: Oid) -> Result<(), Report> {
    if !is_superuser() || owners(rel).all(is_superuser_role) {
        return Ok(());
    }
    let message = "embed_pending() runs code of the owner of the table, who is no superuser";
    Err(Report::new(ERRCODE_INSUFFICIENT_PRIVILEGE, message)
        .hint("SET ROLE to the owner of the table, and call it again."))
}

/// What stands for a source in `embed_failure`.
fn hash(text: &str) -> String {
    format!("pg_catalog.hashtextextended({text} COLLATE pg_catalog.\"C\", 0::pg_catalog.int8)")
}

fn oid(oid: Oid) -> Parameter {
    Parameter::of_text(pg_sys::OIDOID, oid.to_u32().to_string())
}

fn int8(number: usize) -> Parameter {
    Parameter::of_text(pg_sys::INT8OID, number.to_string())
}

/// An array of values that need no escapes.
fn list(of: Oid, items: impl Iterator<Item = String>) -> Parameter {
    let items: Vec<String> = items.map(|item| format!("\"{item}\"")).collect();
    Parameter::of_text(of, format!("{{{}}}", items.join(",")))
}

fn vector_text(vector: &[f32]) -> String {
    let numbers: Vec<String> = vector.iter().map(f32::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// Tables, places, and transactions of rows, as arrays.
fn versions<'v>(rows: impl Iterator<Item = &'v RowVersion> + Clone) -> [Parameter; 3] {
    let tables = rows.clone().map(|row| row.table.to_string());
    let places = rows.clone().map(|row| format!("({},{})", row.block, row.offset));
    let transactions = rows.map(|row| row.transaction.to_string());
    [
        list(pg_sys::OIDARRAYOID, tables),
        list(pg_sys::TIDARRAYOID, places),
        list(pg_sys::XIDARRAYOID, transactions),
    ]
}

/// The version that the first three columns of a row tell.
fn version(found: &ResultRows, row: usize) -> Result<RowVersion, Report> {
    let place = found.text(row, 2)?;
    let place = place.trim_matches(['(', ')']).split_once(',');
    let place = place.and_then(|(block, offset)| Some((block.parse().ok()?, offset.parse().ok()?)));
    let (block, offset) = place.ok_or_else(|| Report::internal("row has no place"))?;
    Ok(RowVersion {
        table: number(found, row, 1)?,
        block,
        offset,
        transaction: number(found, row, 3)?,
    })
}

fn number<N: FromStr>(found: &ResultRows, row: usize, column: i32) -> Result<N, Report> {
    let number = found.text(row, column)?.parse();
    number.map_err(|_| Report::internal("query must return a number"))
}
