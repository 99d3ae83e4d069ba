//! What an access method is.
//!
//! Larger operations have traits of their own, beside the callbacks that these serve:
//! [`build`](super::build), [`insert`](super::insert), [`scan`](super::scan), [`vacuum`](super::vacuum),
//! [`cost`](super::cost), [`inspector`](super::inspector).

#![allow(unsafe_code)] // is promised open indexes

use pages::HeapTid;
use pgrx::pg_sys::Relation;
use quant::Metric;

use super::opclass::OpClass;
use super::parameters::Parameters;
use super::search::Searchable;
use super::vector::Vector;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;

/// An index access method.
pub trait AccessMethod: 'static {
    /// Its name.
    const NAME: &'static str;
    /// Number of support functions that an operator class can have.
    const SUPPORT_FUNCTIONS: u16;
    /// Whether rows at a distance of 0 are none that a search finds: they do not match it.
    const MATCHES: bool = false;

    /// Its storage parameters.
    fn parameters() -> &'static Parameters;

    /// Refuses numbers and words of storage parameters, in the order of their list, that do not go with an
    /// operator class.
    ///
    /// # Errors
    /// What `CREATE INDEX` says of them.
    fn accept(_parameters: &[i32], _class: OpClass) -> Result<(), Report> {
        Ok(())
    }
}

/// An access method whose indexes are on vectors of a fixed number of dimensions, and are searched for
/// the nearest.
pub trait VectorMethod: AccessMethod {
    /// An open index.
    type Index: Searchable;

    /// Opens the index whose pages `store` holds, under the settings of this moment.
    fn open(store: &RelationStore<'_>) -> pages::Result<Self::Index>;
    /// Whether an index holds vectors such as this.
    fn indexable(metric: Metric, vector: Vector<'_>) -> bool;
    /// Adds a row to an index.
    ///
    /// # Safety
    /// `index` is an open index of this method, and `store` holds its pages.
    unsafe fn insert(
        index: Relation,
        store: &RelationStore<'_>,
        vector: Vector<'_>,
        tid: HeapTid,
    ) -> pages::Result<()>;
}
