//! Dividing the rows of lists that are near each other anew.

use kmeans::{Clusters, Options, Rows, refine, train};
use memory::{Grow, collected, filled};
use pages::{Batch, META_BLOCK, PageStore, Result};
use quant::Metric;
use threads::{Stopped, Workers};

use crate::block::Entry;
use crate::bulk::failed;
use crate::chain::Chain;
use crate::index::Ivf;
use crate::insert::{distance_of_centroid, nearest_list};
use crate::meta::{MAX_RETIRED, Meta};
use crate::reader::Reader;
pub(crate) use crate::relocate::Length;
use crate::relocate::Relocation;
use crate::vector::{Stored, init_vectors, open_vectors, pieces};

/// Lists that rows are divided into at most: the new ones fit one block of the list of lists.
pub(crate) const MAX_PARTS: usize = 16;
/// Rows looked at for each part.
const SAMPLE_PER_PART: usize = 256;
/// Rows of a list that are asked whether they belong there.
const ASKED: usize = 32;
/// Centroids that are compared in the time that a row takes to be moved, about: by codes, and as
/// they are.
const CODES_PER_ROW: usize = 1024;
const CENTROIDS_PER_ROW: usize = 64;

/// Centroids for the rows of some lists.
pub(crate) struct Refined {
    /// Each once.
    pub(crate) centroids: Vec<Vec<f32>>,
    /// By how much, of one, they lessen the mean square of the distance between a row and the
    /// centroid of its list.
    pub(crate) gain: f64,
    /// Rows nearest to each, about.
    pub(crate) lengths: Vec<u64>,
}

/// All lists, of which some become others, as far as the work goes.
pub(crate) struct Regrouping<'a, S: PageStore> {
    store: &'a S,
    ivf: &'a Ivf,
    /// The vector about which centroids are coded.
    middle: Vec<f32>,
    lists: Vec<Length>,
    /// Rows that may yet be moved, and vectors looked at.
    left: u64,
    moved: u64,
}

impl<'a, S: PageStore> Regrouping<'a, S> {
    pub(crate) fn new(store: &'a S, ivf: &'a Ivf, lists: Vec<Length>, work: u64) -> Result<Self> {
        let mut middle = vec![0.0; ivf.geometry().dims];
        Reader::new(store, ivf.geometry())
            .read(ivf.meta().middle, |stored| ivf.holder().widen(&stored, &mut middle))?;
        Ok(Self { store, ivf, middle, lists, left: work, moved: 0 })
    }

    /// All lists as they are now.
    pub(crate) fn lists(&self) -> &[Length] {
        &self.lists
    }

    /// Whether a list is still one.
    pub(crate) fn has(&self, list: &Length) -> bool {
        self.lists.iter().any(|other| other.list.id() == list.list.id())
    }

    /// Numbers of a centroid.
    pub(crate) fn dims(&self) -> usize {
        self.ivf.geometry().dims
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Rows of lists that became others.
    pub(crate) fn moved(&self) -> u64 {
        self.moved
    }

    /// A list, and then those nearest to it as far as all have at most `most` rows: rows at its border
    /// may belong to others, and theirs to its parts.
    pub(crate) fn group(&mut self, list: &Length, most: u64) -> Result<Vec<Length>> {
        self.spend(self.lists.len() as u64);
        let dims = self.ivf.geometry().dims;
        let (mut own, mut other) = (vec![0.0; dims], vec![0.0; dims]);
        let mut reader = Reader::new(self.store, self.ivf.geometry());
        reader.read(list.list.entry.vector, |stored| self.ivf.holder().widen(&stored, &mut own))?;
        let mut near = Vec::new();
        for candidate in &self.lists {
            if candidate.list.id() != list.list.id() {
                reader.pause()?;
                reader.read(candidate.list.entry.vector, |stored| {
                    self.ivf.holder().widen(&stored, &mut other);
                })?;
                near.try_push((kernels::l2_squared(&own, &other), *candidate))?;
            }
        }
        near.sort_unstable_by(|a, b| {
            a.0.total_cmp(&b.0).then_with(|| a.1.list.id().cmp(&b.1.list.id()))
        });
        let (mut group, mut pages, mut rows) = (vec![*list], vec![list.root], list.rows);
        for (_, candidate) in near.into_iter().take(2 * MAX_RETIRED) {
            let new_page = !pages.contains(&candidate.root);
            let fits = rows + candidate.rows <= most && (!new_page || pages.len() < 2);
            if fits && group.len() < MAX_RETIRED {
                pages.extend(new_page.then_some(candidate.root));
                rows += candidate.rows;
                group.push(candidate);
            }
        }
        Ok(group)
    }

    /// Makes the rows of `group` lists about the `centroids`. Returns whether it did: not where the
    /// lists are too busy.
    pub(crate) fn regroup(&mut self, group: &[Length], centroids: &[Vec<f32>]) -> Result<bool> {
        let rows = group.iter().map(|list| list.rows).sum();
        self.spend(rows);
        let chains = centroids.iter().map(|centroid| self.new_list(centroid));
        let chains = chains.collect::<Result<Vec<Chain>>>()?;
        let lists = group.iter().map(|list| list.list).collect();
        let (store, ivf, middle) = (self.store, self.ivf, &self.middle[..]);
        let Some(new) = Relocation { store, ivf, lists, chains, middle }.run()? else {
            return Ok(false);
        };
        self.lists.retain(|list| group.iter().all(|gone| gone.list.id() != list.list.id()));
        self.lists.try_extend(new)?;
        self.moved += rows;
        Ok(true)
    }

    /// The centroids of lists, one after another.
    pub(crate) fn centroids(&self, lists: &[Length]) -> Result<Vec<f32>> {
        let geometry = self.ivf.geometry();
        let mut centroids = filled(lists.len() * geometry.dims, 0.0)?;
        let mut reader = Reader::new(self.store, geometry);
        for (list, centroid) in lists.iter().zip(centroids.chunks_exact_mut(geometry.dims)) {
            reader.pause()?;
            reader.read(list.list.entry.vector, |stored| {
                self.ivf.holder().widen(&stored, centroid);
            })?;
        }
        Ok(centroids)
    }

    /// Centroids of `parts` of a list, one after another; fewer where its rows are alike.
    pub(crate) fn parts(&mut self, list: &Length, parts: usize) -> Result<Vec<f32>> {
        let (_, sample) = self.sample(&[*list], parts * SAMPLE_PER_PART)?;
        let rows = Rows::new(&sample, self.ivf.geometry().dims);
        self.spend(rows.len() as u64);
        let options =
            Options { clusters: parts, spherical: false, seed: u64::from(list.list.id()) };
        let clusters = self.with_workers(|workers| train(rows, &options, workers))?;
        Ok(self.distinct(&clusters)?.concat())
    }

    /// Moves `centroids`, one after another, to the middle of the rows of `group` that are nearest to
    /// them, as some of these tell.
    pub(crate) fn refined(&mut self, group: &[Length], centroids: Vec<f32>) -> Result<Refined> {
        let dims = self.dims();
        let before = self.centroids(group)?;
        let (owners, sample) = self.sample(group, group.len() * SAMPLE_PER_PART)?;
        self.spend(owners.len() as u64);
        let clusters =
            self.with_workers(|workers| refine(Rows::new(&sample, dims), centroids, workers))?;
        let centroids = self.distinct(&clusters)?;
        let (mut own, mut nearest) = (0.0, 0.0);
        let mut lengths = filled(centroids.len(), 0)?;
        for (owner, row) in owners.iter().zip(sample.chunks_exact(dims)) {
            self.store.pause()?;
            own += f64::from(kernels::l2_squared(row, &before[owner * dims..][..dims]));
            let distances = centroids.iter().map(|centroid| kernels::l2_squared(row, centroid));
            let Some((at, least)) = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)) else {
                continue;
            };
            nearest += f64::from(least);
            lengths[at] += 1;
        }
        let rows: u64 = group.iter().map(|list| list.rows).sum();
        for length in &mut lengths {
            *length = *length * rows / owners.len().max(1) as u64;
        }
        Ok(Refined { centroids, gain: 1.0 - nearest / own, lengths })
    }

    /// The distinct centroids of clusters, rounded as lists store them.
    fn distinct(&self, clusters: &Clusters) -> Result<Vec<Vec<f32>>> {
        let of_bits = self.ivf.metric().is_of_bits();
        let round = |x: &f32| if of_bits { f32::from(*x >= 0.5) } else { *x };
        let centroid = |i| collected(clusters.centroid(i).iter().map(round));
        let mut centroids =
            (0..clusters.len()).map(centroid).collect::<memory::Result<Vec<_>>>()?;
        centroids.sort_unstable_by(|a, b| {
            a.iter().map(|x| x.to_bits()).cmp(b.iter().map(|x| x.to_bits()))
        });
        centroids.dedup();
        Ok(centroids)
    }

    /// The share of a list's rows that are nearer to the centroid of another, from some of them.
    pub(crate) fn strays(&mut self, list: &Length) -> Result<f64> {
        let asked = self.chosen(&[*list], ASKED)?;
        let by_codes = self.ivf.coder().is_some() && self.ivf.metric() != Metric::InnerProduct;
        let per_row = if by_codes { CODES_PER_ROW } else { CENTROIDS_PER_ROW };
        self.spend((asked.len() * (1 + self.lists.len() / per_row)) as u64);
        let geometry = self.ivf.geometry();
        let mut vector = vec![0.0; geometry.dims];
        let mut strays = 0;
        for (_, entry) in &asked {
            let mut reader = Reader::new(self.store, geometry);
            reader.read(entry.vector, |stored| self.ivf.holder().widen(&stored, &mut vector))?;
            let own = reader.read(list.list.entry.vector, |centroid| {
                distance_of_centroid(self.ivf, &vector, &centroid)
            })?;
            drop(reader);
            let nearest = nearest_list(self.store, self.ivf, &vector)?;
            strays += usize::from(nearest.is_some_and(|(_, distance)| distance < own));
        }
        Ok(strays as f64 / asked.len().max(1) as f64)
    }

    fn spend(&mut self, work: u64) {
        self.left = self.left.saturating_sub(work);
    }

    /// At most `count` rows of `group`: the place of their list in it, and their vectors, one after
    /// another, as lists are made of them.
    fn sample(&self, group: &[Length], count: usize) -> Result<(Vec<usize>, Vec<f32>)> {
        let geometry = self.ivf.geometry();
        let chosen = self.chosen(group, count)?;
        let mut sample = filled(chosen.len() * geometry.dims, 0.0)?;
        let mut reader = Reader::new(self.store, geometry);
        for ((_, entry), place) in chosen.iter().zip(sample.chunks_exact_mut(geometry.dims)) {
            reader.pause()?;
            reader.read(entry.vector, |stored| self.ivf.holder().widen(&stored, place))?;
            self.ivf.place(place);
        }
        Ok((collected(chosen.into_iter().map(|(owner, _)| owner))?, sample))
    }

    /// At most `count` entries of `group`, from all over it, and the place of their list in it.
    fn chosen(&self, group: &[Length], count: usize) -> Result<Vec<(usize, Entry)>> {
        let mut entries = Vec::new();
        for (owner, Length { list, .. }) in group.iter().enumerate() {
            self.ivf.blocks_of(self.store, (list.first, list.id()), |_, block| {
                entries.try_extend(block.entries().map(|(_, entry)| (owner, entry)))?;
                Ok(true)
            })?;
        }
        let step = entries.len().div_ceil(count.max(1)).max(1);
        Ok(collected(entries.into_iter().step_by(step))?)
    }

    /// A list without rows that nobody knows of yet: its centroid is written.
    fn new_list(&self, centroid: &[f32]) -> Result<Chain> {
        let geometry = self.ivf.geometry();
        let mut stored = vec![0; geometry.vector_size()];
        self.ivf.holder().write(centroid, &mut stored);
        let mut batch = self.store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        let open = match meta.reorganized.centroids {
            Some(open) => open,
            None => meta.new_run()?,
        };
        for page in open.first.run(geometry)..open.first.run(geometry) + geometry.run_pages as u32 {
            if open.count == geometry.run_vectors {
                init_vectors(batch.create(page)?, page);
            }
        }
        for (page, range, part) in pieces(open.first, geometry) {
            open_vectors(&mut batch, page)?[range].copy_from_slice(&stored[part]);
        }
        meta.reorganized.centroids = open.after();
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
        let mut widened = vec![0.0; geometry.dims];
        self.ivf.holder().widen(&Stored::new(&stored, geometry), &mut widened);
        Ok(Chain::new(self.ivf, open.first, widened))
    }

    /// Clusters in this thread, which looks for a request to stop.
    fn with_workers(
        &self,
        work: impl FnOnce(&mut Workers<'_>) -> std::result::Result<Clusters, Stopped>,
    ) -> Result<Clusters> {
        let mut paused = Ok(());
        let mut on_tick = |_| {
            paused = self.store.pause();
            paused.is_ok()
        };
        let clusters = work(&mut Workers::new(0, &mut on_tick));
        paused?;
        clusters.map_err(failed)
    }
}
