//! Numbers in page bodies, little-endian. What lies beyond the body is read as 0, and not written.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

/// The bytes at `at`.
fn array<const N: usize>(body: &[u8], at: usize) -> [u8; N] {
    body.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

pub(crate) fn u16_at(body: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(body, at))
}

pub(crate) fn u32_at(body: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(body, at))
}

pub(crate) fn u64_at(body: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(body, at))
}

/// Copies `bytes` to `at`.
pub(crate) fn put(body: &mut [u8], at: usize, bytes: &[u8]) {
    let place = at.checked_add(bytes.len()).and_then(|end| body.get_mut(at..end));
    if let Some(place) = place {
        place.copy_from_slice(bytes);
    }
}

/// The first eight bytes of a term, as a number that orders as they do.
pub(crate) fn prefix(term: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(term).for_each(|(byte, &of)| *byte = of);
    u64::from_be_bytes(bytes)
}
