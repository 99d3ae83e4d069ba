//! What is searched for.

use pages::{HeapTid, Result};

/// Terms with their weights: of texts, how often each stands in the query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    terms: Vec<(Vec<u8>, f32)>,
}

impl Query {
    /// A query of these terms, as stored; the weights of equal terms are added. Terms whose weight is
    /// 0 or not finite are left out.
    pub fn new(terms: impl IntoIterator<Item = (Vec<u8>, f32)>) -> Self {
        let mut all: Vec<(Vec<u8>, f32)> = terms.into_iter().collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut terms: Vec<(Vec<u8>, f32)> = Vec::new();
        for (term, weight) in all {
            match terms.last_mut().filter(|(last, _)| *last == term) {
                Some((_, sum)) => *sum += weight,
                None => terms.push((term, weight)),
            }
        }
        terms.retain(|(_, weight)| weight.is_finite() && *weight != 0.0);
        Self { terms }
    }

    /// A query of tokens, each as often as it stands in the text.
    pub fn of_tokens<T: AsRef<[u8]>>(tokens: impl IntoIterator<Item = T>) -> Self {
        let term = |token: T| (crate::stored(token.as_ref()).into_owned(), 1.0);
        Self::new(tokens.into_iter().map(term))
    }

    /// The terms in ascending order, each once, with their weights.
    pub fn terms(&self) -> &[(Vec<u8>, f32)] {
        &self.terms
    }
}

/// A living row of the write buffer that holds a term of the query.
#[derive(Debug)]
pub struct FreshRow<'a> {
    /// Where it is.
    pub tid: HeapTid,
    /// Its length in tokens.
    pub length: u32,
    /// Numbers of the terms of the query that it holds, ascending, and their values as in
    /// [`crate::Posting`].
    pub values: &'a [(usize, u32)],
}

/// The write buffer as a search sees it. `()` is an empty one.
pub trait Fresh {
    /// Adds to each of `frequencies` in how many living rows the term of the query is.
    ///
    /// # Errors
    /// Those of the store.
    fn frequencies(&mut self, query: &Query, frequencies: &mut [u64]) -> Result<()>;

    /// Calls `each` for every living row that holds a term of the query.
    ///
    /// # Errors
    /// Those of the store and of `each`.
    fn rows(
        &mut self,
        query: &Query,
        each: &mut dyn FnMut(FreshRow<'_>) -> Result<()>,
    ) -> Result<()>;
}

impl Fresh for () {
    fn frequencies(&mut self, _: &Query, _: &mut [u64]) -> Result<()> {
        Ok(())
    }

    fn rows(&mut self, _: &Query, _: &mut dyn FnMut(FreshRow<'_>) -> Result<()>) -> Result<()> {
        Ok(())
    }
}
