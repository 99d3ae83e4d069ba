//! Whether halves tell rows apart.

use memory::{Grow, collected, filled};
use quant::{Metric, Narrowed};

use super::rows::Rows;
use super::sample::{NEAREST, drawn};
use crate::build::{BuildError, Distances, FlatDistances};

/// How many times the nearest rows those may be that a search has to look at, because what halves
/// lost might make them as near.
const LOOKS: usize = 2;

/// Whether within a sample of the rows, all stored as halves, the bounds of their distances leave too
/// many that may be among the nearest: rows that lie close together far from the origin.
pub(super) fn is_blurred(rows: &Rows, metric: Metric, dims: usize) -> Result<bool, BuildError> {
    let elements = drawn(rows.len(), dims);
    let mut vectors = filled(elements.len() * dims, 0.0)?;
    for (&element, out) in elements.iter().zip(vectors.chunks_exact_mut(dims)) {
        rows.normalized(element, out);
    }
    let flat = FlatDistances::new(&vectors, dims, metric);
    let infos = collected(elements.iter().map(|&element| rows.info(element)))?;
    let k = NEAREST.min(elements.len().saturating_sub(1));
    let mut looks = 0;
    let (mut distances, mut sorted) = (Vec::new(), Vec::new());
    for (i, query) in infos.iter().enumerate() {
        distances.clear();
        let others = (0..infos.len()).filter(|&j| j != i);
        distances.try_extend(others.map(|j| {
            let reduced = f64::from(flat.distance(i as u32, j as u32));
            let distance = match metric {
                Metric::L2 => reduced.sqrt(),
                Metric::Cosine => reduced / 2.0,
                Metric::InnerProduct | Metric::L1 | Metric::Hamming | Metric::Jaccard => reduced,
            };
            let (q, x, error) = (query.norm.into(), infos[j].norm.into(), infos[j].error.into());
            (distance, Narrowed { distance, q, x, error, dims }.least(metric))
        }))?;
        sorted.clear();
        sorted.try_extend(distances.iter().map(|&(distance, _)| distance))?;
        if k == 0 {
            continue;
        }
        let bound = *sorted.select_nth_unstable_by(k - 1, f64::total_cmp).1;
        looks += distances.iter().filter(|&&(_, least)| least <= bound).count();
    }
    Ok(looks > LOOKS * k * infos.len())
}
