//! The rows of an index that is being built.

use pages::HeapTid;
use quant::Metric;
use space::{NoSpace, Space, Table};
use threads::{Stopped, Workers};
use vectors::normalize;

use crate::geometry::Geometry;
use crate::vector::{Holder, Stored};

/// Rows that a thread widens at a time.
const ROWS_AT_ONCE: usize = 128;

/// The rows of an index being built, in the order of arrival.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) geometry: Geometry,
    metric: Metric,
    holder: vectors::Holder,
    /// The tid of each, then its vector as pages hold it.
    records: Table<u8>,
    /// The list of each.
    pub(crate) lists: Table<u32>,
    /// A record as it is made.
    record: Vec<u8>,
}

impl Rows {
    /// No rows yet.
    pub(crate) fn new(geometry: Geometry, metric: Metric, seed: u64) -> Self {
        let record = vec![0; HeapTid::SIZE + geometry.vector_size()];
        let (records, lists) = (Table::within_space(record.len()), Table::within_space(1));
        let holder = vectors::Holder::unscaled(geometry.form, geometry.dims, seed);
        Self { geometry, metric, holder, records, lists, record }
    }

    /// Adds a row.
    pub(crate) fn push(
        &mut self,
        vector: &[f32],
        tid: HeapTid,
        space: &mut Space<'_>,
    ) -> Result<(), NoSpace> {
        let holder = Holder { geometry: &self.geometry, holder: &self.holder };
        let (place, stored) = self.record.split_at_mut(HeapTid::SIZE);
        place.copy_from_slice(&tid.to_bytes());
        holder.write(vector, stored);
        self.records.push(&self.record, space)
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Row number `i`: where it is, and its vector as pages hold it.
    pub(crate) fn row(&self, i: u32) -> (HeapTid, &[u8]) {
        let record = self.records.row(i as usize);
        let (tid, vector) = record.split_first_chunk().expect("a record begins with a tid");
        (HeapTid::from_bytes(*tid), vector)
    }

    /// Writes the vectors of some rows, as lists are made of them, one after another.
    pub(crate) fn widen_all(
        &self,
        rows: &[u32],
        vectors: &mut [f32],
        workers: &mut Workers<'_>,
    ) -> Result<(), Stopped> {
        let dims = self.geometry.dims;
        let widen = |(): &mut (), part: usize, places: &mut [f32]| {
            let rows = rows.iter().skip(part * ROWS_AT_ONCE);
            for (&row, place) in rows.zip(places.chunks_exact_mut(dims)) {
                self.widen(row, place);
            }
            Ok(())
        };
        workers.chunks(vectors, ROWS_AT_ONCE * dims, || Ok(()), widen)
    }

    /// Writes the vector of a row, as lists are made of it.
    fn widen(&self, row: u32, out: &mut [f32]) {
        let holder = Holder { geometry: &self.geometry, holder: &self.holder };
        holder.widen(&Stored::new(self.row(row).1, &self.geometry), out);
        if self.metric == Metric::Cosine {
            normalize(out);
        }
    }
}
