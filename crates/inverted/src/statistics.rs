//! Figures of an index, for monitoring.

use pages::{Error, PageStore, Result};

use crate::Snapshot;
use crate::buffer::Page;
use crate::meta::{Chain, Meta, Options};
use crate::page_list;
use crate::score::Statistics;
use crate::segment::Reader;

/// How often figures are read while others change the index.
const TRIES: usize = 10;

/// Figures of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexStatistics {
    /// What it was made with.
    pub options: Options,
    /// Living documents and their length: what scores depend on.
    pub documents: Statistics,
    /// The segments, in the order of the directory.
    pub segments: Vec<SegmentStatistics>,
    /// Pages of the write buffer.
    pub buffer_pages: u32,
    /// Documents in the write buffer.
    pub buffer_documents: u64,
    /// All pages that were ever used.
    pub pages: u32,
    /// Pages that will be used again at once.
    pub free_pages: u32,
    /// Pages that will be used again once the searches that may read them have ended.
    pub waiting_pages: u32,
    /// Pages of segments in the making, or left by those that failed.
    pub taken_pages: u32,
}

/// Figures of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentStatistics {
    /// Number of the segment; later ones have higher numbers.
    pub id: u64,
    /// Documents, dead ones included.
    pub documents: u32,
    /// Living documents.
    pub living: u32,
    /// Distinct terms.
    pub terms: u64,
    /// Postings, those of dead documents included.
    pub postings: u64,
    /// Pages.
    pub pages: u32,
}

/// Figures of the index. Reads one page of each segment, the buffer, and the lists of pages.
///
/// # Errors
/// Those of the store, and [`pages::Error::Corrupted`].
pub fn statistics<S: PageStore>(store: &S) -> Result<IndexStatistics> {
    let mut last = Err(Error::Internal("statistics were not read".to_owned()));
    for _ in 0..TRIES {
        let meta = Meta::read(store)?;
        let result = of(store, &meta);
        let has_ended = result.as_ref().is_err_and(Error::ends_work);
        if has_ended || Meta::read(store)? == meta {
            return result;
        }
        // Pages of a list, or of the buffer, may have been used again meanwhile.
        if result.is_ok() || last.is_err() {
            last = result;
        }
    }
    last
}

/// Living documents.
///
/// # Errors
/// As [`statistics`].
pub(crate) fn living<S: PageStore>(store: &S) -> Result<u64> {
    Snapshot::undisturbed(store, |now| {
        let buffered = buffered(store, now.first_sequence(), now.buffer())?;
        Ok(now.statistics().documents.saturating_add(buffered.documents))
    })
}

/// Documents in pages of the buffer.
fn buffered<S: PageStore>(store: &S, first_sequence: u64, buffer: &[u32]) -> Result<Statistics> {
    let mut sum = Statistics::default();
    for (sequence, &block) in (first_sequence..).zip(buffer) {
        store.pause()?;
        let body = store.read(block)?;
        let Some(page) = Page::open(&body, block, sequence)? else {
            let what = "page of the write buffer has another number";
            return Err(Error::corrupted(block, what));
        };
        sum.documents = sum.documents.saturating_add(page.statistics.documents);
        sum.total_length = sum.total_length.saturating_add(page.statistics.total_length);
    }
    Ok(sum)
}

fn of<S: PageStore>(store: &S, meta: &Meta) -> Result<IndexStatistics> {
    let mut segments = Vec::with_capacity(meta.segments.len());
    let mut documents = Statistics::default();
    for listed in &meta.segments {
        let reader = Reader::open(store, &listed.info, meta.options.scoring)?;
        documents.documents += u64::from(listed.living);
        documents.total_length = documents.total_length.saturating_add(listed.length);
        segments.push(SegmentStatistics {
            id: listed.info.id,
            documents: listed.info.documents,
            living: listed.living,
            terms: reader.number_of_terms(),
            postings: reader.number_of_postings(),
            pages: listed.info.pages,
        });
    }
    let buffered = buffered(store, meta.first_sequence, &meta.buffer)?;
    documents.documents = documents.documents.saturating_add(buffered.documents);
    documents.total_length = documents.total_length.saturating_add(buffered.total_length);
    let chains = |chains: &mut dyn Iterator<Item = Chain>| {
        chains.map(|chain| length(store, chain.first, Some(chain.last))).sum::<Result<u32>>()
    };
    Ok(IndexStatistics {
        options: meta.options,
        documents,
        segments,
        buffer_pages: meta.buffer.len() as u32,
        buffer_documents: buffered.documents,
        pages: meta.next_page,
        free_pages: meta.free.map_or(Ok(0), |free| length(store, free, None))?
            + meta.spare.len() as u32,
        waiting_pages: chains(&mut meta.retired.iter().map(|retired| retired.pages))?,
        taken_pages: chains(&mut meta.taken.iter().flatten().copied())?,
    })
}

/// Pages on a list, and of it.
fn length<S: PageStore>(store: &S, first: u32, last: Option<u32>) -> Result<u32> {
    let mut sum = 0u32;
    page_list::walk(store, first, last, |_, numbers| {
        sum = sum.saturating_add(numbers.len() as u32).saturating_add(1);
        Ok(())
    })?;
    Ok(sum)
}
