//! What an access method is, for all that it does.
//!
//! Each operation has a trait of its own beside the callbacks that it serves ([`build`](super::build),
//! [`insert`](super::insert), [`vacuum`](super::vacuum), [`cost`](super::cost),
//! [`inspector`](super::inspector)).

use quant::Metric;

use super::parameters::Parameters;
use super::search::Searchable;
use super::vector::Vector;
use crate::pg::store::RelationStore;

/// An index access method.
pub trait AccessMethod: 'static {
    /// Its name.
    const NAME: &'static str;
    /// Number of support functions that an operator class can have.
    const SUPPORT_FUNCTIONS: u16;

    /// An open index.
    type Index: Searchable;

    /// Its storage parameters.
    fn parameters() -> &'static Parameters;
    /// Opens the index whose pages `store` holds, under the settings of this moment.
    fn open(store: &RelationStore<'_>) -> pages::Result<Self::Index>;
    /// Whether an index holds vectors such as this.
    fn indexable(metric: Metric, vector: Vector<'_>) -> bool;
}
