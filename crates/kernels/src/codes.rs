//! Products of a 4-bit query with the bit planes of quantised codes.
//!
//! A code value `c_i = sum over p of 2^p * bit_i(plane p)`, a query value is a 4-bit integer, and
//! the score of a code is `sum over i of q_i * c_i`, in exact integer arithmetic.

use crate::dispatch::{Kernels, active};

/// Codes that lie byte by byte in a block, see [`score_block`](crate::score_block).
pub const BLOCK: usize = 32;

/// Bytes of each plane in one step of a kernel; the query is padded to a multiple of it.
const STEP: usize = 64;

/// A query of 4-bit two's complement values, prepared for [`score_codes`].
///
/// The values are kept twice: as four bit planes, for kernels that count bits, and as sums of
/// each group of four values, for kernels that look up four bits of a code at once. Both are
/// padded with zeros, so that a kernel may read codes beyond their last bit.
#[derive(Clone, Debug)]
pub struct BitQuery {
    len: usize,
    sum: i32,
    /// The sum of the magnitudes of the negative values, by which `tables` are raised.
    negatives: i32,
    /// For each eight bytes of a code's plane, those of the bits of weight 1, 2, 4 and -8.
    words: Vec<[[u8; 8]; 4]>,
    /// For each byte of a plane, the sums that its low and its high four bits select.
    tables: Vec<ByteTable>,
}

/// The sums of the four query values that a half byte selects, plus the magnitude of the negative
/// ones, hence in `0..=32`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct ByteTable {
    pub low: [u8; 16],
    pub high: [u8; 16],
}

impl BitQuery {
    /// Prepares `values`, each in `-8..=7`.
    ///
    /// # Panics
    /// When a value is out of range.
    pub fn new(values: &[i8]) -> Self {
        assert!(values.iter().all(|v| (-8..=7).contains(v)), "query value out of -8..=7");
        let padded = values.len().div_ceil(8 * STEP) * STEP;
        let mut words = vec![[[0; 8]; 4]; padded / 8];
        let mut tables = vec![ByteTable::default(); padded];
        let mut negatives = 0;
        for (k, values) in values.chunks(8).enumerate() {
            let mut eight = [0; 8];
            eight[..values.len()].copy_from_slice(values);
            for (w, word) in words[k / 8].iter_mut().enumerate() {
                word[k % 8] = gather_bits(eight, w);
            }
            let [a, b, c, d, e, f, g, h] = eight;
            tables[k] =
                ByteTable { low: subset_sums([a, b, c, d]), high: subset_sums([e, f, g, h]) };
            // No bit set leaves the magnitudes of the negative values.
            negatives += i32::from(tables[k].low[0]) + i32::from(tables[k].high[0]);
        }
        let sum = values.iter().map(|&v| i32::from(v)).sum();
        Self { len: values.len(), sum, negatives, words, tables }
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The sum of the values.
    pub fn sum(&self) -> i32 {
        self.sum
    }

    /// The bytes of a code's plane that the values reach.
    #[inline(always)]
    pub(crate) fn plane_bytes(&self) -> usize {
        self.len.div_ceil(8)
    }

    #[inline(always)]
    pub(crate) fn tables(&self) -> &[ByteTable] {
        &self.tables
    }

    #[inline(always)]
    pub(crate) fn negatives(&self) -> i32 {
        self.negatives
    }
}

/// Bit `w` of each value; the product moves the lowest bit of byte `i` to bit `56 + i`.
fn gather_bits(values: [i8; 8], w: usize) -> u8 {
    let bytes = u64::from_le_bytes(values.map(|v| v as u8)) >> w;
    ((bytes & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// `sums[m]` is the sum of the values whose bit is set in `m`, plus the magnitude of all negative
/// ones.
fn subset_sums(values: [i8; 4]) -> [u8; 16] {
    let mut sums = [0; 16];
    for (i, value) in values.into_iter().enumerate() {
        let magnitude = value.min(0).unsigned_abs();
        for (m, sum) in sums.iter_mut().enumerate() {
            let selected = if m >> i & 1 == 1 { value as u8 } else { 0 };
            *sum = selected.wrapping_add(magnitude).wrapping_add(*sum);
        }
    }
    sums
}

/// The layout of a code: plane 0, then plane 1, and so on, each of `plane_bytes` bytes; bit `i`
/// of a plane is bit `i % 8` of its byte `i / 8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeShape {
    /// Bits per dimension, `1..=4`.
    pub planes: usize,
    /// Bytes of a plane, at least an eighth of the dimensions, rounded up.
    pub plane_bytes: usize,
}

impl CodeShape {
    /// Bytes of a code.
    pub const fn bytes(self) -> usize {
        self.planes * self.plane_bytes
    }
}

impl Kernels {
    /// See [`score_codes`].
    ///
    /// # Panics
    /// Like [`score_codes`].
    #[inline]
    pub fn score_codes(
        &self,
        query: &BitQuery,
        codes: &[u8],
        shape: CodeShape,
        stride: usize,
        scores: &mut [i32],
    ) {
        let Some(last) = scores.len().checked_sub(1) else { return };
        assert!((1..=4).contains(&shape.planes), "a code has one to four planes");
        assert!(query.plane_bytes() <= shape.plane_bytes, "the query is longer than a code");
        let end = shape
            .plane_bytes
            .checked_mul(shape.planes)
            .and_then(|bytes| last.checked_mul(stride).and_then(|start| start.checked_add(bytes)));
        assert!(end.is_some_and(|end| end <= codes.len()), "codes end before the last score");
        // SAFETY: the CPU has this level, and all codes lie within the slice.
        unsafe { (self.score_codes)(query, codes, shape, stride, scores) }
    }
}

/// Scores the codes at `codes[j * stride..]`, one for each of `scores`:
/// `scores[j] = sum over planes p of 2^p * sum over i of query[i] * bit_i(plane p of code j)`.
///
/// `codes` may go on after the last code. Bits of a code beyond the query's length are ignored.
///
/// # Panics
/// When `codes` ends before the last code does, a plane is shorter than the query, or the number
/// of planes is not in `1..=4`.
#[inline]
pub fn score_codes(
    query: &BitQuery,
    codes: &[u8],
    shape: CodeShape,
    stride: usize,
    scores: &mut [i32],
) {
    active().score_codes(query, codes, shape, stride, scores);
}

/// Scores code by code with counted bits; for the function this is inlined in.
#[inline(always)]
pub(crate) fn score_each(
    query: &BitQuery,
    codes: &[u8],
    shape: CodeShape,
    stride: usize,
    scores: &mut [i32],
) {
    for (j, score) in scores.iter_mut().enumerate() {
        let code = &codes[j * stride..];
        let planes =
            (0..shape.planes).map(|p| score_plane(query, &code[p * shape.plane_bytes..]) << p);
        *score = planes.sum();
    }
}

/// Looks up the bytes of a block one by one.
pub(crate) fn score_block(
    query: &BitQuery,
    codes: &[u8],
    shape: CodeShape,
    scores: &mut [i32; BLOCK],
) {
    let bytes = query.plane_bytes();
    assert!(bytes <= shape.plane_bytes, "the query is longer than a code");
    let (columns, _) = codes.as_chunks::<BLOCK>();
    *scores = [-query.negatives * ((1 << shape.planes) - 1); BLOCK];
    for p in 0..shape.planes {
        let plane = &columns[p * shape.plane_bytes..][..bytes];
        for (column, table) in plane.iter().zip(&query.tables) {
            for (score, &byte) in scores.iter_mut().zip(column) {
                let sum = table.low[usize::from(byte & 15)] + table.high[usize::from(byte >> 4)];
                *score += i32::from(sum) << p;
            }
        }
    }
}

/// Scores a plane at the start of `bytes`; what lies behind it meets zeros of the query.
#[inline(always)]
fn score_plane(query: &BitQuery, bytes: &[u8]) -> i32 {
    let mut counts = [0; 4];
    let words = query.len.div_ceil(64);
    for (k, query) in query.words[..words].iter().enumerate() {
        let word = word_at(bytes, 8 * k);
        for (count, query) in counts.iter_mut().zip(query) {
            *count += (word & u64::from_le_bytes(*query)).count_ones() as i32;
        }
    }
    counts[0] + 2 * counts[1] + 4 * counts[2] - 8 * counts[3]
}

/// Eight bytes at `at`, with zeros for those past the end.
#[inline(always)]
fn word_at(bytes: &[u8], at: usize) -> u64 {
    let rest = &bytes[at..];
    let word = rest.first_chunk().copied().unwrap_or_else(|| {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        word
    });
    u64::from_le_bytes(word)
}
