//! The pages of a new index: metapage, blocks list by list, vectors in the same order.

use std::ops::Range;

use kernels::BLOCK;
use memory::{copied, filled, with_room};
use pages::{Error, PAGE_USABLE, Result};
use quant::Rotation;
use space::{Array, NoSpace, Space};
use threads::{Stopped, Workers};

use crate::block::{BlockMut, Entry, ROOT, init_blocks};
use crate::bulk::{Phase, Tick, blank, failed};
use crate::geometry::{BlockNo, Geometry, VectorNo};
use crate::index::{IndexOptions, Ivf};
use crate::meta::{Meta, Reorganized};
use crate::radius::Radius;
use crate::rows::Rows;
use crate::vector::{Holder, Stored, init_vectors};

/// Makes the pages of an index.
pub(crate) struct Writer<'a> {
    ivf: Ivf,
    rows: &'a Rows,
    /// The middle, then the centroids, as pages hold them.
    centroids: Vec<u8>,
    lists: usize,
    /// How far the rows of each list are from its centroid.
    radii: Vec<Radius>,
    order: Order,
    /// The first block of each list, and the number of blocks; those of the list of lists come
    /// first.
    first_blocks: Vec<usize>,
    /// The first page of vectors.
    vectors_at: u32,
    pages: u32,
}

/// What a block is made of.
struct Members {
    list: u32,
    next: Option<BlockNo>,
    /// The centroid that codes are taken about, by its place.
    owner: usize,
    entries: Vec<(Entry, usize)>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(
        options: &IndexOptions,
        trained: u64,
        rows: &'a Rows,
        order: Order,
        (middle, centroids): (&[f32], &[f32]),
    ) -> Result<Self> {
        let geometry = options.geometry()?;
        let lists = centroids.len() / options.dims;
        let mut blocks = lists.div_ceil(BLOCK);
        let mut first_blocks = with_room(lists + 1)?;
        for list in 0..lists {
            first_blocks.push(blocks);
            blocks += order.of_list(list).len().div_ceil(BLOCK).max(1);
        }
        first_blocks.push(blocks);
        let vectors = 1 + lists + rows.len();
        let block_pages = blocks.div_ceil(geometry.blocks_per_page());
        let vector_pages = vectors.div_ceil(geometry.run_vectors) * geometry.run_pages;
        let too_many = |_| Error::Limit("the index has too many pages");
        let vectors_at = u32::try_from(1 + block_pages).map_err(too_many)?;
        let pages = u32::try_from(1 + block_pages + vector_pages).map_err(too_many)?;
        // All numbers are below those of what would follow.
        BlockNo::at(pages, 0, &geometry)?;
        VectorNo::at(pages, 0, &geometry)?;

        let rotation = geometry.coded().then(|| Rotation::new(options.dims, options.seed));
        let holder = vectors::Holder::unscaled(geometry.form, geometry.dims, options.seed);
        let holder = Holder { geometry: &geometry, holder: &holder };
        let middle = as_stored(middle, holder);
        let mut stored = filled((1 + lists) * geometry.vector_size(), 0)?;
        let all = middle.chunks_exact(options.dims).chain(centroids.chunks_exact(options.dims));
        for (vector, place) in all.zip(stored.chunks_exact_mut(geometry.vector_size())) {
            holder.write(vector, place);
        }
        let mut rotated = vec![0.0; options.dims];
        if let Some(rotation) = &rotation {
            rotation.apply(&middle, &mut rotated);
        }
        rotated.truncate(geometry.code_dims());
        let ivf = Ivf::new(Meta {
            metric: options.metric,
            geometry,
            seed: options.seed,
            lists: lists as u32,
            root: BlockNo::at(1, 0, &geometry)?,
            middle: VectorNo::at(vectors_at, 0, &geometry)?,
            next_page: pages,
            rows: rows.len() as u64,
            trained,
            reorganized: Reorganized::default(),
            calibration: None,
            center: rotated,
        });
        let (radii, centroids) = (Vec::new(), stored);
        Ok(Self { ivf, rows, centroids, lists, radii, order, first_blocks, vectors_at, pages })
    }

    /// Makes all pages, `per_turn` at a time, while those made before are appended.
    pub(crate) fn write(
        mut self,
        threads: usize,
        per_turn: usize,
        tick: Tick<'_>,
        append: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut body = blank()?;
        self.ivf.meta().encode(&mut body);
        append(&body)?;
        let mut on_tick = |_| tick(Phase::Pages, 0, self.pages as usize);
        self.radii = Workers::new(threads, &mut on_tick)
            .make::<_, Stopped>(self.lists as u32, |list| Ok(self.radius(list as usize)))
            .map_err(failed)?;
        let mut made = Vec::new();
        for start in (1..self.pages).step_by(per_turn) {
            let count = (per_turn as u32).min(self.pages - start);
            let (done, total) = (start as usize, self.pages as usize);
            let mut on_tick = |_| tick(Phase::Pages, done, total);
            let (next, appended) = Workers::new(threads, &mut on_tick)
                .make_beside::<_, Stopped, _>(
                    count,
                    |page| Ok(self.page(start + page)?),
                    || made.iter().try_for_each(|page: &Vec<u8>| append(page)),
                )
                .map_err(failed)?;
            appended?;
            made = next;
        }
        made.iter().try_for_each(|page| append(page))
    }

    /// How far the rows of a list are from its centroid.
    fn radius(&self, list: usize) -> Radius {
        let centroid = self.widened(1 + list);
        let reach = |place: usize| {
            let at = 1 + self.lists + place;
            let mut placed = self.widened(at);
            self.ivf.place(&mut placed);
            let stored = Stored::new(self.stored(at), self.geometry());
            Radius::of_row(&self.ivf, &stored, &placed, &centroid)
        };
        self.order.of_list(list).map(reach).fold(Radius::NONE, Radius::max)
    }

    fn geometry(&self) -> &Geometry {
        &self.ivf.meta().geometry
    }

    fn page(&self, page: u32) -> memory::Result<Vec<u8>> {
        if page < self.vectors_at { self.page_of_blocks(page) } else { self.page_of_vectors(page) }
    }

    fn page_of_blocks(&self, page: u32) -> memory::Result<Vec<u8>> {
        let geometry = self.geometry();
        let mut body = blank()?;
        init_blocks(&mut body, page);
        let first = (page as usize - 1) * geometry.blocks_per_page();
        let all = self.first_blocks[self.lists];
        for index in first..all.min(first + geometry.blocks_per_page()) {
            let members = self.members(index);
            let no = self.block(index);
            let mut block = BlockMut::create(&mut body, no, members.list, members.next, geometry);
            self.fill(&mut block, &members);
        }
        Ok(body)
    }

    /// The number of the block that is the `index`th of all.
    fn block(&self, index: usize) -> BlockNo {
        BlockNo((self.geometry().blocks_per_page() + index) as u32)
    }

    /// The number of the vector that is the `index`th of all.
    fn vector(&self, index: usize) -> VectorNo {
        let geometry = self.geometry();
        let run = index / geometry.run_vectors * geometry.run_pages;
        let place = index % geometry.run_vectors;
        VectorNo(((self.vectors_at as usize + run) * geometry.run_vectors + place) as u32)
    }

    /// What belongs into the `index`th block.
    fn members(&self, index: usize) -> Members {
        let root_blocks = self.first_blocks[0];
        let after = |last: usize| (index + 1 < last).then(|| self.block(index + 1));
        if index < root_blocks {
            let lists = index * BLOCK..self.lists.min((index + 1) * BLOCK);
            let entry = |list: usize| {
                let radius = self.radii.get(list).copied().unwrap_or(Radius::NONE);
                let tid = radius.tid(self.block(self.first_blocks[list]));
                (Entry { tid, vector: self.vector(1 + list) }, 1 + list)
            };
            let entries = lists.map(entry).collect();
            return Members { list: ROOT, next: after(root_blocks), owner: 0, entries };
        }
        let list = self.first_blocks.partition_point(|&first| first <= index) - 1;
        let places = self.order.of_list(list);
        let first = places.start + (index - self.first_blocks[list]) * BLOCK;
        let end = places.end.min(first + BLOCK);
        let entry = |place: usize| {
            let at = 1 + self.lists + place;
            let tid = self.rows.row(self.order.rows[place]).0;
            (Entry { tid, vector: self.vector(at) }, at)
        };
        Members {
            list: self.vector(1 + list).0,
            next: after(self.first_blocks[list + 1]),
            owner: 1 + list,
            entries: (first..end).map(entry).collect(),
        }
    }

    fn fill(&self, block: &mut BlockMut<'_>, members: &Members) {
        let centroid = self.widened(members.owner);
        let owner = self.ivf.rotated(&centroid);
        for (i, &(entry, at)) in members.entries.iter().enumerate() {
            let mut vector = self.widened(at);
            let mut error = 0.0;
            if members.list != ROOT {
                self.ivf.place(&mut vector);
                let stored = Stored::new(self.stored(at), self.geometry());
                error = stored.placed_error(self.ivf.metric());
            }
            block.set_entry(i, entry, &self.ivf.sketch((&centroid, &owner), &vector, error));
        }
    }

    /// The bytes of the vector that is the `index`th of all.
    fn stored(&self, index: usize) -> &[u8] {
        let size = self.geometry().vector_size();
        match index.checked_sub(1 + self.lists) {
            None => &self.centroids[index * size..][..size],
            Some(place) => self.rows.row(self.order.rows[place]).1,
        }
    }

    /// The same as numbers.
    fn widened(&self, index: usize) -> Vec<f32> {
        let mut vector = vec![0.0; self.geometry().dims];
        let stored = Stored::new(self.stored(index), self.geometry());
        self.ivf.holder().widen(&stored, &mut vector);
        vector
    }

    fn page_of_vectors(&self, page: u32) -> memory::Result<Vec<u8>> {
        let geometry = self.geometry();
        let mut body = blank()?;
        init_vectors(&mut body, page);
        let run = (page - self.vectors_at) as usize / geometry.run_pages;
        let start = (page - self.vectors_at) as usize % geometry.run_pages * PAGE_USABLE;
        let all = 1 + self.lists + self.rows.len();
        for place in 0..geometry.run_vectors {
            let index = run * geometry.run_vectors + place;
            let at = place * geometry.vector_size();
            let (from, to) =
                (at.max(start), (at + geometry.vector_size()).min(start + PAGE_USABLE));
            if index < all && from < to {
                let part = &self.stored(index)[from - at..to - at];
                body[from - start..to - start].copy_from_slice(part);
            }
        }
        Ok(body)
    }
}

/// The middle of the rows as pages hold it.
fn as_stored(middle: &[f32], holder: Holder<'_>) -> Vec<f32> {
    let (mut stored, mut widened) =
        (vec![0; holder.geometry.vector_size()], vec![0.0; middle.len()]);
    holder.write(middle, &mut stored);
    holder.widen(&Stored::new(&stored, holder.geometry), &mut widened);
    widened
}

/// Rows in the order of their lists.
#[derive(Debug)]
pub(crate) struct Order {
    rows: Array<u32>,
    /// Where each list begins in `rows`, and their number.
    starts: Vec<usize>,
}

impl Order {
    /// Sorts the rows of `lists` lists.
    pub(crate) fn of(
        rows: &Rows,
        lists: usize,
        space: &mut Space<'_>,
    ) -> std::result::Result<Self, NoSpace> {
        let list = |row: usize| rows.lists.row(row)[0] as usize;
        let mut starts = filled(lists + 1, 0)?;
        for row in 0..rows.len() {
            starts[list(row) + 1] += 1;
        }
        for list in 0..lists {
            starts[list + 1] += starts[list];
        }
        let mut next = copied(&starts)?;
        let mut order = space.array::<u32>(rows.len())?;
        for row in 0..rows.len() {
            let place = &mut next[list(row)];
            order[*place] = row as u32;
            *place += 1;
        }
        Ok(Self { rows: order, starts })
    }

    /// The places of a list's rows.
    fn of_list(&self, list: usize) -> Range<usize> {
        self.starts[list]..self.starts[list + 1]
    }
}
