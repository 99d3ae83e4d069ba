//! Pages, records and the store they live in.
//!
//! This crate defines the trait through which every index core reads and writes pages
//! ([`PageStore`], [`Batch`]), the layout of the pages of the graph index, and decoding that trusts
//! nothing it reads. It knows no algorithm and no PostgreSQL. [`mem`] is a store in plain memory
//! with fault injection: any write can be the last one before a crash.
//!
//! Byte maps: `docs/format.md`.

mod calibration;
mod delta;
mod error;
mod form;
mod geometry;
mod hit;
mod meta;
mod page;
mod problem;
mod record;
mod rows;
mod store;
mod tid;

pub mod mem;

pub use calibration::{CALIBRATED_EF, Calibration, CalibrationPoint};
pub use delta::push_delta;
pub use error::{Error, Result};
pub use form::{Form, MAX_ELEMENTS, SKETCH_DIMS, SPARSE_ELEMENT};
pub use geometry::{Geometry, MAX_LEVEL};
pub use hit::{Hit, TidFilter};
pub use meta::{META_BLOCK, Meta};
pub use page::{
    FORMAT_VERSION, PAGE_BODY, PAGE_USABLE, PageKind, init_page, is_intact, is_new, page_kind,
    reseal, seal,
};
pub use problem::Problem;
pub use record::{Element, NodeNo, Record, RecordMut, Slot, State, Tail};
pub use rows::{Rows, lastingly_repeated};
pub use store::{Batch, MAX_BATCH, PageStore};
pub use tid::HeapTid;
