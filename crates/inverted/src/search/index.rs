//! Searches of a whole index: its segments and its write buffer at one moment.

use pages::{PageStore, Result};

use super::query::{Fresh, FreshRow, Query};
use super::scan::{Scan, ScanOptions};
use crate::buffer::BufferMatches;
use crate::document::Document;
use crate::score::{Statistics, Weight, score};
use crate::segment::Heads;
use crate::snapshot::Snapshot;

/// Begins a search of all documents. The snapshot tells whether what cannot be read later was used
/// again, see [`Snapshot::is_outdated`].
///
/// # Errors
/// Those of the store, and of damaged pages.
pub fn search<'s, S: PageStore>(
    store: &'s S,
    heads: &Heads,
    query: &Query,
    options: ScanOptions,
) -> Result<(Snapshot, Scan<'s, S>)> {
    Snapshot::undisturbed(store, |snapshot| {
        let mut buffer = buffer(store, snapshot, query)?;
        let scoring = snapshot.options().scoring;
        let segments = heads.open(store, snapshot.segments(), scoring)?;
        let statistics = statistics(snapshot, &buffer);
        let scan = Scan::new(segments, scoring, statistics, query, options, &mut buffer)?;
        Ok((snapshot.clone(), scan))
    })
}

/// Scores of documents that need not be in the index, by its statistics at one moment: the same as a
/// search gives.
#[derive(Clone, Debug)]
pub struct Ranker {
    terms: Vec<(Vec<u8>, Weight)>,
}

impl Ranker {
    /// Reads what the index knows of the terms of a query.
    ///
    /// # Errors
    /// Those of the store, and of damaged pages.
    pub fn new<S: PageStore>(store: &S, heads: &Heads, query: &Query) -> Result<Self> {
        let terms: Vec<&[u8]> = query.terms().iter().map(|(term, _)| &term[..]).collect();
        Snapshot::undisturbed(store, |snapshot| {
            let (frequencies, statistics) = known(store, heads, snapshot, &terms)?;
            let scoring = snapshot.options().scoring;
            let terms = query.terms().iter().zip(frequencies).map(|((term, weight), frequency)| {
                (term.clone(), Weight::new(scoring, statistics, *weight, frequency))
            });
            Ok(Self { terms: terms.collect() })
        })
    }

    /// The score of a document.
    pub fn score(&self, document: &Document) -> f64 {
        let mut postings = document.postings.iter().peekable();
        let shared = self.terms.iter().filter_map(|(term, weight)| {
            while postings.next_if(|posting| posting.term < *term).is_some() {}
            let posting = postings.next_if(|posting| posting.term == *term)?;
            Some((*weight, posting.value))
        });
        score(shared, document.length)
    }
}

/// In how many documents each of these terms is, and how many documents there are. The terms are ascending,
/// each once.
///
/// # Errors
/// Those of the store, and of damaged pages.
pub fn frequencies<S: PageStore>(
    store: &S,
    heads: &Heads,
    terms: &[&[u8]],
) -> Result<(Vec<u64>, u64)> {
    Snapshot::undisturbed(store, |snapshot| {
        let (frequencies, statistics) = known(store, heads, snapshot, terms)?;
        Ok((frequencies, statistics.documents))
    })
}

/// What an index knows of terms: their frequencies, and the statistics of all documents.
fn known<S: PageStore>(
    store: &S,
    heads: &Heads,
    snapshot: &Snapshot,
    terms: &[&[u8]],
) -> Result<(Vec<u64>, Statistics)> {
    let buffer = snapshot.buffer_matches(store, terms, false)?;
    let mut frequencies = buffer.frequencies.clone();
    for reader in heads.open(store, snapshot.segments(), snapshot.options().scoring)? {
        for (term, frequency) in terms.iter().zip(&mut frequencies) {
            let entry = reader.lookup(term)?;
            *frequency += entry.map_or(0, |entry| u64::from(entry.frequency));
        }
    }
    Ok((frequencies, statistics(snapshot, &buffer)))
}

/// The documents of the write buffer that hold a term of the query.
fn buffer<S: PageStore>(store: &S, snapshot: &Snapshot, query: &Query) -> Result<BufferMatches> {
    let terms: Vec<&[u8]> = query.terms().iter().map(|(term, _)| &term[..]).collect();
    snapshot.buffer_matches(store, &terms, false)
}

/// Of all living documents.
fn statistics(snapshot: &Snapshot, buffer: &BufferMatches) -> Statistics {
    let Statistics { documents, total_length } = snapshot.statistics();
    Statistics {
        documents: documents.saturating_add(buffer.statistics.documents),
        total_length: total_length.saturating_add(buffer.statistics.total_length),
    }
}

impl Fresh for BufferMatches {
    fn frequencies(&mut self, _: &Query, frequencies: &mut [u64]) -> Result<()> {
        for (all, own) in frequencies.iter_mut().zip(&self.frequencies) {
            *all = all.saturating_add(*own);
        }
        Ok(())
    }

    fn rows(&mut self, _: &Query, each: &mut dyn FnMut(FreshRow<'_>) -> Result<()>) -> Result<()> {
        let mut values = Vec::new();
        for (document, matches) in self.documents() {
            values.clear();
            values.extend(matches.iter().map(|found| (found.term as usize, found.value)));
            let (tid, length) = (document.tid, document.length);
            each(FreshRow { tid, length, values: &values })?;
        }
        Ok(())
    }
}
