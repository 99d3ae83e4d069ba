//! The whole of a training.

use std::cmp::Reverse;

use memory::{OutOfMemory, collected, with_room};
use quant::SplitMix64;
use threads::{Stopped, Workers};

use crate::assign::{PROBES, assign_within, nearest_clusters};
use crate::clusters::Clusters;
use crate::groups::Groups;
use crate::rows::{Measured, Rows};
use crate::seed::{choose_seeds, sample};
use crate::update::{move_centroids, replace_small};

/// Up to so many clusters there is only one group.
const FLAT: usize = 64;
/// Rows looked at for each group while groups are made.
const ROWS_PER_GROUP: usize = 256;
/// Rounds within groups, before a row may change its group.
const ROUNDS_WITHIN: usize = 4;
/// Rounds over all groups, at most: first with so many rows for each cluster, where each row looks
/// only at the nearest groups; then with all rows. Centroids find their places at a third of what all
/// rows would cost, and the same lists come of it (recall at equal rows read, three data sets).
pub(crate) const ROUNDS: usize = 8;
const ROWS_PER_CLUSTER: usize = 64;
const NEAREST: usize = 2;
const LAST_ROUNDS: usize = 2;
/// Rows for each cluster that first centroids are chosen from, where a device makes all rounds.
const SEED_ROWS_PER_CLUSTER: usize = 16;
/// Training ends when less than one of so many rows changes its cluster.
const SETTLED: usize = 100;

/// What is wanted of a training.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Clusters, at least one.
    pub clusters: usize,
    /// Whether centroids have length one, as the rows then do: for inner product and cosine.
    pub spherical: bool,
    /// Decides all that is left to chance.
    pub seed: u64,
}

/// Clusters `rows`: as many clusters as wanted, or as there are distinct rows, if these are fewer.
/// Of no rows there is no cluster.
///
/// # Errors
/// As [`Workers::run`].
pub fn train(
    rows: Rows<'_>,
    options: &Options,
    workers: &mut Workers<'_>,
) -> Result<Clusters, Stopped> {
    let random = &mut SplitMix64::new(options.seed);
    let wanted = options.clusters.clamp(1, rows.len().max(1));
    if wanted <= FLAT {
        let all = Groups::single(rows.len())?;
        let mut clusters = seeded(rows, &all, &[wanted], random, workers)?;
        let count = ROUNDS_WITHIN + ROUNDS;
        rounds(rows, &mut clusters, Near::Fixed(&all), count, options, random, workers)?;
        return Ok(clusters);
    }
    let some = some(rows, wanted, ROWS_PER_CLUSTER);
    let groups = make_groups(some, wanted, options, random, workers)?;
    let shares = shares(&groups, wanted)?;
    let mut clusters = seeded(some, &groups, &shares, random, workers)?;
    let within = Near::Fixed(&groups);
    rounds(some, &mut clusters, within, ROUNDS_WITHIN, options, random, workers)?;
    drop(groups);
    rounds(some, &mut clusters, Near::Groups(NEAREST), ROUNDS, options, random, workers)?;
    rounds(rows, &mut clusters, Near::Groups(PROBES), LAST_ROUNDS, options, random, workers)?;
    Ok(clusters)
}

/// About so many rows for each of the clusters.
fn some(rows: Rows<'_>, clusters: usize, per_cluster: usize) -> Rows<'_> {
    rows.one_of((rows.len() / (clusters * per_cluster)).max(1))
}

/// Clusters that no row was assigned to yet; as many as wanted, or as there are distinct rows.
pub(crate) fn first_clusters(
    rows: Rows<'_>,
    options: &Options,
    random: &mut SplitMix64,
    workers: &mut Workers<'_>,
) -> Result<Clusters, Stopped> {
    let wanted = options.clusters.clamp(1, rows.len().max(1));
    if wanted <= FLAT {
        let all = Groups::single(rows.len())?;
        return seeded(rows, &all, &[wanted], random, workers);
    }
    let some = some(rows, wanted, SEED_ROWS_PER_CLUSTER);
    let groups = make_groups(some, wanted, options, random, workers)?;
    let shares = shares(&groups, wanted)?;
    seeded(some, &groups, &shares, random, workers)
}

/// Moves `centroids`, which lie one after another, to the means of the rows nearest to them, until few
/// rows change their cluster. One that is nearest to no row stays where it is.
///
/// # Errors
/// As [`Workers::run`].
pub fn refine(
    rows: Rows<'_>,
    centroids: Vec<f32>,
    workers: &mut Workers<'_>,
) -> Result<Clusters, Stopped> {
    let count = centroids.len() / rows.dims();
    // In one group no row looks for the nearest parent.
    let parent = vec![0.0; rows.dims()];
    let mut clusters = Clusters::new(rows.dims(), centroids, parent, vec![0, count as u32])?;
    let all = Groups::single(rows.len())?;
    let measured = Measured::new(rows, workers)?;
    let mut before = Vec::new();
    for _ in 0..ROUNDS {
        let now = nearest_clusters(&measured, &clusters, &all, workers)?;
        let settled = is_settled(&before, &now);
        let members = Groups::by_key(&now, 1, count)?;
        move_centroids(rows, &mut clusters, &members, false, workers)?;
        if settled {
            break;
        }
        before = now;
    }
    Ok(clusters)
}

/// Bytes that a training takes beside the rows: an upper bound.
pub fn training_bytes(rows: usize, dims: usize, clusters: usize) -> usize {
    let of_row = size_of::<u64>() + (2 * PROBES + 4) * size_of::<u32>() + size_of::<f32>();
    let of_cluster = (dims + 2) * size_of::<f32>() + 4 * size_of::<usize>();
    let of_sample = ROWS_PER_GROUP * dims * size_of::<f32>();
    let groups = if clusters <= FLAT { 0 } else { clusters.isqrt() + 1 };
    let parts = [
        rows.saturating_mul(of_row),
        clusters.saturating_mul(2 * of_cluster),
        groups.saturating_mul(of_sample),
    ];
    parts.into_iter().fold(0, usize::saturating_add)
}

/// Divides the rows into about √`wanted` groups.
fn make_groups(
    rows: Rows<'_>,
    wanted: usize,
    options: &Options,
    random: &mut SplitMix64,
    workers: &mut Workers<'_>,
) -> Result<Groups, Stopped> {
    let count = wanted.isqrt();
    let all = collected(0..rows.len() as u32)?;
    let chosen = sample(&all, count * ROWS_PER_GROUP, random)?;
    drop(all);
    let mut numbers = with_room(chosen.len() * rows.dims())?;
    chosen.iter().for_each(|&i| numbers.extend_from_slice(rows.row(i as usize)));
    let sampled = Rows::new(&numbers, rows.dims());
    let one = Groups::single(sampled.len())?;
    let mut parents = seeded(sampled, &one, &[count], random, workers)?;
    rounds(sampled, &mut parents, Near::Fixed(&one), ROUNDS, options, random, workers)?;
    let measured = Measured::new(rows, workers)?;
    let keys = nearest_clusters(&measured, &parents, &Groups::single(rows.len())?, workers)?;
    Ok(Groups::by_key(&keys, 1, parents.len())?.without_empty())
}

/// Clusters for each group, in proportion to its rows: `wanted` in all, which are at least as
/// many as groups and at most as many as rows. None of `groups` is empty.
fn shares(groups: &Groups, wanted: usize) -> Result<Vec<usize>, OutOfMemory> {
    let sizes = collected((0..groups.len()).map(|group| groups.of(group).len()))?;
    // One for each group; the others are divided by the rows beyond the first.
    let others = wanted.saturating_sub(sizes.len()) as u128;
    let rows = (sizes.iter().sum::<usize>() - sizes.len()).max(1) as u128;
    let exact = |size: usize| (size - 1) as u128 * others;
    let mut shares = collected(sizes.iter().map(|&size| 1 + (exact(size) / rows) as usize))?;
    let mut by_rest = collected(0..sizes.len())?;
    by_rest.sort_unstable_by_key(|&i| (Reverse(exact(sizes[i]) % rows), i));
    let missing = wanted.saturating_sub(shares.iter().sum());
    for &group in by_rest.iter().take(missing) {
        shares[group] += 1;
    }
    Ok(shares)
}

/// Clusters with rows as centroids: in each of `groups` as many as its share.
fn seeded(
    rows: Rows<'_>,
    groups: &Groups,
    shares: &[usize],
    random: &mut SplitMix64,
    workers: &mut Workers<'_>,
) -> Result<Clusters, Stopped> {
    let base = random.next_u64();
    let seeds = workers.make(shares.len() as u32, |group| {
        let random = &mut SplitMix64::new(base.wrapping_add(quant::splitmix64(group.into())));
        let group = group as usize;
        Ok::<_, Stopped>(choose_seeds(rows, groups.of(group), shares[group], random)?)
    })?;
    let most = shares.iter().sum::<usize>().min(rows.len());
    let (mut starts, mut centroids) =
        (with_room(1 + shares.len())?, with_room(most * rows.dims())?);
    let mut parents = with_room(shares.len() * rows.dims())?;
    starts.push(0);
    let mut count = 0;
    for seeds in seeds {
        let Some(&first) = seeds.first() else { continue };
        count += seeds.len() as u32;
        starts.push(count);
        parents.extend_from_slice(rows.row(first as usize));
        seeds.iter().for_each(|&seed| centroids.extend_from_slice(rows.row(seed as usize)));
    }
    Ok(Clusters::new(rows.dims(), centroids, parents, starts)?)
}

/// Where rows look for the nearest cluster.
#[derive(Clone, Copy)]
enum Near<'a> {
    /// In groups that they do not leave.
    Fixed(&'a Groups),
    /// In so many groups, the nearest.
    Groups(usize),
}

/// Up to `count` rounds of Lloyd's algorithm: each row goes to the nearest cluster, each centroid to
/// the mean of its rows.
fn rounds(
    rows: Rows<'_>,
    clusters: &mut Clusters,
    near: Near<'_>,
    count: usize,
    options: &Options,
    random: &mut SplitMix64,
    workers: &mut Workers<'_>,
) -> Result<(), Stopped> {
    let measured = Measured::new(rows, workers)?;
    let mut before: Vec<u32> = Vec::new();
    for round in 0..count {
        let now = match near {
            Near::Fixed(groups) => nearest_clusters(&measured, clusters, groups, workers)?,
            Near::Groups(probes) => assign_within(&measured, clusters, probes, workers)?,
        };
        let settled = is_settled(&before, &now);
        let members = Groups::by_key(&now, 1, clusters.len())?;
        move_centroids(rows, clusters, &members, options.spherical, workers)?;
        if settled {
            break;
        }
        if round + 2 < count {
            replace_small(rows, clusters, &members, random)?;
        }
        before = now;
    }
    Ok(())
}

/// Whether few rows have changed their cluster; not if there were none before.
pub(crate) fn is_settled(before: &[u32], now: &[u32]) -> bool {
    let moved = before.iter().zip(now).filter(|(before, now)| before != now).count();
    !before.is_empty() && moved * SETTLED < now.len()
}
