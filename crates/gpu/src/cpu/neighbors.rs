//! The nearest rows of a block of rows.

use std::ops::Range;

use super::nearest::Nearest;
use super::set::{Set, number};
use crate::device::{Measure, NONE, Result};

/// Numbers of the rows that a block is compared with at a time: a share of the second cache.
const PANEL: usize = 1 << 16;

/// The `k` nearest of each row at the positions `block`, chosen among the `candidates` of the least rounded
/// distance: row after row, distances and positions.
pub(super) fn of_block(
    set: &Set,
    block: Range<usize>,
    k: usize,
    candidates: usize,
) -> Result<Vec<(f32, u32)>> {
    let dims = set.dims();
    let (mut queries, mut panel) = (Vec::new(), Vec::new());
    set.widen(block.clone(), &mut queries)?;
    let views: Vec<&[f32]> = queries.chunks_exact(dims).collect();
    let columns = (PANEL / dims).max(16);
    let mut products = memory::filled(views.len() * columns, 0.0)?;
    let mut norms = memory::filled(columns, 0.0)?;
    let mut nearest: Vec<Nearest> = block.clone().map(|_| Nearest::default()).collect();
    nearest.iter_mut().for_each(|nearest| nearest.begin(candidates));
    for start in (0..set.selected()).step_by(columns) {
        let range = start..set.selected().min(start + columns);
        let products = &mut products[..views.len() * range.len()];
        set.widen(range.clone(), &mut panel)?;
        kernels::inner_products(&views, &panel, dims, products);
        range.clone().zip(&mut norms).for_each(|(i, norm)| *norm = set.norm(i));
        let of_rows = products.chunks_exact_mut(range.len()).zip(&mut nearest);
        for ((products, nearest), own) in of_rows.zip(block.clone()) {
            rounded_distances(set.measure(), set.norm(own), &norms, products);
            for (position, &distance) in range.clone().zip(&*products) {
                if position != own {
                    nearest.offer(distance, position);
                }
            }
        }
    }
    let mut found = memory::with_room(block.len() * k)?;
    let mut exact = Vec::new();
    for (nearest, own) in nearest.iter_mut().zip(block) {
        exact.clear();
        let positions = nearest.positions();
        exact.extend(positions.map(|other| (set.distance(own, other), other as u32)));
        exact.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        exact.resize(k, (f32::INFINITY, NONE));
        found.extend_from_slice(&exact);
    }
    Ok(found)
}

/// Turns products with a row whose squared norm is `own` into distances.
pub(super) fn rounded_distances(measure: Measure, own: f32, norms: &[f32], products: &mut [f32]) {
    match measure {
        Measure::L2 => {
            for (product, norm) in products.iter_mut().zip(norms) {
                *product = number(own + norm - 2.0 * *product);
            }
        }
        Measure::InnerProduct => products.iter_mut().for_each(|p| *p = number(-*p)),
    }
}
