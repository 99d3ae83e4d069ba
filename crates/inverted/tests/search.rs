//! Searches return what a computation of all scores does.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{BM25, document, texts, tid, vectors, write, zipf};
use inverted::{
    Document, Fresh, FreshRow, Heads, Query, Ranked, Reader, Scan, ScanOptions, Scoring,
    Statistics, Weight, kill, score, set_frequency,
};
use pages::mem::MemStore;
use pages::{Batch, HeapTid, PageStore, Result};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// An index: segments of documents, a buffer, and which are dead.
struct Index {
    scoring: Scoring,
    store: MemStore,
    segments: Vec<inverted::SegmentInfo>,
    living: Vec<Document>,
    fresh: Vec<Document>,
}

impl Index {
    /// Puts all but the last of the parts into segments.
    fn new(scoring: Scoring, documents: &[Document], parts: &[usize], buffered: usize) -> Self {
        let store = MemStore::new();
        let (settled, fresh) = documents.split_at(documents.len() - buffered);
        let (mut segments, mut rest) = (Vec::new(), settled);
        for (i, &part) in parts.iter().chain([&usize::MAX]).enumerate() {
            let (now, later) = rest.split_at(part.min(rest.len()));
            if !now.is_empty() {
                segments.push(write(&store, scoring, false, i as u64 + 1, now));
            }
            rest = later;
        }
        Self { scoring, store, segments, living: documents.to_vec(), fresh: fresh.to_vec() }
    }

    /// Deletes some rows, as a vacuum does.
    fn vacuum(&mut self, dead: impl Fn(HeapTid) -> bool) {
        for info in &self.segments {
            let reader = Reader::open(&self.store, info, self.scoring).expect("opens");
            let mut gone = BTreeSet::new();
            for group in 0..reader.groups() {
                let documents = reader.documents(group).expect("documents");
                let places: Vec<usize> =
                    (0..documents.tids.len()).filter(|&i| dead(documents.tids[i])).collect();
                gone.extend(places.iter().map(|&place| documents.first + place as u32));
                let mut batch = self.store.batch();
                let body = batch.page(documents.block).expect("page");
                kill(body, documents.block, info.id, places).expect("kills");
                batch.commit().expect("commits");
            }
            let mut terms = reader.terms();
            while let Some((_, entry)) = terms.next().expect("terms") {
                let mut living = 0;
                let mut postings = reader.postings(&entry).expect("postings");
                while let Some(ordinal) = postings.ordinal() {
                    living += u32::from(!gone.contains(&ordinal));
                    postings.advance().expect("advances");
                }
                let mut batch = self.store.batch();
                let body = batch.page(entry.block()).expect("page");
                set_frequency(body, entry.block(), info.id, &entry, living).expect("changes");
                batch.commit().expect("commits");
            }
        }
        self.living.retain(|document| !dead(document.tid));
        self.fresh.retain(|document| !dead(document.tid));
    }

    fn statistics(&self) -> Statistics {
        Statistics {
            documents: self.living.len() as u64,
            total_length: self.living.iter().map(|document| u64::from(document.length)).sum(),
        }
    }

    fn scan(&self, query: &Query, options: ScanOptions) -> Scan<'_, MemStore> {
        let segments = Heads::default().open(&self.store, &self.segments, self.scoring);
        let (statistics, fresh) = (self.statistics(), &mut Rows(&self.fresh));
        let segments = segments.expect("opens");
        Scan::new(segments, self.scoring, statistics, query, options, fresh).expect("begins")
    }

    /// All hits, by computing all scores.
    fn naive(&self, query: &Query, passes: impl Fn(HeapTid) -> bool) -> Vec<Ranked> {
        let mut frequencies: BTreeMap<&[u8], u64> = BTreeMap::new();
        for posting in self.living.iter().flat_map(|document| &document.postings) {
            *frequencies.entry(&posting.term).or_default() += 1;
        }
        let statistics = self.statistics();
        let weights: Vec<Weight> = query
            .terms()
            .iter()
            .map(|(term, weight)| {
                let n = frequencies.get(&term[..]).copied().unwrap_or(0);
                Weight::new(self.scoring, statistics, *weight, n)
            })
            .collect();
        let mut hits = Vec::new();
        for document in self.living.iter().filter(|document| passes(document.tid)) {
            let values = values(query, document);
            let known = values.iter().map(|&(i, value)| (weights[i], value));
            let score = score(known, document.length);
            if !values.is_empty() && (self.scoring == Scoring::InnerProduct || score > 0.0) {
                hits.push(Ranked { score, tid: document.tid });
            }
        }
        hits.sort();
        hits
    }
}

/// What a document holds of the query.
fn values(query: &Query, document: &Document) -> Vec<(usize, u32)> {
    let terms = query.terms().iter().enumerate();
    let find = |(i, (term, _)): (usize, &(Vec<u8>, f32))| {
        let at = document.postings.binary_search_by(|posting| posting.term.cmp(term)).ok()?;
        Some((i, document.postings[at].value))
    };
    terms.filter_map(find).collect()
}

/// A buffer.
struct Rows<'a>(&'a [Document]);

impl Fresh for Rows<'_> {
    fn frequencies(&mut self, query: &Query, frequencies: &mut [u64]) -> Result<()> {
        for (i, _) in self.0.iter().flat_map(|document| values(query, document)) {
            frequencies[i] += 1;
        }
        Ok(())
    }

    fn rows(
        &mut self,
        query: &Query,
        each: &mut dyn FnMut(FreshRow<'_>) -> Result<()>,
    ) -> Result<()> {
        for document in self.0 {
            let values = &values(query, document)[..];
            if !values.is_empty() {
                each(FreshRow { tid: document.tid, length: document.length, values })?;
            }
        }
        Ok(())
    }
}

fn take(scan: &mut Scan<'_, MemStore>, count: usize) -> Vec<Ranked> {
    let mut hits = Vec::new();
    while hits.len() < count
        && let Some(hit) = scan.next().expect("hit")
    {
        hits.push(hit);
    }
    hits
}

/// Compares the first hits and all hits, with and without a filter.
fn compare(index: &Index, query: &Query, rng: &mut SmallRng) {
    let all = index.naive(query, |_| true);
    let k = *[1, 2, 10, 100, 1_000].get(rng.random_range(0..5)).expect("one of five");
    let options = ScanOptions { k, ..ScanOptions::default() };
    let mut scan = index.scan(query, options);
    assert_eq!(take(&mut scan, k), all[..k.min(all.len())], "{query:?}");
    if rng.random_ratio(1, 3) {
        assert_eq!(take(&mut scan, usize::MAX), all[k.min(all.len())..], "{query:?}");
    }
    let share = rng.random_range(1..40);
    let passes = move |tid: HeapTid| (tid.block * 31 + u32::from(tid.offset)).is_multiple_of(share);
    let expected = index.naive(query, passes);
    let mut scan = index.scan(query, options);
    scan.keep_only(Box::new(passes));
    assert_eq!(take(&mut scan, k), expected[..k.min(expected.len())], "{query:?}");
    // From now on: of hits that were found before too.
    let mut scan = index.scan(query, options);
    let first = take(&mut scan, 1);
    scan.keep_only(Box::new(passes));
    let rest: Vec<Ranked> = expected.into_iter().filter(|hit| !first.contains(hit)).collect();
    assert_eq!(take(&mut scan, k), rest[..k.min(rest.len())], "{query:?}");
}

/// A list that has ended is not read again for each group of documents.
#[test]
fn short_lists_are_read_once() {
    let documents: Vec<_> = (0..40_000)
        .map(|row| if row < 300 { document(row, &[1, 2]) } else { document(row, &[2]) })
        .collect();
    let store = MemStore::new();
    let info = write(&store, BM25, false, 3, &documents);
    let reads = |tokens: &[&str]| {
        let statistics = Statistics { documents: 40_000, total_length: 40_300 };
        let (query, options) = (Query::of_tokens(tokens), ScanOptions::default());
        let options = ScanOptions { k: 50_000, ..options };
        let before = store.reads();
        let segments = Heads::default().open(&store, &[info], BM25).expect("opens");
        let mut scan = Scan::new(segments, BM25, statistics, &query, options, &mut ());
        scan.as_mut().expect("begins").next().expect("finds");
        store.reads() - before
    };
    let (one, both) = (reads(&["w2"]), reads(&["w1", "w2"]));
    assert!(both <= one + 5, "{one} pages, then {both}");
}

/// A segment whose postings are in the dictionary is not searched where all of them are too small.
#[test]
fn segments_of_small_bounds_are_left_out() {
    let weighted = |row: u32, weight: f32| {
        let term = inverted::dimension(1).to_vec();
        let posting = inverted::Posting { term, value: weight.to_bits(), positions: Vec::new() };
        Document { tid: tid(row), length: 1, postings: vec![posting] }
    };
    let large: Vec<_> = (0..500).map(|row| weighted(row, 5.0)).collect();
    for (weight, is_searched) in [(0.5, false), (6.0, true)] {
        let store = MemStore::new();
        let small = [weighted(500, weight)];
        let infos = [(1, &large[..]), (2, &small[..])]
            .map(|(id, documents)| write(&store, Scoring::InnerProduct, false, id, documents));
        let reads = |infos: &[inverted::SegmentInfo]| {
            let segments = Heads::default().open(&store, infos, Scoring::InnerProduct);
            let statistics = Statistics { documents: 501, total_length: 501 };
            let query = Query::new([(inverted::dimension(1).to_vec(), 1.0)]);
            let options = ScanOptions::default();
            let scoring = Scoring::InnerProduct;
            let segments = segments.expect("opens");
            let scan = Scan::new(segments, scoring, statistics, &query, options, &mut ());
            let (mut scan, before) = (scan.expect("begins"), store.reads());
            let first = scan.next().expect("finds").expect("is found");
            assert_eq!(first.score, if infos.len() == 2 { weight.max(5.0).into() } else { 5.0 });
            store.reads() - before
        };
        assert_eq!(reads(&infos) > reads(&infos[..1]), is_searched, "{weight}");
    }
}

fn words(rng: &mut SmallRng, vocabulary: u32) -> Query {
    let count = rng.random_range(1..12);
    Query::of_tokens((0..count).map(|_| format!("w{}", zipf(rng, vocabulary))))
}

fn dimensions(rng: &mut SmallRng, dims: u32, most: usize, scale: f32) -> Query {
    let count = rng.random_range(1..=most);
    Query::new((0..count).map(|_| {
        let dimension = inverted::dimension(zipf(rng, dims)).to_vec();
        (dimension, (rng.random::<f32>() - 0.3) * scale)
    }))
}

#[test]
fn texts_are_found() {
    let mut rng = SmallRng::seed_from_u64(1);
    for (rows, vocabulary, parts, buffered) in [
        (1, 3, &[][..], 0),
        (50, 5, &[20], 20),
        (3_000, 30, &[1_000], 500),
        (9_000, 2_000, &[100, 4_000], 0),
        (12_000, 6, &[], 10),
    ] {
        let documents = texts(&mut rng, rows, vocabulary);
        let mut index = Index::new(BM25, &documents, parts, buffered);
        for round in 0..20 {
            if round == 10 {
                index.vacuum(|tid| (tid.block + u32::from(tid.offset)) % 5 == 0);
            }
            compare(&index, &words(&mut rng, vocabulary), &mut rng);
        }
    }
}

#[test]
fn ties_are_in_order_of_rows() {
    let mut rng = SmallRng::seed_from_u64(2);
    let mut documents: Vec<Document> =
        (0..10_000).map(|row| document(row, &[row % 3, 7, 8])).collect();
    documents.reverse();
    for (k1, b) in [(1.2, 0.75), (0.0, 0.0), (3.0, 1.0), (1.2, 0.0)] {
        let index = Index::new(Scoring::Bm25 { k1, b }, &documents, &[3_000], 100);
        for query in [&["w7"][..], &["w0", "w7"], &["w1", "w2", "w7", "w8", "w9"]] {
            compare(&index, &Query::of_tokens(query), &mut rng);
        }
    }
}

#[test]
fn extreme_frequencies_and_lengths() {
    let mut rng = SmallRng::seed_from_u64(3);
    let mut documents = texts(&mut rng, 5_000, 40);
    for row in [0, 17, 2_000, 4_999] {
        let length = [1, 70_000, 100_000, 65_535][row as usize % 4];
        let tokens: Vec<u32> = (0..length).map(|i| if i % 3 == 0 { 1 } else { i % 50 }).collect();
        documents[row as usize] = document(row, &tokens);
    }
    let index = Index::new(BM25, &documents, &[2_500], 0);
    for _ in 0..40 {
        compare(&index, &words(&mut rng, 60), &mut rng);
    }
}

#[test]
fn vectors_are_found() {
    let mut rng = SmallRng::seed_from_u64(4);
    for (rows, scale, query_scale) in [
        (9_000, 1.0, 1.0),
        (2_000, 1e-3, 1e6),
        (2_000, 1e30, 1e30),
        (2_000, f32::MAX, f32::MAX),
        (2_000, 1e-40, 1.0),
        (2_000, 1e-20, 1e-25),
    ] {
        let documents = vectors(&mut rng, rows, 200, scale);
        let mut index = Index::new(Scoring::InnerProduct, &documents, &[1_000], 300);
        for round in 0..10 {
            if round == 5 {
                index.vacuum(|tid| tid.offset % 4 == 0);
            }
            let most = if round % 5 == 0 { 1_000 } else { 60 };
            compare(&index, &dimensions(&mut rng, 210, most, query_scale), &mut rng);
        }
    }
}

#[test]
fn equal_weights_are_found() {
    let mut rng = SmallRng::seed_from_u64(5);
    let mut documents = vectors(&mut rng, 9_000, 60, 1.0);
    for posting in documents.iter_mut().flat_map(|document| &mut document.postings) {
        posting.value = if posting.value >> 31 == 1 { -1.0f32 } else { 1.0 }.to_bits();
    }
    let index = Index::new(Scoring::InnerProduct, &documents, &[], 0);
    for _ in 0..30 {
        let terms = dimensions(&mut rng, 60, 10, 1.0);
        let signs = terms.terms().iter().map(|(term, weight)| (term.clone(), weight.signum()));
        compare(&index, &Query::new(signs), &mut rng);
    }
}

#[test]
fn the_smallest_weights_are_dropped() {
    let mut rng = SmallRng::seed_from_u64(6);
    let vectors = vectors(&mut rng, 2_000, 50, 1.0);
    let index = Index::new(Scoring::InnerProduct, &vectors, &[], 100);
    for _ in 0..20 {
        let query = dimensions(&mut rng, 50, 20, 1.0);
        let mut sizes: Vec<f32> = query.terms().iter().map(|(_, weight)| weight.abs()).collect();
        sizes.sort_by(f32::total_cmp);
        let least = sizes[sizes.len() / 2];
        let large = query.terms().iter().filter(|(_, weight)| weight.abs() >= least).cloned();
        let expected = index.naive(&Query::new(large), |_| true);
        let mut scan = index.scan(&query, ScanOptions { drop_ratio: 0.5, ..Default::default() });
        assert_eq!(take(&mut scan, usize::MAX), expected);
    }
}

#[test]
fn nothing_is_found_where_nothing_is() {
    let index = Index::new(BM25, &[], &[], 0);
    assert_eq!(take(&mut index.scan(&Query::of_tokens(["a"]), ScanOptions::default()), 1), []);
    let index = Index::new(BM25, &[document(1, &[]), document(2, &[1])], &[], 0);
    for query in [Query::default(), Query::of_tokens(["a", ""])] {
        assert_eq!(take(&mut index.scan(&query, ScanOptions::default()), 1), []);
    }
    let mut scan = index.scan(&Query::of_tokens(["w1"]), ScanOptions::default());
    assert_eq!(take(&mut scan, 3)[0].tid, tid(2));
}

#[test]
fn random_indexes() {
    fuzz::run("inverted-search", |case| {
        let rng = &mut case.rng;
        let (rows, spread) = (1 << rng.random_range(0..14), 1 << rng.random_range(0..12));
        let parts: Vec<usize> =
            (0..rng.random_range(0..3)).map(|_| rng.random_range(0..4_000)).collect();
        let is_text = rng.random();
        let (scoring, documents) = if is_text {
            let (k1, b) = (rng.random_range(0.0..3.0), rng.random_range(0.0..1.0));
            (Scoring::Bm25 { k1, b }, texts(rng, rows, spread))
        } else {
            (Scoring::InnerProduct, vectors(rng, rows, spread, 1.0))
        };
        let buffered = rng.random_range(0..=rows as usize / 4);
        let mut index = Index::new(scoring, &documents, &parts, buffered);
        if rng.random() {
            let share = rng.random_range(1..10);
            index.vacuum(|tid| (tid.block * 7 + u32::from(tid.offset)).is_multiple_of(share));
        }
        for _ in 0..10 {
            let query = if is_text { words(rng, spread) } else { dimensions(rng, spread, 80, 1.0) };
            compare(&index, &query, rng);
        }
    });
}
