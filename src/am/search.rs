//! How an index is searched, as its access method tells [`scan`](super::scan).

use pages::{Hit, TidFilter};
use quant::Metric;

use super::vector::Vector;
use super::work::Work;
use crate::pg::store::RelationStore;

/// How far a search may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// As far as the settings say.
    Settings,
    /// Until all rows within some distance were found, in their order.
    Ordered,
    /// The same in any order.
    Unordered,
}

/// What is asked of a search.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// Rows that are wanted at least, if that is known; else 0.
    pub wanted: usize,
    /// Whether rows are dropped: [`Search::passed`] tells how many are not.
    pub filtered: bool,
}

impl Demand {
    /// Nothing is known, and no row is dropped.
    pub const UNKNOWN: Self = Self { wanted: 0, filtered: false };
}

/// An open index that is about to be searched.
pub trait Searchable: Sized {
    /// A search of it.
    type Search: Search + 'static;

    /// Dimensions of its vectors.
    fn dims(&self) -> usize;
    /// How vectors are compared.
    fn metric(&self) -> Metric;
    /// Refuses a query of these dimensions that is not of the form of its vectors.
    fn accept(&self, query: Vector<'_>) -> pages::Result<()>;
    /// Whether rows that a search finds late wait for all others.
    fn keeps_order(&self, extent: Extent) -> bool;
    /// Begins a search. Without a query, and for one that is not indexable, all rows are equally
    /// far.
    fn search(self, query: Option<Vector<'_>>, extent: Extent, demand: Demand) -> Self::Search;
}

/// A search that gives one row after another.
pub trait Search {
    /// The next row, or none when there are no more.
    fn next(&mut self, store: &RelationStore<'_>) -> pages::Result<Option<Hit>>;
    /// Goes on where a row was too far, and all that come of the same part of the index are. Returns
    /// false where no other part is worth a look.
    fn skip(&mut self) -> bool {
        false
    }
    /// Tells how many of the rows returned so far were kept.
    fn passed(&mut self, rows: usize);
    /// How many more rows are at hand, without a further page of the index; 0 where that is not known.
    fn ahead(&self) -> usize {
        0
    }
    /// Finds only rows for which `filter` holds from now on.
    fn keep_only(&mut self, filter: TidFilter);
    /// What was done so far.
    fn work(&self) -> Work;
}
