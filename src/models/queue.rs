//! The pending rows of a column: the statements that find, read, and write them.

use std::collections::HashSet;

use memory::Grow;
use pgrx::PgSqlErrorCode::ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION;
use pgrx::pg_sys::{self, Oid};

use super::cache::Vector;
use super::rights::check_owners;
use super::rows::{RowVersion, Source, int2, int8, number, oid, vectors, versions};
use crate::pg::catalog::{array_type, base_type, schema_name, type_in};
use crate::pg::claim::Claims;
use crate::pg::error::Report;
use crate::pg::parameter::Parameter;
use crate::pg::procedure::Transactions;
use crate::pg::relation::{Opened, lock_to_write, quoted};
use crate::pg::value::SqlValue;

/// The condition of the policies of `embed_failure` and `embed_run`, of table `$1` and column `$2`.
const MAY_KEEP: &str = "pg_catalog.has_table_privilege($1, 'SELECT'::pg_catalog.text) \
    AND pg_catalog.has_column_privilege($1, $2, 'UPDATE'::pg_catalog.text) \
    AND NOT pg_catalog.row_security_active($1)";

/// A column that has a queue, by numbers that it keeps.
#[derive(Clone, Copy)]
pub struct Target {
    rel: Oid,
    /// The number of the column.
    number: i16,
    /// The schema of the extension.
    schema: Oid,
}

impl Target {
    /// Those of a table.
    ///
    /// # Errors
    /// If a name is no text.
    pub fn of_table(work: &Transactions, rel: Oid, schema: Oid) -> Result<Vec<Target>, Report> {
        let query = format!(
            "SELECT DISTINCT c.target_number FROM {}.embed_columns AS c \
             WHERE c.rel::pg_catalog.oid OPERATOR(pg_catalog.=) $1",
            quoted(&schema_name(schema)?.unwrap_or_default())
        );
        let found = work.select(&query, &[oid(rel)])?;
        (0..found.count())
            .map(|row| Ok(Target { rel, number: number(&found, row, 1)?, schema }))
            .collect()
    }

    /// Its queue as it is now, until the end of the transaction; none if no trigger names the column any more.
    ///
    /// # Errors
    /// If the table must not be touched, or a name is no text. PostgreSQL raises an error if there is no such
    /// table.
    pub fn queue(self, work: &Transactions) -> Result<Option<Queue>, Report> {
        let Target { rel, number: target, schema } = self;
        let opened = Opened::open(rel);
        check_owners(rel)?;
        let (table, columns) = (opened.name_in_sql()?, opened.columns()?);
        opened.keep_lock();
        let vector = type_in(schema, c"vector").unwrap_or(Oid::INVALID);
        let schema = quoted(&schema_name(schema)?.unwrap_or_default());
        let query = format!(
            "SELECT c.source, c.target, c.server FROM {schema}.embed_columns AS c \
             WHERE c.rel::pg_catalog.oid OPERATOR(pg_catalog.=) $1 \
             AND c.target_number OPERATOR(pg_catalog.=) $2 ORDER BY c.source, c.server LIMIT 1"
        );
        let found = work.select(&query, &[oid(rel), int2(target)])?;
        if found.count() == 0 {
            return Ok(None);
        }
        let source = found.text(0, 1)?;
        let column = columns.into_iter().find(|column| column.name == source);
        let column = column.ok_or_else(|| Report::internal("source of a queue is no column"))?;
        Ok(Some(Queue {
            server: found.text(0, 3)?,
            column: self,
            source_number: column.number,
            table,
            source: quoted(&source),
            target: quoted(&found.text(0, 2)?),
            schema,
            vector,
            has_images: base_type(column.of) == pg_sys::BYTEAOID,
        }))
    }
}

/// A column whose vectors a model computes, during a transaction: its names are what they were when that
/// locked the table.
pub struct Queue {
    /// The name of the model's server.
    pub server: String,
    column: Target,
    source_number: i16,
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
    /// The same queue in the next transaction; none if it has another model or source by now.
    ///
    /// # Errors
    /// As [`Target::queue`].
    pub fn again(&self, work: &Transactions) -> Result<Option<Queue>, Report> {
        let is_same = |now: &Queue| {
            now.server == self.server
                && now.source_number == self.source_number
                && now.has_images == self.has_images
        };
        Ok(self.column.queue(work)?.filter(is_same))
    }

    /// As [`again`](Self::again), with the table locked against changes of its triggers.
    ///
    /// # Errors
    /// As [`Target::queue`].
    pub fn again_to_write(&self, work: &Transactions) -> Result<Option<Queue>, Report> {
        lock_to_write(self.column.rel);
        self.again(work)
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
                let version = RowVersion::of(&found, row)?;
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
        let ([rel, target], [tables, places, _]) = (self.key(), versions(rows.iter())?);
        let found = work.select(&query, &[rel, target, tables, places])?;
        let mut read = memory::with_room(found.count())?;
        for row in 0..found.count() {
            let source = if self.has_images {
                let image = found.value(row, 4).map(SqlValue::binary).transpose()?;
                Source::Image(image.unwrap_or_default())
            } else {
                Source::Text(found.text(row, 4)?)
            };
            read.push((RowVersion::of(&found, row)?, source));
        }
        Ok(read)
    }

    /// Writes vectors to rows that are still the same and have none, except those that others have locked: two
    /// sessions that wait for each other's rows would not end. How many there were.
    ///
    /// # Errors
    /// If there are too many.
    pub fn write(
        &self,
        work: &Transactions,
        rows: &[&RowVersion],
        new: &[Vector],
    ) -> Result<Written, Report> {
        let statement = format!(
            "WITH locked AS MATERIALIZED (SELECT t.tableoid AS o, t.ctid AS p, c.v FROM ROWS FROM (\
             pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) \
             AS c(o, p, x, v) JOIN {table} AS t ON t.tableoid OPERATOR(pg_catalog.=) c.o \
             AND t.ctid OPERATOR(pg_catalog.=) c.p AND t.xmin OPERATOR(pg_catalog.=) c.x \
             WHERE t.{target} IS NULL FOR NO KEY UPDATE OF t SKIP LOCKED), \
             written AS (UPDATE {table} AS t SET {target} = l.v FROM locked AS l \
             WHERE t.tableoid OPERATOR(pg_catalog.=) l.o AND t.ctid OPERATOR(pg_catalog.=) l.p \
             RETURNING t.{target} IS NULL AS has_none) \
             SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE w.has_none) FROM written AS w",
            table = self.table,
            target = self.target,
        );
        let new = vectors(array_type(self.vector), new)?;
        let [tables, places, transactions] = versions(rows.iter().copied())?;
        let found = work.select(&statement, &[tables, places, transactions, new])?;
        Ok(Written { rows: number(&found, 0, 1)?, without: number(&found, 0, 2)? })
    }

    /// The error of rows that have no vector though it was written.
    pub fn vectors_are_removed(&self) -> Report {
        let message =
            format!("a trigger sets column {} of table {} to NULL", self.target, self.table);
        Report::new(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION, message)
            .detail("Its rows would be embedded again and again.")
            .hint("Have the trigger keep vectors that an UPDATE of the column sets.")
    }

    /// Keeps why a source could not be embedded, where the policy of `embed_failure` lets the current user. It
    /// is tried again after a minute, then after twice as long each time, up to 17 hours.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn keep_failure(
        &self,
        work: &Transactions,
        source: &Source,
        reason: &str,
    ) -> Result<(), Report> {
        let statement = format!(
            "INSERT INTO {schema}.embed_failure AS f (rel, target, source, reason, attempts, failed, retry) \
             SELECT $1, $2, {hash}, $4, 1, pg_catalog.now(), \
             pg_catalog.now() OPERATOR(pg_catalog.+) '1 minute'::pg_catalog.interval \
             WHERE {MAY_KEEP} ON CONFLICT (rel, target, source) DO UPDATE SET reason = excluded.reason, \
             attempts = LEAST(f.attempts, 1000000) OPERATOR(pg_catalog.+) 1, failed = excluded.failed, \
             retry = pg_catalog.now() OPERATOR(pg_catalog.+) ('1 minute'::pg_catalog.interval \
             OPERATOR(pg_catalog.*) pg_catalog.power(2::pg_catalog.float8, LEAST(f.attempts, 10)::pg_catalog.float8))",
            schema = self.schema,
            hash = hash("$3"),
        );
        let [rel, target] = self.key();
        let text = |text: String| Parameter::of_text(pg_sys::TEXTOID, text);
        let parameters = [rel, target, text(source.text()?), text(reason.to_owned())];
        work.change(&statement, &parameters)?;
        Ok(())
    }

    /// Keeps when all was done, where the policy of `embed_run` lets the current user.
    ///
    /// # Errors
    /// If PostgreSQL refuses it.
    pub fn keep_end(&self, work: &Transactions) -> Result<(), Report> {
        let statement = format!(
            "INSERT INTO {}.embed_run AS r (rel, target, ended) \
             SELECT $1, $2, pg_catalog.clock_timestamp() WHERE {MAY_KEEP} \
             ON CONFLICT (rel, target) DO UPDATE SET ended = excluded.ended",
            self.schema
        );
        work.change(&statement, &self.key())?;
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
        [oid(self.column.rel), int2(self.column.number)]
    }
}

/// What an `UPDATE` has done.
pub struct Written {
    /// Rows that it changed.
    pub rows: usize,
    /// Those of them whose vector is NULL nevertheless.
    pub without: usize,
}

/// What stands for a source in `embed_failure`.
fn hash(text: &str) -> String {
    format!("pg_catalog.hashtextextended({text} COLLATE pg_catalog.\"C\", 0::pg_catalog.int8)")
}
