//! Measures searches in memory: `speed texts DOCS QUERIES…`, files of one tokenized text a line, or
//! `speed vectors ROWS TERMS`. Prints the processor time of a search for the ten best, and the size of the index.

use std::collections::BTreeMap;
use std::time::Instant;
use std::{env, fs};

use inverted::{Heads, Pages, Query, Scan, ScanOptions, Scoring, SegmentInfo, Statistics, Writer};
use pages::mem::MemStore;
use pages::{Batch, HeapTid, PAGE_BODY, PageStore, Result};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Processor time of this process so far, on Linux; other work on the machine does not count.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

/// Pages of a store in memory, as they come.
struct MemPages<'s>(&'s MemStore);

impl Pages for MemPages<'_> {
    fn allocate(&mut self) -> Result<u32> {
        let block = self.0.blocks()?;
        self.0.append(&vec![0; PAGE_BODY]);
        Ok(block)
    }

    fn write(&mut self, block: u32, body: &[u8]) -> Result<()> {
        let mut batch = self.0.batch();
        batch.create(block)?.copy_from_slice(body);
        batch.commit()
    }
}

/// Postings of a term: ordinal, value, positions.
type List = Vec<(u32, u32, Vec<u32>)>;

struct Index {
    scoring: Scoring,
    store: MemStore,
    segment: SegmentInfo,
    heads: Heads,
}

impl Index {
    fn build(
        scoring: Scoring,
        positions: bool,
        lengths: &[u32],
        lists: &BTreeMap<Vec<u8>, List>,
    ) -> Result<Self> {
        let store = MemStore::new();
        let mut pages = MemPages(&store);
        let mut writer = Writer::new(&mut pages, scoring, positions, 1);
        for (row, &length) in (0u32..).zip(lengths) {
            writer.document(HeapTid { block: row / 60, offset: (row % 60 + 1) as u16 }, length)?;
        }
        for (term, list) in lists {
            writer.term(term)?;
            for (ordinal, value, at) in list {
                writer.posting(*ordinal, *value, if positions { at } else { &[] })?;
            }
        }
        let segment = writer.finish()?;
        Ok(Self { scoring, store, segment, heads: Heads::default() })
    }

    fn search(&self, query: &Query, k: usize, share: u32) -> Result<Vec<f64>> {
        let statistics = Statistics {
            documents: self.segment.documents.into(),
            total_length: self.segment.total_length,
        };
        let options = ScanOptions { k, ..ScanOptions::default() };
        let segments = self.heads.open(&self.store, &[self.segment], self.scoring)?;
        let mut scan = Scan::new(segments, self.scoring, statistics, query, options, &mut ())?;
        if share > 1 {
            scan.keep_only(Box::new(move |tid| tid.block.is_multiple_of(share)));
        }
        let mut scores = Vec::new();
        while scores.len() < k
            && let Some(hit) = scan.next()?
        {
            scores.push(hit.score);
        }
        Ok(scores)
    }

    fn measure(&self, name: &str, queries: &[Query]) -> Result<()> {
        self.measure_share(name, queries, 1)?;
        self.measure_share(&format!("{name}, 1 % of the rows"), queries, 100)
    }

    fn measure_share(&self, name: &str, queries: &[Query], share: u32) -> Result<()> {
        let mut best = f64::INFINITY;
        let (mut sum, mut reads) = (0.0, 0);
        let mut slowest = Vec::new();
        for _ in 0..7 {
            (sum, slowest) = (0.0, Vec::new());
            let (first, before) = (cpu_seconds(), self.store.reads());
            for query in queries {
                let start = Instant::now();
                sum += self.search(query, 10, share)?.iter().sum::<f64>();
                slowest.push(start.elapsed().as_secs_f64());
            }
            best = best.min(cpu_seconds() - first);
            reads = self.store.reads() - before;
        }
        slowest.sort_by(f64::total_cmp);
        let micros = |seconds: f64| seconds * 1e6;
        let bytes = f64::from(self.segment.pages) * 8192.0 / f64::from(self.segment.documents);
        println!(
            "{name}: {:.1} µs a query, 95 % {:.1} µs, {} pages a query, {bytes:.1} bytes a document, sum {sum:.4}",
            micros(best) / queries.len() as f64,
            micros(slowest[slowest.len() * 95 / 100]),
            reads / queries.len() as u64,
        );
        Ok(())
    }
}

fn texts(documents: &str, files: &[&str]) -> Result<()> {
    let mut lists: BTreeMap<Vec<u8>, List> = BTreeMap::new();
    let mut lengths = Vec::new();
    for (row, text) in (0..).zip(documents.lines()) {
        let mut terms: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        let mut length = 0;
        for token in text.split_whitespace() {
            terms.entry(token).or_default().push(length);
            length += 1;
        }
        lengths.push(length);
        for (term, at) in terms {
            let list = match lists.get_mut(term.as_bytes()) {
                Some(list) => list,
                None => lists.entry(term.into()).or_default(),
            };
            list.push((row, at.len() as u32, at));
        }
    }
    let scoring = Scoring::Bm25 { k1: 1.2, b: 0.75 };
    for positions in [false, true] {
        let start = Instant::now();
        let index = Index::build(scoring, positions, &lengths, &lists)?;
        println!("written in {:.2} s", start.elapsed().as_secs_f64());
        for file in files {
            let queries = fs::read_to_string(file).unwrap_or_default();
            let queries: Vec<Query> =
                queries.lines().map(|text| Query::of_tokens(text.split_whitespace())).collect();
            let with = if positions { "with" } else { "without" };
            index.measure(&format!("{file} {with} positions"), &queries)?;
        }
    }
    Ok(())
}

/// Weights as of a learned model: about 126 non-zeros of 30,522 dimensions, queries of
/// `terms`.
fn vectors(rows: u32, terms: u32) -> Result<()> {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut lists: BTreeMap<Vec<u8>, List> = BTreeMap::new();
    let mut vector = |count: u32| {
        let mut dimensions: Vec<u32> = (0..count)
            .map(|_| {
                let x: f64 = rng.random();
                (30_522.0 * x.powf(3.0)) as u32
            })
            .collect();
        dimensions.sort_unstable();
        dimensions.dedup();
        let weights =
            dimensions.into_iter().map(|dimension| (dimension, rng.random::<f32>() * 2.0));
        weights.collect::<Vec<(u32, f32)>>()
    };
    for row in 0..rows {
        for (dimension, weight) in vector(132) {
            let list = lists.entry(inverted::dimension(dimension).to_vec()).or_default();
            list.push((row, weight.to_bits(), Vec::new()));
        }
    }
    let queries: Vec<Query> = (0..200)
        .map(|_| {
            Query::new(vector(terms).into_iter().map(|(d, w)| (inverted::dimension(d).to_vec(), w)))
        })
        .collect();
    let postings = queries.iter().flat_map(|query| query.terms());
    let postings: usize = postings.filter_map(|(term, _)| lists.get(term)).map(Vec::len).sum();
    println!("{} postings a query", postings / queries.len());
    let lengths = vec![0; rows as usize];
    Index::build(Scoring::InnerProduct, false, &lengths, &lists)?.measure("vectors", &queries)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["texts", documents, queries @ ..] => texts(&read(documents), queries),
        ["vectors", rows, terms] => {
            vectors(rows.parse().unwrap_or(50_000), terms.parse().unwrap_or(32))
        }
        _ => {
            eprintln!("speed texts DOCS QUERIES… | speed vectors ROWS TERMS");
            Ok(())
        }
    }
}
