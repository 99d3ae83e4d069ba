//! Damage to bytes, of the kinds that programs trip over.

use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

/// Numbers at the edges of what code checks for.
const EDGES: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7f80_0000, // infinity
];

/// Changes a few of `bytes`, and no length.
pub fn scribble(rng: &mut SmallRng, bytes: &mut [u8]) {
    if bytes.is_empty() {
        return;
    }
    let at = rng.random_range(0..bytes.len());
    match rng.random_range(0..6) {
        0 => bytes[at] = rng.random(),
        1 => bytes[at] ^= 1 << rng.random_range(0..8),
        2 => bytes[at] = bytes[at].wrapping_add(if rng.random() { 1 } else { 0xff }),
        3 => write_number(rng, &mut bytes[at..]),
        4 => {
            let end = (at + rng.random_range(1..64)).min(bytes.len());
            let byte = *[0, 0xff, rng.random()].choose(rng).unwrap_or(&0);
            bytes[at..end].fill(byte);
        }
        _ => {
            let from = rng.random_range(0..bytes.len());
            let n = rng.random_range(1..64).min(bytes.len() - at.max(from));
            bytes.copy_within(from..from + n, at);
        }
    }
}

/// Writes an edge of 2, 4 or 8 bytes, of either order.
fn write_number(rng: &mut SmallRng, bytes: &mut [u8]) {
    let edge = *EDGES.choose(rng).unwrap_or(&0);
    let width = (1 << rng.random_range(1..=3)).min(bytes.len());
    let mut number = edge.to_le_bytes();
    if rng.random() {
        number[..width].reverse();
    }
    bytes[..width].copy_from_slice(&number[..width]);
}

/// Changes `bytes` in some way, their length perhaps too.
pub fn mutate(rng: &mut SmallRng, bytes: &mut Vec<u8>) {
    let at = rng.random_range(0..=bytes.len());
    let end = (at + rng.random_range(0..16)).min(bytes.len());
    match rng.random_range(0..8) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => bytes.extend_from_within(at..end),
        3 => bytes.insert(at, rng.random()),
        _ => scribble(rng, bytes),
    }
}
