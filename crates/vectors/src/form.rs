//! How pages hold vectors.

/// Most elements of a sparse vector that are not zero.
pub const MAX_ELEMENTS: usize = 16_000;
/// Dimensions of the sketches that the codes of sparse vectors are made of.
pub const SKETCH_DIMS: usize = 1_024;
/// Bytes of an element of a sparse vector: index and value.
pub const SPARSE_ELEMENT: usize = 8;
/// Elements of a sparse vector that its record has room for at least, if there can be so many: most
/// learned sparse embeddings have fewer.
const OWN_ELEMENTS: usize = 200;

/// Dimensions up to which records hold floats as they are: there neighbors take most of a record.
const EXACT_DIMS: usize = 64;

/// How the records of an index hold vectors. The discriminants are stored on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// Little-endian halves, to be multiplied by the record's scale.
    Halves = 0,
    /// Bits, from the highest of each byte on; those behind the last are zero.
    Bits = 1,
    /// Little-endian floats.
    Floats = 2,
    /// Of the rotated vector: integers of 8 bits, to be multiplied by the record's scale.
    Sq8 = 3,
    /// Of the rotated vector: integers of 4 bits, two a byte, the lower half first, to be
    /// multiplied by the record's scale.
    Rabitq = 4,
    /// Elements that are not zero, as many as the record says: their indices, ascending, then their
    /// values, little-endian `u32` and `f32`.
    Sparse = 5,
    /// Integers of 8 bits.
    Bytes = 6,
}

impl Form {
    const ALL: [Self; 7] = [
        Self::Halves,
        Self::Bits,
        Self::Floats,
        Self::Sq8,
        Self::Rabitq,
        Self::Sparse,
        Self::Bytes,
    ];

    /// The form whose discriminant `byte` is, if there is one.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&form| form as u8 == byte)
    }

    /// The form of vectors of `dims` floats, unless halves turn out not to tell them apart: one that
    /// is small, or exact where that takes at most a fifth more of an index.
    pub fn of_floats(dims: usize) -> Self {
        if dims <= EXACT_DIMS { Self::Floats } else { Self::Halves }
    }

    /// Whether vectors are rotated before they are rounded, so that a distance is an estimate.
    pub fn is_rotated(self) -> bool {
        matches!(self, Self::Sq8 | Self::Rabitq)
    }

    /// Most dimensions of an index.
    pub fn max_dims(self) -> usize {
        match self {
            Self::Floats | Self::Halves | Self::Bytes | Self::Sq8 | Self::Rabitq => 16_000,
            Self::Bits => 64_000,
            Self::Sparse => 1_000_000_000,
        }
    }

    /// Dimensions of the space in which neighbors are coded: those of the vectors, but at most
    /// [`SKETCH_DIMS`] where these are sparse.
    pub fn coded_space(self, dims: usize) -> usize {
        if self == Self::Sparse { dims.min(SKETCH_DIMS) } else { dims }
    }

    /// Bytes of a vector of `dims` dimensions; of a sparse one those that its record has room for at
    /// least.
    pub fn bytes(self, dims: usize) -> usize {
        match self {
            Self::Floats => 4 * dims,
            Self::Halves => 2 * dims,
            Self::Bytes | Self::Sq8 => dims,
            Self::Rabitq => dims.div_ceil(2),
            Self::Bits => dims.div_ceil(8),
            Self::Sparse => SPARSE_ELEMENT * dims.min(OWN_ELEMENTS),
        }
    }

    /// Bytes that a code of a neighbor needs to steer a search well (evidence:
    /// `src/am/hnsw/README.md`).
    pub fn steering_bytes(self) -> usize {
        match self {
            Self::Floats | Self::Halves | Self::Bytes | Self::Sq8 | Self::Rabitq => 256 / 8,
            Self::Bits | Self::Sparse => 512 / 8,
        }
    }

    /// Bytes that stay together where a vector is split.
    pub fn unit(self) -> usize {
        match self {
            Self::Floats | Self::Sparse => 4,
            Self::Halves => 2,
            Self::Bits | Self::Bytes | Self::Sq8 | Self::Rabitq => 1,
        }
    }
}
