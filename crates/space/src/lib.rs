//! Where the large arrays of a build lie: in memory as long as there is enough of it, beyond that
//! in a temporary file of the host's, mapped into memory.

mod space;
mod strings;
mod table;

pub use space::{Array, Item, MapFile, NoSpace, Space};
pub use strings::Strings;
pub use table::Table;
