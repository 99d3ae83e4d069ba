//! Whether a row is in a set of rows, as a filtered search asks of each element that it passes.
//!
//! `cargo bench -p benches --bench membership`

use std::hint::black_box;
use std::time::Instant;

use pages::HeapTid;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tidset::{Builder, TidSet};

/// Rows asked about in a round: so few that other work on the machine spares most rounds.
const ROUND: usize = 1_000;

/// Rounds, each about other rows: a processor learns the answers of a few.
const ROUNDS: usize = 1_000;

/// Shares of the rows that are in the set.
const SHARES: [f64; 4] = [0.5, 0.1, 0.01, 0.001];

/// Blocks of a table, and the rows of each: of vectors in their rows, and of vectors that are stored apart.
const TABLES: [(u32, u16); 4] = [(10_000, 5), (75_000, 13), (500, 100), (60_000, 167)];

/// A set of about `share` of the rows of a table of `blocks` with `rows` each.
fn set(rng: &mut SmallRng, blocks: u32, rows: u16, share: f64) -> TidSet {
    let mut builder = Builder::default();
    for block in 0..blocks {
        let offsets: Vec<u16> = (1..=rows).filter(|_| rng.random_bool(share)).collect();
        if !offsets.is_empty() {
            builder.push(block, &offsets).expect("memory");
        }
    }
    builder.finish().expect("memory")
}

fn main() {
    println!("{:>10} {:>10} {:>7} {:>9} {:>8}", "rows", "per block", "share", "kB", "ns");
    let rng = &mut SmallRng::seed_from_u64(1);
    for (blocks, rows) in TABLES {
        for share in SHARES {
            let set = set(rng, blocks, rows, share);
            let mut round = || {
                let tid = |_| HeapTid {
                    block: rng.random_range(0..blocks),
                    offset: rng.random_range(1..=rows),
                };
                let tids: Vec<HeapTid> = (0..ROUND).map(tid).collect();
                let begun = Instant::now();
                black_box(tids.iter().filter(|&&tid| set.contains(tid)).count());
                begun.elapsed().as_nanos() as f64 / ROUND as f64
            };
            let mut times: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
            times.sort_unstable_by(f64::total_cmp);
            let (all, kilobytes) = (blocks as usize * usize::from(rows), set.bytes() / 1024);
            let median = times[ROUNDS / 2];
            println!("{all:>10} {rows:>10} {share:>7} {kilobytes:>9} {median:>8.1}");
        }
    }
}
