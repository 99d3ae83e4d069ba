//! The fast Walsh-Hadamard transform.

/// Transforms `x` in place, unnormalised, in natural (Hadamard) order: `x` becomes `H x` with
/// `H[i][j] = (-1)^popcount(i & j)`. Plain loops, vectorised for the function this is inlined in.
#[inline(always)]
pub(crate) fn hadamard(x: &mut [f32]) {
    assert!(x.len() <= 1 || x.len().is_power_of_two(), "length {} is no power of two", x.len());
    let (octets, _) = x.as_chunks_mut::<8>();
    if octets.is_empty() {
        return stages(x, 1);
    }
    for octet in octets {
        *octet = hadamard8(*octet);
    }
    stages(x, 8);
}

/// The stages that combine elements at distances `half`, `2 * half`, and so on.
#[inline(always)]
fn stages(x: &mut [f32], mut half: usize) {
    while half < x.len() {
        for pair in x.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                (*low, *high) = (*low + *high, *low - *high);
            }
        }
        half *= 2;
    }
}

/// The first three stages of eight elements, in registers.
#[inline(always)]
fn hadamard8(x: [f32; 8]) -> [f32; 8] {
    let [a, b, c, d, e, f, g, h] = x;
    let [a, b, c, d, e, f, g, h] = [a + b, a - b, c + d, c - d, e + f, e - f, g + h, g - h];
    let [a, b, c, d, e, f, g, h] = [a + c, b + d, a - c, b - d, e + g, f + h, e - g, f - h];
    [a + e, b + f, c + g, d + h, a - e, b - f, c - g, d - h]
}
