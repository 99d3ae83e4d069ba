//! What the indexes of vectors share: how pages hold vectors, and how far those are from a query.
//!
//! A [`Holder`] brings vectors to one of the [forms](Form) of pages and back, and bounds what that
//! loses; [`measure`] has the distances to what is stored, and [`reduced_distance`] those between
//! vectors. This crate knows no index and no pages.

pub mod bits;
mod form;
mod holder;
pub mod measure;
mod reduced;
pub mod sparse;
mod vector;

pub use form::{Form, MAX_ELEMENTS, SKETCH_DIMS, SPARSE_ELEMENT};
pub use holder::{Holder, Stored, StoredInfo};
pub use reduced::{reduced_distance, reduced_distance_f16};
pub use vector::{Vector, VectorBuf, indexable, norm, normalize};
