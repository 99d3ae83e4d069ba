//! The metapage: block 0, what an index is and where a search begins.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use pages::{
    Error, FORMAT_VERSION, META_BLOCK, PAGE_USABLE, PageKind, Result, init_page, page_kind,
};
use quant::Metric;
use vectors::Form;

use crate::block::Open;
use crate::calibration::Calibration;
use crate::geometry::{BlockNo, Geometry, VectorNo};

/// "IVF " as bytes.
const MAGIC: u32 = u32::from_le_bytes(*b"IVF ");
/// Where the calibration stands.
const CALIBRATION_AT: usize = 80;
/// Fields of reorganizations.
const REORGANIZED_AT: usize = 192;
/// The fields before it leave room for more.
const CENTER_AT: usize = 256;

/// Lists that leave the index at once.
pub(crate) const MAX_RETIRED: usize = 8;

/// What reorganizations keep: space that belongs to no list, and how often lists came and went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reorganized {
    /// Grows whenever rows change their list.
    pub epoch: u32,
    /// The first of the free blocks; each names the next.
    pub free: Option<BlockNo>,
    /// The latest of the blocks of a list in the making; each names the one before as its run.
    pub(crate) taken: Option<BlockNo>,
    /// The first blocks of lists that are no more, and whose blocks are not all free yet.
    pub(crate) retired: [Option<BlockNo>; MAX_RETIRED],
    /// Grows whenever a list that is closed gets more blocks.
    pub(crate) added_to_closed: u32,
    /// Where the vectors of the next centroids go.
    pub(crate) centroids: Option<Open>,
}

impl Reorganized {
    fn fields(&self) -> [u32; 14] {
        let [first, count] = Open::encode(self.centroids);
        let block = BlockNo::encode;
        let [a, b, c, d, rest @ ..] = self.retired.map(block);
        let (free, taken) = (block(self.free), block(self.taken));
        let [e, f, g, h] = rest;
        [self.epoch, free, taken, a, b, c, d, self.added_to_closed, first, count, e, f, g, h]
    }

    fn decode(mut next: impl FnMut() -> u32) -> Self {
        let epoch = next();
        let mut block = || BlockNo::decode(next());
        let (free, taken) = (block(), block());
        let mut retired = [None; MAX_RETIRED];
        let (some, others) = retired.split_at_mut(4);
        some.fill_with(&mut block);
        let added_to_closed = next();
        let centroids = Open::decode(next(), next() as usize);
        others.fill_with(|| BlockNo::decode(next()));
        Self { epoch, free, taken, retired, added_to_closed, centroids }
    }

    fn is_sound(&self, geometry: &Geometry, next_page: u32) -> bool {
        let known = |page| (1..next_page).contains(&page);
        let mut blocks = [self.free, self.taken].into_iter().chain(self.retired).flatten();
        blocks.all(|block| known(block.page(geometry)))
            && self
                .centroids
                .is_none_or(|open| known(open.first.run(geometry)) && open.is_of_one_run(geometry))
    }
}

/// Content of the metapage.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    /// How vectors are compared.
    pub metric: Metric,
    /// Sizes.
    pub geometry: Geometry,
    /// Seed of the rotation.
    pub seed: u64,
    /// Number of lists, at least one.
    pub lists: u32,
    /// First block of the list of lists.
    pub root: BlockNo,
    /// The vector about which centroids are coded.
    pub middle: VectorNo,
    /// First page that was never used so far.
    pub next_page: u32,
    /// Rows counted by the last build or vacuum.
    pub rows: u64,
    /// Rows that the centroids were trained with.
    pub trained: u64,
    /// What searches find, once that was measured.
    pub calibration: Option<Calibration>,
    /// What came of reorganizations.
    pub reorganized: Reorganized,
    /// What codes are taken relative to: the middle, rotated, one number a coded dimension.
    pub center: Vec<f32>,
}

/// Lists that are searched in an index that was never calibrated: so many, and one of so many of all.
const UNKNOWN: usize = 16;
const UNKNOWN_SHARE: usize = 8;

/// Lists that are searched whatever calibration says: its searches are for rows of the index, and
/// those for anything else need more.
const LEAST: usize = 4;

impl Meta {
    /// The lists that a search must read to find the share `target` of the nearest rows, as far as the
    /// index was measured; at most all.
    pub fn probes(&self, target: f64) -> usize {
        let lists = self.lists as usize;
        let probes = match &self.calibration {
            Some(calibration) => calibration.probes(target).max(LEAST),
            None => UNKNOWN.saturating_add(lists / UNKNOWN_SHARE),
        };
        probes.min(lists)
    }

    /// Counts another run of vectors behind the last page.
    pub(crate) fn new_run(&mut self) -> Result<Open> {
        let count = self.geometry.run_vectors;
        let first = VectorNo::at(self.next_page, 0, &self.geometry)?;
        // The number of what would follow fits, too.
        VectorNo::at(self.next_page, count, &self.geometry)?;
        let full = Error::Limit("the index has too many pages");
        self.next_page = self.next_page.checked_add(self.geometry.run_pages as u32).ok_or(full)?;
        Ok(Open { first, count })
    }

    /// Writes all fields into a page body.
    pub fn encode(&self, body: &mut [u8]) {
        init_page(body, PageKind::Meta, META_BLOCK);
        let g = &self.geometry;
        let small = [g.form as usize, g.dims, g.planes, g.plane_bytes, g.run_pages, g.run_vectors];
        let fields = [MAGIC, u32::from(FORMAT_VERSION), u32::from(self.metric as u8)]
            .into_iter()
            // All sizes are below 2^16, see `Geometry::validate`.
            .chain(small.map(|size| size as u32))
            .chain([self.lists, self.root.0, self.middle.0, self.next_page])
            .flat_map(u32::to_le_bytes)
            .chain([self.seed, self.rows, self.trained].into_iter().flat_map(u64::to_le_bytes));
        body.iter_mut().zip(fields).for_each(|(byte, field)| *byte = field);
        let calibration = Calibration::encode(self.calibration.as_ref());
        body[CALIBRATION_AT..][..calibration.len()].copy_from_slice(&calibration);
        let fields = self.reorganized.fields().into_iter().flat_map(u32::to_le_bytes);
        body[REORGANIZED_AT..].iter_mut().zip(fields).for_each(|(byte, field)| *byte = field);
        let center = self.center.iter().flat_map(|x| x.to_le_bytes());
        body[CENTER_AT..PAGE_USABLE].iter_mut().zip(center).for_each(|(byte, x)| *byte = x);
    }

    /// Reads and checks a metapage.
    pub fn decode(body: &[u8]) -> Result<Self> {
        let corrupted = |what| Error::corrupted(META_BLOCK, what);
        if page_kind(body, META_BLOCK)? != PageKind::Meta {
            return Err(corrupted("page is not a metapage"));
        }
        let mut fields = body.as_chunks::<4>().0.iter().map(|&bytes| u32::from_le_bytes(bytes));
        // A body is far longer than the fields.
        let mut next = || fields.next().unwrap_or(0);
        if next() != MAGIC {
            return Err(corrupted("metapage has the wrong magic number"));
        }
        let version = next();
        if version != u32::from(FORMAT_VERSION) {
            return Err(Error::Version { found: version });
        }
        let metric = u8::try_from(next()).ok().and_then(Metric::from_byte);
        let form = u8::try_from(next()).ok().and_then(Form::from_byte);
        let mut size = || next() as usize;
        let geometry = Geometry {
            form: form.ok_or(corrupted("form of vectors is unknown"))?,
            dims: size(),
            planes: size(),
            plane_bytes: size(),
            run_pages: size(),
            run_vectors: size(),
        };
        let (lists, root, middle, next_page) = (next(), next(), next(), next());
        let mut long = || u64::from(next()) | u64::from(next()) << 32;
        let (seed, rows, trained) = (long(), long(), long());
        let metric = metric.ok_or(corrupted("metric is unknown"))?;
        if !geometry.validate()
            || geometry.coded() && !metric.keeps_rotation()
            || metric.is_of_bits() != (geometry.form == Form::Bits)
            || !matches!(geometry.form, Form::Bits | Form::Halves | Form::Sq8)
        {
            return Err(corrupted("metapage has impossible sizes"));
        }
        let (root, middle) = (BlockNo(root), VectorNo(middle));
        let pages = [root.page(&geometry), middle.run(&geometry)];
        if lists == 0 || pages.iter().any(|page| !(1..next_page).contains(page)) {
            return Err(corrupted("metapage leads nowhere"));
        }
        let calibration = Calibration::decode(&body[CALIBRATION_AT..]);
        let mut fields = body[REORGANIZED_AT..CENTER_AT].as_chunks::<4>().0.iter();
        let next = || fields.next().map_or(0, |&bytes| u32::from_le_bytes(bytes));
        let reorganized = Reorganized::decode(next);
        if !reorganized.is_sound(&geometry, next_page) {
            return Err(corrupted("metapage has impossible free blocks"));
        }
        let center = body[CENTER_AT..PAGE_USABLE].as_chunks::<4>().0.iter();
        let center: Vec<f32> =
            center.take(geometry.code_dims()).map(|&bytes| f32::from_le_bytes(bytes)).collect();
        if center.iter().any(|x| !x.is_finite()) {
            return Err(corrupted("metapage has a center that is not finite"));
        }
        Ok(Self {
            metric,
            geometry,
            seed,
            lists,
            root,
            middle,
            next_page,
            rows,
            trained,
            calibration,
            reorganized,
            center,
        })
    }
}

/// The epoch in the body of a metapage (see [`Reorganized::epoch`]).
pub(crate) fn epoch(body: &[u8]) -> Result<u32> {
    if page_kind(body, META_BLOCK)? != PageKind::Meta {
        return Err(Error::corrupted(META_BLOCK, "page is not a metapage"));
    }
    let field = body[REORGANIZED_AT..].first_chunk().copied().unwrap_or_default();
    Ok(u32::from_le_bytes(field))
}

/// Where the number of the next page stands in the body.
pub(crate) fn set_next_page(body: &mut [u8], next_page: u32) {
    const AT: usize = 12 * 4;
    if let Some(place) = body.get_mut(AT..AT + 4) {
        place.copy_from_slice(&next_page.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use pages::PAGE_BODY;

    use super::*;

    fn sample() -> Meta {
        let geometry = Geometry::choose(Form::Halves, 384, true).expect("fits");
        Meta {
            metric: Metric::Cosine,
            geometry,
            seed: 0x0123_4567_89AB_CDEF,
            lists: 1_000,
            root: BlockNo::at(1, 0, &geometry).expect("a number"),
            middle: VectorNo::at(70, 0, &geometry).expect("a number"),
            next_page: 900,
            rows: 1 << 40,
            trained: 77,
            calibration: Some(Calibration::new(100, |lists| f64::from(lists) / 30.0)),
            reorganized: Reorganized {
                epoch: 7,
                free: BlockNo::at(3, 1, &geometry).ok(),
                taken: None,
                retired: std::array::from_fn(|i| {
                    BlockNo::at(4, 0, &geometry).ok().filter(|_| [1, 5].contains(&i))
                }),
                added_to_closed: 3,
                centroids: VectorNo::at(80, 3, &geometry)
                    .map(|first| Open { first, count: 2 })
                    .ok(),
            },
            center: (0..384).map(|i| i as f32 - 0.5).collect(),
        }
    }

    #[test]
    fn reads_what_it_wrote() {
        let mut meta = sample();
        let mut body = vec![0; PAGE_BODY];
        meta.encode(&mut body);
        assert_eq!(Meta::decode(&body), Ok(meta.clone()));
        assert_eq!(epoch(&body), Ok(7));
        set_next_page(&mut body, 901);
        meta.next_page = 901;
        assert_eq!(Meta::decode(&body), Ok(meta));
    }

    #[test]
    fn no_scribble_panics() {
        let mut body = vec![0; PAGE_BODY];
        sample().encode(&mut body);
        for at in (0..CENTER_AT + 8).chain(PAGE_USABLE..PAGE_BODY) {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut broken = body.clone();
                broken[at] = value;
                // Any answer will do, but it must be an answer.
                drop(Meta::decode(&broken));
            }
        }
        assert!(Meta::decode(&body[..100]).is_err());
        assert!(Meta::decode(&vec![0; PAGE_BODY]).is_err());
    }
}
