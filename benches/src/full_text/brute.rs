//! BM25 without an index.

use std::collections::{BTreeMap, HashMap};

use postgres::Client;

use crate::Result;

/// Texts of a statement.
const CHUNK: usize = 2_000;

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// The tokens of each text, by `run_analyzer`.
pub fn tokens(client: &mut Client, texts: &[String], analyzer: &str) -> Result<Vec<Vec<String>>> {
    let statement = client.prepare(
        "SELECT number, array_agg(token)
         FROM unnest($1::text[]) WITH ORDINALITY AS texts (text, number), run_analyzer(text, $2)
         GROUP BY number",
    )?;
    let mut all = vec![Vec::new(); texts.len()];
    for (texts, all) in texts.chunks(CHUNK).zip(all.chunks_mut(CHUNK)) {
        for row in client.query(&statement, &[&texts, &analyzer])? {
            all[usize::try_from(row.get::<_, i64>(0))? - 1] = row.get(1);
        }
    }
    Ok(all)
}

/// Texts as the numbers of their tokens.
pub struct Ranking {
    /// Texts with a token, and how often they have it.
    postings: HashMap<String, Vec<(u32, u32)>>,
    /// Tokens of each text.
    lengths: Vec<f64>,
    average: f64,
}

impl Ranking {
    /// Counts the tokens of `texts`.
    pub fn new(texts: Vec<Vec<String>>) -> Self {
        let lengths: Vec<f64> = texts.iter().map(|tokens| tokens.len() as f64).collect();
        let average = lengths.iter().sum::<f64>() / lengths.len() as f64;
        let mut postings: HashMap<String, Vec<(u32, u32)>> = HashMap::new();
        for (number, tokens) in (0..).zip(texts) {
            for token in tokens {
                let list = postings.entry(token).or_default();
                match list.last_mut().filter(|last| last.0 == number) {
                    Some(last) => last.1 += 1,
                    None => list.push((number, 1)),
                }
            }
        }
        Self { postings, lengths, average }
    }

    /// The scores of all texts that have a token of the query.
    pub fn scores(&self, query: &[String]) -> HashMap<u32, f64> {
        let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
        for token in query {
            *weights.entry(token).or_default() += 1.0;
        }
        let (count, mut scores) = (self.lengths.len() as f64, HashMap::new());
        for (token, weight) in weights {
            let Some(list) = self.postings.get(token) else { continue };
            let n = list.len() as f64;
            let idf = (1.0 + (count - n + 0.5) / (n + 0.5)).ln();
            for &(text, times) in list {
                let times = f64::from(times);
                let length = self.lengths[text as usize] / self.average;
                let saturated = times * (K1 + 1.0) / (times + K1 * (1.0 - B + B * length));
                *scores.entry(text).or_default() += weight * idf * saturated;
            }
        }
        scores
    }

    /// The greatest relative difference between `found`, the first `limit` ids and scores of a query's
    /// ranking, and what there is; infinite if there are more or fewer.
    pub fn difference(&self, query: &[String], found: &[(i32, f64)], limit: usize) -> f64 {
        let scores = self.scores(query);
        let mut best: Vec<f64> = scores.values().copied().collect();
        best.sort_unstable_by(|a, b| b.total_cmp(a));
        best.truncate(limit);
        if best.len() != found.len() {
            return f64::INFINITY;
        }
        let differences = found.iter().zip(best).map(|(&(id, score), best)| {
            let own = u32::try_from(id).ok().and_then(|id| scores.get(&id));
            let own = own.map_or(f64::INFINITY, |own| (score - own).abs() / own);
            own.max((score - best).abs() / best)
        });
        differences.fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_show() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let ranking = Ranking::new(["tea water", "tea", "salt salt"].map(words).to_vec());
        let scores = ranking.scores(&words("salt tea tea"));
        let idf = (1.0 + 2.5 / 1.5f64).ln();
        let expected = idf * 2.0 * 2.2 / (2.0 + 1.2 * (0.25 + 0.75 * 2.0 / (5.0 / 3.0)));
        assert!((scores[&2] - expected).abs() < 1e-12);
        let mut found: Vec<(i32, f64)> = scores.iter().map(|(&id, &s)| (id as i32, s)).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        let query = words("tea salt tea");
        assert_eq!(ranking.difference(&query, &found, 10), 0.0);
        assert_eq!(ranking.difference(&query, &found[..2], 10), f64::INFINITY);
        assert_eq!(ranking.difference(&query, &found[..2], 2), 0.0);
        found[0].1 *= 1.01;
        assert!((ranking.difference(&query, &found, 10) - 0.01).abs() < 1e-9);
    }
}
