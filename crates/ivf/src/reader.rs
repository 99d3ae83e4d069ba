//! Reading vectors, one after another.

use pages::{PageStore, Result};

use crate::geometry::{Geometry, VectorNo};
use crate::vector::{Stored, vectors};

/// Pages read between two looks for a request to stop.
const PAGES_PER_PAUSE: usize = 32;

/// Reads vectors and keeps the page of the latest, so that those that follow each other cost one
/// page. No other page may be locked meanwhile.
pub(crate) struct Reader<'a, S: PageStore> {
    store: &'a S,
    geometry: &'a Geometry,
    locked: Option<(u32, S::Page<'a>)>,
    /// A vector that lies in two pages.
    copy: Vec<u8>,
    /// Pages read since the last pause.
    read: usize,
}

impl<'a, S: PageStore> Reader<'a, S> {
    pub(crate) fn new(store: &'a S, geometry: &'a Geometry) -> Self {
        Self { store, geometry, locked: None, copy: Vec::new(), read: 0 }
    }

    /// Reads vector `no` and hands it to `look`.
    pub(crate) fn read<T>(
        &mut self,
        no: VectorNo,
        look: impl FnOnce(Stored<'_>) -> T,
    ) -> Result<T> {
        let [(page, range), (next, rest)] = no.parts(self.geometry);
        if rest.is_empty() {
            let geometry = self.geometry;
            let body = vectors(self.page(page)?, page)?;
            return Ok(look(Stored::new(&body[range], geometry)));
        }
        let mut copy = std::mem::take(&mut self.copy);
        copy.clear();
        copy.extend_from_slice(&vectors(self.page(page)?, page)?[range]);
        copy.extend_from_slice(&vectors(self.page(next)?, next)?[rest]);
        let result = look(Stored::new(&copy, self.geometry));
        self.copy = copy;
        Ok(result)
    }

    /// Looks for a request to stop, if many pages were read since that was done last; to be called
    /// between two vectors.
    pub(crate) fn pause(&mut self) -> Result<()> {
        if self.read >= PAGES_PER_PAUSE {
            self.read = 0;
            self.locked = None;
            self.store.pause()?;
        }
        Ok(())
    }

    /// Tells that vector `no` will be read soon.
    pub(crate) fn prefetch(&self, no: VectorNo) {
        let [(page, _), (next, rest)] = no.parts(self.geometry);
        self.store.prefetch(page);
        if !rest.is_empty() {
            self.store.prefetch(next);
        }
    }

    fn page(&mut self, page: u32) -> Result<&[u8]> {
        if self.locked.as_ref().is_none_or(|locked| locked.0 != page) {
            self.locked = None;
            self.read += 1;
            self.locked = Some((page, self.store.read(page)?));
        }
        Ok(self.locked.as_ref().map_or(&[], |locked| &locked.1[..]))
    }
}
