//! Operations on texts that an index defines, by its analyzer and its statistics: the index is the one of
//! the column. `column <@> 'words'`, `text_match(column, 'words')`, and so on.

use std::ffi::CStr;

use pgrx::PgSqlErrorCode::{ERRCODE_AMBIGUOUS_FUNCTION, ERRCODE_UNDEFINED_OBJECT};
use pgrx::pg_sys;

use crate::am::opclass::{MATCH_STRATEGY, ORDER_STRATEGY};
use crate::pg::catalog;
use crate::pg::error::Report;
use crate::pg::node::{Node, call, composite, integer_constant, oid_constant, operation};
use crate::pg::relation::Opened;
use crate::pg::support::{Answer, SimplifyRequest};
use crate::types::text_condition::NO_PHRASE;

/// What an index is asked for.
#[derive(Clone, Copy)]
pub enum Operation {
    /// A score.
    Rank,
    /// Whether a text holds so many of the words; the number is an argument.
    Words,
    /// Whether it holds the words one behind the other, with a slop.
    Phrase,
    /// Whether it holds a word that is spelled alike, with so many edits.
    Fuzzy,
}

impl Operation {
    /// Operator, type of its right operand, and the strategy of operator classes.
    fn operator(self) -> (&'static CStr, &'static CStr, i16) {
        match self {
            Self::Rank => (c"<@>", c"bm25query", ORDER_STRATEGY),
            Self::Words | Self::Phrase | Self::Fuzzy => (c"<?>", c"text_condition", MATCH_STRATEGY),
        }
    }

    /// Fields of the right operand.
    fn fields<'p>(self, index: Node<'p>, given: &[Node<'p>]) -> Option<Vec<Node<'p>>> {
        let words = *given.first()?;
        let number = || given.get(1).copied();
        let [one, zero, none] = [1, 0, NO_PHRASE].map(integer_constant);
        Some(match self {
            Self::Rank => vec![index, words],
            Self::Words => vec![index, words, number()?, none, zero],
            Self::Phrase => vec![index, words, one, number()?, zero],
            Self::Fuzzy => vec![index, words, one, none, number()?],
        })
    }
}

/// The same operation by an operand that names the index; none if the text is no column or expression of a
/// table.
///
/// # Errors
/// If the column has no index of this kind, or several.
pub fn simplify(request: SimplifyRequest, asked: Operation) -> Result<Answer, Report> {
    let of = request.call();
    let Some((&document, given)) = of.arguments.split_first() else { return Ok(Answer::NONE) };
    let source = request.ungrouped(document);
    let Some(table) = request.table_of(source) else { return Ok(Answer::NONE) };
    let schema = of.schema();
    let (name, operand, strategy) = asked.operator();
    let known = || {
        let kind = catalog::type_in(schema, operand)?;
        Some((kind, catalog::operator(schema, name, [document.type_of(), kind])?))
    };
    let Some((kind, operator)) = known() else { return Ok(Answer::NONE) };
    let serves = |index: &Opened| index.serves(operator, strategy);
    let index = the_only(&table, table.indexes_on(source).into_iter().filter(serves))?;
    let index = oid_constant(pg_sys::REGCLASSOID, index.oid());
    let by_index = || {
        let operand = of.simplified(composite(kind, asked.fields(index, given)?));
        Some(match asked {
            // No index serves it.
            Operation::Fuzzy => call(schema, c"text_satisfies", &[document, operand])?,
            Operation::Rank | Operation::Words | Operation::Phrase => {
                operation(operator, request.collation(), [document, operand])
            }
        })
    };
    let by_index = by_index();
    Ok(by_index.map_or(Answer::NONE, |by_index| request.answer(by_index)))
}

fn the_only(table: &Opened, mut indexes: impl Iterator<Item = Opened>) -> Result<Opened, Report> {
    let Some(index) = indexes.next() else {
        let message = format!("table {} has no BM25 index on this column", table.name());
        return Err(Report::new(ERRCODE_UNDEFINED_OBJECT, message)
            .hint("Create one: CREATE INDEX ON table USING inverted (column)."));
    };
    let Some(other) = indexes.next() else { return Ok(index) };
    let message = format!("column has several BM25 indexes: {} and {}", index.name(), other.name());
    Err(Report::new(ERRCODE_AMBIGUOUS_FUNCTION, message)
        .hint("Name one: column <@> bm25query('index', 'words'), or drop the other."))
}
