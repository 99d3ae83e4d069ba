//! Which instruction sets the CPU has.

use std::fmt;

/// An instruction set that the kernels are built for, narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Plain Rust with the baseline of the target; runs everywhere.
    Scalar,
    /// x86-64 with AVX2, FMA, F16C and POPCNT (x86-64-v3).
    Avx2,
    /// x86-64 with AVX-512 F, BW and VL on top of [`Level::Avx2`].
    Avx512,
    /// Little-endian AArch64 with Advanced SIMD.
    Neon,
}

impl Level {
    /// All levels, of this and other architectures.
    pub const ALL: [Level; 4] = [Level::Scalar, Level::Avx2, Level::Avx512, Level::Neon];

    /// The widest level that this CPU has.
    pub fn detect() -> Level {
        Level::ALL.into_iter().rev().find(|level| level.available()).unwrap_or(Level::Scalar)
    }

    /// Whether this CPU can run the kernels of this level.
    pub fn available(self) -> bool {
        match self {
            Level::Scalar => true,
            Level::Avx2 => has_avx2(),
            Level::Avx512 => has_avx512(),
            Level::Neon => cfg!(all(target_arch = "aarch64", target_endian = "little")),
        }
    }

    /// The name in lower case: `scalar`, `avx2`, `avx512` or `neon`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Scalar => "scalar",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
            Level::Neon => "neon",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
        && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx512() -> bool {
    false
}
