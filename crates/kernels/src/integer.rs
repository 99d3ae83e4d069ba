//! Integer kernels as plain loops, which the compiler vectorises for each instruction set.

/// The number of differing bits.
#[inline(always)]
pub(crate) fn hamming(a: &[u8], b: &[u8]) -> u32 {
    count_ones(a, b, |a, b| a ^ b)
}

/// The number of bits that are set in both.
#[inline(always)]
pub(crate) fn common_bits(a: &[u8], b: &[u8]) -> u32 {
    count_ones(a, b, |a, b| a & b)
}

#[inline(always)]
fn count_ones(a: &[u8], b: &[u8], combine: impl Fn(u64, u64) -> u64) -> u32 {
    let n = a.len().min(b.len());
    let (a, a_rest) = a[..n].as_chunks::<8>();
    let (b, b_rest) = b[..n].as_chunks::<8>();
    let count = |a: &[u8; 8], b: &[u8; 8]| {
        combine(u64::from_le_bytes(*a), u64::from_le_bytes(*b)).count_ones()
    };
    let words: u32 = a.iter().zip(b).map(|(a, b)| count(a, b)).sum();
    let rest = a_rest.iter().zip(b_rest).map(|(&a, &b)| combine(a.into(), b.into()).count_ones());
    words + rest.sum::<u32>()
}

/// The inner product of small integers.
#[inline(always)]
pub(crate) fn inner_product_i8(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}
