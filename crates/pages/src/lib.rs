//! Pages and the store they live in.
//!
//! This crate defines the trait through which every index core reads and writes pages
//! ([`PageStore`], [`Batch`]), and what all pages have in common. It knows no index, no algorithm and
//! no PostgreSQL. [`mem`] is a store in plain memory with fault injection: any write can be the last
//! one before a crash.

mod delta;
mod error;
mod hit;
mod page;
mod problem;
mod rows;
mod store;
mod tid;

pub mod mem;

pub use delta::push_delta;
pub use error::{Error, Result};
pub use hit::{Hit, TidFilter};
pub use page::{
    FORMAT_VERSION, META_BLOCK, PAGE_BODY, PAGE_USABLE, PageKind, init_page, is_intact, is_new,
    page_kind, reseal, seal,
};
pub use problem::Problem;
pub use rows::{Rows, lastingly_repeated};
pub use store::{Batch, Coordination, MAX_BATCH, MAX_GAP, PageStore};
pub use tid::HeapTid;
