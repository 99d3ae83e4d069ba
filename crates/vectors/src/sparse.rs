//! Sparse vectors: how pages hold them, and the sketches that codes are made of.

use kernels::sparse::Sparse;
use quant::SplitMix64;
use zerocopy::FromBytes;

use crate::form::{SKETCH_DIMS, SPARSE_ELEMENT};
use crate::vector::VectorBuf;

/// Writes a vector as pages hold it: all indices, then all values.
pub fn pack(vector: Sparse<'_>, out: &mut Vec<u8>) {
    out.clear();
    let count = vector.indices.len().min(vector.values.len());
    out.extend(vector.indices[..count].iter().flat_map(|index| index.to_le_bytes()));
    out.extend(vector.values[..count].iter().flat_map(|value| value.to_le_bytes()));
}

/// Reads what [`pack`] wrote; values are multiplied by `scale`.
pub fn unpack(bytes: &[u8], scale: f32) -> VectorBuf {
    let (indices, values) = halves(bytes);
    let indices = indices.iter().map(|&index| u32::from_le_bytes(index)).collect();
    let values = values.iter().map(|&value| scale * f32::from_le_bytes(value)).collect();
    VectorBuf::Sparse { indices, values }
}

/// The same without a copy, where `bytes` lie as this machine's numbers do.
pub fn view(bytes: &[u8]) -> Option<Sparse<'_>> {
    let (indices, values) = halves(bytes);
    let indices = <[u32]>::ref_from_bytes(indices.as_flattened()).ok()?;
    let values = <[f32]>::ref_from_bytes(values.as_flattened()).ok()?;
    cfg!(target_endian = "little").then_some(Sparse { indices, values })
}

fn halves(bytes: &[u8]) -> (&[[u8; 4]], &[[u8; 4]]) {
    let numbers = bytes.as_chunks().0;
    numbers.split_at(bytes.len() / SPARSE_ELEMENT)
}

/// Whether the indices of a vector in a record ascend and lie within `dims`.
pub fn is_sound(bytes: &[u8], dims: usize) -> bool {
    let indices = halves(bytes).0.iter().map(|&index| u32::from_le_bytes(index));
    let last = indices.clone().next_back();
    last.is_none_or(|last| (last as usize) < dims) && indices.is_sorted_by(|a, b| a < b)
}

/// Adds each element, with a sign, to one of the coordinates of `out`, which are zero; both are drawn
/// by its index. Inner products and distances stay what they were on average, and err the less the
/// more coordinates there are (the count sketch of Charikar, Chen and Farach-Colton, 2002). Fewer than
/// [`SKETCH_DIMS`] are those of the vector itself.
pub fn sketch(vector: Sparse<'_>, out: &mut [f32]) {
    let dims = out.len() as u64;
    for (&index, &value) in vector.indices.iter().zip(vector.values) {
        if out.len() < SKETCH_DIMS {
            // As the vectors themselves have.
            out.get_mut(index as usize).into_iter().for_each(|out| *out = value);
            continue;
        }
        let drawn = SplitMix64::new(index.into()).next_u64();
        // Below `dims`.
        let at = (((drawn >> 32) * dims) >> 32) as usize;
        out[at] += if drawn & 1 == 0 { value } else { -value };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: u64, indices: usize) -> (Vec<u32>, Vec<f32>) {
        let mut random = SplitMix64::new(seed);
        let indices: Vec<u32> = (0..indices as u32).map(|i| i * 7_000_000).collect();
        let values = indices.iter().map(|_| random.next_normal()).collect();
        (indices, values)
    }

    #[test]
    fn what_was_packed_is_read() {
        let (indices, values) = random(1, 100);
        let mut bytes = Vec::new();
        pack(Sparse { indices: &indices, values: &values }, &mut bytes);
        assert!(is_sound(&bytes, 693_000_001) && !is_sound(&bytes, 693_000_000));
        assert_eq!(unpack(&bytes, 1.0), VectorBuf::Sparse { indices, values });
        bytes.copy_within(0..4, 4);
        assert!(!is_sound(&bytes, 1_000_000_000));
        pack(Sparse { indices: &[], values: &[] }, &mut bytes);
        assert!(bytes.is_empty() && is_sound(&bytes, 1));
    }

    #[test]
    fn sketches_keep_products() {
        let mut errors = 0.0;
        for seed in 0..200 {
            let ((i, a), (_, b)) = (random(seed, 140), random(seed + 1_000, 140));
            let sketched = |values: &[f32]| {
                let mut out = vec![0.0; 1_024];
                sketch(Sparse { indices: &i, values }, &mut out);
                out
            };
            let exact = kernels::inner_product(&a, &b);
            let norms = kernels::inner_product(&a, &a) * kernels::inner_product(&b, &b);
            let error = (kernels::inner_product(&sketched(&a), &sketched(&b)) - exact).powi(2);
            errors += error / norms;
        }
        let deviation = (errors / 200.0).sqrt();
        assert!(deviation < 1.3 / 32.0, "{deviation}");
    }
}
