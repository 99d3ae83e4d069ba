//! What a distance costs, for the planner.
//!
//! PostgreSQL charges every function the same; of a long vector the distance costs hundreds of
//! times as much, because such a vector is stored apart from its row and has to be fetched.

use crate::pg::node::Node;
use crate::pg::support::{Answer, CostRequest};
use crate::types::dense::{self, DenseRef, Element};
use crate::types::sparsevec::SparseRef;

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

/// What is known of an argument of a distance; 0 is what is not known.
pub struct Operand {
    /// Simple operators that take as long as going through it.
    operators: f64,
    /// Bytes of the value.
    bytes: usize,
}

/// Vectors whose sizes the planner can know.
pub trait Measured {
    /// What is known of an argument of the call that is asked about.
    fn measure(argument: Node, request: &CostRequest) -> Operand;
}

/// A dense vector is as long as its type says.
impl<E: Element> Measured for DenseRef<'_, E> {
    fn measure(argument: Node, _: &CostRequest) -> Operand {
        let dims = usize::try_from(argument.type_modifier()).unwrap_or(0);
        let operators = dims as f64 / DIMS_PER_OPERATOR;
        Operand { operators, bytes: dense::HEADER + dims * size_of::<E>() }
    }
}

/// A sparse constant is as long as it is; the values of a column are as long as its statistics say,
/// which do not tell how long those are that lie apart.
impl Measured for SparseRef<'_> {
    fn measure(argument: Node, request: &CostRequest) -> Operand {
        let bytes = if argument.is_column() {
            match request.average_width(argument) {
                1..=POINTER => LARGEST_IN_ROW + 1,
                width => width,
            }
        } else {
            argument.constant_size().unwrap_or(0)
        };
        Operand { operators: bytes as f64 / SPARSE_BYTES_PER_OPERATOR, bytes }
    }
}

/// What a function costs whose first two arguments are vectors.
pub fn answer<V: Measured>(request: CostRequest) -> Answer {
    let mut vectors = request.arguments();
    vectors.truncate(2);
    let operands: Vec<Operand> =
        vectors.iter().map(|&vector| V::measure(vector, &request)).collect();
    let operators = operands.iter().map(|operand| operand.operators).fold(0.0, f64::max);
    let bytes = operands.iter().map(|operand| operand.bytes).max().unwrap_or(0);
    let columns = vectors.iter().filter(|vector| vector.is_column()).count();
    let pages = CHUNK_COST * (columns * chunks_of(bytes)) as f64;
    request.answer(1.0 + operators, pages)
}

/// Chunks to be read for a value of so many bytes, and the one look-up before them.
fn chunks_of(bytes: usize) -> usize {
    if bytes <= LARGEST_IN_ROW { 0 } else { 1 + bytes.div_ceil(CHUNK) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_vectors_lie_apart() {
        assert_eq!([20, 1_544, 3_080, 6_152].map(chunks_of), [0, 0, 3, 5]);
    }
}
