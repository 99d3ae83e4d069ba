//! An index that is open: its metapage and what follows from it.

use kernels::CodeShape;
use pages::{Error, META_BLOCK, PAGE_BODY, PageStore, Result};
use quant::{EdgeCoder, Metric, Rotation};
use vectors::{Form, Holder, Vector, VectorBuf};

use crate::format::{Geometry, Meta};

/// What an index is made with; fixed for its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexOptions {
    /// How vectors are compared.
    pub metric: Metric,
    /// How records hold vectors: bits where the metric is one of bits, else numbers; not rotated
    /// where the metric is L1; bytes only where all vectors and queries are of integers of 8 bits.
    pub form: Form,
    /// Dimensions of the column, 1..=[`Form::max_dims`].
    pub dims: usize,
    /// Half the neighbors of an element, 2..=100.
    pub m: usize,
    /// Width of the search that finds a new element's neighbors, 4..=1,000.
    pub ef_construction: usize,
    /// Seed of the rotation and of the levels.
    pub seed: u64,
}

impl IndexOptions {
    /// The metapage of an index without elements.
    ///
    /// # Errors
    /// [`Error::Limit`] where records of these sizes do not fit a page.
    pub fn empty_meta(&self) -> Result<Meta> {
        let coded = self.metric != Metric::L1;
        let geometry = Geometry::choose(self.form, self.dims, self.m, coded)?;
        let small = |value: usize| u16::try_from(value).map_err(|_| Error::Limit("option"));
        let (m, ef_construction) = (small(self.m)?, small(self.ef_construction)?);
        Ok(Meta::empty(self.metric as u8, m, ef_construction, geometry, self.seed))
    }
}

/// Whether vectors that are stored so can be compared by `metric`.
fn suits(form: Form, metric: Metric) -> bool {
    metric.is_of_bits() == (form == Form::Bits) && (metric.keeps_rotation() || !form.is_rotated())
}

/// The body of the only page of an index without elements.
pub fn empty_index(options: &IndexOptions) -> Result<Vec<u8>> {
    let mut body = vec![0; PAGE_BODY];
    options.empty_meta()?.encode(&mut body);
    Ok(body)
}

/// An open index. A snapshot of the metapage: where the entry and the free records are may have
/// changed since; all else never changes.
#[derive(Debug)]
pub struct Hnsw {
    meta: Meta,
    metric: Metric,
    holder: Holder,
    coder: Option<EdgeCoder>,
}

impl Hnsw {
    /// Reads and checks the metapage.
    pub fn open<S: PageStore>(store: &S) -> Result<Self> {
        let meta = Meta::decode(&store.read(META_BLOCK)?)?;
        Self::new(meta)
    }

    pub(crate) fn new(meta: Meta) -> Result<Self> {
        let corrupted = |what| Error::corrupted(META_BLOCK, what);
        let metric = Metric::from_byte(meta.metric).ok_or(corrupted("metric is unknown"))?;
        let geometry = &meta.geometry;
        if !suits(geometry.form, metric)
            || geometry.coded() == (metric == Metric::L1)
            || usize::from(meta.m) * 2 != geometry.slots
        {
            return Err(corrupted("metapage has impossible sizes"));
        }
        let shape = CodeShape { planes: geometry.planes, plane_bytes: geometry.plane_bytes };
        let residual = geometry.coded() && metric.keeps_rotation();
        let coder = residual.then(|| {
            let rotation = Rotation::new(geometry.coded_space(), meta.seed);
            let coded = meta.center[..geometry.code_dims()].to_vec();
            EdgeCoder::new(rotation, shape, metric, coded)
        });
        let mut holder = Holder::new(geometry.form, metric, geometry.dims, meta.seed);
        if meta.centered {
            holder.set_center(&meta.center);
        }
        Ok(Self { meta, metric, holder, coder })
    }

    /// The metapage as it was when the index was opened.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// How vectors are compared.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    pub(crate) fn geometry(&self) -> &Geometry {
        &self.meta.geometry
    }

    /// Checks that `vector` is such as the index holds: a column may have lost its dimensions since the
    /// index was made, and a damaged metapage may say anything.
    ///
    /// # Errors
    /// [`Error::Dimensions`] or [`Error::Corrupted`] where it is not.
    pub fn accept(&self, vector: Vector<'_>) -> Result<()> {
        let (of_sparse, expected) = (self.geometry().form == Form::Sparse, self.geometry().dims);
        match vector {
            Vector::Dense(vector) if !of_sparse && vector.len() != expected => {
                Err(Error::Dimensions { expected, found: vector.len() })
            }
            Vector::Dense(_) if !of_sparse => Ok(()),
            Vector::Sparse(_) if of_sparse => Ok(()),
            Vector::Dense(_) | Vector::Sparse(_) => {
                let what = "vectors of the index are not those of its column";
                Err(Error::corrupted(META_BLOCK, what))
            }
        }
    }

    /// How vectors are stored.
    pub(crate) fn holder(&self) -> &Holder {
        &self.holder
    }

    /// What codes neighbors, where codes are those of residuals.
    pub(crate) fn coder(&self) -> Option<&EdgeCoder> {
        self.coder.as_ref()
    }

    /// The vector from which codes and distances between elements are computed: under cosine of length
    /// one.
    pub(crate) fn normalized(&self, vector: VectorBuf) -> VectorBuf {
        if self.metric == Metric::Cosine { vector.view().to_unit() } else { vector }
    }

    /// Entries of the beam that a search of width `ef` needs, so that it finds what a search by
    /// exact distances with `ef` entries finds. Measured: `src/am/hnsw/README.md`.
    pub(crate) fn beam_width(&self, ef: usize) -> usize {
        let geometry = self.geometry();
        match geometry.planes {
            // The sketch errs, too.
            1 if geometry.form == Form::Sparse => 4 * ef + 6,
            // Of bits the code of a neighbor may be a part, and many neighbors are equally far.
            1 if geometry.form == Form::Bits => 2 * ef + 6,
            1 => ef + ef / 2 + 6,
            _ => ef + ef / 8 + 6,
        }
    }
}
