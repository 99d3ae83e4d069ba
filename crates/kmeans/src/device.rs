//! Training and assignment on a device, which compares each row with all centroids.

use std::ops::Range;

use gpu::{Device, DeviceError, Measure, Pace, Shape};
use memory::{OutOfMemory, collected, filled};
use quant::SplitMix64;
use threads::{Stopped, Workers};

use crate::clusters::Clusters;
use crate::groups::Groups;
use crate::rows::{Rows, halves_of};
use crate::train::{Options, ROUNDS, first_clusters, is_settled};
use crate::update::{finish, move_parents, replace_small};

/// Bytes of vectors that are uploaded at a time.
const UPLOAD: usize = 8 << 20;

/// Bytes of sums that are made at a time.
const SUMS: usize = 4 << 20;

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The work was stopped.
    Stopped(Stopped),
    /// The device failed.
    Device(DeviceError),
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

impl From<OutOfMemory> for Failure {
    fn from(error: OutOfMemory) -> Self {
        Self::Stopped(error.into())
    }
}

impl From<DeviceError> for Failure {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

/// Clusters `rows` as [`train`](crate::train) does; in all rounds, each row looks at all clusters.
///
/// # Errors
/// [`Failure::Stopped`] as for [`Workers::run`], [`Failure::Device`].
pub fn train_on(
    device: &mut dyn Device,
    rows: Rows<'_>,
    options: &Options,
    workers: &mut Workers<'_>,
) -> Result<Clusters, Failure> {
    let random = &mut SplitMix64::new(options.seed);
    let mut clusters = first_clusters(rows, options, random, workers)?;
    if rows.is_empty() {
        return Ok(clusters);
    }
    let mut on_device = Assigner::new(device, rows.len(), &clusters)?;
    on_device.upload(rows, workers)?;
    let mut before = Vec::new();
    for round in 0..ROUNDS {
        if round > 0 {
            on_device.device.set_centroids(clusters.centroids())?;
        }
        let now = on_device.assigned(rows.len(), workers)?;
        let settled = is_settled(&before, &now);
        let members = Groups::by_key(&now, 1, clusters.len())?;
        on_device.move_centroids(&mut clusters, &members, options.spherical, workers)?;
        if settled {
            break;
        }
        if round + 2 < ROUNDS {
            replace_small(rows, &mut clusters, &members, random)?;
        }
        before = now;
    }
    on_device.device.end();
    Ok(clusters)
}

/// Finds the clusters of rows, some rows at a time.
pub struct Assigner<'a> {
    device: &'a mut dyn Device,
    dims: usize,
    clusters: usize,
    pace: Pace,
}

impl<'a> Assigner<'a> {
    /// Makes room for so many rows at a time; `clusters` are those that rows are compared with.
    ///
    /// # Errors
    /// [`Failure::Device`].
    pub fn new(
        device: &'a mut dyn Device,
        rows: usize,
        clusters: &Clusters,
    ) -> Result<Self, Failure> {
        let dims = clusters.dims();
        let center = middle(clusters)?;
        device.begin(Shape { rows, dims, measure: Measure::L2 }, &center)?;
        device.set_centroids(clusters.centroids())?;
        let pace = Pace::new(device.granule());
        Ok(Self { device, dims, clusters: clusters.len(), pace })
    }

    /// The cluster nearest to each of `rows`, which are not more than there is room for.
    ///
    /// # Errors
    /// [`Failure::Stopped`] if the tick function of `workers` says so, [`Failure::Device`].
    pub fn assign(
        &mut self,
        rows: Rows<'_>,
        workers: &mut Workers<'_>,
    ) -> Result<Vec<u32>, Failure> {
        self.upload(rows, workers)?;
        self.assigned(rows.len(), workers)
    }

    fn upload(&mut self, rows: Rows<'_>, workers: &mut Workers<'_>) -> Result<(), Failure> {
        let per_turn = (UPLOAD / (self.dims * size_of::<f32>())).max(1);
        for first in (0..rows.len()).step_by(per_turn) {
            let of = first..rows.len().min(first + per_turn);
            let numbers = rows.numbers(of).ok_or(DeviceError::Failed("rows lie apart".into()))?;
            self.device.upload(first, numbers)?;
            workers.tick()?;
        }
        Ok(())
    }

    /// The clusters of the first `count` rows.
    fn assigned(&mut self, count: usize, workers: &mut Workers<'_>) -> Result<Vec<u32>, Failure> {
        let mut nearest = filled(count, 0)?;
        let (device, mut pace) = (&mut self.device, self.pace);
        pace.run(count, |of: Range<usize>| {
            device.assign(of.clone(), &mut nearest[of])?;
            Ok::<_, Failure>(workers.tick()?)
        })?;
        self.pace = pace;
        if nearest.iter().any(|&cluster| cluster as usize >= self.clusters) {
            return Err(
                DeviceError::Failed("it named a centroid that does not exist".into()).into()
            );
        }
        Ok(nearest)
    }

    /// Moves each centroid to the mean of its rows, as [`crate::update::move_centroids`] does.
    fn move_centroids(
        &mut self,
        clusters: &mut Clusters,
        members: &Groups,
        spherical: bool,
        workers: &mut Workers<'_>,
    ) -> Result<(), Failure> {
        let dims = self.dims;
        let (starts, items) = members.numbers()?;
        let mut sums = Vec::new();
        Pace::new(1).at_most(SUMS / (dims * size_of::<f64>())).run(
            clusters.len(),
            |of: Range<usize>| {
                let starts = &starts[of.start..=of.end];
                sums.clear();
                sums.try_reserve(of.len() * dims).map_err(|_| OutOfMemory)?;
                sums.resize(of.len() * dims, 0.0);
                self.device.sums(items, starts, &mut sums)?;
                for (cluster, sums) in of.zip(sums.chunks_exact(dims)) {
                    let count = members.of(cluster).len();
                    if count > 0 {
                        let centroid = &mut clusters.centroids[cluster * dims..][..dims];
                        finish(sums, count, spherical, centroid);
                    }
                }
                Ok::<_, Failure>(workers.tick()?)
            },
        )?;
        clusters.halves = halves_of(&clusters.centroids, dims)?;
        Ok(move_parents(clusters, members, spherical)?)
    }
}

/// A point amid the centroids.
fn middle(clusters: &Clusters) -> Result<Vec<f32>, OutOfMemory> {
    let mut sums = filled(clusters.dims(), 0.0f64)?;
    for centroid in clusters.centroids().chunks_exact(clusters.dims()) {
        sums.iter_mut().zip(centroid).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    // Not infinite: the mean of finite numbers.
    collected(sums.iter().map(|sum| (sum / clusters.len().max(1) as f64) as f32))
}
