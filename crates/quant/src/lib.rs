//! Compact forms of vectors: what they cost in bytes and what they keep.
//!
//! * [`Rotation`] spreads a vector's energy over its coordinates, so that any prefix of them
//!   and any coarse rounding of them still says something about the whole.
//! * [`encode_half`] narrows a vector to 16-bit floats and bounds the error made; [`Narrowed`] bounds
//!   distances to what was narrowed.
//! * [`encode_coarse`] rounds a vector to integers of a few bits times a scale of its own;
//!   [`Rounded`] bounds distances to what was rounded.
//! * [`EdgeCoder`] codes a neighbor relative to the element whose list it stands in, in one to
//!   four bits per coordinate; [`EdgeQuery`] estimates distances from such codes.
//! * [`trimmed_mean`] is a point amid vectors that outliers do not move, for codes to be taken about.
//! * [`Sq8Set`] keeps many vectors at one byte per coordinate, for building a graph in memory.
//!
//! Distances here are *reduced distances*, see [`Metric`].

mod bound;
mod coarse;
mod edge;
mod halves;
mod metric;
mod middle;
mod rotation;
mod rounded;
mod splitmix;
mod sq8;

pub use bound::{Narrowed, cosine_is_safe, rounding};
pub use coarse::{CoarseInfo, encode_coarse, nibble, pack_nibbles};
pub use edge::{Angles, EdgeCoder, EdgeQuery, Factors, PreparedOwner, SeenOwner};
pub use halves::{HalfInfo, encode_half, half_scale};
pub use metric::Metric;
pub use middle::trimmed_mean;
pub use rotation::Rotation;
pub use rounded::{Rounded, RoundedDistance, random_part};
pub use splitmix::{SplitMix64, splitmix64};
pub use sq8::{Sq8Coder, Sq8Set};
