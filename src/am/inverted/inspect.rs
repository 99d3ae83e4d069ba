//! What an index holds, and what is wrong with it.

use inverted::{Scoring, SegmentStatistics, Statistics};
use pages::{PageStore, Problem};

use super::definition::Definition;
use super::method::Method;
use crate::am::inspector::{Inspect, Properties, page_bytes};
use crate::pg::store::RelationStore;

impl Inspect for Method {
    fn info(store: &RelationStore<'_>) -> pages::Result<Properties> {
        let statistics = inverted::statistics(store)?;
        let (options, pages) = (statistics.options, store.blocks()?);
        let sum = |of: fn(&SegmentStatistics) -> u64| {
            statistics.segments.iter().map(of).sum::<u64>().to_string()
        };
        let mut properties = vec![("format version", pages::FORMAT_VERSION.to_string())];
        match options.scoring {
            Scoring::InnerProduct => properties.push(("ranking", "inner product".into())),
            Scoring::Bm25 { k1, b } => {
                let Definition { analyzer, .. } = Definition::of(store)?;
                let Statistics { documents, total_length } = statistics.documents;
                let average = total_length as f64 / documents.max(1) as f64;
                properties.extend([
                    ("ranking", "BM25".into()),
                    ("analyzer", analyzer),
                    ("k1", k1.to_string()),
                    ("b", b.to_string()),
                    ("positions", options.positions.to_string()),
                    ("tokens per tuple", format!("{average:.1}")),
                ]);
            }
        }
        properties.extend([
            ("tuples", statistics.documents.documents.to_string()),
            ("dead tuples", sum(|segment| u64::from(segment.documents - segment.living))),
            ("postings", sum(|segment| segment.postings)),
            ("segments", statistics.segments.len().to_string()),
            ("tuples in the write buffer", statistics.buffer_documents.to_string()),
            ("pages of the write buffer", statistics.buffer_pages.to_string()),
            ("free pages", (statistics.free_pages + statistics.waiting_pages).to_string()),
            ("pages", pages.to_string()),
            ("bytes", page_bytes(pages)),
        ]);
        Ok(properties)
    }

    fn check(
        store: &RelationStore<'_>,
        table_blocks: &dyn Fn() -> u32,
        report: &mut dyn FnMut(Problem),
    ) -> pages::Result<()> {
        inverted::check(store, table_blocks, report)
    }
}
