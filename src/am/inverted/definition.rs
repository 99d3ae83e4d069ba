//! How an index remembers its analyzer.

use pages::Error;
use serde::{Deserialize, Serialize};

use crate::fulltext::Analyzer;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;

/// Block that holds it, for errors.
const BLOCK: u32 = 1;

/// What an index keeps of its analyzer, as JSON.
#[derive(Debug, Deserialize, Serialize)]
pub struct Definition {
    /// [`Analyzer::definition`].
    pub analyzer: String,
    /// [`Analyzer::version`] when the index was made.
    pub version: u32,
}

impl Definition {
    /// That of a new index.
    ///
    /// # Errors
    /// If a name is no text.
    pub fn new(analyzer: &Analyzer) -> Result<Self, Report> {
        Ok(Self { analyzer: analyzer.definition()?, version: analyzer.version()? })
    }

    /// Reads that of an index.
    ///
    /// # Errors
    /// Those of the store, and of a damaged page.
    pub fn of(store: &RelationStore<'_>) -> pages::Result<Self> {
        let bytes = inverted::definition(store)?;
        let damaged = |_| Error::corrupted(BLOCK, "analyzer is not described");
        serde_json::from_slice(&bytes).map_err(damaged)
    }

    /// What the index keeps.
    ///
    /// # Errors
    /// None that is known.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Report> {
        serde_json::to_vec(self).map_err(|error| Report::internal(error.to_string()))
    }

    /// The analyzer, and whether it makes other tokens than when the index was made.
    ///
    /// # Errors
    /// If it is not there any more.
    pub fn analyzer(&self) -> Result<(Analyzer, bool), Report> {
        let analyzer = Analyzer::new(&self.analyzer)?;
        let is_changed = analyzer.version()? != self.version;
        Ok((analyzer, is_changed))
    }
}
