//! Kernels over bits and codes as plain loops, which the compiler vectorises for each instruction
//! set.

/// The number of differing bits.
#[inline(always)]
pub(crate) fn hamming(a: &[u8], b: &[u8]) -> u32 {
    words(a, b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// The numbers of bits in both and in either.
#[inline(always)]
pub(crate) fn jaccard_terms(a: &[u8], b: &[u8]) -> (u32, u32) {
    words(a, b).fold((0, 0), |(common, either), (a, b)| {
        (common + (a & b).count_ones(), either + (a | b).count_ones())
    })
}

/// Both as words, the last filled up with zeros.
#[inline(always)]
fn words(a: &[u8], b: &[u8]) -> impl Iterator<Item = (u64, u64)> {
    let n = a.len().min(b.len());
    let (a, a_rest) = a[..n].as_chunks::<8>();
    let (b, b_rest) = b[..n].as_chunks::<8>();
    let pairs = a.iter().zip(b).map(|(a, b)| (u64::from_le_bytes(*a), u64::from_le_bytes(*b)));
    pairs.chain([(last_word(a_rest), last_word(b_rest))])
}

/// The bytes of `rest`, fewer than eight, then zeros.
#[inline(always)]
fn last_word(rest: &[u8]) -> u64 {
    rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// The inner product of small integers.
#[inline(always)]
pub(crate) fn inner_product_i8(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}
