//! Support functions: what the planner is told of distances and of `within`.

mod cost;
mod text;
mod within;

use cost::Measured;
use text::Operation;

use crate::pg::error::Report;
use crate::pg::function::pg_export;
use crate::pg::support::{Answer, SupportRequest};
use crate::types::numbers::for_each_number_type;

macro_rules! export {
    ($type:literal, $vector:ty) => {
        pg_export! { $type:
            distance_support => of_distance::<$vector>;
            within_support => of_within::<$vector>;
        }
    };
}
for_each_number_type!(export);
pg_export! { "bm25": support => |request| of_text(request, Operation::Rank); }
pg_export! { "text_match": support => |request| of_text(request, Operation::Words); }
pg_export! { "phrase_match": support => |request| of_text(request, Operation::Phrase); }
pg_export! { "text_match_fuzzy": support => |request| of_text(request, Operation::Fuzzy); }

/// Support of functions whose first two arguments are vectors, distances above all: what one costs.
fn of_distance<V: Measured>(request: SupportRequest) -> Answer {
    match request {
        SupportRequest::Cost(request) => cost::answer::<V>(request),
        SupportRequest::Selectivity(_)
        | SupportRequest::IndexCondition(_)
        | SupportRequest::Simplify(_)
        | SupportRequest::Other => Answer::NONE,
    }
}

/// Support of `within`.
fn of_within<V: Measured>(request: SupportRequest) -> Answer {
    match request {
        SupportRequest::Selectivity(request) => within::selectivity(request),
        SupportRequest::IndexCondition(request) => within::index_condition(request),
        SupportRequest::Cost(_) | SupportRequest::Simplify(_) | SupportRequest::Other => {
            of_distance::<V>(request)
        }
    }
}

/// Support of operations on a text that an index defines.
fn of_text(request: SupportRequest, asked: Operation) -> Result<Answer, Report> {
    match request {
        SupportRequest::Simplify(request) => text::simplify(request, asked),
        SupportRequest::Cost(_)
        | SupportRequest::Selectivity(_)
        | SupportRequest::IndexCondition(_)
        | SupportRequest::Other => Ok(Answer::NONE),
    }
}
