//! `document <@> query` where no index scan gives it: the same score, from the statistics of the index.

use std::rc::Rc;

use inverted::Ranker;
use pages::HeapTid;
use pgrx::PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT;

use super::content::Content;
use super::named::{Moment, NamedIndex};
use super::opened::OpenIndex;
use super::query::of_words;
use crate::pg::error::Report;
use crate::pg::function::{AnyValue, Cached, Ignored, pg_functions};
use crate::types::bm25query::{Bm25Query, MaybeBm25Query};

pg_functions! {
    /// The negative score of a text.
    fn bm25_text_distance(
        document: AnyValue,
        query: MaybeBm25Query,
        ranking: Cached<'_, Ranking>,
    ) -> Result<Option<f64>, Report> {
        distance(Content::Text, document, query, ranking.0)
    }

    /// The negative score of several texts that are one document.
    fn bm25_texts_distance(
        document: AnyValue,
        query: MaybeBm25Query,
        ranking: Cached<'_, Ranking>,
    ) -> Result<Option<f64>, Report> {
        distance(Content::Texts, document, query, ranking.0)
    }

    /// No index is known, as the planner has not found one.
    fn bm25_unresolved_distance(_document: Ignored, _words: Ignored) -> Result<f64, Report> {
        let message = "operator <@> does not know which index ranks the document";
        Err(Report::new(ERRCODE_UNDEFINED_OBJECT, message)
            .hint(
                "Compare a column that has a BM25 index, or name the index: \
                 document <@> bm25query('index', 'words').",
            ))
    }
}

/// What is kept between the calls of one place in a statement.
#[derive(Default)]
pub struct Ranking(Option<Known>);

struct Known {
    query: Bm25Query,
    moment: Moment,
    index: Rc<OpenIndex>,
    ranker: Ranker,
}

fn distance(
    content: Content,
    document: AnyValue,
    query: MaybeBm25Query,
    Ranking(known): &mut Ranking,
) -> Result<Option<f64>, Report> {
    let Some(query) = query.0 else { return Ok(None) };
    let known = match known {
        Some(known) if known.query == query && known.moment == Moment::now() => known,
        known => known.insert(Known::of(query, content)?),
    };
    let OpenIndex { content, analyzer, .. } = &*known.index;
    let tid = HeapTid { block: 0, offset: 1 };
    let document = content.document_of(document, tid, analyzer.as_ref())?;
    Ok(Some(-known.ranker.score(&document)))
}

impl Known {
    /// Asks the index of a query.
    ///
    /// # Errors
    /// If it is no index of ours on documents of this type, cannot be read, or is none of the user's.
    fn of(query: Bm25Query, content: Content) -> Result<Self, Report> {
        let named = NamedIndex::open(query.index, content)?;
        let index = named.index()?;
        let words = of_words(&index, query.words.clone())?;
        let ranker = named.ranker(&words)?;
        Ok(Self { query, moment: Moment::now(), index, ranker })
    }
}
