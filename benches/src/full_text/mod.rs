//! Full text and sparse vectors: what inverted indexes find, take, and cost beside others.
//!
//! `corpus` has the texts and queries, `analyzers` what is compared, `session` a database with them.
//! `brute` ranks without an index and `quality` says how good a ranking is. Measured are: `indexes` (builds,
//! sizes) and `rankings` (searches), `inserts`, `fresh` (searches among new rows), `hybrid` (with dense
//! vectors), and `sparse_vectors`.

mod analyzers;
mod brute;
mod corpus;
mod fresh;
mod hybrid;
mod indexes;
mod inserts;
mod quality;
mod rankings;
mod session;
mod sparse_vectors;

pub use corpus::Corpus;

use std::str::FromStr;

use serde_json::{Value, json};
use session::Session;

use crate::Result;
use crate::options::Options;
use crate::server::Server;

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Builds and sizes, quality and speed of rankings, by analyzer.
    Rankings,
    /// Inserts of single rows.
    Inserts,
    /// Searches among rows that were just inserted.
    Fresh,
    /// Rankings merged with those of dense vectors.
    Hybrid,
    /// Sparse vectors.
    Sparse,
}

/// How much is done.
#[derive(Debug, Clone)]
pub struct Extent {
    /// Passes of all queries; the one with the least processor time counts.
    pub rounds: usize,
    /// Rows inserted.
    pub inserts: usize,
    /// Numbers of rows that were just inserted.
    pub fresh: Vec<usize>,
}

impl Part {
    /// Its name on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rankings => "rankings",
            Self::Inserts => "inserts",
            Self::Fresh => "fresh",
            Self::Hybrid => "hybrid",
            Self::Sparse => "sparse",
        }
    }

    /// Measures, prints, and returns the lines.
    pub fn run(
        self,
        server: &Server,
        corpus: &Corpus,
        options: &Options,
        extent: &Extent,
    ) -> Result<Value> {
        let texts = || Session::with_texts(server, corpus, options);
        Ok(match self {
            Self::Rankings => rankings::run(&mut texts()?, extent.rounds)?,
            Self::Inserts => json!(inserts::run(&mut texts()?, extent.inserts)?),
            Self::Fresh => json!(fresh::run(&mut texts()?, extent)?),
            Self::Hybrid => json!(hybrid::run(server, corpus, options)?),
            Self::Sparse => json!(sparse_vectors::run(server, corpus, options, extent.rounds)?),
        })
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let parts = [Self::Rankings, Self::Inserts, Self::Fresh, Self::Hybrid, Self::Sparse];
        let part = parts.into_iter().find(|part| part.name() == name);
        part.ok_or_else(|| format!("parts are {}", parts.map(Self::name).join(", ")))
    }
}
