//! Which part of a table fulfills a condition on words, for the planner: by the document frequencies of
//! the index.

#![allow(unsafe_code)] // reads nodes of the planner, opens relations

use inverted::Match;
use pgrx::pg_sys::{self, Oid};

use super::condition::Condition;
use super::content::Content;
use super::named::NamedIndex;
use crate::am::opclass::MATCH_STRATEGY;
use crate::pg::error::Report;
use crate::pg::function::{AnyValue, pg_functions};
use crate::pg::indexes::{is_partition_of, with_parents, with_partitions};
use crate::pg::node::{Node, Operation, nodes};
use crate::pg::relation::Opened;
use crate::pg::support::table_of;
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
/// Partitions whose indexes are asked: others are taken to be like them.
const MOST_PARTITIONS: usize = 16;

pg_functions! {
    /// The estimate for operator `<?>`.
    fn text_condition_selectivity(
        root: AnyValue,
        operator: Oid,
        operands: AnyValue,
        _relation: i32,
    ) -> f64 {
        // SAFETY: the planner passes its state, and a list of expressions.
        let (document, condition, table) = unsafe {
            let operands: Vec<Node> = nodes(operands.0.cast_mut_ptr()).collect();
            let [document, condition] = operands[..] else { return UNKNOWN };
            (document, condition.constant(), table_of(root.0.cast_mut_ptr(), document))
        };
        // SAFETY: SQL declares the right operand of the operator as a `text_condition`.
        let condition = condition.map(|value| unsafe { TextCondition::from_datum(value) });
        let Some(Ok(Some(condition))) = condition else { return UNKNOWN };
        let of = table.map(|table| (table, document));
        // What is wrong with an index is for the search to tell, if it reads that index at all.
        estimate(operator, &condition, of).ok().flatten().unwrap_or(UNKNOWN)
    }
}

/// The part of the documents of an index that hold a word of the query in a distance; none if that is not
/// known.
pub fn of_ranking(index: Oid, distance: &Operation) -> Option<f64> {
    // SAFETY: SQL declares the right operand as a `bm25query`.
    let query = unsafe { Bm25Query::from_datum(distance.operands[1].constant()?) }.ok()??;
    let any = TextCondition { index, words: query.words, how: How::Words(1) };
    // What is wrong with an index is for the search to tell.
    estimate(distance.operator, &any, None).ok()?
}

/// The part of the documents of the index that a condition names, or of those of a table that is one of
/// its partitions or heirs. None if that is not known, or not for the user to know.
fn estimate(
    operator: Oid,
    condition: &TextCondition,
    of: Option<(Opened, Node)>,
) -> Result<Option<f64>, Report> {
    // SAFETY: a look-up in the catalog; 0 of what is no index.
    let table = unsafe { pg_sys::IndexGetRelation(condition.index, true) };
    if condition.words.len() > MOST_BYTES {
        return Ok(None);
    }
    // Estimates show in EXPLAIN, and would tell of rows that policies hide. Policies of a partition do not
    // count for those who read the table that it is of.
    if !with_parents(table).filter_map(Opened::find).any(|table| is_open(&table)) {
        return Ok(None);
    }
    let content = Content::of_operator(operator);
    let (mut known, mut documents) = (None, 0);
    for index in leaves(operator, condition.index, table, of) {
        // One at a time: whoever holds the lock of an index must not wait for another table.
        let index = NamedIndex::open_unchecked(index, content)?;
        let (terms, sums) = match &mut known {
            Some(known) => known,
            none => {
                let condition = Condition::of(condition, index.analyzer()?.as_ref())?;
                let Condition::Terms(terms) = condition else { return Ok(None) };
                let count = terms.terms().len();
                // They are looked up in every segment.
                if count > MOST_WORDS {
                    return Ok(None);
                }
                none.insert((terms, vec![0; count]))
            }
        };
        let (frequencies, of) = index.frequencies(&terms.terms())?;
        sums.iter_mut().zip(frequencies).for_each(|(sum, frequency)| *sum += frequency);
        documents += of;
    }
    let Some((terms, sums)) = known else { return Ok(None) };
    let all = terms.terms();
    let share = |term: &[u8]| {
        let frequency = all.binary_search(&term).ok().and_then(|place| sums.get(place));
        frequency.map_or(0.0, |&frequency| frequency as f64 / documents.max(1) as f64)
    };
    Ok(Some(part(&terms, &share).clamp(0.0, 1.0)))
}

/// Whether the user may know of all rows of a table.
fn is_open(table: &Opened) -> bool {
    table.may_read() && !table.has_row_security()
}

/// The indexes with the documents that an estimate is about: an index of `table` or its partitions, only
/// those with documents of another table, if that is wanted. Of many, some.
fn leaves(operator: Oid, index: Oid, table: Oid, of: Option<(Opened, Node)>) -> Vec<Oid> {
    if let Some((heir, document)) = &of
        && !is_partition_of(heir.oid(), table)
    {
        // The caller chooses the index, of a table of theirs perhaps, and the rows of another one.
        if !is_open(heir) {
            return Vec::new();
        }
        // An heir that is no partition has an index of its own, or none.
        let serves = |index: &Opened| index.serves(operator, MATCH_STRATEGY);
        let own = heir.indexes_on(*document).into_iter().find(serves);
        return own.iter().map(Opened::oid).collect();
    }
    // SAFETY: look-ups in the catalog.
    let is_leaf = |&index: &Oid| unsafe {
        pg_sys::get_rel_relkind(index) as u8 == pg_sys::RELKIND_INDEX
            && of.as_ref().is_none_or(|(table, _)| {
                is_partition_of(pg_sys::IndexGetRelation(index, true), table.oid())
            })
    };
    let leaves: Vec<Oid> = with_partitions(index).into_iter().filter(is_leaf).collect();
    let step = leaves.len().div_ceil(MOST_PARTITIONS).max(1);
    leaves.into_iter().step_by(step).collect()
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
