//! How two vectors are compared, and the reduced distance that index structures order by.

/// The metric of an index. The discriminants are stored on disk and never change.
///
/// Inside an index, vectors are compared by their *reduced distance*, a number that is smaller for
/// nearer vectors and cheaper to compute than the distance:
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Metric {
    /// Euclidean distance; reduced: its square.
    L2 = 0,
    /// Inner product; reduced: the product negated.
    InnerProduct = 1,
    /// Cosine distance; reduced: the squared Euclidean distance of the vectors scaled to length one,
    /// which is twice the cosine distance.
    Cosine = 2,
    /// Manhattan distance; reduced: the same. It has no edge codes, because a
    /// rotation does not keep it.
    L1 = 3,
    /// Hamming distance of vectors of bits; reduced: the same.
    Hamming = 4,
    /// Jaccard distance of vectors of bits; reduced: the same.
    Jaccard = 5,
}

impl Metric {
    /// The metric stored as `byte`, if there is one.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::L2),
            1 => Some(Self::InnerProduct),
            2 => Some(Self::Cosine),
            3 => Some(Self::L1),
            4 => Some(Self::Hamming),
            5 => Some(Self::Jaccard),
            _ => None,
        }
    }

    /// Whether it compares vectors of bits.
    pub fn is_of_bits(self) -> bool {
        matches!(self, Self::Hamming | Self::Jaccard)
    }

    /// Whether a rotation of both vectors keeps it, so that edge codes can tell it.
    pub fn keeps_rotation(self) -> bool {
        matches!(self, Self::L2 | Self::InnerProduct | Self::Cosine)
    }
}
