//! What the indexes of vectors share: how pages hold vectors.
//!
//! This crate knows no index and no pages.

mod form;

pub use form::{Form, MAX_ELEMENTS, SKETCH_DIMS, SPARSE_ELEMENT};
