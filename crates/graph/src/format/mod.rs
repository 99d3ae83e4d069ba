//! The pages of the index: its metapage, and the records that all others are made of. Decoding
//! trusts nothing that it reads.
//!
//! Byte maps: `docs/format.md`.

mod calibration;
mod geometry;
mod meta;
mod record;

pub use calibration::{CALIBRATED_EF, Calibration, CalibrationPoint};
pub use geometry::{Geometry, MAX_LEVEL};
pub use meta::Meta;
pub use record::{Element, NodeNo, Record, RecordMut, Slot, State, Tail};
