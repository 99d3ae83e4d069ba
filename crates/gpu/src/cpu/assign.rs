//! The nearest centroids of a block of rows.

use std::ops::Range;

use super::nearest::Nearest;
use super::neighbors::rounded_distances;
use super::set::{Centroids, Set, number};
use crate::device::{Measure, Result};

/// Centroids that are compared exactly.
const REFINED: usize = 4;
/// Centroids that a block is compared with at a time.
const COLUMNS: usize = 512;

/// The centroid nearest to each row at the positions `block`.
pub(super) fn of_block(set: &Set, centroids: &Centroids, block: Range<usize>) -> Result<Vec<u32>> {
    let dims = set.dims();
    let mut rows = Vec::new();
    set.widen(block.clone(), &mut rows)?;
    let views: Vec<&[f32]> = rows.chunks_exact(dims).collect();
    let mut products = memory::filled(views.len() * COLUMNS, 0.0)?;
    let mut nearest: Vec<Nearest> = block.clone().map(|_| Nearest::default()).collect();
    nearest.iter_mut().for_each(|nearest| nearest.begin(REFINED));
    for start in (0..centroids.len()).step_by(COLUMNS) {
        let range = start..centroids.len().min(start + COLUMNS);
        let (panel, norms) = centroids.rounded(range.clone());
        let products = &mut products[..views.len() * range.len()];
        kernels::inner_products(&views, panel, dims, products);
        let of_rows = products.chunks_exact_mut(range.len()).zip(&mut nearest);
        for ((products, nearest), own) in of_rows.zip(block.clone()) {
            rounded_distances(Measure::L2, set.norm(own), norms, products);
            range.clone().zip(&*products).for_each(|(i, &distance)| nearest.offer(distance, i));
        }
    }
    let least = |(nearest, own): (&mut Nearest, usize)| {
        let exact = |i: usize| number(kernels::l2_squared(set.row(own), centroids.centroid(i)));
        let measured = nearest.positions().map(|i| (exact(i), i as u32));
        measured.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map_or(0, |(_, i)| i)
    };
    Ok(memory::collected(nearest.iter_mut().zip(block).map(least))?)
}
