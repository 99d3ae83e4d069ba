//! Builds and sizes of indexes of texts, beside GIN.

use serde::Serialize;

use super::analyzers::Analyzer;
use super::session::Session;
use crate::Result;
use crate::build::Timed;

/// An index of all texts.
#[derive(Debug, Serialize)]
pub struct Index {
    /// Access method, and analyzer or configuration.
    pub index: String,
    /// Its build.
    #[serde(flatten)]
    pub timed: Timed,
    /// Bytes a text.
    pub bytes: f64,
    /// The same without positions, if there is such an index.
    pub bytes_without_positions: Option<f64>,
}

impl Index {
    /// Builds the inverted index `items_v` without positions, then with.
    pub fn inverted(session: &mut Session<'_>, analyzer: &Analyzer) -> Result<Self> {
        session.build(&analyzer.create_index("v", false))?;
        let without = bytes_per_row(session, "items_v")?;
        session.client.batch_execute("DROP INDEX items_v")?;
        let timed = session.build(&analyzer.create_index("v", true))?;
        let bytes = bytes_per_row(session, "items_v")?;
        let index = format!("inverted, {}", analyzer.name);
        Ok(Self { index, timed, bytes, bytes_without_positions: Some(without) })
    }

    /// Builds a GIN index of `to_tsvector`, and drops it.
    pub fn gin(session: &mut Session<'_>, configuration: &str) -> Result<Self> {
        let timed = session.build(&format!(
            "CREATE INDEX items_gin ON items USING gin (to_tsvector('{configuration}', v))"
        ))?;
        let bytes = bytes_per_row(session, "items_gin")?;
        session.client.batch_execute("DROP INDEX items_gin")?;
        let index = format!("GIN, {configuration}");
        Ok(Self { index, timed, bytes, bytes_without_positions: None })
    }

    /// The line of the table.
    pub fn line(&self) -> String {
        let Self { index, timed: Timed { build_s, build_cpu_s }, bytes, bytes_without_positions } =
            self;
        let cpu = build_cpu_s.map_or("-".to_owned(), |cpu| format!("{cpu:.2}"));
        let without = bytes_without_positions.map_or("-".to_owned(), |bytes| format!("{bytes:.1}"));
        format!("{index:<28} {build_s:>8.2} {cpu:>7} {bytes:>9.1} {without:>17}")
    }
}

/// Head of [`Index::line`].
pub const HEAD: &str = "index                         build s   cpu s bytes/row without positions";

fn bytes_per_row(session: &mut Session<'_>, relation: &str) -> Result<f64> {
    Ok(session.bytes(relation)? as f64 / session.corpus.texts.len() as f64)
}
