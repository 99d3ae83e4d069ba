//! What a distance costs, for the planner.
//!
//! PostgreSQL charges every function the same; of a long vector the distance costs hundreds of
//! times as much, because such a vector is stored apart from its row and has to be fetched.

#![allow(unsafe_code)] // reads nodes of the planner

use pgrx::pg_sys::{self, Datum, Node, NodeTag, SupportRequestCost};

use super::Element;
use super::value::HEADER;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, Return};

/// Dimensions that take as long as a simple operator.
const DIMS_PER_OPERATOR: f64 = 128.0;
/// Bytes of a value that still lies in its row, beside a few other columns.
const LARGEST_IN_ROW: usize = 1_980;
/// Bytes of a chunk of a value that lies apart.
const CHUNK: usize = 1_996;
/// Of the cost of a random page read, what reading a chunk takes, or looking up the first: they
/// are mostly in memory.
const CHUNK_COST: f64 = 0.05;

/// A value of type `internal`: a node of the planner.
pub struct Internal(*mut Node);

impl Argument<'_> for Internal {
    fn take(args: &mut Args) -> Result<Internal, Report> {
        Ok(Internal(args.datum()?.cast_mut_ptr()))
    }
}

impl Return for Internal {
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::from(self.0))
    }
}

/// Planner support of the distances: answers what one costs, and no other question.
pub fn distance_support<E: Element>(request: Internal) -> Internal {
    // SAFETY: PostgreSQL passes a request node, and a cost request tells its call or null.
    unsafe {
        if (*request.0).type_ != NodeTag::T_SupportRequestCost {
            return Internal(std::ptr::null_mut());
        }
        let cost = request.0.cast::<SupportRequestCost>();
        (*cost).startup = 0.0;
        (*cost).per_tuple = distance_cost((*cost).node, size_of::<E>());
    }
    request
}

/// Cost of one call: of the computation, and of fetching the columns among its arguments, whose
/// elements have `element_size` bytes.
///
/// # Safety
/// `call` is null or an expression.
unsafe fn distance_cost(call: *mut Node, element_size: usize) -> f64 {
    // SAFETY: settings are read on the backend's own thread; arguments are expressions.
    unsafe {
        let (mut dims, mut chunks) = (0, 0);
        for argument in arguments(call) {
            let typmod = pg_sys::exprTypmod(argument);
            let of_argument = usize::try_from(typmod).unwrap_or(0);
            dims = dims.max(of_argument);
            if (*argument).type_ == NodeTag::T_Var {
                chunks += chunks_of(of_argument * element_size);
            }
        }
        pg_sys::cpu_operator_cost * (1.0 + dims as f64 / DIMS_PER_OPERATOR)
            + pg_sys::random_page_cost * CHUNK_COST * chunks as f64
    }
}

/// Chunks to be read for a column with elements of so many bytes, and the one look-up before them.
fn chunks_of(elements: usize) -> usize {
    let bytes = HEADER + elements;
    if bytes <= LARGEST_IN_ROW { 0 } else { 1 + bytes.div_ceil(CHUNK) }
}

/// # Safety
/// `call` is null or an expression.
unsafe fn arguments(call: *mut Node) -> Vec<*mut Node> {
    // SAFETY: the tag tells the struct; the list of a call's arguments holds expressions.
    unsafe {
        let list = match call.as_ref().map(|node| node.type_) {
            Some(NodeTag::T_OpExpr) => (*call.cast::<pg_sys::OpExpr>()).args,
            Some(NodeTag::T_FuncExpr) => (*call.cast::<pg_sys::FuncExpr>()).args,
            _ => return Vec::new(),
        };
        let Some(list) = list.as_ref() else { return Vec::new() };
        let length = usize::try_from(list.length).unwrap_or(0);
        (0..length).map(|i| (*list.elements.add(i)).ptr_value.cast()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_vectors_lie_apart() {
        assert_eq!([3, 384, 768, 1536].map(|dims| chunks_of(4 * dims)), [0, 0, 3, 5]);
    }
}
