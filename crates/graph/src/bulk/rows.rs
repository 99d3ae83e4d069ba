//! Rows collected for a build: one element for all rows of the same vector.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use pages::{Error, HeapTid, Result};
use quant::{Metric, encode_half, half_scale};

use crate::insert::narrowing_error;
use crate::query::norm;

/// What an element's record needs beside its vector.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowInfo {
    pub(super) exponent: i8,
    pub(super) error: f32,
    pub(super) norm: f32,
    pub(super) tid: HeapTid,
}

/// Vectors as halves, one after another, and their rows.
#[derive(Debug)]
pub(super) struct Rows {
    metric: Metric,
    dims: usize,
    halves: Vec<[u8; 2]>,
    infos: Vec<RowInfo>,
    /// Further rows of elements.
    twins: Vec<(u32, HeapTid)>,
    /// Elements by a hash of their halves.
    by_hash: HashMap<u64, u32>,
    sum: Vec<f64>,
}

impl Rows {
    pub(super) fn new(metric: Metric, dims: usize) -> Self {
        Self {
            metric,
            dims,
            halves: Vec::new(),
            infos: Vec::new(),
            twins: Vec::new(),
            by_hash: HashMap::new(),
            sum: vec![0.0; dims],
        }
    }

    pub(super) fn push(&mut self, vector: &[f32], tid: HeapTid) -> Result<()> {
        let start = self.halves.len();
        let element = u32::try_from(self.infos.len())
            .map_err(|_| Error::Limit("the table has too many rows for one index"))?;
        self.halves.resize(start + self.dims, [0; 2]);
        let info = encode_half(vector, &mut self.halves[start..]);
        let error = narrowing_error(self.metric, &info);
        let (old, new) = self.halves.split_at(start);
        let known = *self.by_hash.entry(hash(new, info.exponent)).or_insert(element);
        if let Some(twin) = self.infos.get_mut(known as usize)
            && twin.exponent == info.exponent
            && &old[known as usize * self.dims..][..self.dims] == new
        {
            twin.error = twin.error.max(error);
            self.twins.push((known, tid));
            self.halves.truncate(start);
            return Ok(());
        }
        let norm = norm(vector);
        let factor = if self.metric == Metric::Cosine { 1.0 / f64::from(norm) } else { 1.0 };
        for (sum, &x) in self.sum.iter_mut().zip(vector) {
            *sum += f64::from(x) * factor;
        }
        self.infos.push(RowInfo { exponent: info.exponent, error, norm, tid });
        Ok(())
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        self.infos.len()
    }

    /// Number of rows.
    pub(super) fn tid_count(&self) -> usize {
        self.infos.len() + self.twins.len()
    }

    pub(super) fn memory(&self) -> usize {
        2 * self.halves.capacity()
            + size_of::<RowInfo>() * self.infos.capacity()
            + 16 * (self.twins.capacity() + self.by_hash.capacity())
    }

    pub(super) fn info(&self, element: usize) -> &RowInfo {
        &self.infos[element]
    }

    pub(super) fn halves(&self, element: usize) -> &[[u8; 2]] {
        &self.halves[element * self.dims..][..self.dims]
    }

    /// Further rows of elements, by element and then in heap order.
    pub(super) fn sorted_twins(&self) -> Vec<(u32, HeapTid)> {
        let mut twins = self.twins.clone();
        twins.sort_unstable();
        twins
    }

    /// Mean of the elements (under cosine: of their directions).
    pub(super) fn mean(&self) -> Vec<f32> {
        let count = self.infos.len().max(1) as f64;
        self.sum.iter().map(|sum| (sum / count) as f32).collect()
    }

    /// Writes an element's vector as ranks are computed from it: under cosine of length one.
    pub(super) fn ranked(&self, element: usize, out: &mut [f32]) {
        let info = self.info(element);
        kernels::widen_f16(self.halves(element), half_scale(info.exponent), out);
        if self.metric == Metric::Cosine {
            let unit = crate::query::unit(out, norm(out));
            out.copy_from_slice(&unit);
        }
    }

    /// All vectors, widened.
    pub(super) fn widened(&self) -> Vec<f32> {
        let mut flat = vec![0.0; self.halves.len()];
        for (element, out) in flat.chunks_exact_mut(self.dims).enumerate() {
            self.ranked(element, out);
        }
        flat
    }
}

fn hash(halves: &[[u8; 2]], exponent: i8) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(halves.as_flattened());
    hasher.write_i8(exponent);
    hasher.finish()
}
