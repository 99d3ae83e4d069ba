//! Vectors of bits: how pages hold them, and their distances.

use quant::Metric;

/// Sets the bits of the numbers that are not zero, from the highest of each byte on.
pub fn pack(vector: &[f32], bits: &mut [u8]) {
    for (byte, numbers) in bits.iter_mut().zip(vector.chunks(8)) {
        let numbers = numbers.iter().enumerate();
        *byte = numbers.fold(0, |byte, (i, &x)| byte | u8::from(x != 0.0) << (7 - i));
    }
}

/// Writes bits as the numbers 0 and 1.
pub fn unpack(bits: &[u8], out: &mut [f32]) {
    for (i, number) in out.iter_mut().enumerate() {
        *number = f32::from(bits[i / 8] >> (7 - i % 8) & 1);
    }
}

/// Reduced distance of two vectors of bits.
pub fn reduced_distance_bits(metric: Metric, a: &[u8], b: &[u8]) -> f32 {
    bit_distance(metric, a, b) as f32
}

/// Distance between two vectors of bits, which are of the same length.
pub fn bit_distance(metric: Metric, a: &[u8], b: &[u8]) -> f64 {
    if metric == Metric::Jaccard {
        let (common, either) = kernels::jaccard_terms(a, b);
        if common == 0 { 1.0 } else { 1.0 - f64::from(common) / f64::from(either) }
    } else {
        f64::from(kernels::hamming(a, b))
    }
}
