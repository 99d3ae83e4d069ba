//! Recall on data unlike embeddings: each distribution, as values of each column type, in an index of
//! each system.

pub mod heat_map;
pub mod report;

use std::fmt::Write;

use distributions::Distribution;
use pg_test::any_data::{ColumnType, Recall, Sample, State, recall_by_state};
use postgres::Client;
use postgres::error::SqlState;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::database::text;
use crate::systems::System;

/// What a server says where a system has no such type, operator class or quantization.
const NOT_THERE: [SqlState; 2] = [SqlState::UNDEFINED_OBJECT, SqlState::FEATURE_NOT_SUPPORTED];

/// What is drawn of every distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Rows of the table.
    pub rows: usize,
    /// Searches of each state of an index.
    pub queries: usize,
}

impl Size {
    /// Lists of the indexes that do not choose a number: one for each thousand rows, as pgvector's
    /// documentation recommends, and at least ten.
    pub fn lists(self) -> usize {
        (self.rows / 1_000).max(10)
    }
}

/// The systems on one distribution, as values of one column type.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    /// The distribution.
    pub data: String,
    /// The operator that rows are compared by.
    pub operator: String,
    /// The column type.
    pub column: String,
    /// Recall of each system in each of [`State::ALL`]; none if the system has no such index.
    pub recall: Vec<Option<Recall>>,
}

impl Line {
    /// Measures every system, each through a connection to its database.
    pub fn measure(
        systems: &mut [(&'static System, Client)],
        data: &Distribution,
        column: ColumnType,
        size: Size,
    ) -> Result<Self> {
        let sample = Sample::new(data, column, size.rows, size.queries);
        let mut recall = Vec::new();
        for (system, client) in systems {
            let create_index = system.create_index_with(&sample.class, size.lists());
            recall.push(match recall_by_state(client, &sample, &create_index) {
                Ok(recall) => Some(recall),
                Err(error) if error.code().is_some_and(|code| NOT_THERE.contains(code)) => None,
                Err(error) => {
                    return Err(format!("{}, {}: {}", system.name, data.name, text(&error)).into());
                }
            });
        }
        Ok(Self {
            data: data.name.to_owned(),
            operator: sample.operator.to_owned(),
            column: column.name.to_owned(),
            recall,
        })
    }

    /// One line of text, with the names of `systems`.
    pub fn text(&self, systems: &[&System]) -> String {
        let mut out = format!("{}, {} {}", self.data, self.column, self.operator);
        for (system, recall) in systems.iter().zip(&self.recall) {
            let Some(recall) = recall else { continue };
            // Writing to a string does not fail.
            let _ = write!(out, "\n  {:<20}", system.name);
            for (state, recall) in State::ALL.iter().zip(recall) {
                let _ = write!(out, " {} {recall:.3} ", state.name());
            }
        }
        out
    }
}
