//! Recall, pages and time of searches in an index in memory:
//! `cargo run --release -p ivf --example lists_search -- DIR METRIC LISTS flat|sq8|rabitq K [grown]`
//!
//! `grown`: built of the tenth of the rows that are least in some direction; the others come in the order
//! of that direction, with a vacuum after each fifth more.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::time::Instant;

use ivf::{
    Bulk, DEFAULT_TARGET, IndexOptions, Ivf, Quantization, Rebalance, Scan, ScanOptions, calibrate,
    info, insert, rebalance,
};
use pages::HeapTid;
use pages::mem::MemStore;
use quant::Metric;
use space::Space;

fn unzip(path: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(File::open(path).ok()?).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Dimensions and numbers of `base` or `query`.
fn read(dir: &str, name: &str) -> (usize, Vec<f32>) {
    if let Some(bytes) = unzip(&format!("{dir}/{name}.u8bin.gz")) {
        let dims = u32::from_le_bytes(bytes[4..8].try_into().expect("a header"));
        return (dims as usize, bytes[8..].iter().map(|&x| f32::from(x)).collect());
    }
    let bytes = unzip(&format!("{dir}/{name}.f16bin.gz")).expect("a file of vectors");
    let dims = u32::from_le_bytes(bytes[4..8].try_into().expect("a header"));
    let halves = bytes[8..].as_chunks().0;
    let mut numbers = vec![0.0; halves.len()];
    kernels::widen_f16(halves, 1.0, &mut numbers);
    (dims as usize, numbers)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (arguments, grown) = match &arguments[..] {
        [all @ .., last] if last == "grown" => (all, true),
        all => (all, false),
    };
    let [dir, metric, lists, kind, k] = arguments else {
        panic!("arguments: DIR METRIC LISTS flat|sq8|rabitq K [grown]");
    };
    let metric = match metric.as_str() {
        "l2" => Metric::L2,
        "ip" => Metric::InnerProduct,
        _ => Metric::Cosine,
    };
    let (lists, k) = (lists.parse().expect("lists"), k.parse::<usize>().expect("k"));
    let (dims, base) = read(dir, "base");
    let (_, queries) = read(dir, "query");
    let truth = unzip(&format!("{dir}/gt.ibin.gz")).expect("the truth");
    let truth: Vec<u32> =
        truth[8..].as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect();

    let quantization = match kind.as_str() {
        "sq8" => Quantization::Sq8,
        "rabitq" => Quantization::Rabitq,
        _ => Quantization::None,
    };
    let options = IndexOptions { metric, dims, lists, quantization, seed: 1 };
    let start = Instant::now();
    let mut bulk = Bulk::new(options, Space::unlimited()).expect("sizes that fit");
    let mut rows: Vec<u32> = (0..(base.len() / dims) as u32).collect();
    let vector = |row: u32| &base[row as usize * dims..][..dims];
    let tid = |row| HeapTid { block: row, offset: 1 };
    if grown {
        let (a, b) = (vector(1), vector(2));
        let along = |row: u32| -> f32 {
            vector(row).iter().zip(a.iter().zip(b)).map(|(x, (a, b))| x * (a - b)).sum()
        };
        rows.sort_by(|&x, &y| along(x).total_cmp(&along(y)));
    }
    let first = if grown { rows.len() / 10 } else { rows.len() };
    for &row in &rows[..first] {
        bulk.push(vector(row), tid(row)).expect("a row");
    }
    let store = MemStore::new();
    bulk.write(2, &mut |_, _, _| true, &mut |body| {
        store.append(body);
        Ok(())
    })
    .expect("an index");
    let wanted = Rebalance { lists: lists as u64, work: 100_000.max(rows.len() as u64 / 8) };
    let mut next = first * 6 / 5;
    for (i, &row) in rows.iter().enumerate().skip(first) {
        insert(&store, vector(row), tid(row)).expect("inserts");
        if i >= next || i + 1 == rows.len() {
            let start = Instant::now();
            let done = rebalance(&store, &wanted).expect("reorganizes");
            println!("{i} rows: {done:?} in {:.2?}", start.elapsed());
            next = i * 6 / 5;
        }
    }
    let built = start.elapsed();
    let info = info(&store).expect("an index");
    println!(
        "{} rows, {} lists: built {built:.2?}, {} pages, {:.0} bytes a row, imbalance {:.2}",
        info.rows,
        info.meta.lists,
        info.pages,
        f64::from(info.pages) * 8192.0 / info.rows as f64,
        info.imbalance,
    );
    println!("probes  recall   us/query   pages  entries  exact");
    calibrate(&store, rows.len() as u64).expect("measures");
    let default = Ivf::open(&store).expect("an index").meta().probes(DEFAULT_TARGET);
    // The first again, as a search with default settings does it.
    for (i, probes) in [default, default, 1, 2, 4, 8, 16, 32, 64, 128, 256].into_iter().enumerate()
    {
        let (mut hits, mut entries, mut exact) = (0, 0, 0);
        let (reads, start) = (store.reads(), Instant::now());
        let count = (queries.len() / dims).min(1_000);
        for (q, query) in queries.chunks_exact(dims).take(count).enumerate() {
            let wanted: HashSet<u32> = truth[q * 100..][..k].iter().copied().collect();
            let ivf = Ivf::open(&store).expect("an index");
            let options =
                ScanOptions { probes, max_probes: 0, strict: false, wanted: 0, memory: 1 << 30 };
            let mut scan = Scan::new(ivf, Some(query), options).reaching(i == 1);
            for _ in 0..k {
                let Some(hit) = scan.next(&store).expect("a row") else { break };
                hits += usize::from(wanted.contains(&hit.tid.block));
            }
            entries += scan.stats().entries;
            exact += scan.stats().exact;
        }
        let each = |total: u64| total as f64 / count as f64;
        println!(
            "{probes:6}  {:.4} {:10.1} {:7.0} {:8.0} {:6.0}",
            hits as f64 / (count * k) as f64,
            start.elapsed().as_secs_f64() * 1e6 / count as f64,
            each(store.reads() - reads),
            each(entries),
            each(exact),
        );
    }
}
