//! Vectors of elements, from their records.

use quant::Metric;
use vectors::VectorBuf;

use crate::Hnsw;
use crate::format::{Element, Record};

/// The scale that makes a vector what distances are computed from: under cosine of length one.
pub(crate) fn normalized_scale(hnsw: &Hnsw, element: &Element) -> f32 {
    let holder = hnsw.holder();
    let scale = holder.true_scale(element.info);
    let whole = hnsw.metric() == Metric::Cosine && !holder.form().is_rotated();
    if whole { scale / element.info.norm } else { scale }
}

/// The vector of an element, as [`Hnsw::normalized`] gives it.
pub(crate) fn vector_of(hnsw: &Hnsw, record: &Record<'_>) -> VectorBuf {
    let scale = hnsw.holder().true_scale(record.element().info);
    hnsw.normalized(hnsw.holder().widened(record.vector(), scale))
}
