//! Rows collected for a build: one element for all rows of the same vector.

use std::hash::{DefaultHasher, Hasher};

use pages::HeapTid;
use quant::Metric;
use space::{Array, NoSpace, Space, Strings, Table};
use vectors::{Form, Holder, Stored, StoredInfo, Vector};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::by_hash::ByHash;
use crate::IndexOptions;
use crate::build::BuildError;

/// What an element's record needs beside its vector.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct RowInfo {
    pub(super) error: f32,
    pub(super) norm: f32,
    pub(super) scale: f32,
    block: u32,
    offset: u32,
}

impl RowInfo {
    /// What is stored with its vector.
    pub(super) fn stored_info(&self) -> StoredInfo {
        StoredInfo { scale: self.scale, error: self.error, norm: self.norm }
    }

    /// The first row of the element.
    pub(super) fn tid(&self) -> HeapTid {
        HeapTid { block: self.block, offset: self.offset as u16 }
    }
}

/// A further row of an element. Sorted by element, then in heap order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(super) struct Twin {
    pub(super) element: u32,
    block: u32,
    offset: u32,
}

impl Twin {
    pub(super) fn tid(&self) -> HeapTid {
        HeapTid { block: self.block, offset: self.offset as u16 }
    }
}

/// Vectors as records hold them, one after another, and their rows.
#[derive(Debug)]
pub(super) struct Rows {
    metric: Metric,
    holder: Holder,
    vectors: Vectors,
    infos: Table<RowInfo>,
    twins: Table<Twin>,
    /// While rows are added.
    by_hash: ByHash,
    /// Whether the form lost something of a row.
    lossy: bool,
    /// A row under way.
    stored: Stored,
}

impl Rows {
    /// No rows yet; they lie in memory.
    pub(super) fn new(options: &IndexOptions) -> Result<Self, BuildError> {
        let IndexOptions { metric, form, dims, seed, .. } = *options;
        let holder = Holder::new(form, metric, dims, seed);
        Ok(Self {
            metric,
            stored: holder.empty(),
            holder,
            vectors: Vectors::new(form, dims),
            infos: Table::new(1),
            twins: Table::new(1),
            by_hash: ByHash::new()?,
            lossy: false,
        })
    }

    pub(super) fn push(
        &mut self,
        vector: Vector<'_>,
        tid: HeapTid,
        space: &mut Space,
    ) -> Result<(), BuildError> {
        let (block, offset) = (tid.block, u32::from(tid.offset));
        self.holder.store(vector, &mut self.stored);
        self.lossy |= self.stored.info.error > 0.0;
        let Stored { bytes: stored, info: StoredInfo { scale, error, norm } } = &self.stored;
        let (scale, error, norm, hash) = (*scale, *error, *norm, hash(stored, *scale));
        let same = |element: u32| {
            let info = self.infos.row(element as usize)[0].stored_info();
            self.holder.alike((self.vectors.row(element as usize), info), &self.stored)
        };
        if let Some(element) = self.by_hash.find(hash, same) {
            let twin = &mut self.infos.row_mut(element as usize)[0];
            twin.error = twin.error.max(error);
            return Ok(self.twins.push(&[Twin { element, block, offset }], space)?);
        }
        let element = u32::try_from(self.len()).map_err(|_| BuildError::TooManyElements)?;
        self.by_hash.insert(hash, element, space)?;
        self.vectors.push(stored, space)?;
        Ok(self.infos.push(&[RowInfo { error, norm, scale, block, offset }], space)?)
    }

    /// How vectors are stored.
    pub(super) fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Holds vectors relative to `center`, see [`Holder::set_center`]; before any is added.
    pub(super) fn set_center(&mut self, center: &[f32]) {
        self.holder.set_center(center);
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        self.infos.len()
    }

    /// Whether the form lost something of a row.
    pub(super) fn lossy(&self) -> bool {
        self.lossy
    }

    /// Number of rows.
    pub(super) fn tid_count(&self) -> usize {
        self.infos.len() + self.twins.len()
    }

    /// Bytes for each element whose vector takes `vector` bytes, as long as no rows are added any
    /// more.
    pub(super) fn bytes_per_element(form: Form, vector: usize) -> usize {
        let extent = if form == Form::Sparse { Strings::EXTENT_BYTES } else { 0 };
        vector + extent + size_of::<RowInfo>()
    }

    /// Bytes that further rows of elements take.
    pub(super) fn twins_bytes(&self) -> usize {
        self.twins.len() * size_of::<Twin>()
    }

    /// Bytes of all rows.
    pub(super) fn bytes(&self) -> usize {
        self.vectors.bytes() + self.len() * size_of::<RowInfo>() + self.twins_bytes()
    }

    /// Bytes of a vector, on average.
    pub(super) fn mean_bytes(&self) -> usize {
        self.vectors.bytes() / self.len().max(1)
    }

    /// Moves all rows to the file, and those to come.
    pub(super) fn move_to_file(&mut self, space: &mut Space) -> Result<(), BuildError> {
        self.vectors.move_to_file(space)?;
        self.infos.move_to_file(space)?;
        Ok(self.twins.move_to_file(space)?)
    }

    /// Frees what only the adding of rows needs.
    pub(super) fn finish(&mut self) -> Result<(), BuildError> {
        self.by_hash = ByHash::new()?;
        Ok(())
    }

    pub(super) fn info(&self, element: usize) -> &RowInfo {
        &self.infos.row(element)[0]
    }

    /// An element's vector as its record holds it.
    pub(super) fn stored(&self, element: usize) -> &[u8] {
        self.vectors.row(element)
    }

    /// Further rows of elements, sorted.
    pub(super) fn sorted_twins(&self, space: &mut Space) -> Result<Array<Twin>, BuildError> {
        let mut twins = space.array(self.twins.len())?;
        for (i, twin) in twins.iter_mut().enumerate() {
            *twin = self.twins.row(i)[0];
        }
        twins.sort_unstable();
        Ok(twins)
    }

    /// An element's vector in the space in which neighbors are coded, as distances are computed from
    /// it: under cosine of length one.
    pub(super) fn normalized(&self, element: usize, out: &mut [f32]) {
        let info = self.info(element);
        let scale = self.holder.true_scale(info.stored_info());
        let mut vector = self.holder.widened(self.stored(element), scale);
        if self.metric == Metric::Cosine {
            vector = vector.view().to_unit();
        }
        out.copy_from_slice(&vector.view().in_coded_space(out.len()));
    }
}

/// The vectors as records hold them.
#[derive(Debug)]
enum Vectors {
    Equal(Table<u8>),
    Sparse(Strings),
}

impl Vectors {
    fn new(form: Form, dims: usize) -> Self {
        if form == Form::Sparse {
            Self::Sparse(Strings::new())
        } else {
            Self::Equal(Table::new(form.bytes(dims)))
        }
    }

    fn push(&mut self, stored: &[u8], space: &mut Space) -> Result<(), NoSpace> {
        match self {
            Self::Equal(table) => table.push(stored, space),
            Self::Sparse(strings) => strings.push(stored, space),
        }
    }

    fn row(&self, i: usize) -> &[u8] {
        match self {
            Self::Equal(table) => table.row(i),
            Self::Sparse(strings) => strings.row(i),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Equal(table) => table.bytes(),
            Self::Sparse(strings) => strings.bytes(),
        }
    }

    fn move_to_file(&mut self, space: &mut Space) -> Result<(), NoSpace> {
        match self {
            Self::Equal(table) => table.move_to_file(space),
            Self::Sparse(strings) => strings.move_to_file(space),
        }
    }
}

fn hash(stored: &[u8], scale: f32) -> u32 {
    let mut hasher = DefaultHasher::new();
    hasher.write(stored);
    hasher.write_u32(scale.to_bits());
    hasher.finish() as u32
}
