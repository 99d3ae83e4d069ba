//! `embed_pending`: computes vectors that are pending, in batches. The model is called between transactions.
//!
//! A batch is claimed by session locks, read again by a snapshot that is newer than the claim, embedded, and
//! written to those of its rows that are still the same versions. So a row is embedded once, whoever else works
//! on the table, and one that changes meanwhile stays pending. What a model refuses is found by halving, kept
//! with its reason, and left alone for a while.
//!
//! Nothing of the catalog holds from one transaction to the next: each looks up the column, its model, and
//! their names anew.

use std::collections::HashSet;

use memory::Grow;
use models::{Error, ErrorKind, Input};
use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
use pgrx::pg_sys::Oid;

use super::cache::Vector;
use super::call::{Failed, call};
use super::embed::vectors;
use super::endpoint::Model;
use super::queue::Target;
use super::rights::count;
use super::rows::{RowVersion, Source};
use crate::pg::claim::Claims;
use crate::pg::error::Report;
use crate::pg::function::{Callee, pg_functions};
use crate::pg::memory::Scratch;
use crate::pg::procedure::Transactions;

/// Most rows of a batch: each takes a lock.
const MAX_BATCH: usize = 256;
/// What every model takes that takes images: a white square in the format PNG.
const IMAGE: &[u8] = include_bytes!("white.png");

pg_functions! {
    /// Works off all columns of a table, until nothing is left but what others work on or a model refuses.
    fn embed_pending(work: Transactions, callee: Callee, rel: Option<Oid>) -> Result<(), Report> {
        let rel = rel.ok_or_else(|| {
            Report::new(ERRCODE_INVALID_PARAMETER_VALUE, "table is missing")
                .hint("CALL embed_pending('table').")
        })?;
        let schema = callee.schema();
        let targets = Target::of_table(&work, rel, schema)?;
        if targets.is_empty() {
            return Err(Report::new(
                ERRCODE_INVALID_PARAMETER_VALUE,
                "table has no column that a model computes",
            )
            .hint("SELECT embed_column(table, source, target, server)."));
        }
        for target in targets {
            let claims = Claims::new();
            let mut worker = Worker { target, schema, claims, skipped: HashSet::new() };
            let memory = Scratch::new();
            while memory.turn(|| worker.batch(&work))? {
                worker.claims.release();
            }
            if let Some(queue) = target.queue(&work)? {
                queue.forget_others(&work)?;
                queue.keep_end(&work)?;
            }
            work.commit();
        }
        Ok(())
    }

    /// Number of rows whose vector is NULL and whose source is not; NULL for tables of others.
    fn embed_pending_count(rel: Oid, source: String, target: String) -> Result<Option<i64>, Report> {
        count(rel, &source, &target)
    }
}

/// What works off one column.
struct Worker {
    target: Target,
    /// The schema of the extension.
    schema: Oid,
    claims: Claims,
    /// Versions of rows that stay pending during this run: the model refuses them, others have locked them, or
    /// a trigger or policy keeps them as they are.
    skipped: HashSet<RowVersion>,
}

impl Worker {
    /// Embeds a batch of rows; false if there are none.
    fn batch(&mut self, work: &Transactions) -> Result<bool, Report> {
        let Some(queue) = self.target.queue(work)? else {
            return Ok(false);
        };
        let model = Model::find(&queue.server, self.schema)?;
        let size = model.endpoint.batch().clamp(1, MAX_BATCH);
        let claimed = queue.claim(work, size, &self.claims, &self.skipped)?;
        work.commit();
        if claimed.is_empty() {
            return Ok(false);
        }
        let Some(queue) = queue.again(work)? else {
            return Ok(true);
        };
        let rows = queue.read(work, &claimed)?;
        work.commit();
        let sources: Vec<&Source> = memory::collected(rows.iter().map(|(_, source)| source))?;
        let made = Batch { model: &model, is_proven: false }.embed(&sources)?;
        let (mut embedded, mut new, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for ((version, source), made) in rows.iter().zip(made) {
            match made {
                Ok(vector) => {
                    embedded.try_push(version)?;
                    new.try_push(vector)?;
                }
                Err(reason) => {
                    refused.try_push((source, reason))?;
                    self.skipped.try_push(version.clone())?;
                }
            }
        }
        let Some(queue) = queue.again_to_write(work)? else {
            work.commit();
            return Ok(true);
        };
        if !embedded.is_empty() {
            let written = queue.write(work, &embedded, &new)?;
            work.commit();
            if written.without > 0 {
                return Err(queue.vectors_are_removed());
            }
            if written.rows < embedded.len() {
                self.skipped.try_extend(embedded.into_iter().cloned())?;
            }
        }
        // The vectors are written, whatever becomes of this.
        for (source, reason) in refused {
            queue.keep_failure(work, source, &reason)?;
        }
        work.commit();
        Ok(true)
    }
}

/// What embeds a batch.
struct Batch<'m> {
    model: &'m Model,
    /// Whether the model has embedded something of it.
    is_proven: bool,
}

impl Batch<'_> {
    /// The vectors of sources, or why they have none, which is halved down to.
    fn embed(&mut self, sources: &[&Source]) -> Result<Vec<Result<Vector, String>>, Report> {
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let inputs: Vec<Input> = memory::collected(sources.iter().map(|source| source.input()))?;
        let error = match vectors(self.model, &inputs) {
            Ok(vectors) => {
                self.is_proven = true;
                return Ok(memory::collected(vectors.into_iter().map(Ok))?);
            }
            Err(Failed::Model(error)) if may_be_of_input(&error) => error,
            Err(failed) => return Err(failed.into()),
        };
        if let [source] = sources {
            // A model that refuses this one and all others has another problem.
            if !self.is_proven {
                self.prove(source)?;
            }
            let mut refused = memory::with_room(1)?;
            refused.push(Err(error.message));
            return Ok(refused);
        }
        let bad = error.input.filter(|bad| (1..sources.len()).contains(bad));
        let (first, second) = sources.split_at(bad.unwrap_or(sources.len() / 2));
        let mut made = self.embed(first)?;
        made.try_extend(self.embed(second)?)?;
        Ok(made)
    }

    /// Embeds what a model for such sources takes.
    fn prove(&mut self, source: &Source) -> Result<(), Report> {
        let input = match source {
            Source::Text(_) => Input::Text("test"),
            Source::Image(_) => Input::Image(IMAGE),
        };
        call(&self.model.endpoint, false, |endpoint, stop| endpoint.embed(&[input], stop))?;
        self.is_proven = true;
        Ok(())
    }
}

/// Whether one of the inputs may have caused an error, so that the others can be embedded.
fn may_be_of_input(error: &Error) -> bool {
    match error.kind {
        ErrorKind::Rejected | ErrorKind::Unsupported => true,
        ErrorKind::Reply | ErrorKind::File => error.input.is_some(),
        ErrorKind::Connection
        | ErrorKind::Timeout
        | ErrorKind::Refused
        | ErrorKind::Forbidden
        | ErrorKind::Memory
        | ErrorKind::Stopped => false,
    }
}
