//! The types of vectors that store every element: up to 16,000 finite numbers of one kind.
//!
//! All is written once, for any [`Element`]; a type is a file beside this folder that says what
//! its elements are and exports its functions by [`export_dense!`].
//!
//! Layout: length word, number of dimensions as `i16`, 16 unused bits (zero), the elements. Where
//! pgvector has the type, the layout is its, as are the functions, operators and messages.

pub mod aggregate;
pub mod arithmetic;
pub mod cast;
pub mod check;
pub mod compare;
pub mod distance;
mod element;
pub mod io;
mod round;
mod text;
mod value;

pub use element::Element;
pub use value::{DenseBuf, DenseRef, HEADER};

/// Most dimensions a vector can have.
pub const MAX_DIMS: usize = 16_000;

/// Exports the functions of a type: `halfvec_in`, `halfvec_l2_distance`, and so on.
macro_rules! export_dense {
    ($type:literal, $element:ty) => {
        const _: () = {
            use $crate::types::dense::{aggregate, arithmetic, cast, distance, io};

            $crate::pg::function::pg_export! { $type:
                in => io::input::<$element>;
                out => io::output::<$element>;
                recv => io::receive::<$element>;
                send => io::send::<$element>;
                typmod_in => io::typmod_in::<$element>;

                check_typmod => cast::check_typmod::<$element>;
                from_array => cast::from_array::<$element>;
                to_float4 => cast::to_float4::<$element>;

                spherical_distance => distance::spherical::<$element>;
                norm => distance::norm::<$element>;

                add => arithmetic::add::<$element>;
                sub => arithmetic::sub::<$element>;
                mul => arithmetic::mul::<$element>;
                concat => arithmetic::concat::<$element>;
                subvector => arithmetic::subvector::<$element>;
                binary_quantize => arithmetic::binary_quantize::<$element>;


                accum => aggregate::accumulate::<$element>;
                sum_accum => aggregate::accumulate_sum::<$element>;
                combine => aggregate::combine::<$element>;
                avg => aggregate::avg::<$element>;
                sum => aggregate::sum::<$element>;
            }
        };
    };
}

pub(crate) use export_dense;
