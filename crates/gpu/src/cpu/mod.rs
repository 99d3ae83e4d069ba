//! The CPU as a device: the same results as a GPU's, but for the order of sums.

mod assign;
mod lists;
mod nearest;
mod neighbors;
mod set;
mod sums;

use std::ops::Range;

use threads::{Stopped, Workers};

use crate::device::{Device, DeviceError, MARGIN, MAX_CANDIDATES, MAX_NEIGHBORS, Result, Shape};
use set::{Centroids, Set};

/// Rows that a thread takes at a time.
const ROWS_PER_JOB: usize = 64;

/// Computes on threads of this process.
#[derive(Debug)]
pub struct CpuDevice {
    threads: usize,
    set: Option<Set>,
    centroids: Option<Centroids>,
}

impl CpuDevice {
    /// With so many threads; the calling thread works itself if there is none.
    pub fn new(threads: usize) -> Self {
        Self { threads, set: None, centroids: None }
    }

    fn set(&self) -> Result<&Set> {
        self.set.as_ref().ok_or_else(|| wrong("there is no set"))
    }

    /// What `job` makes of each of `0..count`, in order.
    fn make<T: Send>(
        &self,
        count: usize,
        job: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let count = u32::try_from(count).map_err(|_| wrong("too many rows"))?;
        // Calls are short: who makes them looks for interrupts between two.
        Workers::new(self.threads, &mut |_| true).make(count, |i| job(i as usize))
    }

    /// Has `job` make something of each block of the positions `of`.
    fn blocks<T: Send>(
        &self,
        of: &Range<usize>,
        job: impl Fn(Range<usize>) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        self.make(of.len().div_ceil(ROWS_PER_JOB), |block| {
            let start = of.start + block * ROWS_PER_JOB;
            job(start..of.end.min(start + ROWS_PER_JOB))
        })
    }
}

impl Device for CpuDevice {
    fn name(&self) -> String {
        "CPU".to_owned()
    }

    fn granule(&self) -> usize {
        ROWS_PER_JOB * self.threads.max(1)
    }

    fn fits(&self, shape: Shape, _neighbors: usize, _centroids: usize) -> bool {
        set::bytes(shape).is_some()
    }

    fn host_bytes(&self, shape: Shape) -> usize {
        set::bytes(shape).unwrap_or(usize::MAX)
    }

    fn begin(&mut self, shape: Shape, center: &[f32]) -> Result<()> {
        self.end();
        self.set = Some(Set::new(shape, center)?);
        Ok(())
    }

    fn upload(&mut self, first: usize, rows: &[f32]) -> Result<()> {
        self.set.as_mut().ok_or_else(|| wrong("there is no set"))?.upload(first, rows)
    }

    fn select(&mut self, rows: Option<&[u32]>) -> Result<()> {
        self.set.as_mut().ok_or_else(|| wrong("there is no set"))?.select(rows)
    }

    fn neighbors(
        &mut self,
        of: Range<usize>,
        k: usize,
        ids: &mut [u32],
        distances: &mut [f32],
    ) -> Result<()> {
        let set = self.set()?;
        check(k <= MAX_NEIGHBORS && of.start <= of.end && of.end <= set.selected())?;
        check(ids.len() == of.len() * k && distances.len() == ids.len())?;
        if k == 0 {
            return Ok(());
        }
        let found = self.blocks(&of, |block| neighbors::of_block(set, block, k, k + MARGIN))?;
        let places = ids.chunks_exact_mut(k).zip(distances.chunks_exact_mut(k));
        for ((ids, distances), found) in places.zip(found.iter().flat_map(|f| f.chunks_exact(k))) {
            for ((id, distance), found) in ids.iter_mut().zip(distances).zip(found) {
                (*distance, *id) = *found;
            }
        }
        Ok(())
    }

    fn prune(
        &mut self,
        width: usize,
        ids: &[u32],
        distances: &[f32],
        limit: usize,
        leniency: f32,
        chosen: &mut [u16],
    ) -> Result<()> {
        let set = self.set()?;
        check((1..=MAX_CANDIDATES).contains(&width) && (1..=width).contains(&limit))?;
        check(ids.len().is_multiple_of(width) && distances.len() == ids.len())?;
        let count = ids.len() / width;
        check(chosen.len() == count * limit)?;
        let lists = |block: Range<usize>| {
            let places = block.start * width..block.end * width;
            let lists = (&ids[places.clone()], &distances[places]);
            lists::choose(set, lists, width, limit, leniency)
        };
        let made = self.blocks(&(0..count), lists)?;
        for (places, made) in chosen.chunks_mut(ROWS_PER_JOB * limit).zip(&made) {
            places.copy_from_slice(made);
        }
        Ok(())
    }

    fn set_centroids(&mut self, centroids: &[f32]) -> Result<()> {
        self.centroids = None;
        self.centroids = Some(Centroids::new(self.set()?, centroids)?);
        Ok(())
    }

    fn assign(&mut self, of: Range<usize>, nearest: &mut [u32]) -> Result<()> {
        let set = self.set()?;
        let centroids = self.centroids.as_ref().ok_or_else(|| wrong("there are no centroids"))?;
        check(of.start <= of.end && of.end <= set.selected() && nearest.len() == of.len())?;
        let found = self.blocks(&of, |block| assign::of_block(set, centroids, block))?;
        for (places, found) in nearest.chunks_mut(ROWS_PER_JOB).zip(&found) {
            places.copy_from_slice(found);
        }
        Ok(())
    }

    fn sums(&mut self, members: &[u32], starts: &[u32], sums: &mut [f64]) -> Result<()> {
        let set = self.set()?;
        let dims = set.dims();
        check(!starts.is_empty() && starts.is_sorted())?;
        check(starts.last().is_none_or(|&end| end as usize <= members.len()))?;
        check(members.iter().all(|&member| (member as usize) < set.selected()))?;
        check(sums.len() == (starts.len() - 1) * dims)?;
        Workers::new(self.threads, &mut |_| true).chunks(
            sums,
            dims,
            || Ok::<_, DeviceError>(()),
            |(), cluster, sums| {
                let members = &members[starts[cluster] as usize..starts[cluster + 1] as usize];
                sums::of_cluster(set, members, sums);
                Ok(())
            },
        )
    }

    fn end(&mut self) {
        (self.set, self.centroids) = (None, None);
    }
}

/// The error of a call that is not as its documentation asks: a bug.
fn wrong(what: &str) -> DeviceError {
    DeviceError::Failed(what.to_owned())
}

fn check(holds: bool) -> Result<()> {
    if holds { Ok(()) } else { Err(wrong("the arguments do not fit each other")) }
}

impl From<memory::OutOfMemory> for DeviceError {
    fn from(_: memory::OutOfMemory) -> Self {
        Self::HostMemory
    }
}

impl From<Stopped> for DeviceError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Cancelled => wrong("it was cancelled"),
            Stopped::OutOfMemory => Self::HostMemory,
            Stopped::Panicked(message) => Self::Failed(message),
        }
    }
}
