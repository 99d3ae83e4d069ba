//! The scores of documents.

/// How documents are ranked; chosen when the index is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scoring {
    /// Okapi BM25 with Lucene's inverse document frequency.
    Bm25 {
        /// Saturation of term frequencies, in `0.0..=3.0`.
        k1: f32,
        /// How far long documents are discounted, in `0.0..=1.0`.
        b: f32,
    },
    /// The inner product of sparse vectors.
    InnerProduct,
}

/// What scores depend on beside a document and the query: the living documents of the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Number of documents.
    pub documents: u64,
    /// Sum of their lengths in tokens.
    pub total_length: u64,
}

/// What a term of a query contributes to the score of a document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weight {
    /// `factor · tf / (tf + base + slope · length)`.
    Bm25 {
        /// Occurrences of the term in the query · idf · (k1 + 1).
        factor: f64,
        /// k1 · (1 − b).
        base: f64,
        /// k1 · b / average length.
        slope: f64,
    },
    /// The weight of the dimension in the query, times that in the document.
    InnerProduct(f64),
}

impl Weight {
    /// The weight of a term that stands in the query `weight` times, or with that weight, and that
    /// `frequency` living documents hold.
    pub fn new(scoring: Scoring, statistics: Statistics, weight: f32, frequency: u64) -> Self {
        let Scoring::Bm25 { k1, b } = scoring else { return Self::InnerProduct(weight.into()) };
        let (k1, b) = (f64::from(k1), f64::from(b));
        let documents = statistics.documents.max(frequency) as f64;
        let frequency = frequency as f64;
        let idf = ((documents - frequency + 0.5) / (frequency + 0.5)).ln_1p();
        let average = (statistics.total_length as f64 / documents.max(1.0)).max(f64::MIN_POSITIVE);
        Self::Bm25 {
            factor: f64::from(weight) * idf * (k1 + 1.0),
            base: k1 * (1.0 - b),
            slope: if statistics.total_length == 0 { 0.0 } else { k1 * b / average },
        }
    }

    /// The contribution of the term to the score of a document of `length` tokens; `value` as in
    /// [`crate::Posting`].
    #[inline]
    pub fn of(&self, value: u32, length: u32) -> f64 {
        match *self {
            Self::Bm25 { factor, base, slope } => {
                let tf = f64::from(value);
                factor * tf / (tf + (base + slope * f64::from(length)))
            }
            Self::InnerProduct(weight) => weight * f64::from(f32::from_bits(value)),
        }
    }
}

impl Weight {
    /// The magnitude of the query's part: occurrences · idf · (k1 + 1), or the weight of the dimension.
    pub(crate) fn size(&self) -> f64 {
        match *self {
            Self::Bm25 { factor, .. } => factor.abs(),
            Self::InnerProduct(weight) => weight.abs(),
        }
    }
}

/// The score of a document of `length` tokens: of each term that it shares with the query, in the order
/// of the query, the weight and the value.
pub fn score(terms: impl IntoIterator<Item = (Weight, u32)>, length: u32) -> f64 {
    // 0 and −0 are the same score.
    terms.into_iter().map(|(weight, value)| weight.of(value, length)).sum::<f64>() + 0.0
}
