//! The metapage: block 0, what an index is and where a search begins.

use pages::{
    Error, FORMAT_VERSION, META_BLOCK, PAGE_USABLE, PageKind, Result, init_page, page_kind,
};
use vectors::Form;

use super::{Calibration, Geometry, NodeNo};

const MAGIC: u32 = 0x5845_4856;
/// The upper half of the number of dimensions.
const DIMS_UPPER_AT: usize = 60;
/// Right behind it.
const CENTERED_AT: usize = 62;
const CALIBRATION_AT: usize = 64;
/// The fields before it leave room for more.
const CENTRE_AT: usize = 256;

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
    /// Whether vectors are held relative to the center.
    pub centered: bool,
    /// A point amid the rotated vectors at build time, [`Geometry::center_dims`] numbers.
    pub centre: Vec<f32>,
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
            centre: vec![0.0; geometry.center_dims()],
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
    pub const MAX_CODE_DIMS: usize = (PAGE_USABLE - CENTRE_AT) / 4;

    /// Writes all fields into a page body.
    pub fn encode(&self, body: &mut [u8]) {
        init_page(body, PageKind::Meta, META_BLOCK);
        let mut out = Writer { body, at: 0 };
        out.u32(MAGIC);
        out.u32(u32::from(FORMAT_VERSION));
        out.u16(u16::from(self.metric));
        out.u16(self.m);
        out.u16(self.ef_construction);
        let g = &self.geometry;
        // Both halves; the upper one is further on.
        out.u16(g.dims as u16);
        for size in
            [g.slots, g.planes, g.plane_bytes, g.inline_tids, g.record_size, g.records_per_page]
        {
            // All sizes are below 8,192, see `Geometry::validate`.
            out.u16(u16::try_from(size).unwrap_or(u16::MAX));
        }
        out.u64(self.seed);
        out.u32(NodeNo::encode(self.entry));
        out.u16(u16::from(self.entry_level));
        out.u16(self.geometry.form as u16);
        out.u32(self.next.0);
        out.u32(NodeNo::encode(self.free));
        out.u64(self.elements);
        out.at = DIMS_UPPER_AT;
        out.u16((g.dims >> 16) as u16);
        out.u16(u16::from(self.centered));
        out.at = CALIBRATION_AT;
        out.calibration(&self.calibration.unwrap_or_default());
        out.at = CENTRE_AT;
        for &value in self.centre.iter().take(Self::MAX_CODE_DIMS) {
            out.f32(value);
        }
    }

    /// Reads and checks a metapage.
    pub fn decode(body: &[u8]) -> Result<Self> {
        let corrupted = |what| Error::corrupted(META_BLOCK, what);
        if page_kind(body, META_BLOCK)? != PageKind::Meta {
            return Err(corrupted("page is not a metapage"));
        }
        let mut from = Reader { body, at: 0 };
        if from.u32() != MAGIC {
            return Err(corrupted("metapage has the wrong magic number"));
        }
        let version = from.u32();
        if version != u32::from(FORMAT_VERSION) {
            return Err(Error::Version { found: version });
        }
        let metric = u8::try_from(from.u16()).map_err(|_| corrupted("metric is unknown"))?;
        let (m, ef_construction) = (from.u16(), from.u16());
        let upper = usize::from(Reader { body, at: DIMS_UPPER_AT }.u16());
        let mut geometry = Geometry {
            form: Form::Halves,
            dims: usize::from(from.u16()) | upper << 16,
            slots: from.u16().into(),
            planes: from.u16().into(),
            plane_bytes: from.u16().into(),
            inline_tids: from.u16().into(),
            record_size: from.u16().into(),
            records_per_page: from.u16().into(),
        };
        let seed = from.u64();
        let entry = NodeNo::decode(from.u32());
        let entry_level =
            u8::try_from(from.u16()).map_err(|_| corrupted("entry level is wrong"))?;
        let form = u8::try_from(from.u16()).ok().and_then(Form::from_byte);
        geometry.form = form.ok_or(corrupted("form of vectors is unknown"))?;
        if !geometry.validate() || geometry.code_dims() > Self::MAX_CODE_DIMS {
            return Err(corrupted("metapage has impossible sizes"));
        }
        let (next, free) = (NodeNo(from.u32()), NodeNo::decode(from.u32()));
        let first = NodeNo::first(&geometry);
        if [entry, free, Some(next)].into_iter().flatten().any(|node| node < first) {
            return Err(corrupted("metapage names a record in itself"));
        }
        let elements = from.u64();
        from.at = CENTERED_AT;
        let centered = match from.u16() {
            0 => false,
            1 if geometry.form.is_rotated() => true,
            _ => return Err(corrupted("metapage has an unknown center")),
        };
        from.at = CALIBRATION_AT;
        let calibration = Some(from.calibration()).filter(Calibration::is_sound);
        from.at = CENTRE_AT;
        let centre: Vec<f32> = (0..geometry.center_dims()).map(|_| from.f32()).collect();
        if centre.iter().any(|x| !x.is_finite()) {
            return Err(corrupted("metapage has a centre that is not finite"));
        }
        Ok(Self {
            metric,
            m,
            ef_construction,
            geometry,
            seed,
            entry,
            entry_level,
            next,
            free,
            elements,
            calibration,
            centered,
            centre,
        })
    }
}

struct Writer<'a> {
    body: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.body[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }
    fn u16(&mut self, value: u16) {
        self.put(&value.to_le_bytes());
    }
    fn u32(&mut self, value: u32) {
        self.put(&value.to_le_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.put(&value.to_le_bytes());
    }
    fn f32(&mut self, value: f32) {
        self.u32(value.to_bits());
    }
    fn calibration(&mut self, calibration: &Calibration) {
        self.u64(calibration.records);
        self.u32(calibration.samples);
        self.f32(calibration.reads);
        for point in &calibration.points {
            self.f32(point.recall_10);
            self.f32(point.recall_100);
            self.f32(point.expanded);
        }
    }
}

/// Reads fields of a body whose size `page_kind` has checked.
struct Reader<'a> {
    body: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.body[self.at..self.at + N]);
        self.at += N;
        bytes
    }
    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }
    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }
    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
    fn f32(&mut self) -> f32 {
        f32::from_bits(self.u32())
    }
    fn calibration(&mut self) -> Calibration {
        let mut calibration = Calibration {
            records: self.u64(),
            samples: self.u32(),
            reads: self.f32(),
            ..Calibration::default()
        };
        for point in &mut calibration.points {
            point.recall_10 = self.f32();
            point.recall_100 = self.f32();
            point.expanded = self.f32();
        }
        calibration
    }
}

#[cfg(test)]
mod tests {
    use pages::PAGE_BODY;

    use super::super::CalibrationPoint;
    use super::*;

    fn sample() -> Meta {
        let geometry = Geometry::choose(Form::Halves, 384, 16, true).expect("fits");
        let mut meta = Meta::empty(3, 16, 64, geometry, 0x0123_4567_89AB_CDEF);
        meta.entry = Some(NodeNo(77));
        meta.entry_level = 2;
        meta.free = Some(NodeNo(9));
        meta.elements = 1 << 40;
        meta.centre[5] = -1.5;
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
