//! A vector that others are compared with: exactly, and by their codes.

use quant::{EdgeQuery, Metric};
use vectors::bits::reduced_distance_bits;
use vectors::{Form, Vector};

use crate::Hnsw;
use crate::exact::{Exact, ExactQuery};
use crate::format::Record;
use crate::stored::vector_of;

/// What the codes of neighbors are compared with.
#[derive(Debug)]
enum Codes {
    None,
    /// With the query, as [`Hnsw::normalized`] gives it, in the space in which neighbors are coded.
    Residual(EdgeQuery, Vec<f32>),
    /// Codes are beginnings of vectors of bits.
    Bits,
}

/// A query prepared once for all elements of one index.
#[derive(Debug)]
pub(crate) struct Query {
    metric: Metric,
    own: ExactQuery,
    codes: Codes,
    code_bytes: usize,
    /// Whether distances are those of the space in which neighbors are coded: those of sketches are
    /// not.
    localizes: bool,
    /// Dimensions for each that a code covers.
    dims_per_coded: f32,
    estimates: Vec<f32>,
}

impl Query {
    /// Prepares `vector`, which has the index's dimensions and form.
    pub(crate) fn new<'a>(hnsw: &Hnsw, vector: impl Into<Vector<'a>>) -> Self {
        let vector = vector.into();
        let geometry = hnsw.geometry();
        let space = geometry.coded_space();
        let codes = match hnsw.coder() {
            Some(coder) => {
                let normalized = hnsw.normalized(vector.to_buf());
                let coded = normalized.view().in_coded_space(space).into_owned();
                Codes::Residual(EdgeQuery::new(coder, &coded), coded)
            }
            None if geometry.form == Form::Bits => Codes::Bits,
            None => Codes::None,
        };
        Self {
            metric: hnsw.metric(),
            own: ExactQuery::new(hnsw.holder(), vector),
            codes,
            code_bytes: geometry.code_bytes(),
            localizes: space == geometry.dims,
            dims_per_coded: geometry.dims as f32 / geometry.code_dims().max(1) as f32,
            estimates: vec![0.0; geometry.slots],
        }
    }

    /// Whether neighbors have codes to estimate from.
    pub(crate) fn coded(&self) -> bool {
        !matches!(self.codes, Codes::None)
    }

    /// Compares with the element's own vector.
    pub(crate) fn exact(&self, record: &Record<'_>) -> Exact {
        self.own.measure(record)
    }

    /// Estimated reduced distances of the neighbors of an element, in slot order.
    pub(crate) fn estimate(&mut self, hnsw: &Hnsw, record: &Record<'_>, exact: &Exact) -> &[f32] {
        let count = record.neighbor_count();
        let estimates = &mut self.estimates[..count];
        match &mut self.codes {
            Codes::None => {}
            Codes::Residual(codes, query) if self.localizes && codes.is_near(exact.reduced) => {
                if let Some(coder) = hnsw.coder() {
                    let mut difference = query.clone();
                    let own = vector_of(hnsw, record);
                    let own = own.view().in_coded_space(difference.len());
                    difference.iter_mut().zip(&*own).for_each(|(q, c)| *q -= c);
                    let scales = record.scales();
                    let codes_of = record.codes();
                    codes.estimate_near(
                        coder,
                        &difference,
                        codes_of,
                        scales,
                        exact.reduced,
                        estimates,
                    );
                }
            }
            Codes::Residual(codes, _) => {
                let (adds, scales) = (record.adds(), record.scales());
                codes.estimate(record.codes(), adds, scales, exact.reduced, exact.alpha, estimates);
            }
            Codes::Bits => {
                let codes = record.codes().chunks_exact(self.code_bytes);
                let query = &self.own.bits()[..self.code_bytes];
                // A count grows with the bits it is taken over, a share does not.
                let factor = if self.metric == Metric::Hamming { self.dims_per_coded } else { 1.0 };
                for (estimate, code) in estimates.iter_mut().zip(codes) {
                    *estimate = factor * reduced_distance_bits(self.metric, query, code);
                }
            }
        }
        estimates
    }
}
