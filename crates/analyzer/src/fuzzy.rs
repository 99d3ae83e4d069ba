//! Levenshtein distance with a bound, for fuzzy matches of tokens.

/// Characters of the longest word that is compared; longer words only match themselves.
const MAX_WORD: usize = 255;

/// A word that others are compared with.
///
/// The distance counts characters inserted, removed, and replaced. A comparison takes time in
/// proportion to the length of the words times the bound, and does not allocate.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    characters: Vec<char>,
    bound: usize,
    /// Distances of the prefixes of the pattern from the prefix of the other word.
    row: Vec<usize>,
}

impl Pattern {
    /// A pattern for words at a distance of at most `bound` from `word`.
    pub fn new(word: &str, bound: usize) -> Self {
        let characters: Vec<char> = word.chars().collect();
        let row = Vec::with_capacity(characters.len().saturating_add(1));
        Self { text: word.to_owned(), characters, bound, row }
    }

    /// Returns the distance of `word`, if it is at most the bound.
    pub fn distance(&mut self, word: &str) -> Option<usize> {
        if word == self.text {
            return Some(0);
        }
        let length = word.chars().count();
        if self.bound == 0
            || length.abs_diff(self.characters.len()) > self.bound
            || length.max(self.characters.len()) > MAX_WORD
        {
            return None;
        }
        self.row.clear();
        self.row.extend(0..=self.characters.len());
        for (index, c) in word.chars().enumerate() {
            if self.advance(index.saturating_add(1), c) > self.bound {
                return None;
            }
        }
        self.row.last().copied().filter(|&distance| distance <= self.bound)
    }

    /// Computes the next row of the matrix, for the first `taken` characters of the other word,
    /// whose last is `c`. Returns the least distance in it, which no later row goes below.
    fn advance(&mut self, taken: usize, c: char) -> usize {
        let mut diagonal = taken.saturating_sub(1);
        let mut left = taken;
        let mut least = taken;
        if let Some(first) = self.row.first_mut() {
            *first = taken;
        }
        for (cell, &own) in self.row.iter_mut().skip(1).zip(&self.characters) {
            let replaced = diagonal.saturating_add(usize::from(own != c));
            diagonal = *cell;
            left = replaced.min(left.min(diagonal).saturating_add(1));
            *cell = left;
            least = least.min(left);
        }
        least
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    fn naive(a: &[char], b: &[char]) -> usize {
        match (a, b) {
            ([], rest) | (rest, []) => rest.len(),
            ([x, a_rest @ ..], [y, b_rest @ ..]) if x == y => naive(a_rest, b_rest),
            ([_, a_rest @ ..], [_, b_rest @ ..]) => {
                1 + naive(a_rest, b).min(naive(a, b_rest)).min(naive(a_rest, b_rest))
            }
        }
    }

    #[test]
    fn distances_equal_the_definition() {
        fuzz::run("levenshtein", |case| {
            let mut word = || -> String {
                let length = case.rng.random_range(0..7);
                (0..length).map(|_| ['a', 'b', 'ü', '中'][case.rng.random_range(0..4)]).collect()
            };
            let (a, b) = (word(), word());
            let exact = naive(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
            for bound in 0..4 {
                let expected = (exact <= bound).then_some(exact);
                assert_eq!(Pattern::new(&a, bound).distance(&b), expected, "{a} {b} {bound}");
            }
        });
    }

    #[test]
    fn long_words_match_themselves_only() {
        let long = "x".repeat(100_000);
        let mut pattern = Pattern::new(&long, 2);
        assert_eq!(pattern.distance(&long), Some(0));
        assert_eq!(pattern.distance(&long[1..]), None);
        assert_eq!(Pattern::new("milvus", 2).distance("mivlus"), Some(2));
    }
}
