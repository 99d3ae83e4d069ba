//! Scores of the documents of one group, in single precision. They only steer the search.

use crate::postings::Block;
use crate::score::Weight;
use crate::segment::GROUP;

/// Documents of a group, rounded up to a power of two, so that indexes need no check.
const ROOM: usize = GROUP.next_power_of_two();
const MASK: usize = ROOM - 1;
/// Score of documents without any posting. Sums of others are never −0.
const UNTOUCHED: u32 = (-0.0f32).to_bits();

/// What a weight makes of values, in single precision.
#[derive(Clone, Copy, Debug)]
pub(super) enum Steering {
    Bm25 { factor: f32, base: f32, slope: f32 },
    InnerProduct(f32),
}

impl Steering {
    pub fn new(weight: Weight) -> Self {
        match weight {
            Weight::Bm25 { factor, base, slope } => {
                Self::Bm25 { factor: factor as f32, base: base as f32, slope: slope as f32 }
            }
            Weight::InnerProduct(weight) => Self::InnerProduct(weight as f32),
        }
    }

    /// About the contribution of a value.
    #[inline]
    pub fn of(self, value: u32, length: u32) -> f32 {
        match self {
            Self::Bm25 { factor, base, slope } => {
                let tf = value as f32;
                factor * tf / (tf + (base + slope * length as f32))
            }
            Self::InnerProduct(weight) => weight * f32::from_bits(value) + 0.0,
        }
    }
}

/// A document that may be among the best: its place in the group, and its score so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub place: u32,
    pub score: f32,
}

/// The documents of a group.
#[derive(Debug)]
pub(super) struct Window {
    /// Lengths as stored.
    pub lengths: Box<[u16; ROOM]>,
    pub dead: [u64; GROUP / 64],
    scores: Box<[f32; ROOM]>,
    /// Places that have a score, unless there are many; then scores are looked through.
    touched: Box<[u16; ROOM]>,
    number: usize,
    dense: bool,
}

impl Window {
    pub fn new() -> Self {
        Self {
            lengths: Box::new([0; ROOM]),
            dead: [0; GROUP / 64],
            scores: Box::new([-0.0; ROOM]),
            touched: Box::new([0; ROOM]),
            number: 0,
            dense: false,
        }
    }

    /// Begins a group for about so many postings.
    pub fn begin(&mut self, postings: usize) {
        self.dense = postings > GROUP / 8;
        self.number = 0;
    }

    pub fn is_dead(&self, place: u32) -> bool {
        let place = place as usize;
        self.dead.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// The length of the document at a place, as stored.
    pub fn length(&self, place: u32) -> u16 {
        self.lengths[place as usize & MASK]
    }

    /// Adds postings of documents from `base` on: those of a block in `range`.
    #[inline]
    pub fn add(
        &mut self,
        steering: Steering,
        base: u32,
        block: &Block,
        range: std::ops::Range<usize>,
    ) {
        let ordinals = block.ordinals().get(range.clone()).unwrap_or(&[]);
        let values = block.values().get(range).unwrap_or(&[]);
        let mut scores = [0f32; crate::postings::BLOCK];
        match steering {
            Steering::Bm25 { factor, base: flat, slope } => {
                for ((score, &ordinal), &value) in scores.iter_mut().zip(ordinals).zip(values) {
                    let place = ordinal.wrapping_sub(base) as usize & MASK;
                    *score = flat + slope * f32::from(self.lengths[place]);
                    let tf = value as f32;
                    *score = factor * tf / (tf + *score);
                }
            }
            Steering::InnerProduct(weight) => {
                for (score, &value) in scores.iter_mut().zip(values) {
                    *score = weight * f32::from_bits(value) + 0.0;
                }
            }
        }
        if self.dense {
            for (&ordinal, &score) in ordinals.iter().zip(&scores) {
                self.scores[ordinal.wrapping_sub(base) as usize & MASK] += score;
            }
        } else {
            for (&ordinal, &score) in ordinals.iter().zip(&scores) {
                let place = ordinal.wrapping_sub(base) as usize & MASK;
                let old = self.scores[place];
                self.scores[place] = old + score;
                self.touched[self.number & MASK] = place as u16;
                self.number += usize::from(old.to_bits() == UNTOUCHED);
            }
        }
    }

    /// Number of documents whose score reaches `least`; of documents without any posting too, if there
    /// are many others.
    pub fn count(&self, least: f32) -> usize {
        if self.dense {
            let reached = self.scores[..GROUP].iter().map(|&score| u32::from(score >= least));
            return reached.sum::<u32>() as usize;
        }
        let touched = self.touched.iter().take(self.number);
        touched.filter(|&&place| self.scores[usize::from(place) & MASK] >= least).count()
    }

    /// Replaces `out` by the documents whose score reaches `least`, and forgets all scores.
    pub fn drain(&mut self, least: f32, out: &mut Vec<Candidate>) -> memory::Result<()> {
        out.clear();
        out.try_reserve(if self.dense { GROUP } else { self.number })
            .map_err(|_| memory::OutOfMemory)?;
        if !self.dense {
            for &place in self.touched.iter().take(self.number) {
                let score = std::mem::replace(&mut self.scores[usize::from(place) & MASK], -0.0);
                if score >= least {
                    out.push(Candidate { place: place.into(), score });
                }
            }
            return Ok(());
        }
        let (chunks, _) = self.scores[..GROUP].as_chunks_mut::<32>();
        for (i, chunk) in (0u32..).step_by(32).zip(chunks) {
            if chunk.iter().fold(false, |any, &score| any | (score >= least)) {
                for (place, &score) in (i..).zip(&*chunk) {
                    if score >= least && score.to_bits() != UNTOUCHED {
                        out.push(Candidate { place, score });
                    }
                }
            }
            chunk.fill(-0.0);
        }
        Ok(())
    }
}
