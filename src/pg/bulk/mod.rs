//! Writing a new index from its first page to its last: pages are logged as whole images, without a
//! record of their own for each; not at all where the end of the transaction writes the file out
//! (`wal_level = minimal`).

#[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
mod buffers;
#[cfg(not(any(feature = "pg14", feature = "pg15", feature = "pg16")))]
mod storage;

#[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
pub use buffers::BulkWriter;
#[cfg(not(any(feature = "pg14", feature = "pg15", feature = "pg16")))]
pub use storage::BulkWriter;
