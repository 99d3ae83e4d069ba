//! Figures of an index, for monitoring.

use pages::{PageStore, Result};

use crate::buffer::Page;
use crate::meta::{Chain, Meta, Options};
use crate::page_list;
use crate::score::Statistics;
use crate::segment::Reader;

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
    crate::Snapshot::undisturbed(store, |_| now(store))
}

fn now<S: PageStore>(store: &S) -> Result<IndexStatistics> {
    let meta = Meta::read(store)?;
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
    let mut buffered = Statistics::default();
    for (sequence, &block) in (meta.first_sequence..).zip(&meta.buffer) {
        store.pause()?;
        if let Some(page) = Page::open(&store.read(block)?, block, sequence)? {
            buffered.documents += page.statistics.documents;
            buffered.total_length =
                buffered.total_length.saturating_add(page.statistics.total_length);
        }
    }
    documents.documents += buffered.documents;
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
