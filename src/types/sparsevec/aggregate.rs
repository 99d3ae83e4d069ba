//! `sum` and `avg` of sparse vectors. Their state is a `float8[]`: the number of vectors, their
//! dimensions, then an index (from 0) and a sum for each dimension that is not zero, by index;
//! `{0,0}` before the first vector. It holds no more elements than a sparse vector may have, so it
//! stays small however many rows there are.

use pgrx::pg_sys;

use super::{SparseBuf, SparseRef, TYPE, check};
use crate::pg::array::{AggregateState, ArrayBuf, ArrayRef};
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::types::error;

pg_functions! {
    /// Transition function of both.
    fn sparsevec_accum(
        state: AggregateState,
        vector: SparseRef,
    ) -> Result<ArrayBuf<f64>, Report> {
        let sums = State::of(state.array(), "sparsevec_accum")?;
        let merged = Head { n: 1.0, dims: vector.dims() as f64 }.join(sums.head)?;
        if state.is_own() && let Some(places) = sums.places_of(vector.indices()) {
            let mut state = state.into_buf::<f64>()?;
            merged.write(state.items_mut());
            for (place, &x) in places.into_iter().zip(vector.values()) {
                state.items_mut()[place] += f64::from(x);
            }
            return Ok(state);
        }
        let elements = vector.elements().map(|(index, x)| [index.into(), x.into()]);
        new_state(merged, sums.elements, elements)
    }

    /// Combine function of parallel aggregation.
    fn sparsevec_combine(a: ArrayRef, b: ArrayRef) -> Result<ArrayBuf<f64>, Report> {
        let a = State::of(&a, "sparsevec_combine")?;
        let b = State::of(&b, "sparsevec_combine")?;
        new_state(b.head.join(a.head)?, a.elements, b.elements.iter().copied())
    }

    /// Final function of `sum`: NULL of no vectors.
    fn sparsevec_sum(state: ArrayRef) -> Result<Option<SparseBuf>, Report> {
        State::of(&state, "sparsevec_sum")?.result(|sum, _| sum)
    }

    /// Final function of `avg`: NULL of no vectors.
    fn sparsevec_avg(state: ArrayRef) -> Result<Option<SparseBuf>, Report> {
        State::of(&state, "sparsevec_avg")?.result(|sum, n| sum / n)
    }
}

/// What a state says beside its sums.
#[derive(Clone, Copy)]
struct Head {
    n: f64,
    dims: f64,
}

impl Head {
    /// Of the vectors of both states; `earlier` tells the dimensions, if it has any.
    fn join(self, earlier: Head) -> Result<Head, Report> {
        if earlier.dims == 0.0 || self.dims == 0.0 || earlier.dims == self.dims {
            return Ok(Head { n: earlier.n + self.n, dims: earlier.dims.max(self.dims) });
        }
        Err(error::unexpected_dims(earlier.dims as i64, self.dims as usize))
    }

    fn write(self, state: &mut [f64]) {
        state[..2].copy_from_slice(&[self.n, self.dims]);
    }
}

/// A state, which may come from anywhere.
struct State<'s> {
    head: Head,
    /// Indices and sums.
    elements: &'s [[f64; 2]],
}

impl<'s> State<'s> {
    fn of(state: &'s ArrayRef, caller: &str) -> Result<State<'s>, Report> {
        let plausible = state.n_dims() == 1
            && state.item_type() == pg_sys::FLOAT8OID
            && !state.has_null_bitmap();
        if plausible
            && let [n, dims, elements @ ..] = state.items::<f64>()?
            && let (elements, []) = elements.as_chunks()
        {
            return Ok(State { head: Head { n: *n, dims: *dims }, elements });
        }
        Err(Report::internal(format!("{caller}: expected state array")))
    }

    /// Where in the array the sums at these indices are; `None` if one is not there yet.
    fn places_of(&self, indices: &[u32]) -> Option<Vec<usize>> {
        let mut passed = 0;
        let places = indices.iter().map(|&index| {
            let index = f64::from(index);
            passed += self.elements[passed..].partition_point(|element| element[0] < index);
            (self.elements.get(passed)?[0] == index).then_some(2 + 2 * passed + 1)
        });
        places.collect()
    }

    fn result(&self, of: impl Fn(f64, f64) -> f64) -> Result<Option<SparseBuf>, Report> {
        let Head { n, dims } = self.head;
        if n == 0.0 {
            return Ok(None);
        }
        let elements = self.elements.iter().map(|&[index, sum]| match of(sum, n) as f32 {
            x if x.is_nan() => Err(error::nan(TYPE)),
            x if x.is_infinite() => Err(error::overflow()),
            x => Ok((index as i64, x)),
        });
        let elements = elements.collect::<Result<Vec<_>, Report>>()?;
        SparseBuf::from_elements(check::dims(dims as i64)?, &elements).map(Some)
    }
}

/// A state of the sums of two lists of elements, both by index.
fn new_state(
    head: Head,
    sums: &[[f64; 2]],
    addends: impl Iterator<Item = [f64; 2]>,
) -> Result<ArrayBuf<f64>, Report> {
    let mut merged = Vec::with_capacity(sums.len() + addends.size_hint().0);
    let mut sums = sums.iter().copied().peekable();
    for [index, x] in addends {
        merged.extend(std::iter::from_fn(|| sums.next_if(|sum| sum[0] < index)));
        let sum = sums.next_if(|sum| sum[0] == index).map_or(0.0, |sum| sum[1]);
        merged.push([index, sum + x]);
    }
    merged.extend(sums);
    merged.retain(|&[_, sum]| sum != 0.0);
    check::nnz(merged.len())?;
    let mut state = ArrayBuf::zeroed(2 + 2 * merged.len())?;
    head.write(state.items_mut());
    state.items_mut()[2..].copy_from_slice(merged.as_flattened());
    Ok(state)
}
