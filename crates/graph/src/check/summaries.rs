//! What a check remembers of the records: one byte each.

use memory::{Grow, Result, collected, filled};

use crate::format::{Geometry, NodeNo, Record, State};

const STATE: u8 = 0b0000_0011;
const LEVEL: u8 = 0b0001_1100;
const LEVEL_AT: u32 = LEVEL.trailing_zeros();
const BROKEN: u8 = 1 << 5;
const REACHED: u8 = 1 << 6;
const EXPANDED: u8 = 1 << 7;

/// A record when its page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordSummary(u8);

impl RecordSummary {
    pub(super) fn is(self, state: State) -> bool {
        self.0 & STATE == state as u8
    }

    pub(super) fn level(self) -> u8 {
        (self.0 & LEVEL) >> LEVEL_AT
    }

    /// Whether the record's page cannot be read.
    pub(super) fn is_broken(self) -> bool {
        self.0 & BROKEN != 0
    }

    /// Whether the record is an element that rows are found by.
    fn is_live_base(self) -> bool {
        self.is(State::Live) && self.level() == 0 && !self.is_broken()
    }
}

/// All records, by their numbers.
#[derive(Debug)]
pub(super) struct RecordSummaries(Vec<u8>);

impl RecordSummaries {
    /// Room for the records of `blocks` pages, all free.
    pub(super) fn new(blocks: u32, geometry: &Geometry) -> Result<Self> {
        filled(blocks as usize * geometry.records_per_page, State::Free as u8).map(Self)
    }

    /// Adds records of pages that have come since, up to `blocks` of them: as free ones, so that they
    /// lead on and nothing is said of them.
    pub(super) fn grow(&mut self, blocks: u32, geometry: &Geometry) -> Result<()> {
        let more = (blocks as usize * geometry.records_per_page).saturating_sub(self.0.len());
        self.0.try_extend(std::iter::repeat_n(State::Free as u8, more))
    }

    pub(super) fn get(&self, node: NodeNo) -> Option<RecordSummary> {
        self.0.get(node.0 as usize).copied().map(RecordSummary)
    }

    pub(super) fn set(&mut self, node: NodeNo, record: &Record<'_>) {
        if let Some(summary) = self.0.get_mut(node.0 as usize) {
            // What is not an element is as good as free.
            *summary = match record.is_element() {
                true => record.state() as u8 | record.element().level << LEVEL_AT,
                false => State::Free as u8,
            };
        }
    }

    /// Remembers that a page cannot be read.
    pub(super) fn break_page(&mut self, block: u32, geometry: &Geometry) {
        let per_page = geometry.records_per_page;
        let first = block as usize * per_page;
        if let Some(page) = self.0.get_mut(first..first + per_page) {
            page.fill(BROKEN);
        }
    }

    /// Begins another search for what can be reached.
    pub(super) fn forget_reached(&mut self) {
        self.0.iter_mut().for_each(|summary| *summary &= !(REACHED | EXPANDED));
    }

    pub(super) fn reach(&mut self, node: NodeNo) {
        if let Some(summary) = self.0.get_mut(node.0 as usize) {
            *summary |= REACHED;
        }
    }

    /// Whether the neighbors of a record are to be reached from it, which is told once.
    pub(super) fn expand(&mut self, node: NodeNo) -> bool {
        let Some(summary) = self.0.get_mut(node.0 as usize) else { return false };
        let due = *summary & (REACHED | EXPANDED | BROKEN) == REACHED;
        *summary |= if due { EXPANDED } else { 0 };
        due
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = NodeNo> + use<> {
        // Record numbers fit 32 bits, see `NodeNo::at`.
        (0..self.0.len() as u32).map(NodeNo)
    }

    /// Live elements.
    pub(super) fn live(&self) -> Result<Vec<NodeNo>> {
        let live = |&node: &NodeNo| self.get(node).is_some_and(|summary| summary.is(State::Live));
        collected(self.numbers().filter(live))
    }

    /// Live elements of level 0.
    pub(super) fn live_bases(&self) -> Result<Vec<NodeNo>> {
        let live = |&node: &NodeNo| self.get(node).is_some_and(RecordSummary::is_live_base);
        collected(self.numbers().filter(live))
    }

    /// Live elements of level 0 that have not been reached.
    pub(super) fn unreached(&self) -> Result<Vec<NodeNo>> {
        let unreached = |&node: &NodeNo| {
            self.get(node).is_some_and(|summary| summary.is_live_base() && summary.0 & REACHED == 0)
        };
        collected(self.numbers().filter(unreached))
    }
}
