//! Scores of codes against the definition, bit by bit.

mod levels;

use kernels::{BLOCK, BitQuery, CodeShape, Kernels};
use levels::levels;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn bit(plane: &[u8], i: usize) -> i32 {
    i32::from(plane[i / 8] >> (i % 8) & 1)
}

fn naive(query: &[i8], code: &[u8], shape: CodeShape) -> i32 {
    let planes = code.chunks(shape.plane_bytes).take(shape.planes).enumerate();
    planes
        .map(|(p, plane)| {
            let terms = query.iter().enumerate().map(|(i, &q)| i32::from(q) * bit(plane, i));
            terms.sum::<i32>() << p
        })
        .sum()
}

/// Checks `n` random codes with `gap` bytes between and `rest` bytes after them.
fn check(kernels: &Kernels, rng: &mut SmallRng, values: &[i8], shape: CodeShape, n: usize) {
    let gap = if rng.random() { 0 } else { rng.random_range(0..40) };
    let rest = if rng.random() { 0 } else { rng.random_range(0..100) };
    let stride = shape.bytes() + gap;
    let offset = rng.random_range(0..4);
    let len = if n == 0 { 0 } else { (n - 1) * stride + shape.bytes() + rest };
    let mut bytes = vec![0; offset + len];
    rng.fill(&mut bytes[..]);
    let codes = &bytes[offset..];
    let mut scores = vec![i32::MIN; n];
    let query = BitQuery::new(values);
    kernels.score_codes(&query, codes, shape, stride, &mut scores);
    for (j, score) in scores.into_iter().enumerate() {
        let expected = naive(values, &codes[j * stride..][..shape.bytes()], shape);
        assert_eq!(score, expected, "{}: code {j} of {n}, {shape:?}", kernels.level());
    }
}

/// Checks a block of random codes.
fn check_block(kernels: &Kernels, rng: &mut SmallRng, values: &[i8], shape: CodeShape) {
    let mut block = vec![0; shape.bytes() * BLOCK];
    rng.fill(&mut block[..]);
    let mut scores = [i32::MIN; BLOCK];
    kernels.score_block(&BitQuery::new(values), &block, shape, &mut scores);
    for (j, score) in scores.into_iter().enumerate() {
        let code: Vec<u8> = block.chunks(BLOCK).map(|column| column[j]).collect();
        let expected = naive(values, &code, shape);
        assert_eq!(score, expected, "{}: code {j} of a block, {shape:?}", kernels.level());
    }
}

#[test]
fn scores_are_exact() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(1);
        for plane_bytes in 1..=200 {
            for planes in 1..=4 {
                let shape = CodeShape { planes, plane_bytes };
                let dims = 8 * plane_bytes - rng.random_range(0..8);
                let values: Vec<i8> = (0..dims).map(|_| rng.random_range(-8..=7)).collect();
                let n = rng.random_range(0..=70);
                check(kernels, rng, &values, shape, n);
                check_block(kernels, rng, &values, shape);
            }
        }
    }
}

#[test]
fn every_count_of_codes() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(2);
        for n in 0..=200 {
            let shape = CodeShape { planes: 2, plane_bytes: 13 };
            let values: Vec<i8> = (0..100).map(|_| rng.random_range(-8..=7)).collect();
            check(kernels, rng, &values, shape, n);
        }
    }
}

#[test]
fn extreme_values_do_not_overflow() {
    for kernels in levels() {
        for value in [-8, 7] {
            for plane_bytes in [16, 511, 512, 1024, 8192] {
                let shape = CodeShape { planes: 4, plane_bytes };
                let query = BitQuery::new(&vec![value; 8 * plane_bytes]);
                let mut scores = [0; 33];
                let codes = vec![0xff; 33 * shape.bytes()];
                kernels.score_codes(&query, &codes, shape, shape.bytes(), &mut scores);
                assert_eq!(scores, [query.sum() * 15; 33]);
                let mut scores = [0; BLOCK];
                kernels.score_block(&query, &codes, shape, &mut scores);
                assert_eq!(scores, [query.sum() * 15; BLOCK]);
            }
        }
    }
}

#[test]
fn shorter_queries_ignore_the_rest_of_a_code() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(3);
        for dims in [0, 1, 63, 64, 65, 200] {
            let values: Vec<i8> = (0..dims).map(|_| rng.random_range(-8..=7)).collect();
            check(kernels, rng, &values, CodeShape { planes: 2, plane_bytes: 40 }, 20);
            check_block(kernels, rng, &values, CodeShape { planes: 2, plane_bytes: 40 });
            check(kernels, rng, &values, CodeShape { planes: 2, plane_bytes: 40 }, 3);
        }
    }
}

#[test]
#[should_panic(expected = "codes end before the last score")]
fn short_codes_are_refused() {
    let shape = CodeShape { planes: 1, plane_bytes: 2 };
    kernels::score_codes(&BitQuery::new(&[1; 16]), &[0; 5], shape, 2, &mut [0; 3]);
}

#[test]
#[should_panic(expected = "query value out of")]
fn large_query_values_are_refused() {
    BitQuery::new(&[8]);
}
