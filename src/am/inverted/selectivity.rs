//! Which part of a table fulfills a condition on words, for the planner: by the document frequencies of
//! the index.

#![allow(unsafe_code)] // reads nodes of the planner, opens relations

use inverted::Match;
use pgrx::pg_sys::{self, Oid};

use super::condition::Condition;
use super::content::Content;
use super::named::NamedIndex;
use crate::pg::error::Report;
use crate::pg::function::{AnyValue, pg_functions};
use crate::pg::node::{Node, Operation, nodes};
use crate::pg::relation::Opened;
use crate::types::bm25query::Bm25Query;
use crate::types::text_condition::{How, TextCondition};

/// What is not known.
const UNKNOWN: f64 = 0.005;
/// Of documents with all words of a phrase, those that hold the phrase.
const PHRASE: f64 = 0.3;

/// Words that are looked up while a query is planned.
const MOST_WORDS: usize = 64;
/// Bytes of words that are analyzed for that.
const MOST_BYTES: usize = 4096;

pg_functions! {
    /// The estimate for operator `<?>`.
    fn text_condition_selectivity(
        _root: AnyValue,
        operator: Oid,
        operands: AnyValue,
        _relation: i32,
    ) -> Result<f64, Report> {
        // SAFETY: the planner passes a list of expressions.
        let mut operands = unsafe { nodes(operands.0.cast_mut_ptr()) };
        let condition = operands.nth(1).and_then(Node::constant);
        // SAFETY: SQL declares the right operand of the operator as a `text_condition`.
        let condition = condition.map(|value| unsafe { TextCondition::from_datum(value) });
        let Some(Ok(Some(condition))) = condition else { return Ok(UNKNOWN) };
        Ok(estimate(operator, &condition)?.unwrap_or(UNKNOWN))
    }
}

/// The part of the documents of an index that hold a word of the query in a distance; none if that is not
/// known.
pub fn of_ranking(index: Oid, distance: &Operation) -> Option<f64> {
    // SAFETY: SQL declares the right operand as a `bm25query`.
    let query = unsafe { Bm25Query::from_datum(distance.operands[1].constant()?) }.ok()??;
    let any = TextCondition { index, words: query.words, how: How::Words(1) };
    // What is wrong with an index is for the search to tell.
    estimate(distance.operator, &any).ok()?
}

/// None if the index does not tell, or the user is not to know.
fn estimate(operator: Oid, condition: &TextCondition) -> Result<Option<f64>, Report> {
    // SAFETY: a look-up in the catalog; 0 of what is no index.
    let table = unsafe { pg_sys::IndexGetRelation(condition.index, true) };
    if condition.words.len() > MOST_BYTES {
        return Ok(None);
    }
    // Estimates show in EXPLAIN, and would tell of rows that policies hide.
    let is_open = |table: Opened| table.may_read() && !table.has_row_security();
    if !Opened::find(table).is_some_and(is_open) {
        return Ok(None);
    }
    let named = NamedIndex::open(condition.index, Content::of_operator(operator))?;
    if named.is_partitioned() {
        return Ok(None);
    }
    let Condition::Terms(terms) = Condition::of(condition, named.analyzer()?.as_ref())? else {
        return Ok(None);
    };
    let all = terms.terms();
    // They are looked up in every segment.
    if all.len() > MOST_WORDS {
        return Ok(None);
    }
    let (frequencies, documents) = named.frequencies(&all)?;
    let share = |term: &[u8]| {
        let place = all.binary_search(&term);
        let frequency = place.ok().and_then(|place| frequencies.get(place));
        frequency.map_or(0.0, |&frequency| frequency as f64 / documents.max(1) as f64)
    };
    Ok(Some(part(&terms, &share).clamp(0.0, 1.0)))
}

/// The part of documents that match, if terms are independent of each other.
fn part(condition: &Match, share: &dyn Fn(&[u8]) -> f64) -> f64 {
    match condition {
        Match::Term(term) => share(term),
        Match::All(all) => all.iter().map(|one| part(one, share)).product(),
        Match::AtLeast(least, all) => {
            let mut parts: Vec<f64> = all.iter().map(|one| part(one, share)).collect();
            parts.sort_unstable_by(|a, b| b.total_cmp(a));
            // Of `least` conditions, all but the last are taken to be the most frequent ones.
            let (first, rest) = parts.split_at(least.saturating_sub(1).min(parts.len()));
            let none_of_rest: f64 = rest.iter().map(|part| 1.0 - part).product();
            first.iter().product::<f64>() * (1.0 - none_of_rest)
        }
        Match::Phrase { terms, .. } => {
            let parts = terms.iter().map(|(_, term)| share(term));
            let least = parts.fold(1.0, f64::min);
            if terms.len() > 1 { least * PHRASE } else { least }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_independent() {
        let term = |name: &str| Match::Term(name.as_bytes().to_vec());
        let share = |term: &[u8]| if term == b"half" { 0.5 } else { 0.1 };
        let of = |condition| (part(&condition, &share) * 1e6).round() / 1e6;
        assert_eq!(of(term("half")), 0.5);
        assert_eq!(of(Match::AtLeast(1, vec![term("half"), term("x")])), 0.55);
        assert_eq!(of(Match::AtLeast(2, vec![term("half"), term("x")])), 0.05);
        assert_eq!(of(Match::AtLeast(1, vec![])), 0.0);
        assert_eq!(of(Match::Phrase { terms: vec![(0, b"half".to_vec())], slop: 0 }), 0.5);
    }
}
