//! What scans of all kinds of indexes return.

use crate::HeapTid;

/// A row found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Where the row is.
    pub tid: HeapTid,
    /// The page of the index that its vector is on.
    pub block: u32,
    /// The operator's distance, or a number that it is not below.
    pub distance: f64,
    /// Whether `distance` is the operator's.
    pub exact: bool,
}

/// Tells which rows a scan is to return.
pub type TidFilter = Box<dyn FnMut(HeapTid) -> bool>;
