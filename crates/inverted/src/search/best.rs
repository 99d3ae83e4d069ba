//! The best rows found so far.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use memory::Grow;
use pages::{HeapTid, Result};

/// A row and its score. Orders by descending score, then by ascending tid.
#[derive(Clone, Copy, Debug)]
pub struct Ranked {
    /// The score, never NaN or −0.
    pub score: f64,
    /// Where the row is.
    pub tid: HeapTid,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.tid.cmp(&other.tid))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

/// The first `k` rows in order, after a given one.
#[derive(Debug)]
pub(super) struct Best {
    k: usize,
    after: Option<Ranked>,
    heap: BinaryHeap<Ranked>,
}

impl Best {
    pub fn new(k: usize, after: Option<Ranked>) -> Self {
        Self { k: k.max(1), after, heap: BinaryHeap::new() }
    }

    pub fn k(&self) -> usize {
        self.k
    }

    pub fn is_full(&self) -> bool {
        self.heap.len() >= self.k
    }

    /// What a score must reach, once there are `k` rows.
    pub fn threshold(&self) -> f64 {
        match self.heap.peek() {
            Some(worst) if self.is_full() => worst.score,
            _ => f64::NEG_INFINITY,
        }
    }

    /// Whether a row with that score could be among the best, whatever its tid.
    pub fn may_take(&self, score: f64) -> bool {
        score >= self.threshold() && self.after.is_none_or(|after| score <= after.score)
    }

    /// Whether a row would be among the best.
    pub fn wants(&self, row: Ranked) -> bool {
        self.after.is_none_or(|after| row > after)
            && (!self.is_full() || self.heap.peek().is_some_and(|worst| row < *worst))
    }

    /// Takes a row if it is among the best.
    pub fn offer(&mut self, row: Ranked) -> Result<()> {
        if self.wants(row) {
            if self.is_full() {
                self.heap.pop();
            }
            self.heap.try_push(row)?;
        }
        Ok(())
    }

    /// The rows in order.
    pub fn into_sorted(self) -> Vec<Ranked> {
        self.heap.into_sorted_vec()
    }
}
