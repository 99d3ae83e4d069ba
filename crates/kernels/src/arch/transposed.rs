//! Scores of codes by looking up half bytes, sixteen codes in each half of an AVX2 register.
//!
//! A shuffle looks up sixteen indexes in one table of sixteen bytes. As each half byte of a code
//! has its own table, sixteen bytes of sixteen codes are first transposed: then a register holds
//! the same byte of all the codes. The idea is that of "Quick ADC" (André et al., VLDB 2016); the
//! transposition spares the codes a layout of their own, as they lie in the records of neighbors.

use std::arch::x86_64::*;

use crate::codes::{self, BitQuery, ByteTable, CodeShape};

/// The bytes that are transposed at once, and the codes in half a register.
const BLOCK: usize = 16;

/// The blocks whose sums fit 16 bits: a byte adds at most 64, a block 1,024.
const BLOCKS_PER_SUM: usize = 32;

/// See [`score_codes`](crate::score_codes).
#[target_feature(enable = "avx2")]
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

/// See [`score_block`](crate::score_block).
#[target_feature(enable = "avx2")]
pub(super) fn score_block(
    query: &BitQuery,
    codes: &[u8],
    shape: CodeShape,
    scores: &mut [i32; codes::BLOCK],
) {
    const COLUMNS: usize = 8;
    let bytes = query.plane_bytes();
    assert!(bytes <= shape.plane_bytes, "the query is longer than a code");
    let (columns, _) = codes.as_chunks::<{ codes::BLOCK }>();
    let mut totals = Totals::new(-query.negatives() * ((1 << shape.planes) - 1));
    for p in 0..shape.planes {
        let plane = &columns[p * shape.plane_bytes..][..bytes];
        let tables = query.tables().chunks(BLOCKS_PER_SUM * BLOCK);
        for (columns, tables) in plane.chunks(BLOCKS_PER_SUM * BLOCK).zip(tables) {
            let mut sums = Sums::new();
            // The tables are padded with zeros to a multiple of eight.
            for (columns, tables) in columns.chunks(COLUMNS).zip(tables.chunks_exact(COLUMNS)) {
                let mut loaded = [_mm256_setzero_si256(); COLUMNS];
                for (register, column) in loaded.iter_mut().zip(columns) {
                    // SAFETY: a column is 32 bytes.
                    *register = unsafe { _mm256_loadu_si256(column.as_ptr().cast()) };
                }
                sums.add_columns(loaded, tables, tables);
            }
            totals.add::<true>(sums, p);
        }
    }
    totals.write(scores);
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
    let last = scores.len() - 1;
    // Where there are fewer codes, the last is scored several times.
    let left: [usize; BLOCK] = std::array::from_fn(|j| j.min(last) * stride);
    let right = if TWO_GROUPS {
        std::array::from_fn(|j| (BLOCK + j).min(last) * stride)
    } else {
        left.map(|start| start + BLOCK)
    };
    let starts = [left, right];
    let (tables, _) = query.tables().as_chunks::<BLOCK>();
    let blocks = query.plane_bytes().div_ceil(BLOCK);
    let step = if TWO_GROUPS { 1 } else { 2 };
    let mut totals = Totals::new(-query.negatives() * ((1 << shape.planes) - 1));
    for p in 0..shape.planes {
        for first in (0..blocks).step_by(BLOCKS_PER_SUM) {
            let mut sums = Sums::new();
            for block in (first..blocks.min(first + BLOCKS_PER_SUM)).step_by(step) {
                let at = p * shape.plane_bytes + block * BLOCK;
                let tables = &tables[block..];
                sums = if at + right[BLOCK - 1] + BLOCK <= codes.len() {
                    // SAFETY: no row starts later than the last of the right half.
                    unsafe { sums.add::<TWO_GROUPS>(&codes[at..], &starts, tables) }
                } else {
                    sums.add_copy::<TWO_GROUPS>(codes, at, &starts, tables)
                };
            }
            totals.add::<TWO_GROUPS>(sums, p);
        }
    }
    totals.write(scores);
}

/// Sixteen bytes at `at`, with zeros for those past the end.
#[inline(always)]
fn copy_block(codes: &[u8], at: usize) -> [u8; BLOCK] {
    let rest = codes.get(at..).unwrap_or_default();
    rest.first_chunk().copied().unwrap_or_else(|| {
        let mut block = [0; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        block
    })
}

/// Where the rows of each half of a register start.
type Starts = [[usize; BLOCK]; 2];

/// Row `j` of both halves.
///
/// # Safety
/// Sixteen bytes from both starts are within `rows`.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn load_row(rows: &[u8], [left, right]: &Starts, j: usize) -> __m256i {
    // SAFETY: the caller promises the bytes.
    unsafe { load_halves(rows.as_ptr().add(left[j]), rows.as_ptr().add(right[j])) }
}

/// # Safety
/// Both point to sixteen bytes.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn load_halves(left: *const u8, right: *const u8) -> __m256i {
    // SAFETY: the caller promises the bytes.
    unsafe { _mm256_set_m128i(_mm_loadu_si128(right.cast()), _mm_loadu_si128(left.cast())) }
}

/// The last three stages of a transposition, see [`Sums::add`].
#[target_feature(enable = "avx2")]
#[inline]
fn columns(mut rows: [__m256i; 8]) -> [__m256i; 8] {
    for _ in 0..3 {
        let mut rotated = rows;
        for j in 0..4 {
            rotated[2 * j] = _mm256_unpacklo_epi8(rows[j], rows[j + 4]);
            rotated[2 * j + 1] = _mm256_unpackhi_epi8(rows[j], rows[j + 4]);
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

    /// Adds what the tables of the first block hold for sixteen bytes of 32 codes; unless there
    /// are two groups of codes, the right half of the registers takes those of the second block.
    ///
    /// With the row and the column of a byte as an address of eight bits, each stage of the
    /// transposition rotates the address by one bit; after four, row and column have changed
    /// places. The first stage separates columns 0 to 7 from the others, so that either part
    /// fits the registers.
    ///
    /// # Safety
    /// Sixteen bytes from all starts are within `rows`.
    #[target_feature(enable = "avx2")]
    #[inline]
    unsafe fn add<const TWO_GROUPS: bool>(
        mut self,
        rows: &[u8],
        starts: &Starts,
        tables: &[[ByteTable; BLOCK]],
    ) -> Self {
        // The tables are padded to a multiple of two blocks.
        let (left, right) = (&tables[0], &tables[if TWO_GROUPS { 0 } else { 1 }]);
        let mut low = [_mm256_setzero_si256(); 8];
        let mut high = low;
        for j in 0..8 {
            // SAFETY: the caller promises the rows.
            let (upper, lower) =
                unsafe { (load_row(rows, starts, j), load_row(rows, starts, j + 8)) };
            low[j] = _mm256_unpacklo_epi8(upper, lower);
            high[j] = _mm256_unpackhi_epi8(upper, lower);
        }
        self.add_columns(columns(low), &left[..8], &right[..8]);
        self.add_columns(columns(high), &left[8..], &right[8..]);
        self
    }

    /// Does the same where rows `at` bytes further on may end after the codes.
    #[target_feature(enable = "avx2")]
    #[cold]
    #[inline(never)]
    fn add_copy<const TWO_GROUPS: bool>(
        self,
        codes: &[u8],
        at: usize,
        starts: &Starts,
        tables: &[[ByteTable; BLOCK]],
    ) -> Self {
        let rows = starts.map(|starts| starts.map(|start| copy_block(codes, at + start)));
        let left = std::array::from_fn(|j| j * BLOCK);
        let starts = [left, left.map(|start| start + BLOCK * BLOCK)];
        // SAFETY: the rows lie one after the other.
        unsafe { self.add::<TWO_GROUPS>(rows.as_flattened().as_flattened(), &starts, tables) }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn add_columns(&mut self, columns: [__m256i; 8], left: &[ByteTable], right: &[ByteTable]) {
        let odd_bytes = _mm256_set1_epi16(0x0100);
        for c in (0..8).step_by(2) {
            let first = look_up(columns[c], &left[c], &right[c]);
            let second = look_up(columns[c + 1], &left[c + 1], &right[c + 1]);
            // At most 128, so that eight bits hold it.
            let sum = _mm256_add_epi8(first, second);
            self.pairs = _mm256_add_epi16(self.pairs, sum);
            self.odd = _mm256_add_epi16(self.odd, _mm256_maddubs_epi16(sum, odd_bytes));
        }
    }
}

/// The sums that both halves of each byte select.
#[target_feature(enable = "avx2")]
#[inline]
fn look_up(bytes: __m256i, left: &ByteTable, right: &ByteTable) -> __m256i {
    // SAFETY: a table is sixteen bytes.
    let [low_sums, high_sums] = unsafe {
        [
            load_halves(left.low.as_ptr(), right.low.as_ptr()),
            load_halves(left.high.as_ptr(), right.high.as_ptr()),
        ]
    };
    let nibble = _mm256_set1_epi8(0x0f);
    let low = _mm256_and_si256(bytes, nibble);
    let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble);
    _mm256_add_epi8(_mm256_shuffle_epi8(low_sums, low), _mm256_shuffle_epi8(high_sums, high))
}

/// The scores of 32 codes, eight in each register.
struct Totals([__m256i; 4]);

impl Totals {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new(start: i32) -> Self {
        Self([_mm256_set1_epi32(start); 4])
    }

    /// Adds the sums of plane `p`. Unless there are two groups of codes, those of both halves
    /// belong to the same sixteen codes.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn add<const TWO_GROUPS: bool>(&mut self, sums: Sums, p: usize) {
        let even = _mm256_sub_epi16(sums.pairs, _mm256_slli_epi16::<8>(sums.odd));
        let low = _mm256_unpacklo_epi16(even, sums.odd);
        let high = _mm256_unpackhi_epi16(even, sums.odd);
        let parts = [
            _mm256_castsi256_si128(low),
            _mm256_castsi256_si128(high),
            _mm256_extracti128_si256::<1>(low),
            _mm256_extracti128_si256::<1>(high),
        ];
        let p = _mm_cvtsi32_si128(p as i32);
        for (k, part) in parts.into_iter().enumerate() {
            let total = &mut self.0[if TWO_GROUPS { k } else { k % 2 }];
            *total = _mm256_add_epi32(*total, _mm256_sll_epi32(_mm256_cvtepu16_epi32(part), p));
        }
    }

    /// Writes the first totals.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn write(self, scores: &mut [i32]) {
        let mut all = [0; 2 * BLOCK];
        for (k, total) in self.0.into_iter().enumerate() {
            // SAFETY: the four stores of eight elements fill the 32 elements.
            unsafe { _mm256_storeu_si256(all.as_mut_ptr().add(8 * k).cast(), total) };
        }
        scores.copy_from_slice(&all[..scores.len()]);
    }
}
