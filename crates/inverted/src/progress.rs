//! How far a merge is that several inserts do, each a part: the segment that is being written, between
//! two parts. Its state lies in a few pages that the index keeps for this.
//!
//! Whoever finds that the state is not complete, as its writer has failed, begins the merge anew.

use memory::Grow;
use pages::{Batch, Coordination, Error, META_BLOCK, PAGE_USABLE, PageStore, Result, is_intact};

use crate::meta::Meta;
use crate::page::{Draft, HEADER, Header, NONE, Pages, Part, SPACE};

/// The most pages of a state.
pub(crate) const MAX_PROGRESS: usize = 16;
/// Bytes of the number of the part, which each page begins with.
const STEP: usize = 4;
/// The most bytes of a state.
pub(crate) const MAX_STATE: usize = MAX_PROGRESS * (SPACE - STEP);

/// What the metapage tells of a merge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The segment that is being written, or 0.
    pub segment: u64,
    /// Grows with every part of a merge.
    pub step: u32,
    /// Pages of the state, the first of `pages`.
    pub used: u16,
    /// Numbers in the last list page of what the merge has taken: others mean that a part has failed.
    pub numbers: u16,
    /// Pages for the state, which the index keeps.
    pub pages: Vec<u32>,
}

/// Keeps the state of the segment `segment`, at most [`MAX_STATE`] bytes. The caller holds the lock.
pub(crate) fn save<S: Coordination>(
    store: &S,
    segment: u64,
    numbers: usize,
    state: &[u8],
) -> Result<()> {
    let used = state.len().div_ceil(SPACE - STEP);
    let too_large = || Error::Internal("state of a merge is too large".to_owned());
    if used > MAX_PROGRESS {
        return Err(too_large());
    }
    let mut meta = Meta::read(store)?;
    while meta.progress.pages.len() < used {
        meta = add_page(store)?;
    }
    let step = meta.progress.step.wrapping_add(1);
    for (&block, part) in meta.progress.pages.iter().zip(state.chunks(SPACE - STEP)) {
        let mut draft = Draft::unplaced(Part::Progress)?;
        draft.block = block;
        draft.push(&step.to_le_bytes());
        draft.push(part);
        draft.count = part.len() as u16;
        draft.finish(&mut InPlace(store), segment, NONE)?;
    }
    let mut batch = store.batch();
    let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
    let progress = &mut meta.progress;
    (progress.segment, progress.step) = (segment, step);
    progress.used = used as u16;
    progress.numbers = u16::try_from(numbers).map_err(|_| too_large())?;
    meta.encode(batch.page(META_BLOCK)?);
    batch.commit()
}

fn add_page<S: Coordination>(store: &S) -> Result<Meta> {
    let mut batch = store.batch();
    let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
    let block = meta.extend()?;
    meta.progress.pages.push(block);
    pages::init_page(batch.create(block)?, pages::PageKind::Segment, block);
    meta.encode(batch.page(META_BLOCK)?);
    batch.commit()?;
    Ok(meta)
}

/// The state that was kept last; none if there is none, or it is not complete.
pub(crate) fn load<S: PageStore>(store: &S, progress: &Progress) -> Result<Option<Vec<u8>>> {
    let mut state = Vec::new();
    if progress.segment == 0 {
        return Ok(None);
    }
    for &block in progress.pages.iter().take(progress.used.into()) {
        let body = store.read(block)?;
        let header = Header::of(&body, block, progress.segment, Part::Progress);
        let Ok(Header { count, .. }) = header else { return Ok(None) };
        let content = body.get(HEADER..PAGE_USABLE).unwrap_or(&[]).split_first_chunk();
        let Some((&step, rest)) = content else { return Ok(None) };
        let Some(part) = rest.get(..count.into()) else { return Ok(None) };
        if !is_intact(&body) || u32::from_le_bytes(step) != progress.step {
            return Ok(None);
        }
        state.try_extend(part.iter().copied())?;
    }
    Ok(Some(state))
}

/// Writes pages that exist.
struct InPlace<'s, S>(&'s S);

impl<S: Coordination> Pages for InPlace<'_, S> {
    fn allocate(&mut self) -> Result<u32> {
        Err(Error::Internal("a page of a state is not allocated".to_owned()))
    }

    fn write(&mut self, block: u32, body: &[u8]) -> Result<()> {
        let mut batch = self.0.batch();
        batch.create(block)?.copy_from_slice(body);
        batch.commit()
    }
}
