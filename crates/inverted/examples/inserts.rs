//! Loads rows one by one and measures what inserts cost, what they log, and how searches of the write
//! buffer slow down as it fills.
//!
//! `cargo run --release -p inverted --example inserts -- [ROWS] [TOKENS]`

mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use inverted::{Options, Scoring, Snapshot, create, insert, statistics, vacuum};
use pages::mem::MemStore;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use support::document;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number =
        |default| arguments.next().map_or(default, |argument| argument.parse().expect("a number"));
    let (rows, tokens) = (number(200_000), number(10));
    let scoring = Scoring::Bm25 { k1: 1.2, b: 0.75 };
    let store = MemStore::new();
    create(&store, Options { scoring, positions: true }, b"").expect("creates");
    store.count_log(true);
    let mut rng = SmallRng::seed_from_u64(1);
    let (mut times, mut most, mut total) = (Vec::with_capacity(rows), 0, Duration::ZERO);
    let mut pages = 0;
    for row in 0..rows {
        let document = document(row, tokens, &mut rng);
        let start = Instant::now();
        insert(&store, &document).expect("inserts");
        let time = start.elapsed();
        total += time;
        times.push(time);
        if row % 1_000 == 0 {
            let figures = statistics(&store).expect("reads");
            most = most.max(figures.segments.len());
            if row < 20_000 && figures.buffer_pages != pages {
                pages = figures.buffer_pages;
                measure_buffer(&store, &mut rng);
            }
        }
    }
    times.sort_unstable();
    let figures = statistics(&store).expect("reads");
    println!(
        "{rows} rows of {tokens} tokens: {:.1} us a row, p99 {:.1} us, p99.9 {:.2} ms, most {:.2} ms",
        total.as_secs_f64() * 1e6 / rows as f64,
        times[rows * 99 / 100].as_secs_f64() * 1e6,
        times[rows * 999 / 1000].as_secs_f64() * 1e3,
        times[rows - 1].as_secs_f64() * 1e3,
    );
    println!(
        "{:.0} bytes of log a row; at most {most} segments, now {}; {} pages, {} free, {} waiting",
        store.logged() as f64 / rows as f64,
        figures.segments.len(),
        figures.pages,
        figures.free_pages,
        figures.waiting_pages,
    );
    let start = Instant::now();
    vacuum(&store, &mut |tid| tid.offset == 7).expect("vacuums");
    let figures = statistics(&store).expect("reads");
    println!(
        "vacuum of every hundredth row: {:.0} ms; {} segments, {} pages, {} free, {} waiting",
        start.elapsed().as_secs_f64() * 1e3,
        figures.segments.len(),
        figures.pages,
        figures.free_pages,
        figures.waiting_pages,
    );
}

/// A search of the buffer as it is, for four terms.
fn measure_buffer(store: &MemStore, rng: &mut SmallRng) {
    const TIMES: u32 = 200;
    let snapshot = Snapshot::read(store).expect("reads");
    let mut time = Duration::ZERO;
    for _ in 0..TIMES {
        let query = document(0, 4, rng);
        let terms: Vec<&[u8]> = query.postings.iter().map(|posting| &posting.term[..]).collect();
        let start = Instant::now();
        black_box(snapshot.buffer_matches(store, &terms, false).expect("reads"));
        time += start.elapsed();
    }
    let figures = statistics(store).expect("reads");
    println!(
        "buffer of {} documents, {} pages: {:.1} us a search",
        figures.buffer_documents,
        figures.buffer_pages,
        time.as_secs_f64() * 1e6 / f64::from(TIMES),
    );
}
