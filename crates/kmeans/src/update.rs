//! New centroids from the rows of each cluster.

use memory::{OutOfMemory, collected};
use quant::SplitMix64;
use threads::{Stopped, Workers};

use crate::clusters::Clusters;
use crate::groups::Groups;
use crate::rows::{Rows, half_square, halves_of};

/// A cluster with less than this part of the mean size is given up, where another of its group has
/// more than [`LARGE`] times the mean size.
const SMALL: usize = 8;
const LARGE: usize = 2;
/// Rows summed in single precision before their sum is added in double precision.
const PART: usize = 16;
/// What is summed of each of them, so that no sum is infinite.
const SHARE: f32 = 1.0 / PART as f32;

/// Moves each centroid to the mean of its rows, `members`; in spherical clusters, to its direction.
/// A centroid without rows stays.
pub(crate) fn move_centroids(
    rows: Rows<'_>,
    clusters: &mut Clusters,
    members: &Groups,
    spherical: bool,
    workers: &mut Workers<'_>,
) -> Result<(), Stopped> {
    let dims = rows.dims();
    workers.chunks(
        &mut clusters.centroids,
        dims,
        || Ok::<_, Stopped>((Vec::new(), vec![0.0f64; dims])),
        |(part, sums), cluster, centroid| {
            let members = members.of(cluster);
            if members.is_empty() {
                return Ok(());
            }
            sums.fill(0.0);
            for members in members.chunks(PART) {
                part.clear();
                part.resize(dims, 0.0);
                for &row in members {
                    let row = rows.row(row as usize);
                    part.iter_mut().zip(row).for_each(|(sum, x)| *sum += x * SHARE);
                }
                sums.iter_mut()
                    .zip(&*part)
                    .for_each(|(sum, &x)| *sum += f64::from(x) / f64::from(SHARE));
            }
            finish(sums, members.len(), spherical, centroid);
            Ok(())
        },
    )?;
    clusters.halves = halves_of(&clusters.centroids, dims)?;
    Ok(move_parents(clusters, members, spherical)?)
}

/// Moves each group's parent to the mean of its clusters, each with the weight of its rows.
pub(crate) fn move_parents(
    clusters: &mut Clusters,
    members: &Groups,
    spherical: bool,
) -> Result<(), OutOfMemory> {
    let dims = clusters.dims;
    let mut sums = vec![0.0f64; dims];
    for group in 0..clusters.groups() {
        sums.fill(0.0);
        let mut count = 0;
        for cluster in clusters.group(group) {
            let weight = members.of(cluster).len();
            count += weight;
            for (sum, &x) in sums.iter_mut().zip(clusters.centroid(cluster)) {
                *sum += weight as f64 * f64::from(x);
            }
        }
        if count > 0 {
            finish(&sums, count, spherical, &mut clusters.parents[group * dims..][..dims]);
        }
    }
    clusters.parent_halves = halves_of(&clusters.parents, dims)?;
    Ok(())
}

/// Writes the mean of `count` rows; its direction where there is one and it is wanted.
pub(crate) fn finish(sums: &[f64], count: usize, spherical: bool, centroid: &mut [f32]) {
    let norm = sums.iter().map(|x| x * x).sum::<f64>().sqrt();
    let divisor = if spherical && norm > 0.0 { norm } else { count as f64 };
    for (x, sum) in centroid.iter_mut().zip(sums) {
        *x = (sum / divisor) as f32;
    }
}

/// Gives small clusters a new centroid: a row of the largest cluster of their group.
pub(crate) fn replace_small(
    rows: Rows<'_>,
    clusters: &mut Clusters,
    members: &Groups,
    random: &mut SplitMix64,
) -> Result<(), OutOfMemory> {
    let mean = rows.len() / clusters.len().max(1);
    let size = |cluster: &usize| members.of(*cluster).len();
    for group in 0..clusters.groups() {
        let mut by_size = collected(clusters.group(group))?;
        by_size.sort_unstable_by_key(|cluster| (size(cluster), *cluster));
        let (mut low, mut high) = (0, by_size.len());
        while low + 1 < high {
            let (small, large) = (by_size[low], by_size[high - 1]);
            let helps = size(&small) == 0 && size(&large) > 1
                || size(&small) * SMALL < mean && size(&large) > LARGE * mean;
            if !helps {
                break;
            }
            let donors = members.of(large);
            let row = donors[(random.next_u64() % donors.len() as u64) as usize];
            let centroid = &mut clusters.centroids[small * rows.dims()..][..rows.dims()];
            centroid.copy_from_slice(rows.row(row as usize));
            clusters.halves[small] = half_square(centroid);
            low += 1;
            high -= 1;
        }
    }
    Ok(())
}
