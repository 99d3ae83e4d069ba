//! Going through the blocks of a list, and finding lists.

use memory::Grow;
use pages::{Error, PageStore, Result};

use crate::block::{Block, Entry, ROOT};
use crate::geometry::{BlockNo, Geometry};
use crate::index::Ivf;
use crate::query::{CentroidDistance, Query};
use crate::radius::Radius;
use crate::reader::Reader;
use crate::stream::{Step, Stream};

/// A list as the list of lists tells of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    /// Its first block.
    pub(crate) first: BlockNo,
    /// Its centroid.
    pub(crate) entry: Entry,
}

impl List {
    pub(crate) fn of(entry: Entry) -> Self {
        Self { first: BlockNo(entry.tid.block), entry }
    }

    /// How far its rows are from the centroid at most.
    pub(crate) fn radius(&self) -> Radius {
        Radius::of_tid(self.entry.tid)
    }

    /// What its blocks say that they belong to: the number of its centroid, which none other will
    /// ever have.
    pub(crate) fn id(&self) -> u32 {
        self.entry.vector.0
    }
}

impl Ivf {
    /// Hands each block of the list that begins at `first`, and whose blocks name `list`, to `look`,
    /// until it returns false.
    pub(crate) fn blocks_of<S: PageStore>(
        &self,
        store: &S,
        (first, list): (BlockNo, u32),
        mut look: impl FnMut(BlockNo, &Block<'_>) -> Result<bool>,
    ) -> Result<()> {
        let geometry = self.geometry();
        let mut next = Some(first);
        let mut walk = Walk::default();
        while let Some(mut no) = next {
            let page = no.page(geometry);
            {
                let body = store.read(page)?;
                // Blocks that follow each other in one page are read under one lock.
                next = loop {
                    let block = Block::read(&body, no, list, geometry)?;
                    if !look(no, &block)? {
                        return Ok(());
                    }
                    walk.blocks += 1;
                    match block.next() {
                        Some(following) if following.page(geometry) == page && walk.is_short() => {
                            no = following;
                        }
                        other => break other,
                    }
                };
            }
            walk.check(store, geometry, page)?;
            if let Some(next) = next.filter(|_| store.read_ahead() > 0) {
                store.prefetch(next.page(geometry));
            }
            store.pause()?;
        }
        Ok(())
    }

    /// All lists, in order.
    pub(crate) fn all_lists<S: PageStore>(&self, store: &S) -> Result<Vec<List>> {
        let mut lists = Vec::new();
        self.blocks_of(store, (self.meta().root, ROOT), |_, block| {
            lists.try_extend(block.entries().map(|(_, entry)| List::of(entry)))?;
            Ok(true)
        })?;
        Ok(lists)
    }
}

/// How far a chain of blocks was followed.
#[derive(Default)]
struct Walk {
    blocks: u64,
    /// Blocks that the store may have, once that was of interest.
    most: Option<u64>,
}

impl Walk {
    /// Chains that are not longer are not suspicious.
    const SHORT: u64 = 256;

    fn is_short(&self) -> bool {
        self.blocks < self.most.unwrap_or(Self::SHORT)
    }

    /// Fails where a chain is longer than all blocks of the store: it leads back into itself.
    fn check<S: PageStore>(&mut self, store: &S, geometry: &Geometry, page: u32) -> Result<()> {
        if self.is_short() {
            return Ok(());
        }
        // It may grow while it is followed.
        let blocks = u64::from(store.blocks()?) * geometry.blocks_per_page() as u64 + Self::SHORT;
        if self.blocks > blocks {
            return Err(Error::corrupted(page, "chain of blocks leads back"));
        }
        self.most = Some(blocks.max(self.blocks + 1));
        Ok(())
    }
}

/// Lists by the distance of their centroids; under inner product, by what their rows promise (see
/// [`Radius::likely_gain`]).
#[derive(Debug, Default)]
pub(crate) struct NearestLists {
    stream: Stream,
}

impl NearestLists {
    /// Bounds the distances of all centroids; without codes, measures them.
    pub(crate) fn new<S: PageStore>(store: &S, ivf: &Ivf, query: &Query) -> Result<Self> {
        let mut stream = Stream::default();
        let mut plain = Vec::new();
        let mut reader = Reader::new(store, ivf.geometry());
        let middle =
            reader.read(ivf.meta().middle, |stored| query.distance_to_centroid(&stored))?;
        drop(reader);
        ivf.blocks_of(store, (ivf.meta().root, ROOT), |_, block| {
            match query.bounds(block, &middle) {
                Some(bounds) => {
                    let candidate = |(i, entry): (usize, Entry)| {
                        (bounds[i] - query.likely_gain(List::of(entry).radius()), entry)
                    };
                    stream.push_candidates(block.entries().map(candidate))?;
                }
                None => plain.try_extend(block.entries().map(|(_, entry)| entry))?,
            }
            Ok(true)
        })?;
        // Without a bound, all are to be read: in the order in which they lie.
        let mut reader = Reader::new(store, ivf.geometry());
        for entry in plain {
            reader.pause()?;
            let centroid =
                reader.read(entry.vector, |stored| query.distance_to_centroid(&stored))?;
            stream.push_found(query.order_of(List::of(entry), &centroid), entry)?;
        }
        Ok(Self { stream })
    }

    /// The next nearest list, and how far its centroid is.
    pub(crate) fn next<S: PageStore>(
        &mut self,
        store: &S,
        ivf: &Ivf,
        query: &Query,
    ) -> Result<Option<(List, CentroidDistance)>> {
        store.pause()?;
        // Holds the page that it has read last: centroids that lie together are read at once.
        let mut reader = Reader::new(store, ivf.geometry());
        loop {
            reader.pause()?;
            match self.stream.step()? {
                Step::Next(found) => {
                    let centroid = reader
                        .read(found.entry.vector, |stored| query.distance_to_centroid(&stored))?;
                    return Ok(Some((List::of(found.entry), centroid)));
                }
                Step::Read(entry) => {
                    let centroid =
                        reader.read(entry.vector, |stored| query.distance_to_centroid(&stored))?;
                    self.stream.push_found(query.order_of(List::of(entry), &centroid), entry)?;
                }
                Step::End => return Ok(None),
            }
        }
    }

    /// How far the centroid of the list is that [`Self::next`] returns next.
    pub(crate) fn peek<S: PageStore>(
        &mut self,
        store: &S,
        ivf: &Ivf,
        query: &Query,
    ) -> Result<Option<CentroidDistance>> {
        let Some((list, centroid)) = self.next(store, ivf, query)? else { return Ok(None) };
        self.stream.push_found(query.order_of(list, &centroid), list.entry)?;
        Ok(Some(centroid))
    }

    /// Bytes in use.
    pub(crate) fn bytes(&self) -> usize {
        self.stream.bytes()
    }
}
