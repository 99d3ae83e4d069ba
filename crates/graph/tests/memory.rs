//! Builds whose memory is bounded.

use std::cell::Cell;

use crate::support::{clustered, tid};
use graph::{Bulk, IndexOptions, build_memory, index_pages};
use memmap2::MmapMut;
use quant::Metric;
use space::Space;
use vectors::Form;

const ROWS: usize = 3_000;

fn options(metric: Metric, dims: usize) -> IndexOptions {
    let form = Form::Halves;
    IndexOptions { metric, form, dims, m: 6, ef_construction: 30, seed: 5 }
}

/// The pages of an index over the vectors, each of which every third row repeats.
fn built(options: IndexOptions, vectors: &[Vec<f32>], space: Space) -> Vec<Vec<u8>> {
    let mut bulk = Bulk::new(options, space).expect("fits");
    for (i, vector) in vectors.iter().enumerate() {
        bulk.push(vector, tid(i)).expect("takes the row");
        if i % 3 == 0 {
            bulk.push(&vectors[i / 3], tid(vectors.len() + i)).expect("takes the row");
        }
    }
    let mut pages = Vec::new();
    bulk.write(1, &mut |_, _, _| true, &mut |body| {
        pages.push(body.to_vec());
        Ok(())
    })
    .expect("builds");
    pages
}

/// Wherever the arrays lie, in memory, in the file, or some here and some there.
#[test]
fn memory_does_not_change_the_index() {
    for (metric, dims) in [(Metric::L2, 40), (Metric::Cosine, 7), (Metric::L1, 20)] {
        let options = options(metric, dims);
        let vectors = clustered(ROWS, dims, 9);
        let expected = built(options, &vectors, Space::unlimited());
        let needed = build_memory(&options, ROWS as u64, 0) as usize;
        let mut in_file = Vec::new();
        for limit in [2 * needed, needed / 2, needed / 4, needed / 8, 0] {
            let mapped = Cell::new(0);
            let map_file = |bytes| {
                mapped.set(mapped.get() + bytes);
                MmapMut::map_anon(bytes)
            };
            let space = Space::new(limit, Box::new(map_file));
            assert!(built(options, &vectors, space) == expected, "{metric:?}, limit {limit}");
            in_file.push(mapped.get());
        }
        assert!(in_file[0] == 0 && in_file[1] > 0, "{metric:?}: {in_file:?}");
        assert!(in_file.is_sorted() && in_file[4] > in_file[1], "{metric:?}: {in_file:?}");
    }
}

#[test]
fn sizes_are_as_estimated() {
    for (metric, dims) in [(Metric::L2, 3), (Metric::Cosine, 384), (Metric::L2, 1_600)] {
        let options = options(metric, dims);
        let count = if dims > 1_000 { 300 } else { ROWS };
        let vectors = clustered(count, dims, 9);
        let mut bulk = Bulk::new(options, Space::unlimited()).expect("fits");
        for (i, vector) in vectors.iter().enumerate() {
            bulk.push(vector, tid(i)).expect("takes the row");
        }
        let mut pages = 0;
        bulk.write(2, &mut |_, _, _| true, &mut |_| {
            pages += 1;
            Ok(())
        })
        .expect("builds");
        let estimate = index_pages(&options, count as u64, 0).expect("fits");
        let ratio = estimate as f64 / f64::from(pages);
        assert!((0.98..1.02).contains(&ratio), "{metric:?}, {dims} dimensions: {ratio}");
    }
}
