//! Recall of an index on data unlike embeddings, in the states that a table goes through.

mod column;
mod states;

pub use column::{ColumnType, Sample};
pub use states::{Recall, State, recall_by_state};
