//! Scores of codes by looking up half bytes, sixteen codes in each half of an AVX2 register.
//!
//! A shuffle looks up sixteen indexes in one table of sixteen bytes. As each half byte of a code
//! has its own table, sixteen bytes of sixteen codes are first transposed: then a register holds
//! the same byte of all the codes. The idea is that of "Quick ADC" (André et al., VLDB 2016); the
//! transposition spares the codes a layout of their own, as they lie in the records of neighbors.

use std::arch::x86_64::*;

use crate::codes::{BitQuery, ByteTable, CodeShape};

/// The bytes that are transposed at once, and the codes in half a register.
const BLOCK: usize = 16;

/// The blocks whose sums fit 16 bits: a byte adds at most 64, a block 1,024.
const BLOCKS_PER_SUM: usize = 32;

/// See [`score_codes`](crate::score_codes).
#[target_feature(enable = "avx2,popcnt")]
pub(super) fn score_codes(
    query: &BitQuery,
    codes: &[u8],
    shape: CodeShape,
    stride: usize,
    scores: &mut [i32],
) {
    for (batch, scores) in scores.chunks_mut(2 * BLOCK).enumerate() {
        let codes = &codes[batch * 2 * BLOCK * stride..];
        if scores.len() <= BLOCK {
            score_batch::<false>(query, codes, shape, stride, scores);
        } else {
            score_batch::<true>(query, codes, shape, stride, scores);
        }
    }
}

/// Scores up to 32 codes if `TWO_GROUPS`: then the halves of a register hold the same bytes of
/// different codes. Otherwise they hold two blocks of the same codes, up to 16.
#[target_feature(enable = "avx2")]
#[inline]
fn score_batch<const TWO_GROUPS: bool>(
    query: &BitQuery,
    codes: &[u8],
    shape: CodeShape,
    stride: usize,
    scores: &mut [i32],
) {
    let n = scores.len();
    let (skip, step) = if TWO_GROUPS { (0, 1) } else { (BLOCK, 2) };
    // Where there are fewer codes, the last is scored several times.
    let left: [usize; BLOCK] = std::array::from_fn(|j| j.min(n - 1) * stride);
    let right = if TWO_GROUPS {
        std::array::from_fn(|j| (BLOCK + j).min(n - 1) * stride)
    } else {
        left.map(|start| start + skip)
    };
    let starts = [left, right];
    let (tables, _) = query.tables().as_chunks::<BLOCK>();
    let blocks = query.plane_bytes().div_ceil(BLOCK);
    scores.fill(-query.negatives() * ((1 << shape.planes) - 1));
    for p in 0..shape.planes {
        for first in (0..blocks).step_by(BLOCKS_PER_SUM) {
            let mut sums = Sums::new();
            for block in (first..blocks.min(first + BLOCKS_PER_SUM)).step_by(step) {
                let at = p * shape.plane_bytes + block * BLOCK;
                let end = (n - 1) * stride + skip + at + BLOCK;
                let columns = if end <= codes.len() {
                    // SAFETY: `end` is that of the last of the codes.
                    transpose(&starts, |start| unsafe {
                        _mm_loadu_si128(codes.as_ptr().add(start + at).cast())
                    })
                } else {
                    transpose(&starts, |start| load_bounded(codes, start + at))
                };
                // The tables are padded to a multiple of two blocks.
                let right = if TWO_GROUPS { None } else { Some(&tables[block + 1]) };
                sums.add(&columns, &tables[block], right);
            }
            let sums = sums.by_code();
            for (j, score) in scores.iter_mut().enumerate() {
                let other_block = if TWO_GROUPS { 0 } else { i32::from(sums[BLOCK + j]) };
                *score += (i32::from(sums[j]) + other_block) << p;
            }
        }
    }
}

/// The bytes at `at`, as far as there are any, then zeros.
#[target_feature(enable = "avx2")]
#[inline]
fn load_bounded(codes: &[u8], at: usize) -> __m128i {
    let rest = codes.get(at..).unwrap_or_default();
    let mut copy = [0; BLOCK];
    let block = rest.first_chunk().unwrap_or_else(|| {
        copy[..rest.len()].copy_from_slice(rest);
        &copy
    });
    // SAFETY: the block is sixteen bytes.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

/// Loads a block of 32 codes, and returns for each of its bytes that of all codes.
///
/// With the row and the column of a byte as an address of eight bits, each stage rotates the
/// address by one bit; after four, row and column have changed places.
#[target_feature(enable = "avx2")]
#[inline]
fn transpose(starts: &[[usize; BLOCK]; 2], load: impl Fn(usize) -> __m128i) -> [__m256i; BLOCK] {
    let mut rows = [_mm256_setzero_si256(); BLOCK];
    for j in 0..BLOCK {
        rows[j] = _mm256_set_m128i(load(starts[1][j]), load(starts[0][j]));
    }
    for _ in 0..4 {
        let mut rotated = rows;
        for j in 0..BLOCK / 2 {
            rotated[2 * j] = _mm256_unpacklo_epi8(rows[j], rows[j + BLOCK / 2]);
            rotated[2 * j + 1] = _mm256_unpackhi_epi8(rows[j], rows[j + BLOCK / 2]);
        }
        rows = rotated;
    }
    rows
}

/// Sums for 32 codes, each modulo 2^16.
struct Sums {
    /// The sum of an even code plus 256 times that of the odd code after it.
    pairs: __m256i,
    /// The sums of odd codes.
    odd: __m256i,
}

impl Sums {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new() -> Self {
        Self { pairs: _mm256_setzero_si256(), odd: _mm256_setzero_si256() }
    }

    /// Adds what the tables hold for sixteen bytes of the codes; the right half of the registers
    /// has tables of its own if `right` is given.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn add(
        &mut self,
        columns: &[__m256i; BLOCK],
        left: &[ByteTable; BLOCK],
        right: Option<&[ByteTable; BLOCK]>,
    ) {
        for c in (0..BLOCK).step_by(2) {
            let first = look_up(columns[c], &left[c], right.map(|right| &right[c]));
            let second = look_up(columns[c + 1], &left[c + 1], right.map(|right| &right[c + 1]));
            // At most 128, so that eight bits hold it.
            let sum = _mm256_add_epi8(first, second);
            self.pairs = _mm256_add_epi16(self.pairs, sum);
            self.odd = _mm256_add_epi16(self.odd, _mm256_srli_epi16::<8>(sum));
        }
    }

    /// The sums in the order of the codes: the left half of the registers, then the right.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn by_code(self) -> [u16; 2 * BLOCK] {
        let even = _mm256_sub_epi16(self.pairs, _mm256_slli_epi16::<8>(self.odd));
        let low = _mm256_unpacklo_epi16(even, self.odd);
        let high = _mm256_unpackhi_epi16(even, self.odd);
        let left = _mm256_permute2x128_si256::<0x20>(low, high);
        let right = _mm256_permute2x128_si256::<0x31>(low, high);
        let mut sums = [0; 2 * BLOCK];
        // SAFETY: both stores of 32 bytes lie within the 64 bytes.
        unsafe {
            _mm256_storeu_si256(sums.as_mut_ptr().cast(), left);
            _mm256_storeu_si256(sums.as_mut_ptr().add(BLOCK).cast(), right);
        }
        sums
    }
}

/// The sums that both halves of each byte select.
#[target_feature(enable = "avx2")]
#[inline]
fn look_up(bytes: __m256i, left: &ByteTable, right: Option<&ByteTable>) -> __m256i {
    let right = right.unwrap_or(left);
    let nibble = _mm256_set1_epi8(0x0f);
    let low = _mm256_and_si256(bytes, nibble);
    let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble);
    _mm256_add_epi8(
        _mm256_shuffle_epi8(table(&left.low, &right.low), low),
        _mm256_shuffle_epi8(table(&left.high, &right.high), high),
    )
}

#[target_feature(enable = "avx2")]
#[inline]
fn table(left: &[u8; 16], right: &[u8; 16]) -> __m256i {
    // SAFETY: both tables are sixteen bytes.
    unsafe {
        _mm256_set_m128i(
            _mm_loadu_si128(right.as_ptr().cast()),
            _mm_loadu_si128(left.as_ptr().cast()),
        )
    }
}
