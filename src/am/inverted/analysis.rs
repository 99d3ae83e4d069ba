//! Texts of a build, analyzed by threads, a batch at a time.
//!
//! While threads analyze a batch, the backend adds the documents of the batch before to the index. Only
//! Milvus's analyzers can be used by threads: text-search configurations are PostgreSQL's.

use analyzer::Analyzer;
use memory::Grow;
use pages::HeapTid;
use threads::Workers;

use super::content::{Refused, Terms};
use crate::pg::error::Report;

/// The most bytes of the rows of a batch.
const LIMIT: usize = 1 << 20;
/// A batch has one of so many bytes of the memory of a build.
const SHARE: usize = 64;
/// Bytes that two batches and their terms take at most, for each byte of text: words of one letter take
/// 12 bytes each and one for the letter, twice that while their list grows, for two bytes of text.
const MEMORY: usize = 28;
/// Bytes of a row beside its texts.
const ROW: usize = 128;
/// Bytes of the rows of a job at least, and bytes that are worth starting threads.
const JOB: usize = 8 << 10;
const WORTH_THREADS: usize = 32 << 10;
/// Bytes of the largest row that a thread analyzes: the build cannot be cancelled before the job is done.
const LONGEST: usize = 64 << 10;

/// What takes the terms of a row.
type Push<'a> = dyn FnMut(HeapTid, Terms) -> Result<(), Report> + 'a;

/// Rows of a build whose texts wait for threads, or whose terms wait for the backend.
pub struct Batches<'a> {
    analyzer: &'a Analyzer,
    threads: usize,
    /// Bytes of rows of a batch.
    limit: usize,
    rows: Vec<(HeapTid, Vec<String>)>,
    bytes: usize,
    analyzed: Vec<(HeapTid, Terms)>,
}

impl<'a> Batches<'a> {
    /// Batches for so many threads, in a build that may use `memory` bytes.
    pub fn new(analyzer: &'a Analyzer, threads: usize, memory: usize) -> Self {
        let limit = (memory / SHARE).min(LIMIT);
        Self { analyzer, threads, limit, rows: Vec::new(), bytes: 0, analyzed: Vec::new() }
    }

    /// Bytes that all this takes, about.
    pub fn memory(&self) -> usize {
        self.limit * MEMORY
    }

    /// Whether a row with these texts may be added.
    pub fn takes(&self, texts: &[String]) -> bool {
        bytes(texts) <= LONGEST.min(self.limit)
    }

    /// Adds a row that [`Batches::takes`]. Hands rows before it to `push`, in order.
    ///
    /// # Errors
    /// Those of `push`, and that memory is used up.
    pub fn add(
        &mut self,
        tid: HeapTid,
        texts: Vec<String>,
        push: &mut Push<'_>,
    ) -> Result<(), Report> {
        let bytes = bytes(&texts);
        if self.bytes + bytes > self.limit {
            self.analyze(push)?;
        }
        self.bytes += bytes;
        Ok(self.rows.try_push((tid, texts))?)
    }

    /// Hands all rows to `push` that were added.
    ///
    /// # Errors
    /// As [`Batches::add`].
    pub fn finish(&mut self, push: &mut Push<'_>) -> Result<(), Report> {
        self.analyze(push)?;
        std::mem::take(&mut self.analyzed).into_iter().try_for_each(|(tid, terms)| push(tid, terms))
    }

    /// Has the batch analyzed, while the one before goes to `push`.
    fn analyze(&mut self, push: &mut Push<'_>) -> Result<(), Report> {
        let (rows, before) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.analyzed));
        let threads = if self.bytes < WORTH_THREADS { 0 } else { self.threads };
        self.bytes = 0;
        let mut of_job = 0;
        let jobs: Vec<&[(HeapTid, Vec<String>)]> =
            memory::collected(rows.chunk_by(|(_, texts), _| {
                of_job += bytes(texts);
                let has_room = of_job < JOB;
                of_job = if has_room { of_job } else { 0 };
                has_room
            }))?;
        let analyzer = self.analyzer;
        let job = |number: u32| -> Result<Vec<(HeapTid, Terms)>, Refused> {
            let rows = jobs.get(number as usize).copied().unwrap_or_default();
            let mut made = memory::with_room(rows.len())?;
            for (tid, texts) in rows {
                made.push((*tid, Terms::by_thread(texts, analyzer)?));
            }
            Ok(made)
        };
        let mut tick = |_| {
            pgrx::check_for_interrupts!();
            true
        };
        // No more jobs than rows, whose number is below 2^32.
        let (made, pushed) =
            Workers::new(threads, &mut tick).make_beside(jobs.len() as u32, job, || {
                before.into_iter().try_for_each(|(tid, terms)| push(tid, terms))
            })?;
        pushed?;
        for rows in made {
            self.analyzed.try_extend(rows)?;
        }
        Ok(())
    }
}

/// Bytes that a row with these texts takes.
fn bytes(texts: &[String]) -> usize {
    ROW + texts.iter().map(|text| text.len() + size_of::<String>()).sum::<usize>()
}
