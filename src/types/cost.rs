//! What a distance costs, for the planner.
//!
//! PostgreSQL charges every function the same; of a long vector the distance costs hundreds of
//! times as much, because such a vector is stored apart from its row and has to be fetched.

#![allow(unsafe_code)] // reads nodes of the planner

use pgrx::pg_sys::{
    self, Datum, List, Node, NodeTag, PlannerInfo, RangeTblEntry, SupportRequestCost, Var,
};

use super::dense::{self, Element};
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, Return};

/// Dimensions of a dense vector that take as long as a simple operator.
const DIMS_PER_OPERATOR: f64 = 128.0;
/// Bytes of a sparse vector that take as long, eight elements: two lists of indices are merged.
const SPARSE_BYTES_PER_OPERATOR: f64 = 64.0;
/// Bytes of a value that still lies in its row, beside a few other columns.
const LARGEST_IN_ROW: usize = 1_980;
/// Bytes of a chunk of a value that lies apart.
const CHUNK: usize = 1_996;
/// Bytes of what stands in a row for a value that lies apart, as statistics of a column count them.
const POINTER: usize = 18;
/// Of the cost of a random page read, what reading a chunk takes, or looking up the first: they
/// are mostly in memory.
const CHUNK_COST: f64 = 0.05;

/// A value of type `internal`: a node of the planner.
pub struct Internal(*mut Node);

impl Internal {
    /// A node to give back; null where there is no answer.
    pub fn of(node: *mut Node) -> Self {
        Self(node)
    }

    /// The node.
    pub fn node(&self) -> *mut Node {
        self.0
    }
}

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

/// Planner support of functions whose first two arguments are dense vectors, their distances above
/// all: answers what one costs, and no other question.
pub fn dense_distance_support<E: Element>(request: Internal) -> Internal {
    // SAFETY: PostgreSQL passes a request node.
    unsafe { answer(request, |_, argument| dense_argument::<E>(argument)) }
}

/// The same of sparse vectors.
pub fn sparse_distance_support(request: Internal) -> Internal {
    // SAFETY: PostgreSQL passes a request node.
    unsafe { answer(request, |root, argument| sparse_argument(root, argument)) }
}

/// What is known of an argument of a distance; 0 is what is not known.
struct Operand {
    /// Simple operators that take as long as going through it.
    operators: f64,
    /// Bytes of the value.
    bytes: usize,
}

/// # Safety
/// `request` is a request node whose call is null or an expression, as are what `operand` is given:
/// the planner's state, which may be null, and arguments of the call.
unsafe fn answer(
    request: Internal,
    operand: impl Fn(*const PlannerInfo, *mut Node) -> Operand,
) -> Internal {
    // SAFETY: the tag tells the struct; settings are read on the backend's own thread.
    unsafe {
        if (*request.0).type_ != NodeTag::T_SupportRequestCost {
            return Internal(std::ptr::null_mut());
        }
        let cost = request.0.cast::<SupportRequestCost>();
        let mut arguments = arguments((*cost).node);
        // What follows two vectors is of other types.
        arguments.truncate(2);
        let operands = arguments.iter().map(|&argument| operand((*cost).root, argument));
        let operands: Vec<_> = operands.collect();
        let operators = operands.iter().map(|known| known.operators).fold(0.0, f64::max);
        let bytes = operands.iter().map(|known| known.bytes).max().unwrap_or(0);
        let columns = arguments.iter().filter(|&&argument| is_column(argument)).count();
        (*cost).startup = 0.0;
        (*cost).per_tuple = pg_sys::cpu_operator_cost * (1.0 + operators)
            + pg_sys::random_page_cost * CHUNK_COST * (columns * chunks_of(bytes)) as f64;
    }
    request
}

/// A dense vector is as long as its type says.
///
/// # Safety
/// `argument` is an expression.
unsafe fn dense_argument<E: Element>(argument: *mut Node) -> Operand {
    // SAFETY: the caller's promise.
    let dims = usize::try_from(unsafe { pg_sys::exprTypmod(argument) }).unwrap_or(0);
    let operators = dims as f64 / DIMS_PER_OPERATOR;
    Operand { operators, bytes: dense::HEADER + dims * size_of::<E>() }
}

/// A sparse constant is as long as it is; the values of a column are as long as its statistics say,
/// which do not tell how long those are that lie apart.
///
/// # Safety
/// `root` is null or the planner's state, and `argument` an expression of type `sparsevec`.
unsafe fn sparse_argument(root: *const PlannerInfo, argument: *mut Node) -> Operand {
    // SAFETY: the tag tells the struct; the value of a constant that is not null is a varlena.
    let bytes = unsafe {
        if is_column(argument) {
            match average_width(root, argument.cast()) {
                1..=POINTER => LARGEST_IN_ROW + 1,
                width => width,
            }
        } else if (*argument).type_ == NodeTag::T_Const {
            let constant = &*argument.cast::<pg_sys::Const>();
            if constant.constisnull { 0 } else { pg_sys::toast_raw_datum_size(constant.constvalue) }
        } else {
            0
        }
    };
    Operand { operators: bytes as f64 / SPARSE_BYTES_PER_OPERATOR, bytes }
}

/// # Safety
/// `argument` is an expression.
unsafe fn is_column(argument: *mut Node) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*argument).type_ == NodeTag::T_Var }
}

/// Bytes that a column takes in a row on average, by the statistics; 0 where there are none.
///
/// # Safety
/// `root` is null or the state of the planner that `column` was given by.
unsafe fn average_width(root: *const PlannerInfo, column: *const Var) -> usize {
    // SAFETY: the range table holds an entry for every number of a column of this level.
    unsafe {
        let Some(root) = root.as_ref().filter(|_| (*column).varlevelsup == 0) else { return 0 };
        let before = usize::try_from((*column).varno).ok().and_then(|number| number.checked_sub(1));
        let entry = before.and_then(|before| items((*root.parse).rtable).nth(before));
        let table = entry.map_or(pg_sys::InvalidOid, |entry: *mut RangeTblEntry| (*entry).relid);
        if table == pg_sys::InvalidOid {
            return 0;
        }
        usize::try_from(pg_sys::get_attavgwidth(table, (*column).varattno)).unwrap_or(0)
    }
}

/// Chunks to be read for a value of so many bytes, and the one look-up before them.
fn chunks_of(bytes: usize) -> usize {
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
        items(list).collect()
    }
}

/// What a list points to.
///
/// # Safety
/// `list` is null or a list of pointers to `T` that lives as long as the result is used.
unsafe fn items<T>(list: *const List) -> impl Iterator<Item = *mut T> {
    // SAFETY: a list has as many items as its length says.
    unsafe {
        let length = list.as_ref().and_then(|list| usize::try_from(list.length).ok()).unwrap_or(0);
        (0..length).map(move |i| (*(*list).elements.add(i)).ptr_value.cast())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_vectors_lie_apart() {
        assert_eq!([20, 1_544, 3_080, 6_152].map(chunks_of), [0, 0, 3, 5]);
    }
}
