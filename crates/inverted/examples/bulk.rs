//! Builds an index of rows at once and measures time and size.
//!
//! `cargo run --release -p inverted --example bulk -- [ROWS] [TOKENS] [MEGABYTES]`

mod support;

use std::time::Instant;

use inverted::{Bulk, Document, Options, Scoring};
use memmap2::MmapMut;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use space::Space;
use support::document;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number =
        |default| arguments.next().map_or(default, |argument| argument.parse().expect("a number"));
    let (rows, tokens, megabytes) = (number(120_000), number(10), number(64));
    let mut rng = SmallRng::seed_from_u64(1);
    let documents: Vec<Document> = (0..rows).map(|row| document(row, tokens, &mut rng)).collect();
    for positions in [false, true] {
        let options = Options { scoring: Scoring::Bm25 { k1: 1.2, b: 0.75 }, positions };
        let space = Space::new(megabytes << 20, Box::new(MmapMut::map_anon));
        let start = Instant::now();
        let mut bulk = Bulk::new(options, b"", space, Box::new(|| Ok(()))).expect("begins");
        for document in &documents {
            bulk.push(document).expect("takes");
        }
        let pushed = start.elapsed();
        let mut pages = 0;
        let append = &mut |_: &[u8]| {
            pages += 1;
            Ok(())
        };
        drop(bulk.write(append).expect("writes"));
        println!(
            "{rows} rows of {tokens} tokens, positions {positions}: taken in {:.2} s, all in {:.2} s, {:.1} bytes a row",
            pushed.as_secs_f64(),
            start.elapsed().as_secs_f64(),
            f64::from(pages) * 8192.0 / rows as f64,
        );
    }
}
