//! What a build and its index take.

use pages::Result;
use quant::{Metric, Sq8Coder};

use super::rows::Rows;
use crate::IndexOptions;
use crate::build::{SMALL_BYTES, list_bytes};
use crate::level::expected_upper;

/// Bytes of memory that a build of `elements` different vectors needs to stay off the disk.
pub fn build_memory(options: &IndexOptions, elements: u64) -> u64 {
    let vector = match options.metric {
        Metric::L1 => size_of::<f32>() * options.dims,
        Metric::L2 | Metric::InnerProduct | Metric::Cosine => Sq8Coder::row_len(options.dims),
        // Compared as they are in their rows.
        Metric::Hamming | Metric::Jaccard => 0,
    };
    let row = Rows::bytes_per_element(options.form, options.dims);
    elements.saturating_mul((row + vector + list_bytes(options.m) + SMALL_BYTES) as u64)
}

/// Pages of an index of `elements` different vectors.
///
/// # Errors
/// [`pages::Error::Limit`] where records of these sizes do not fit a page.
pub fn index_pages(options: &IndexOptions, elements: u64) -> Result<u64> {
    let geometry = options.empty_meta()?.geometry;
    let own = elements.saturating_mul(1 + geometry.tails() as u64);
    let records = own.saturating_add(expected_upper(elements));
    Ok(1 + records.div_ceil(geometry.records_per_page as u64))
}
