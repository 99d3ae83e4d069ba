//! Plans of a search with a filter, and what forces them.

use serde::Serialize;

/// Undoes what [`Plan::settings`] sets, and a timeout.
pub const RESET: &str = "RESET statement_timeout; RESET enable_seqscan; RESET enable_bitmapscan;
    RESET enable_indexscan; RESET enable_sort; RESET vector_ext.filtered_scan";

/// A way to answer a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// The planner's choice, with the strategy that the search chooses.
    Chosen,
    /// The vector index, rows tested one by one.
    Look,
    /// The vector index, among rows that another index has found.
    Inline,
    /// The node, measuring all rows that may pass.
    Exact,
    /// Rows that pass by the other index, sorted.
    Bitmap,
    /// All rows, sorted.
    Sequential,
}

impl Plan {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Chosen, Self::Exact, Self::Bitmap, Self::Sequential, Self::Look, Self::Inline];

    /// How reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Look => "look",
            Self::Inline => "inline",
            Self::Exact => "exact",
            Self::Bitmap => "bitmap",
            Self::Sequential => "sequential",
        }
    }

    /// Settings that force it.
    pub fn settings(self) -> &'static str {
        match self {
            Self::Chosen => "",
            Self::Look => {
                "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;
                 SET vector_ext.filtered_scan = look"
            }
            Self::Inline => {
                "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;
                 SET vector_ext.filtered_scan = inline"
            }
            Self::Exact => {
                "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;
                 SET vector_ext.filtered_scan = exact"
            }
            Self::Bitmap => "SET enable_seqscan = off; SET enable_indexscan = off",
            Self::Sequential => "SET enable_bitmapscan = off; SET enable_indexscan = off",
        }
    }

    /// What a plan is, by how EXPLAIN (ANALYZE) shows it.
    pub fn shown(plan: &str) -> Self {
        let has = |text: &str| plan.contains(text);
        if has("items_v") {
            if has("\"inline\"") {
                Self::Inline
            } else if has("\"exact\"") {
                Self::Exact
            } else {
                Self::Look
            }
        } else if has("items_random") || has("items_near") || has("items_far") {
            Self::Bitmap
        } else {
            Self::Sequential
        }
    }
}
