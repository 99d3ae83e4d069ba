//! Building an index of many documents at once, in bounded memory.
//!
//! Documents are gathered until memory is used up, then written as a run, sorted by term, into a
//! temporary file. In the end the runs are merged into one segment, whose pages are written once, in
//! order.

mod append;
mod run;

use pages::{Batch, Error, HeapTid, META_BLOCK, PageStore, Result};
use space::{NoSpace, Space, Table};

use self::append::AppendedPages;
use self::run::{Run, merge};
use crate::create::first_pages;
use crate::document::Document;
use crate::gather::Gathered;
use crate::meta::{Chain, DEFINITION_BLOCK, FIRST_BLOCK, Listed, Meta, Options};
use crate::segment::{SegmentInfo, Writer};

/// The id of the segment of a build.
const SEGMENT: u64 = 1;

/// Called while work goes on; fails if the host wants to end it.
pub type Pause<'h> = dyn Fn() -> Result<()> + 'h;

/// An index being built: filled with documents, then written.
pub struct Bulk<'h> {
    options: Options,
    definition: Vec<u8>,
    space: Space<'h>,
    pause: Box<Pause<'h>>,
    /// Documents that are in no run yet.
    gathered: Gathered,
    runs: Vec<Run>,
    /// Block, line and length of the documents in runs.
    documents: Table<u32>,
}

impl std::fmt::Debug for Bulk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bulk").field("options", &self.options).finish_non_exhaustive()
    }
}

impl<'h> Bulk<'h> {
    /// An index without documents yet, which will take about as much memory as `space` has, and its
    /// file. `definition` as for [`crate::create`]. `pause` is called every few thousand postings, and its
    /// error ends the build.
    ///
    /// # Errors
    /// As [`crate::create`].
    pub fn new(
        options: Options,
        definition: &[u8],
        space: Space<'h>,
        pause: Box<Pause<'h>>,
    ) -> Result<Self> {
        first_pages(options, definition)?;
        Ok(Self {
            options,
            definition: definition.to_vec(),
            space,
            pause,
            gathered: Gathered::default(),
            runs: Vec::new(),
            documents: Table::within_space(3),
        })
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.documents.len() + self.gathered.documents().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a document.
    ///
    /// # Errors
    /// [`Error::Internal`] for a document that breaks the rules of [`Document`], [`Error::Limit`] for more
    /// than one segment holds, and if there is no room for it.
    pub fn push(&mut self, document: &Document) -> Result<()> {
        if self.len() >= crate::segment::MAX_DOCUMENTS as usize {
            return Err(Error::Limit("the table has too many rows for one index"));
        }
        crate::buffer::check(document, self.options)?;
        let large = self.gathered.is_full();
        if large || self.gathered.memory() > self.space.limit() / 2 {
            self.spill()?;
        }
        self.gathered.document(document)
    }

    /// Writes what was gathered as a run.
    fn spill(&mut self) -> Result<()> {
        if self.gathered.documents().is_empty() {
            return Ok(());
        }
        let gathered = std::mem::take(&mut self.gathered);
        // Documents of one segment are numbered below 2^31.
        let first = self.documents.len() as u32;
        let run = Run::write(&gathered, first, self.options, &mut self.space, &self.pause)?;
        self.runs.push(run);
        for &(tid, length) in gathered.documents() {
            let row = [tid.block, tid.offset.into(), length];
            self.documents.push(&row, &mut self.space).map_err(no_space)?;
        }
        Ok(())
    }

    /// Makes all pages, in order, and hands them to `append`. The index is without documents until the
    /// result is published.
    ///
    /// # Errors
    /// [`Error::Limit`] for more pages than can be numbered, and what `append` and the pause return.
    pub fn write(mut self, append: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Built> {
        for body in first_pages(self.options, &self.definition)? {
            append(&body)?;
        }
        if self.is_empty() {
            return Ok(Built { segment: None, next_page: FIRST_BLOCK });
        }
        if !self.runs.is_empty() {
            self.spill()?;
        }
        let mut pages = AppendedPages::new(FIRST_BLOCK, &mut self.space, &self.pause, append);
        let Options { scoring, positions } = self.options;
        let mut writer = Writer::new(&mut pages, scoring, positions, SEGMENT);
        if self.runs.is_empty() {
            for &(tid, length) in self.gathered.documents() {
                writer.document(tid, length)?;
            }
            self.gathered.tell(positions, &self.pause, &mut writer)?;
        } else {
            for i in 0..self.documents.len() {
                let row = self.documents.row(i);
                // The line number came from 16 bits.
                let tid = HeapTid { block: row[0], offset: row[1] as u16 };
                writer.document(tid, row[2])?;
            }
            merge(&self.runs, self.options, &mut writer)?;
        }
        let info = writer.finish()?;
        let chain = pages.list()?;
        Ok(Built { segment: Some((info, chain)), next_page: pages.next() })
    }
}

/// What was built.
#[derive(Debug)]
#[must_use = "an index that is not published is without documents"]
pub struct Built {
    segment: Option<(SegmentInfo, Chain)>,
    next_page: u32,
}

impl Built {
    /// Lets the index in `store`, whose pages were all written, have the documents.
    ///
    /// # Errors
    /// Those of the store, and [`Error::Corrupted`].
    pub fn publish<S: PageStore>(self, store: &S) -> Result<()> {
        let Some((info, pages)) = self.segment else { return Ok(()) };
        let mut batch = store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        if meta.next_page != FIRST_BLOCK {
            return Err(Error::Internal("an index that is in use is built".to_owned()));
        }
        meta.next_page = self.next_page;
        meta.next_segment = SEGMENT + 1;
        let (living, length) = (info.documents, info.total_length);
        meta.segments.push(Listed { info, pages, living, length, claim: None, stale: false });
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()
    }
}

const _: () = assert!(DEFINITION_BLOCK + 1 == FIRST_BLOCK);

fn no_space(reason: NoSpace) -> Error {
    match reason {
        NoSpace::OutOfMemory => Error::OutOfMemory,
        NoSpace::File(_) => Error::Limit("the temporary file of the build cannot grow"),
    }
}
