//! Distance kernels: every inner loop of the search, for the instruction set the CPU has.
//!
//! An algorithm is written once, generic over [`lanes::Lanes`], the few vector operations it
//! needs. The types in [`arch`] provide these operations for each instruction set, and the
//! widest that the CPU has is chosen once, at run time. [`at`] forces a level, for tests.
//!
//! Distances mean one thing: at each level the kernels for half-precision pages (`*_f16`) round
//! exactly like their `f32` counterparts, so they return the same bits for the same values.
//! Between levels results may differ in the last bits, as the number of lanes differs.
//!
//! Where two operands differ in length, the elements beyond the shorter are ignored.

// The one crate below PostgreSQL that may use SIMD intrinsics and raw loads.
#![allow(unsafe_code)]

mod arch;
mod codes;
mod dispatch;
mod float;
mod hadamard;
mod integer;
mod lanes;
mod level;
mod prefetch;
mod rounding;

pub use codes::{BitQuery, CodeShape, score_codes};
pub use dispatch::{
    Kernels, at, cosine_terms, cosine_terms_f16, hadamard, hamming, inner_product,
    inner_product_f16, inner_product_i8, l1, l1_f16, l2_squared, l2_squared_f16, level,
    round_to_planes, tails, widen_f16,
};
pub use float::CosineTerms;
pub use level::Level;
pub use prefetch::prefetch;
pub use rounding::Tails;
