//! The metapage: block 0, what an index is and where a search begins.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use pages::{
    Error, FORMAT_VERSION, META_BLOCK, PAGE_USABLE, PageKind, Result, init_page, page_kind,
};
use vectors::Form;
use zerocopy::little_endian::{F32, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{CALIBRATED_EF, Calibration, CalibrationPoint, Geometry, NodeNo};

const MAGIC: u32 = 0x5845_4856;
/// Where the center stands; the fields before it leave room for more.
const CENTER_AT: usize = 256;

/// Content of the metapage.
///
/// `metric` is opaque here; sizes are those of [`Geometry`].
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    /// Distance of the index (numbers given by the index core).
    pub metric: u8,
    /// Option `m`, 2..=100.
    pub m: u16,
    /// Option `ef_construction`, 4..=1,000.
    pub ef_construction: u16,
    /// Record and page sizes.
    pub geometry: Geometry,
    /// Seed of the rotation.
    pub seed: u64,
    /// Record where searches begin, on `entry_level`; none in an empty index.
    pub entry: Option<NodeNo>,
    /// Level of the entry record.
    pub entry_level: u8,
    /// First record never used so far.
    pub next: NodeNo,
    /// Head of the list of freed records.
    pub free: Option<NodeNo>,
    /// Elements counted by the last build or vacuum.
    pub elements: u64,
    /// How searches behave, once that was measured.
    pub calibration: Option<Calibration>,
    /// Whether vectors are stored relative to the center.
    pub centered: bool,
    /// A point amid the rotated vectors at build time, [`Geometry::center_dims`] numbers.
    pub center: Vec<f32>,
}

impl Meta {
    /// Metapage of an index without elements.
    pub fn empty(metric: u8, m: u16, ef_construction: u16, geometry: Geometry, seed: u64) -> Self {
        Self {
            metric,
            m,
            ef_construction,
            geometry,
            seed,
            entry: None,
            entry_level: 0,
            next: NodeNo::first(&geometry),
            free: None,
            elements: 0,
            calibration: None,
            centered: false,
            center: vec![0.0; geometry.center_dims()],
        }
    }

    /// Records ever used.
    pub fn records(&self) -> u64 {
        let first = NodeNo::first(&self.geometry);
        u64::from(self.next.0.saturating_sub(first.0))
    }

    /// Whether no record has come or gone between this and `other`.
    pub fn same_records(&self, other: &Self) -> bool {
        (self.entry, self.next, self.free) == (other.entry, other.next, other.free)
    }

    /// Code dimensions that the metapage has room for.
    pub const MAX_CODE_DIMS: usize = (PAGE_USABLE - CENTER_AT) / 4;

    /// Writes all fields into a page body.
    pub fn encode(&self, body: &mut [u8]) {
        init_page(body, PageKind::Meta, META_BLOCK);
        // A body is longer than the fields.
        let Ok((fields, _)) = Fields::mut_from_prefix(body) else { return };
        let g = &self.geometry;
        // All sizes but the dimensions are below 8,192, see `Geometry::validate`.
        let small = |size: usize| u16::try_from(size).unwrap_or(u16::MAX).into();
        *fields = Fields {
            magic: MAGIC.into(),
            version: u32::from(FORMAT_VERSION).into(),
            metric: u16::from(self.metric).into(),
            m: self.m.into(),
            ef_construction: self.ef_construction.into(),
            // Both halves.
            dims: (g.dims as u16).into(),
            slots: small(g.slots),
            planes: small(g.planes),
            plane_bytes: small(g.plane_bytes),
            inline_tids: small(g.inline_tids),
            record_size: small(g.record_size),
            records_per_page: small(g.records_per_page),
            seed: self.seed.into(),
            entry: NodeNo::encode(self.entry).into(),
            entry_level: u16::from(self.entry_level).into(),
            form: (g.form as u16).into(),
            next: self.next.0.into(),
            free: NodeNo::encode(self.free).into(),
            elements: self.elements.into(),
            upper_dims: ((g.dims >> 16) as u16).into(),
            centered: u16::from(self.centered).into(),
            calibration: self.calibration.unwrap_or_default().into(),
        };
        let (center, _) = body[CENTER_AT..PAGE_USABLE].as_chunks_mut();
        center.iter_mut().zip(&self.center).for_each(|(place, x)| *place = x.to_le_bytes());
    }

    /// Reads and checks a metapage.
    pub fn decode(body: &[u8]) -> Result<Self> {
        let corrupted = |what| Error::corrupted(META_BLOCK, what);
        if page_kind(body, META_BLOCK)? != PageKind::Meta {
            return Err(corrupted("page is not a metapage"));
        }
        let (fields, _) =
            Fields::ref_from_prefix(body).map_err(|_| corrupted("page has the wrong size"))?;
        if fields.magic != MAGIC {
            return Err(corrupted("metapage has the wrong magic number"));
        }
        if fields.version != u32::from(FORMAT_VERSION) {
            return Err(Error::Version { found: fields.version.get() });
        }
        let small = |field: U16| u8::try_from(field.get()).ok();
        let form = small(fields.form).and_then(Form::from_byte);
        let geometry = Geometry {
            form: form.ok_or(corrupted("form of vectors is unknown"))?,
            dims: usize::from(fields.dims) | usize::from(fields.upper_dims) << 16,
            slots: fields.slots.into(),
            planes: fields.planes.into(),
            plane_bytes: fields.plane_bytes.into(),
            inline_tids: fields.inline_tids.into(),
            record_size: fields.record_size.into(),
            records_per_page: fields.records_per_page.into(),
        };
        if !geometry.validate() || geometry.code_dims() > Self::MAX_CODE_DIMS {
            return Err(corrupted("metapage has impossible sizes"));
        }
        let (entry, free) = (NodeNo::decode(fields.entry.get()), NodeNo::decode(fields.free.get()));
        let (next, first) = (NodeNo(fields.next.get()), NodeNo::first(&geometry));
        if [entry, free, Some(next)].into_iter().flatten().any(|node| node < first) {
            return Err(corrupted("metapage names a record in itself"));
        }
        let centered = match fields.centered.get() {
            0 => false,
            1 if geometry.form.is_rotated() => true,
            _ => return Err(corrupted("metapage has an unknown center")),
        };
        let center = body[CENTER_AT..PAGE_USABLE].as_chunks().0.iter().take(geometry.center_dims());
        let center: Vec<f32> = center.map(|x| f32::from_le_bytes(*x)).collect();
        if center.iter().any(|x| !x.is_finite()) {
            return Err(corrupted("metapage has a center that is not finite"));
        }
        Ok(Self {
            metric: small(fields.metric).ok_or(corrupted("metric is unknown"))?,
            m: fields.m.get(),
            ef_construction: fields.ef_construction.get(),
            geometry,
            seed: fields.seed.get(),
            entry,
            entry_level: small(fields.entry_level).ok_or(corrupted("entry level is wrong"))?,
            next,
            free,
            elements: fields.elements.get(),
            calibration: Some(fields.calibration.into()).filter(Calibration::is_sound),
            centered,
            center,
        })
    }
}

/// The fields of a metapage but the center, as they lie at its beginning.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Fields {
    magic: U32,
    version: U32,
    metric: U16,
    m: U16,
    ef_construction: U16,
    /// The lower half.
    dims: U16,
    slots: U16,
    planes: U16,
    plane_bytes: U16,
    inline_tids: U16,
    record_size: U16,
    records_per_page: U16,
    seed: U64,
    entry: U32,
    entry_level: U16,
    form: U16,
    next: U32,
    free: U32,
    elements: U64,
    upper_dims: U16,
    centered: U16,
    calibration: CalibrationFields,
}

const _: () = assert!(size_of::<Fields>() <= CENTER_AT);

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct CalibrationFields {
    records: U64,
    samples: U32,
    reads: F32,
    /// Fields of each [`CalibrationPoint`].
    points: [[F32; 3]; CALIBRATED_EF.len()],
}

impl From<Calibration> for CalibrationFields {
    fn from(Calibration { records, samples, reads, points }: Calibration) -> Self {
        let points =
            points.map(|point| [point.recall_10, point.recall_100, point.expanded].map(F32::new));
        Self { records: records.into(), samples: samples.into(), reads: reads.into(), points }
    }
}

impl From<CalibrationFields> for Calibration {
    fn from(CalibrationFields { records, samples, reads, points }: CalibrationFields) -> Self {
        let points = points.map(|point| {
            let [recall_10, recall_100, expanded] = point.map(F32::get);
            CalibrationPoint { recall_10, recall_100, expanded }
        });
        Self { records: records.get(), samples: samples.get(), reads: reads.get(), points }
    }
}

#[cfg(test)]
mod tests {
    use pages::PAGE_BODY;

    use super::*;

    fn sample() -> Meta {
        let geometry = Geometry::choose(Form::Halves, 384, 16, true).expect("fits");
        let mut meta = Meta::empty(3, 16, 64, geometry, 0x0123_4567_89AB_CDEF);
        meta.entry = Some(NodeNo(77));
        meta.entry_level = 2;
        meta.free = Some(NodeNo(9));
        meta.elements = 1 << 40;
        meta.center[5] = -1.5;
        let mut calibration =
            Calibration { records: 7, samples: 500, reads: 1.0, ..Calibration::default() };
        calibration.points[8] = CalibrationPoint { recall_10: 1.0, recall_100: 0.5, expanded: 9.0 };
        meta.calibration = Some(calibration);
        meta
    }

    #[test]
    fn reads_what_it_wrote() {
        let meta = sample();
        let mut body = vec![0; PAGE_BODY];
        meta.encode(&mut body);
        assert_eq!(Meta::decode(&body), Ok(meta));
    }

    #[test]
    fn no_record_lies_in_the_metapage() {
        let inside = NodeNo(0);
        let changes: [fn(&mut Meta, NodeNo); 3] = [
            |meta, node| meta.entry = Some(node),
            |meta, node| meta.free = Some(node),
            |meta, node| meta.next = node,
        ];
        for change in changes {
            let mut meta = sample();
            change(&mut meta, inside);
            let mut body = vec![0; PAGE_BODY];
            meta.encode(&mut body);
            assert!(Meta::decode(&body).is_err());
        }
    }

    #[test]
    fn no_scribble_panics() {
        let mut body = vec![0; PAGE_BODY];
        sample().encode(&mut body);
        for at in 0..PAGE_BODY {
            for value in [0, 0x7F, 0xFF] {
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
