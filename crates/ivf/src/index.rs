//! An index that is open: its metapage and what follows from it.

use pages::{Error, META_BLOCK, PageStore, Result};
use quant::{EdgeCoder, Metric, Rotation};
use vectors::{Form, normalize};

use crate::block::Sketch;
use crate::geometry::Geometry;
use crate::meta::{Meta, epoch};
use crate::vector::Holder;

/// What an index holds of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantization {
    /// Halves; a search reads those of whole lists (IVF_FLAT).
    None,
    /// A code and eight bits a dimension (IVF_SQ8).
    Sq8,
    /// A code and halves (IVF_RABITQ).
    Rabitq,
}

/// What an index is made with; fixed for its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexOptions {
    /// How vectors are compared: L2, inner product, cosine or Hamming.
    pub metric: Metric,
    /// Dimensions of the column, 1..=[`Geometry::MAX_DIMS`]; 64,000 where they are bits.
    pub dims: usize,
    /// Lists; fewer where there are fewer distinct rows. 0 for as many as [`lists_for`] says.
    pub lists: usize,
    /// What is stored of vectors. Without meaning for bits.
    pub quantization: Quantization,
    /// Seed of the rotation and of the training.
    pub seed: u64,
}

impl IndexOptions {
    /// The sizes of an index with these options.
    ///
    /// # Errors
    /// [`Error::Limit`] where a vector does not fit a page, or the metric is not supported.
    pub fn geometry(&self) -> Result<Geometry> {
        match self.metric {
            Metric::L2 | Metric::InnerProduct | Metric::Cosine => {
                let form = match self.quantization {
                    Quantization::Sq8 => Form::Sq8,
                    Quantization::None | Quantization::Rabitq => Form::Halves,
                };
                Geometry::choose(form, self.dims, self.quantization != Quantization::None)
            }
            Metric::Hamming => Geometry::choose(Form::Bits, self.dims, false),
            Metric::L1 | Metric::Jaccard => Err(Error::Limit("metric of inverted lists")),
        }
    }
}

/// How many lists an index of `rows` rows has where nothing else is asked for: the square root, so
/// that the list of lists is about as long as a list.
pub fn lists_for(rows: usize) -> usize {
    rows.isqrt().clamp(1, MAX_LISTS)
}

/// Most lists of an index.
const MAX_LISTS: usize = 32_768;

/// An open index. What is used of its metapage never changes, but for the epoch.
#[derive(Debug)]
pub struct Ivf {
    meta: Meta,
    holder: vectors::Holder,
    coder: Option<EdgeCoder>,
}

impl Ivf {
    /// Reads and checks the metapage.
    pub fn open<S: PageStore>(store: &S) -> Result<Self> {
        Ok(Self::new(Meta::decode(&store.read(META_BLOCK)?)?))
    }

    pub(crate) fn new(meta: Meta) -> Self {
        let geometry = &meta.geometry;
        let coder = geometry.coded().then(|| {
            let rotation = Rotation::new(geometry.dims, meta.seed);
            EdgeCoder::new(rotation, geometry.shape(), meta.metric, meta.center.clone())
        });
        let holder = vectors::Holder::unscaled(geometry.form, geometry.dims, meta.seed);
        Self { holder, meta, coder }
    }

    /// Whether lists were reorganized since the index was opened: what was read of them meanwhile
    /// may be neither as it was nor as it is.
    pub(crate) fn is_outdated<S: PageStore>(&self, store: &S) -> Result<bool> {
        Ok(epoch(&store.read(META_BLOCK)?)? != self.meta.reorganized.epoch)
    }

    /// Takes notice of what changed since the index was opened.
    pub(crate) fn reopen<S: PageStore>(&mut self, store: &S) -> Result<()> {
        self.meta.reorganized.epoch = epoch(&store.read(META_BLOCK)?)?;
        Ok(())
    }

    /// Does `work` on the index, and again where it was reorganized meanwhile.
    pub(crate) fn undisturbed<S: PageStore, T>(
        store: &S,
        mut work: impl FnMut(&Self) -> Result<T>,
    ) -> Result<T> {
        loop {
            let ivf = Self::open(store)?;
            let result = work(&ivf);
            if result.as_ref().is_err_and(Error::ends_work) {
                return result;
            }
            if !ivf.is_outdated(store)? {
                return result;
            }
        }
    }

    /// The metapage as it was when the index was opened.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// How vectors are compared.
    pub fn metric(&self) -> Metric {
        self.meta.metric
    }

    pub(crate) fn geometry(&self) -> &Geometry {
        &self.meta.geometry
    }

    /// How pages hold vectors.
    pub(crate) fn holder(&self) -> Holder<'_> {
        Holder { geometry: &self.meta.geometry, holder: &self.holder }
    }

    /// What codes entries, where there are codes.
    pub(crate) fn coder(&self) -> Option<&EdgeCoder> {
        self.coder.as_ref()
    }

    /// Brings a vector to the form that lists and codes are made of: under cosine of length one.
    pub(crate) fn place(&self, vector: &mut [f32]) {
        if self.metric() == Metric::Cosine {
            normalize(vector);
        }
    }

    /// What an entry tells of a `placed` vector, whose form in pages is off by `error`, in a list about
    /// `centroid`, which `owner` is rotated.
    pub(crate) fn sketch(
        &self,
        (centroid, owner): (&[f32], &[f32]),
        placed: &[f32],
        error: f32,
    ) -> Sketch {
        let mut sketch = Sketch::plain(error);
        if let Some(coder) = &self.coder {
            let residual: Vec<f32> = placed.iter().zip(centroid).map(|(x, c)| x - c).collect();
            sketch.code.resize(coder.code_bytes(), 0);
            let residual = self.rotated(&residual);
            sketch.factors = coder.encode_residual(owner, &residual, &mut sketch.code);
        }
        sketch
    }

    /// `vector` rotated, where there are codes.
    pub(crate) fn rotated(&self, vector: &[f32]) -> Vec<f32> {
        let mut rotated = vec![0.0; vector.len()];
        if let Some(coder) = &self.coder {
            coder.rotation().apply(vector, &mut rotated);
        }
        rotated
    }
}
