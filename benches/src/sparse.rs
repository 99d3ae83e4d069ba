//! Sparse vectors made of texts: their terms, and terms that go with these.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::str::FromStr;

use postgres::Client;

use crate::Result;

/// Terms that are added for each of a text, at most.
const ASSOCIATES: usize = 12;
/// Texts in which two terms must meet to go together.
const MEETINGS: u32 = 2;
/// Weight of an added term, by how much it goes with the other.
const SHARE: f32 = 0.5;

/// Elements that are not zero, by ascending index.
pub type Sparse = Vec<(u32, f32)>;

/// What is made of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its terms, by tf-idf.
    Terms,
    /// These, and the terms that meet them most in other texts: as many elements as learned sparse
    /// models give.
    Expanded,
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        match name {
            "terms" => Ok(Self::Terms),
            "expanded" => Ok(Self::Expanded),
            _ => Err("there are terms and expanded".into()),
        }
    }
}

/// The terms of a collection of texts.
pub struct Vocabulary {
    numbers: HashMap<String, u32>,
    /// Weight of a term: the logarithm of how rare it is.
    rarity: Vec<f32>,
    /// Terms that go with a term, and how much: 1 where they are always together.
    associates: Vec<Vec<(u32, f32)>>,
}

impl Vocabulary {
    /// The terms of `texts`.
    pub fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut numbers = HashMap::new();
        let mut counts: Vec<u32> = Vec::new();
        let mut meetings: HashMap<(u32, u32), u32> = HashMap::new();
        let mut total = 0;
        for text in texts {
            let mut terms = Vec::new();
            for word in words(text).collect::<HashSet<_>>() {
                let new = numbers.len() as u32;
                let number = *numbers.entry(word).or_insert(new);
                counts.resize(numbers.len(), 0);
                counts[number as usize] += 1;
                terms.push(number);
            }
            for &a in &terms {
                for &b in terms.iter().filter(|&&b| b != a) {
                    *meetings.entry((a, b)).or_default() += 1;
                }
            }
            total += 1;
        }
        let mut associates = vec![Vec::new(); counts.len()];
        for ((a, b), met) in meetings.into_iter().filter(|&(_, met)| met >= MEETINGS) {
            let product = counts[a as usize] as f32 * counts[b as usize] as f32;
            associates[a as usize].push((b, met as f32 / product.sqrt()));
        }
        for list in &mut associates {
            list.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            list.truncate(ASSOCIATES);
        }
        let rarity =
            counts.iter().map(|&n| (f64::from(total) / f64::from(n)).ln() as f32).collect();
        Self { numbers, rarity, associates }
    }

    /// Number of dimensions.
    pub fn dims(&self) -> usize {
        self.numbers.len()
    }

    /// The vector of `text`, whose unknown terms count for nothing.
    pub fn vector(&self, text: &str, kind: Kind) -> Sparse {
        let mut counts: BTreeMap<u32, f32> = BTreeMap::new();
        for number in words(text).filter_map(|word| self.numbers.get(&word)) {
            *counts.entry(*number).or_default() += 1.0;
        }
        let weight =
            |(term, count): (u32, f32)| (term, (1.0 + count.ln()) * self.rarity[term as usize]);
        let own: Sparse = counts.into_iter().map(weight).collect();
        let mut all: BTreeMap<u32, f32> = own.iter().copied().collect();
        if kind == Kind::Expanded {
            for &(term, weight) in &own {
                for &(other, share) in &self.associates[term as usize] {
                    *all.entry(other).or_default() += SHARE * share * weight;
                }
            }
        }
        all.into_iter().filter(|&(_, weight)| weight > 0.0).collect()
    }
}

/// Words of three letters and more, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.map(str::to_lowercase).filter(|word| word.chars().count() > 2)
}

/// As `sparsevec` is written.
pub fn to_text(vector: &Sparse, dims: usize) -> String {
    let mut text = String::from("{");
    for (i, (index, value)) in vector.iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{}:{value}", index + 1);
    }
    text + &format!("}}/{dims}")
}

/// Fills the table `items (id, v)`; a row's number is its id.
pub fn load(client: &mut Client, rows: &[Sparse], dims: usize) -> Result<()> {
    let insert = client
        .prepare("INSERT INTO items SELECT * FROM unnest($1::int4[], $2::text[]::sparsevec[])")?;
    for (i, rows) in rows.chunks(1_000).enumerate() {
        let ids: Vec<i32> = (0..rows.len()).map(|j| (1_000 * i + j) as i32).collect();
        let texts: Vec<String> = rows.iter().map(|row| to_text(row, dims)).collect();
        client.execute(&insert, &[&ids, &texts])?;
    }
    Ok(())
}

/// Inner product.
pub fn product(a: &Sparse, b: &Sparse) -> f64 {
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x.0 == y.0 {
            sum += f64::from(x.1) * f64::from(y.1);
        }
        i += usize::from(x.0 <= y.0);
        j += usize::from(y.0 <= x.0);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_vectors() {
        let texts = ["red apple", "red apple pie", "green tree"];
        let vocabulary = Vocabulary::new(texts.into_iter());
        assert_eq!(vocabulary.dims(), 5);
        let terms = vocabulary.vector("Red, unknown", Kind::Terms);
        assert_eq!(terms.len(), 1);
        assert!((terms[0].1 - 1.5f32.ln()).abs() < 1e-6);
        let more = vocabulary.vector("red", Kind::Expanded);
        assert_eq!(more.len(), 2);
        let apple = vocabulary.vector("apple", Kind::Terms);
        assert_eq!(product(&apple, &terms), 0.0);
        assert!(product(&apple, &more) > 0.0);
        assert_eq!(to_text(&vec![(0, 1.5), (4, 2.0)], 9), "{1:1.5,5:2}/9");
    }
}
