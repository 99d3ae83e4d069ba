//! Which cluster is nearest to each row.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use memory::{collected, filled};
use threads::{Stopped, Workers};

use crate::clusters::Clusters;
use crate::groups::Groups;
use crate::rows::{Measured, Rows};

/// Rows of one product of matrices.
const BLOCK: usize = 128;
/// Groups that a row is compared with. With three, results are a little worse; comparing with all
/// gains less than a fifth of a percent in mean squared distance, and takes four times as long.
pub(crate) const PROBES: usize = 6;

/// The cluster of each row: the nearest in the few groups nearest to it.
///
/// # Errors
/// As [`Workers::run`].
///
/// # Panics
/// If there are rows but no clusters, or their dimensions differ.
pub fn assign(
    rows: Rows<'_>,
    clusters: &Clusters,
    workers: &mut Workers<'_>,
) -> Result<Vec<u32>, Stopped> {
    assert!(rows.is_empty() || !clusters.is_empty() && rows.dims() == clusters.dims());
    assign_within(&Measured::new(rows, workers)?, clusters, PROBES, workers)
}

/// The cluster of each row: the nearest in the `probes` groups nearest to it.
pub(crate) fn assign_within(
    rows: &Measured<'_>,
    clusters: &Clusters,
    probes: usize,
    workers: &mut Workers<'_>,
) -> Result<Vec<u32>, Stopped> {
    let groups = nearest_groups(rows, clusters, probes, workers)?;
    nearest_clusters(rows, clusters, &groups, workers)
}

/// The rows that are compared with each group: each row with the `probes` groups nearest to it.
fn nearest_groups(
    rows: &Measured<'_>,
    clusters: &Clusters,
    probes: usize,
    workers: &mut Workers<'_>,
) -> Result<Groups, Stopped> {
    let groups = clusters.groups();
    let probes = probes.min(groups);
    if groups <= 1 {
        return Ok(Groups::single(rows.len())?);
    }
    let mut keys = filled(rows.len() * probes, 0)?;
    workers.chunks(
        &mut keys,
        BLOCK * probes,
        || Ok::<_, Stopped>((Vec::new(), Vec::new())),
        |(distances, ranked), block, keys| {
            let first = block * BLOCK;
            let views: Vec<_> =
                (first..rows.len().min(first + BLOCK)).map(|i| rows.row(i)).collect();
            clusters.parents().distances(&views, distances)?;
            let of_rows = distances.chunks_exact(groups);
            for (keys, distances) in keys.chunks_exact_mut(probes).zip(of_rows) {
                nearest(distances, ranked, keys);
            }
            Ok(())
        },
    )?;
    Ok(Groups::by_key(&keys, probes, groups)?)
}

/// Writes the positions of the smallest `distances` to `found`, as many as there is room for.
fn nearest(distances: &[f32], ranked: &mut Vec<u64>, found: &mut [u32]) {
    ranked.clear();
    ranked.extend(distances.iter().enumerate().map(|(i, &distance)| packed(distance, i)));
    if found.len() < ranked.len() {
        ranked.select_nth_unstable(found.len());
    }
    for (found, ranked) in found.iter_mut().zip(ranked) {
        *found = *ranked as u32;
    }
}

/// A number that sorts as `distance` does, then as `position`, which it ends with.
fn packed(distance: f32, position: usize) -> u64 {
    u64::from(ascending(distance)) << 32 | position as u64
}

/// The cluster nearest to each row, of those in the groups that list it.
pub(crate) fn nearest_clusters(
    rows: &Measured<'_>,
    clusters: &Clusters,
    groups: &Groups,
    workers: &mut Workers<'_>,
) -> Result<Vec<u32>, Stopped> {
    // Distance and cluster in one number, so that threads of several groups agree on the least.
    let best = collected((0..rows.len()).map(|_| AtomicU64::new(u64::MAX)))?;
    let jobs = collected(
        (0..groups.len())
            .flat_map(|group| groups.of(group).chunks(BLOCK).map(move |rows| (group, rows))),
    )?;
    let numbers = collected(0..jobs.len() as u32)?;
    workers.run(
        workers.threads(),
        &numbers,
        || Ok::<_, Stopped>(Vec::new()),
        |distances, job| {
            let (group, members): (usize, &[u32]) = jobs[job as usize];
            let (side, first) = (clusters.members(group), clusters.group(group).start);
            if side.len() == 0 {
                return Ok(());
            }
            let views: Vec<_> = members.iter().map(|&i| rows.row(i as usize)).collect();
            side.distances(&views, distances)?;
            for (&row, distances) in members.iter().zip(distances.chunks_exact(side.len())) {
                let (cluster, distance) = least(distances);
                best[row as usize].fetch_min(packed(distance, first + cluster), Relaxed);
            }
            Ok(())
        },
    )?;
    Ok(collected(best.into_iter().map(|best| best.into_inner() as u32))?)
}

/// The first of the smallest numbers, and its position.
fn least(numbers: &[f32]) -> (usize, f32) {
    /// Numbers compared side by side.
    const LANES: usize = 8;
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let less = |a: f32, b: f32| if b < a { b } else { a };
    let lanes = chunks.iter().fold([f32::INFINITY; LANES], |least, chunk| {
        std::array::from_fn(|lane| less(least[lane], chunk[lane]))
    });
    let least = lanes.into_iter().chain(rest.iter().copied()).fold(f32::INFINITY, less);
    (numbers.iter().position(|&number| number == least).unwrap_or(0), least)
}

/// A number that sorts as `x` does.
fn ascending(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}
