//! What an index holds.

use kernels::BLOCK;
use pages::{Error, META_BLOCK, PageKind, PageStore, Result, is_new, page_kind};

use crate::block::FREE;
use crate::index::Ivf;
use crate::meta::Meta;

/// Counts over an index.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// The metapage.
    pub meta: Meta,
    /// Pages, the metapage included.
    pub pages: u32,
    /// Pages of blocks.
    pub block_pages: u32,
    /// Pages of vectors.
    pub vector_pages: u32,
    /// Pages added to the store but never written.
    pub unwritten: u32,
    /// Rows.
    pub rows: u64,
    /// Rows of the longest list.
    pub longest: u64,
    /// Lists without rows.
    pub empty: u64,
    /// What a row meets in its own list on average, over the mean length: 1 where all lists are
    /// equally long.
    pub imbalance: f64,
    /// Entries of lists that stand for no row.
    pub vacant: u64,
    /// Blocks that belong to no list, and wait for one.
    pub free: u64,
}

/// Reads all pages and counts.
///
/// # Errors
/// Those of the store, and [`pages::Error::Corrupted`].
pub fn info<S: PageStore>(store: &S) -> Result<Info> {
    Ivf::undisturbed(store, |ivf| count(store, ivf))
}

fn count<S: PageStore>(store: &S, ivf: &Ivf) -> Result<Info> {
    let meta = ivf.meta().clone();
    let pages = store.blocks()?;
    let (mut block_pages, mut vector_pages, mut unwritten) = (0, 0, 0);
    for page in META_BLOCK + 1..pages {
        store.pause()?;
        let body = store.read(page)?;
        if is_new(&body) {
            unwritten += 1;
            continue;
        }
        match page_kind(&body, page)? {
            PageKind::Blocks => block_pages += 1,
            PageKind::Vectors => vector_pages += 1,
            PageKind::Meta
            | PageKind::Records
            | PageKind::Segment
            | PageKind::Buffer
            | PageKind::PageList
            | PageKind::Definition => {}
        }
    }
    let (mut rows, mut longest, mut empty, mut vacant, mut squares) = (0, 0, 0, 0, 0.0);
    for list in ivf.all_lists(store)? {
        let (mut entries, mut blocks) = (0u64, 0);
        ivf.blocks_of(store, (list.first, list.id()), |_, block| {
            entries += u64::from(block.live().count_ones());
            blocks += 1;
            Ok(true)
        })?;
        rows += entries;
        longest = longest.max(entries);
        empty += u64::from(entries == 0);
        vacant += blocks * BLOCK as u64 - entries;
        squares += (entries * entries) as f64;
    }
    let imbalance =
        if rows == 0 { 1.0 } else { squares * f64::from(meta.lists) / (rows as f64 * rows as f64) };
    Ok(Info {
        meta,
        pages,
        block_pages,
        vector_pages,
        unwritten,
        rows,
        longest,
        empty,
        imbalance,
        vacant,
        free: free(store, ivf)?,
    })
}

/// Counts the free blocks; only some, where others take of them meanwhile.
fn free<S: PageStore>(store: &S, ivf: &Ivf) -> Result<u64> {
    let mut count = 0;
    let Some(first) = Ivf::open(store)?.meta().reorganized.free else { return Ok(0) };
    let counted = ivf.blocks_of(store, (first, FREE), |_, _| {
        count += 1;
        Ok(true)
    });
    match counted {
        Ok(()) | Err(Error::Corrupted { .. }) => Ok(count),
        Err(error) => Err(error),
    }
}
