//! Reading records: where a number becomes a record.

use pages::{Error, PageStore, Result, is_new};
use vectors::{Form, sparse};

use crate::Hnsw;
use crate::format::{NodeNo, Record, State, Tail};

/// An element whose record was read.
enum Begun<R> {
    /// It is whole, and was shown; none where it is no element.
    Shown(Option<R>),
    /// The bytes of its record, those of its vector in all, and where that goes on.
    Tailed { bytes: Vec<u8>, len: usize, tail: Option<Tail> },
}

impl Hnsw {
    /// Shows the record `node` as its page holds it now.
    pub(crate) fn record<S: PageStore, R>(
        &self,
        store: &S,
        node: NodeNo,
        look: impl FnOnce(&Record<'_>) -> R,
    ) -> Result<R> {
        let geometry = self.geometry();
        let block = node.block(geometry);
        self.warm(store, node);
        let page = store.read(block)?;
        Ok(look(&Record::read(&page, block, node.place(geometry), geometry)?))
    }

    /// Tells `store` that the record `node` will be read at once.
    pub(crate) fn warm<S: PageStore>(&self, store: &S, node: NodeNo) {
        let geometry = self.geometry();
        let start = node.place(geometry) * geometry.record_size;
        store.warm(node.block(geometry), start..start + geometry.record_size);
    }

    /// Shows the element `node` with its whole vector; none where the record is not an element (any
    /// more), or its tails are being freed.
    pub(crate) fn element<S: PageStore, R>(
        &self,
        store: &S,
        node: NodeNo,
        look: impl FnOnce(&Record<'_>) -> R,
    ) -> Result<Option<R>> {
        let mut look = Some(look);
        let mut show = |record: &Record<'_>| {
            self.check_vector(node, record)?;
            Ok(look.take().map(|look| look(record)))
        };
        let begun = self.record(store, node, |record| match record.is_element() {
            true if record.tails() == 0 => show(record).map(Begun::Shown),
            true => Ok(Begun::Tailed {
                bytes: record.own_bytes().to_vec(),
                len: record.vector_len(),
                tail: record.tail(),
            }),
            false => Ok(Begun::Shown(None)),
        })??;
        match begun {
            Begun::Shown(shown) => Ok(shown),
            Begun::Tailed { mut bytes, len, tail } => {
                let whole = self.read_tails(store, &mut bytes, len, tail)?;
                if whole { show(&Record::whole(&bytes, self.geometry())?) } else { Ok(None) }
            }
        }
    }

    /// Adds the tails of a vector of `len` bytes to those of its element's record, one page after
    /// another; false where one is gone.
    fn read_tails<S: PageStore>(
        &self,
        store: &S,
        bytes: &mut Vec<u8>,
        len: usize,
        mut next: Option<Tail>,
    ) -> Result<bool> {
        let geometry = self.geometry();
        for part in 1..=geometry.tails_of(len) {
            let Some(tail) = next else { return Ok(false) };
            let part = geometry.part(part, len).len();
            let there = self.record(store, tail.node, |record| {
                let there = record.state() == State::Tail && record.version() == tail.version;
                if there {
                    bytes.extend_from_slice(&record.tail_bytes()[..part]);
                    next = record.tail();
                }
                there
            })?;
            if !there {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A damaged page may hold what is no vector.
    fn check_vector(&self, node: NodeNo, record: &Record<'_>) -> Result<()> {
        let geometry = self.geometry();
        let sparse = geometry.form == Form::Sparse;
        if sparse && !sparse::is_sound(record.vector(), geometry.dims) {
            let block = node.block(geometry);
            return Err(Error::corrupted(block, "sparse vector has indices out of order"));
        }
        Ok(())
    }

    /// Shows all records of a page; none where the page was never written.
    pub(crate) fn records_of<S: PageStore>(
        &self,
        store: &S,
        block: u32,
        mut look: impl FnMut(NodeNo, &Record<'_>) -> Result<()>,
    ) -> Result<()> {
        let geometry = self.geometry();
        let page = store.read(block)?;
        if is_new(&page) {
            return Ok(());
        }
        for place in 0..geometry.records_per_page {
            look(
                NodeNo::at(block, place, geometry)?,
                &Record::read(&page, block, place, geometry)?,
            )?;
        }
        Ok(())
    }
}
