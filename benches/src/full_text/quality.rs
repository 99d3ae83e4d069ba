//! How good rankings are, where one text is relevant to each query.

use serde::Serialize;

/// Averages over queries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Quality {
    /// Discounted gain: 1 if the relevant text is first, 1 / log2(1 + rank) until the tenth.
    pub ndcg_10: f64,
    /// One over the rank, until the tenth.
    pub mrr_10: f64,
    /// Share of the relevant texts among the first 10.
    pub recall_10: f64,
    /// Share among the first 100.
    pub recall_100: f64,
}

impl Quality {
    /// Of rankings, each with the id that is relevant.
    pub fn of<'a>(rankings: impl ExactSizeIterator<Item = (i32, &'a [i32])>) -> Self {
        let (count, mut sum) = (rankings.len() as f64, Self::default());
        for (relevant, ids) in rankings {
            let Some(rank) = ids.iter().position(|&id| id == relevant) else { continue };
            let rank = rank as f64 + 1.0;
            if rank <= 10.0 {
                sum.ndcg_10 += 1.0 / (rank + 1.0).log2() / count;
                sum.mrr_10 += 1.0 / rank / count;
                sum.recall_10 += 1.0 / count;
            }
            if rank <= 100.0 {
                sum.recall_100 += 1.0 / count;
            }
        }
        sum
    }

    /// As tables have it.
    pub fn columns(&self) -> String {
        let Self { ndcg_10, mrr_10, recall_10, recall_100 } = self;
        format!("{ndcg_10:>7.4} {mrr_10:>7.4} {recall_10:>7.4} {recall_100:>7.4}")
    }
}

/// Head of [`Quality::columns`].
pub const HEAD: &str = "nDCG@10  MRR@10    R@10   R@100";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count() {
        let first: &[i32] = &[7, 1];
        let quality = Quality::of([(7, first), (1, first), (5, first), (5, &[])].into_iter());
        assert!((quality.mrr_10 - 1.5 / 4.0).abs() < 1e-12);
        assert!((quality.ndcg_10 - (1.0 + 1.0 / 3f64.log2()) / 4.0).abs() < 1e-12);
        assert_eq!((quality.recall_10, quality.recall_100), (0.5, 0.5));
        let late: Vec<i32> = (0..100).collect();
        let quality = Quality::of([(10, &late[..]), (9, &late)].into_iter());
        assert_eq!((quality.recall_10, quality.recall_100), (0.5, 1.0));
        assert_eq!(quality.mrr_10, 0.05);
    }
}
