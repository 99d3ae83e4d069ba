//! From the vectors of the tokens of a text to the one of the text.

/// How the vector of a text is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooling {
    /// The vector of the first token.
    First,
    Mean,
    /// Of each number the greatest of all tokens.
    Greatest,
}

impl Pooling {
    /// Puts the first numbers of the vector of a text into `pooled`: as many as it has, and no more
    /// than the tokens' vectors, of `hidden` numbers each.
    pub(super) fn apply(self, vectors: &[f32], hidden: usize, pooled: &mut [f32]) {
        let mut vectors = vectors.chunks_exact(hidden);
        let count = vectors.len();
        if let Some(first) = vectors.next() {
            pooled.copy_from_slice(&first[..pooled.len()]);
        }
        let each = |pooled: &mut [f32], combine: &dyn Fn(f32, f32) -> f32| {
            for vector in vectors {
                pooled.iter_mut().zip(vector).for_each(|(all, one)| *all = combine(*all, *one));
            }
        };
        match self {
            Self::First => {}
            Self::Mean => {
                each(pooled, &|sum, one| sum + one);
                let share = 1.0 / count as f32;
                pooled.iter_mut().for_each(|value| *value *= share);
            }
            Self::Greatest => {
                each(pooled, &|greatest, one| if one > greatest { one } else { greatest });
            }
        }
    }
}
