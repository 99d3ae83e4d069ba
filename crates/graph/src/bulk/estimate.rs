//! What a build and its index take.

use pages::Result;
use quant::{Metric, Sq8Coder};
use vectors::{Form, SPARSE_ELEMENT};

use super::SHORT;
use super::rows::Rows;
use crate::IndexOptions;
use crate::build::{SMALL_BYTES, list_bytes};
use crate::level::expected_upper;

/// Bytes of memory that a build of `elements` different vectors needs to stay off the disk. Sparse
/// ones have `nonzero` numbers that are not zero, on average.
pub fn build_memory(options: &IndexOptions, elements: u64, nonzero: usize) -> u64 {
    let row = Rows::bytes_per_element(options.form, vector_bytes(options, nonzero));
    graph_memory(options, elements, vector_bytes(options, nonzero))
        .saturating_add(elements.saturating_mul(row as u64))
}

/// The same without the rows, whose vectors take so many bytes on average.
pub(super) fn graph_memory(options: &IndexOptions, elements: u64, stored: usize) -> u64 {
    let space = options.form.coded_space(options.dims);
    let vector = match options.metric {
        // Compared as they are in their rows.
        _ if options.form == Form::Sparse && stored <= SHORT => 0,
        Metric::L2 | Metric::InnerProduct | Metric::Cosine => Sq8Coder::row_len(space),
        Metric::L1 if options.form != Form::Sparse => size_of::<f32>() * options.dims,
        // Compared as they are in their rows.
        Metric::L1 | Metric::Hamming | Metric::Jaccard => 0,
    };
    let lists = elements.saturating_add(expected_upper(elements));
    elements
        .saturating_mul((vector + SMALL_BYTES) as u64)
        .saturating_add(lists.saturating_mul(list_bytes(options.m) as u64))
}

/// Pages of an index of `elements` different vectors. Sparse ones have `nonzero` numbers that are not
/// zero, all about as many.
///
/// # Errors
/// [`pages::Error::Limit`] where records of these sizes do not fit a page.
pub fn index_pages(options: &IndexOptions, elements: u64, nonzero: usize) -> Result<u64> {
    let geometry = options.empty_meta()?.geometry;
    let tails = geometry.tails_of(vector_bytes(options, nonzero));
    let own = elements.saturating_mul(1 + tails as u64);
    let records = own.saturating_add(expected_upper(elements));
    Ok(records.div_ceil(geometry.records_per_page as u64).saturating_add(1))
}

/// Bytes of a vector as records hold it.
fn vector_bytes(options: &IndexOptions, nonzero: usize) -> usize {
    if options.form == Form::Sparse {
        return SPARSE_ELEMENT * nonzero.min(options.dims);
    }
    options.form.bytes(options.dims)
}
