//! Distance kernels: every inner loop of the search, for the instruction set the CPU has.
//!
//! An algorithm is written once, generic over [`lanes::Lanes`], the few vector operations it
//! needs, and over the type of the elements. The types in [`arch`] provide these operations for each instruction set, and the
//! widest that the CPU has is chosen once, at run time. [`at`] and [`choose`] force a level, for tests.
//!
//! Distances mean one thing: at each level the kernels for narrow floats, and those for the bytes of
//! pages (`*_f16`, `*_f32`), round exactly like their `f32` counterparts, so they return the same
//! bits for the same values. Distances of integers and bits are exact.
//! Between levels results may differ in the last bits, as the number of lanes differs.
//!
//! Where two operands differ in length, the elements beyond the shorter are ignored.

// The one crate below PostgreSQL that may use SIMD intrinsics and raw loads.
#![allow(unsafe_code)]

mod arch;
mod bits;
mod codes;
mod dispatch;
mod distance;
mod element;
mod hadamard;
mod lanes;
mod level;
mod operand;
mod prefetch;
mod products;
mod rounding;
pub mod sparse;

pub use codes::{BLOCK, BitQuery, CodeShape, score_codes};
pub use dispatch::{
    Kernels, at, choose, cosine_terms_f16, cosine_terms_f32, hadamard, hamming,
    inner_product_bytes, inner_product_f16, inner_product_f32, inner_product_i8,
    inner_product_nibbles, inner_products, jaccard_terms, l1_f16, l1_f32, l2_squared_f16,
    l2_squared_f32, level, round_to_planes, score_block, tails, widen_f16,
};
pub use distance::CosineTerms;
pub use element::{Element, cosine_terms, inner_product, l1, l2_squared};
pub use level::Level;
pub use prefetch::{prefetch, prefetch_at};
pub use rounding::Tails;
