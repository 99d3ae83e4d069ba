//! Support functions: what the planner is told of distances and of `within`.

mod cost;
mod within;

use cost::Measured;

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

/// Support of functions whose first two arguments are vectors, distances above all: what one costs.
fn of_distance<V: Measured>(request: SupportRequest) -> Answer {
    match request {
        SupportRequest::Cost(request) => cost::answer::<V>(request),
        SupportRequest::Selectivity(_)
        | SupportRequest::IndexCondition(_)
        | SupportRequest::Other => Answer::NONE,
    }
}

/// Support of `within`.
fn of_within<V: Measured>(request: SupportRequest) -> Answer {
    match request {
        SupportRequest::Selectivity(request) => within::selectivity(request),
        SupportRequest::IndexCondition(request) => within::index_condition(request),
        SupportRequest::Cost(_) | SupportRequest::Other => of_distance::<V>(request),
    }
}
