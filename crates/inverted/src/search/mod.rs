//! Finds the best documents of several segments and the write buffer.

mod best;
mod index;
mod list;
mod query;
mod scan;
mod segment;
mod window;

pub use best::Ranked;
pub use index::{Ranker, frequencies, search};
pub use query::{Fresh, FreshRow, Query};
pub use scan::{Scan, ScanOptions};
