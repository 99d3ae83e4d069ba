//! What bounds of scores are computed from.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use crate::Scoring;

/// Code of no length.
const NO_LENGTH: u8 = 255;

/// What bounds the scores of some postings, whatever the statistics are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Two points that no posting is better than.
    Bm25 {
        /// Code of the least length of a document that holds the term once; 255 if there is none.
        once: u8,
        /// Code of the least length of all others.
        more: u8,
        /// The greatest frequency; 65,535 if it is as high or higher, 0 without others.
        frequency: u16,
    },
    /// The least and the greatest weight, or a little more.
    InnerProduct {
        /// Not above the least weight.
        least: f32,
        /// Not below the greatest weight.
        greatest: f32,
    },
}

impl Bound {
    /// Bytes in a page.
    pub(crate) const SIZE: usize = 4;

    /// The bound of no posting.
    pub(crate) fn none(scoring: Scoring) -> Self {
        match scoring {
            Scoring::Bm25 { .. } => Self::Bm25 { once: NO_LENGTH, more: NO_LENGTH, frequency: 0 },
            Scoring::InnerProduct => {
                Self::InnerProduct { least: f32::INFINITY, greatest: f32::NEG_INFINITY }
            }
        }
    }

    /// Takes a posting in, of a document whose length has the code `length`.
    pub(crate) fn add(&mut self, value: u32, length: u8) {
        match self {
            Self::Bm25 { once, .. } if value <= 1 => *once = length.min(*once),
            Self::Bm25 { more, frequency, .. } => {
                *more = length.min(*more);
                *frequency = u16::try_from(value).unwrap_or(u16::MAX).max(*frequency);
            }
            Self::InnerProduct { least, greatest } => {
                *least = least.min(f32::from_bits(value));
                *greatest = greatest.max(f32::from_bits(value));
            }
        }
    }

    /// Takes all postings of another bound in.
    pub(crate) fn merge(&mut self, other: Self) {
        match (self, other) {
            (
                Self::Bm25 { once, more, frequency },
                Self::Bm25 { once: o, more: m, frequency: f },
            ) => {
                *once = o.min(*once);
                *more = m.min(*more);
                *frequency = f.max(*frequency);
            }
            (
                Self::InnerProduct { least, greatest },
                Self::InnerProduct { least: l, greatest: g },
            ) => {
                *least = least.min(l);
                *greatest = greatest.max(g);
            }
            _ => {}
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::SIZE] {
        match self {
            Self::Bm25 { once, more, frequency } => {
                let [low, high] = frequency.to_le_bytes();
                [once, more, low, high]
            }
            Self::InnerProduct { least, greatest } => {
                let [a, b] = half_above(-least).wrapping_add(1 << 15).to_le_bytes();
                let [c, d] = half_above(greatest).to_le_bytes();
                [a, b, c, d]
            }
        }
    }

    pub(crate) fn from_bytes([a, b, c, d]: [u8; Self::SIZE], scoring: Scoring) -> Self {
        match scoring {
            Scoring::Bm25 { .. } => {
                Self::Bm25 { once: a, more: b, frequency: u16::from_le_bytes([c, d]) }
            }
            Scoring::InnerProduct => Self::InnerProduct {
                least: from_half([a, b], f32::MIN),
                greatest: from_half([c, d], f32::MAX),
            },
        }
    }

    /// Whether this bounds a posting of a document whose length has the code `length`.
    pub(crate) fn covers(&self, value: u32, length: u8) -> bool {
        match *self {
            Self::Bm25 { once, .. } if value <= 1 => once <= length,
            Self::Bm25 { more, frequency, .. } => {
                more <= length && (u32::from(frequency) >= value || frequency == u16::MAX)
            }
            Self::InnerProduct { least, greatest } => {
                (least..=greatest).contains(&f32::from_bits(value))
            }
        }
    }
}

/// The upper half of a float not below `x`.
fn half_above(x: f32) -> u16 {
    let bits = x.to_bits();
    let up = if x > 0.0 { bits.saturating_add(0xFFFF) } else { bits };
    (up >> 16) as u16
}

/// The number with that upper half; `other` if it is not finite.
fn from_half(half: [u8; 2], other: f32) -> f32 {
    let x = f32::from_bits(u32::from(u16::from_le_bytes(half)) << 16);
    if x.is_finite() { x } else { other }
}

/// Code of a length: lengths below 128 are exact, others are rounded down to 8 steps an octave.
pub(crate) fn length_code(length: u32) -> u8 {
    if length < 128 {
        return length as u8;
    }
    let exponent = length.ilog2(); // from 7 on
    let mantissa = length.wrapping_shr(exponent.wrapping_sub(3)) & 7;
    exponent.wrapping_sub(7).wrapping_mul(8).wrapping_add(mantissa).wrapping_add(128).min(254) as u8
}

/// The least length with that code.
pub(crate) fn least_length(code: u8) -> u32 {
    if code < 128 {
        return u32::from(code);
    }
    let code = u32::from(code).wrapping_sub(128);
    (8 | code & 7).wrapping_shl((code >> 3).wrapping_add(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_down() {
        for length in (0..70_000).chain((1..=32).map(|bits| u32::MAX >> (32 - bits))) {
            let code = length_code(length);
            let least = least_length(code);
            assert!(least <= length && code != NO_LENGTH, "{length}: {code}");
            assert!(length > 7_000_000 || f64::from(least) >= f64::from(length) * 0.88, "{length}");
        }
        assert!((0..70_000).map(length_code).is_sorted());
    }

    #[test]
    fn weights_are_rounded_outwards() {
        for x in [0.0f32, 1.0, 1.0 + f32::EPSILON, 3.3e38, f32::MAX, 1e-45, 0.1, 123.456] {
            for (a, b) in [(-x, x), (x, x), (-x, -x)] {
                let mut bound = Bound::none(Scoring::InnerProduct);
                bound.add(a.to_bits(), 0);
                bound.add(b.to_bits(), 0);
                let back = Bound::from_bytes(bound.to_bytes(), Scoring::InnerProduct);
                assert!(
                    back.covers(a.to_bits(), 0) && back.covers(b.to_bits(), 0),
                    "{a} {b} {back:?}"
                );
                let Bound::InnerProduct { least, greatest } = back else { unreachable!() };
                assert!(greatest <= b + b.abs() * 0.01 + 1e-38, "{greatest} {b}");
                assert!(least >= a - a.abs() * 0.01 - 1e-38, "{least} {a}");
            }
        }
    }
}
