//! `embed_pending`: computes vectors that are pending, in batches. The model is called between transactions.
//!
//! A batch is claimed by session locks, read again by a snapshot that is newer than the claim, embedded, and
//! written to those of its rows that are still the same versions. So a row is embedded once, whoever else works
//! on the table, and one that changes meanwhile stays pending. What a model refuses is found by halving, kept
//! with its reason, and left alone for a while.

use std::collections::HashSet;
use std::rc::Rc;

use memory::Grow;
use models::{ErrorKind, Input};
use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
use pgrx::pg_sys::Oid;

use super::cache::Vector;
use super::call::Failed;
use super::embed::vectors;
use super::endpoint::Model;
use super::queue::{Queue, RowVersion, Source, count};
use crate::pg::claim::Claims;
use crate::pg::error::Report;
use crate::pg::function::{Callee, pg_functions};
use crate::pg::memory::Scratch;
use crate::pg::procedure::Transactions;

/// Most rows of a batch: each takes a lock.
const MAX_BATCH: usize = 256;

pg_functions! {
    /// Works off all columns of a table, until nothing is left but what others work on or a model refuses.
    fn embed_pending(work: Transactions, callee: Callee, rel: Option<Oid>) -> Result<(), Report> {
        let rel = rel.ok_or_else(|| {
            Report::new(ERRCODE_INVALID_PARAMETER_VALUE, "table is missing")
                .hint("CALL embed_pending('table').")
        })?;
        let schema = callee.schema();
        let queues = Queue::of_table(&work, rel, schema)?;
        if queues.is_empty() {
            return Err(Report::new(
                ERRCODE_INVALID_PARAMETER_VALUE,
                "table has no column that a model computes",
            )
            .hint("SELECT embed_column(table, source, target, server)."));
        }
        for queue in queues {
            let mut worker = Worker {
                model: Model::find(&queue.server, schema)?,
                queue,
                claims: Claims::new(),
                unwritten: HashSet::new(),
                is_proven: false,
            };
            let memory = Scratch::new();
            while memory.turn(|| worker.batch(&work))? {}
            worker.queue.forget_others(&work)?;
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
    model: Rc<Model>,
    queue: Queue,
    claims: Claims,
    /// Versions of rows that could not be written: a trigger or policy keeps them as they are.
    unwritten: HashSet<RowVersion>,
    /// Whether the model has embedded something.
    is_proven: bool,
}

impl Worker {
    /// Embeds a batch of rows; false if there are none.
    fn batch(&mut self, work: &Transactions) -> Result<bool, Report> {
        let size = self.model.endpoint.batch().clamp(1, MAX_BATCH);
        let claimed = self.queue.claim(work, size, &self.claims, &self.unwritten)?;
        work.commit();
        if claimed.is_empty() {
            return Ok(false);
        }
        let rows = self.queue.read(work, &claimed)?;
        work.commit();
        let sources: Vec<&Source> = memory::collected(rows.iter().map(|(_, source)| source))?;
        let made = self.embed(&sources)?;
        let (mut embedded, mut new) = (Vec::new(), Vec::new());
        for ((version, source), made) in rows.iter().zip(made) {
            match made {
                Ok(vector) => {
                    embedded.try_push(version)?;
                    new.try_push(vector)?;
                }
                Err(reason) => self.queue.keep_failure(work, source, &reason)?,
            }
        }
        let sent = embedded.len();
        if sent > 0 && self.queue.write(work, &embedded, &new)? < sent as u64 {
            self.unwritten.try_extend(rows.into_iter().map(|(version, _)| version))?;
        }
        work.commit();
        self.claims.release();
        Ok(true)
    }

    /// The vectors of sources, or why they have none, which is halved down to.
    fn embed(&mut self, sources: &[&Source]) -> Result<Vec<Result<Vector, String>>, Report> {
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let inputs: Vec<Input> = memory::collected(sources.iter().map(|source| source.input()))?;
        let error = match vectors(&self.model, &inputs) {
            Ok(vectors) => {
                self.is_proven = true;
                return Ok(memory::collected(vectors.into_iter().map(Ok))?);
            }
            Err(Failed::Model(error))
                if matches!(error.kind, ErrorKind::Rejected | ErrorKind::Reply) =>
            {
                error
            }
            Err(failed) => return Err(failed.into()),
        };
        if let [source] = sources {
            // A model that refuses this one and all others has another problem.
            if !self.is_proven && matches!(source, Source::Text(_)) {
                vectors(&self.model, &[Input::Text("test")])?;
                self.is_proven = true;
            }
            return Ok(vec![Err(error.message)]);
        }
        let bad = error.input.filter(|bad| (1..sources.len()).contains(bad));
        let (first, second) = sources.split_at(bad.unwrap_or(sources.len() / 2));
        let mut made = self.embed(first)?;
        made.try_extend(self.embed(second)?)?;
        Ok(made)
    }
}
