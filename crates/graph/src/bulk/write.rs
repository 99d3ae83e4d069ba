//! Writing the pages of a built graph.
//!
//! Records are numbered in order: elements on level 0, each before the tails of its vector, then
//! level 1 and up, then overflow of heap tids. So an edge can be written before the record it leads to.

use memory::{Grow, filled};
use pages::{META_BLOCK, PAGE_BODY, PageKind, Result, init_page};
use quant::Sq8Set;
use threads::Workers;

use super::numbering::Numbering;
use super::pair::Pair;
use super::rows::{Rows, Twin};
use super::{Phase, Tick, failed};
use crate::Hnsw;
use crate::build::{BuildError, Graph, NO_NEIGHBOR, UpperLevel};
use crate::format::{Element, NodeNo, RecordMut, Slot, Tail};
use prune::max_reachability_edges;

/// Pages made before they are appended.
const PAGES_PER_TURN: u32 = 512;

/// A record to be written.
#[derive(Debug, Clone, Copy)]
enum Plan {
    Element(u32),
    /// An element and which part of its vector.
    Tail(u32, usize),
    /// Level from 1, position in the level.
    Upper(usize, usize),
    /// Position in the list of overflows.
    Overflow(usize),
}

/// Heap tids that do not fit an element's record, those of one overflow record.
#[derive(Debug)]
struct Overflow {
    element: u32,
    tids: std::ops::Range<usize>,
    last: bool,
}

/// All that pages are made of.
pub(super) struct Writer<'a> {
    hnsw: &'a Hnsw,
    rows: &'a Rows,
    graph: &'a Graph,
    vectors: Option<Sq8Set<'a>>,
    twins: &'a [Twin],
    overflows: Vec<Overflow>,
    numbering: Numbering,
    /// Number of the first record of each upper level, from level 1.
    upper_starts: Vec<u64>,
    overflow_start: u64,
    records: u64,
    /// The owner of the reachability edge to each element, on level 0.
    parents: Vec<u32>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        hnsw: &'a Hnsw,
        rows: &'a Rows,
        twins: &'a [Twin],
        graph: &'a Graph,
        vectors: Option<Sq8Set<'a>>,
    ) -> Result<Self> {
        let numbering = Numbering::new(hnsw.geometry(), rows).map_err(failed)?;
        let mut next = numbering.records();
        let mut upper_starts = Vec::new();
        for level in &graph.upper {
            upper_starts.push(next);
            next += level.elements.len() as u64;
        }
        let overflows = plan_overflows(hnsw, twins)?;
        let records = next + overflows.len() as u64;
        let writer = Self {
            hnsw,
            rows,
            graph,
            vectors,
            twins,
            overflows,
            numbering,
            upper_starts,
            overflow_start: next,
            records,
            parents: parents(graph)?,
        };
        writer.node(records)?;
        Ok(writer)
    }

    /// Appends the metapage and all others.
    pub(super) fn write(
        &self,
        threads: usize,
        tick: &mut Tick<'_>,
        append: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        append(&self.meta()?)?;
        let per_page = self.hnsw.geometry().records_per_page as u64;
        // `node` has checked that all records can be numbered with 32 bits.
        let last = self.records.div_ceil(per_page) as u32;
        for start in (0..last).step_by(PAGES_PER_TURN as usize) {
            let mut on_tick = |_| tick(Phase::Pages, start as usize, last as usize);
            let pages = PAGES_PER_TURN.min(last - start);
            let made = Workers::new(threads, &mut on_tick)
                .make(pages, |page| Ok::<_, BuildError>(self.page(start + page)))
                .map_err(failed)?;
            for page in made {
                append(&page?)?;
            }
        }
        Ok(())
    }

    fn meta(&self) -> Result<Vec<u8>> {
        let mut meta = self.hnsw.meta().clone();
        let top = self.graph.top_level();
        meta.entry = Some(match self.graph.upper.last() {
            None => self.element_node(self.graph.entry)?,
            Some(level) => {
                let position = level.elements.binary_search(&self.graph.entry).unwrap_or(0);
                self.upper_node(usize::from(top), position)?
            }
        });
        meta.entry_level = top;
        meta.next = self.node(self.records)?;
        meta.elements = self.rows.tid_count() as u64;
        let mut body = vec![0; PAGE_BODY];
        meta.encode(&mut body);
        Ok(body)
    }

    /// Record number `i` of the build.
    fn node(&self, i: u64) -> Result<NodeNo> {
        let per_page = self.hnsw.geometry().records_per_page as u64;
        let block = u32::try_from(i / per_page + 1)
            .map_err(|_| pages::Error::Limit("the table has too many rows for one index"))?;
        NodeNo::at(block, (i % per_page) as usize, self.hnsw.geometry())
    }

    fn element_node(&self, element: u32) -> Result<NodeNo> {
        self.node(self.numbering.of(element))
    }

    /// Part `part` of an element's vector; none where there are not so many.
    fn tail(&self, element: u32, part: usize) -> Result<Option<Tail>> {
        let first = self.numbering.of(element);
        let len = self.rows.stored(element as usize).len();
        let exists = part <= self.hnsw.geometry().tails_of(len);
        let node = exists.then(|| self.node(first + part as u64)).transpose()?;
        Ok(node.map(|node| Tail { node, version: 0 }))
    }

    fn upper_node(&self, level: usize, position: usize) -> Result<NodeNo> {
        self.node(self.upper_starts[level - 1] + position as u64)
    }

    fn plan(&self, i: u64) -> Plan {
        if i < self.numbering.records() {
            return match self.numbering.element_at(i) {
                (element, 0) => Plan::Element(element),
                (element, part) => Plan::Tail(element, part),
            };
        }
        if i >= self.overflow_start {
            return Plan::Overflow((i - self.overflow_start) as usize);
        }
        let level = self.upper_starts.partition_point(|&start| start <= i);
        Plan::Upper(level, (i - self.upper_starts[level - 1]) as usize)
    }

    /// The body of page `page`, counted without the metapage.
    fn page(&self, page: u32) -> Result<Vec<u8>> {
        let geometry = self.hnsw.geometry();
        let mut body = filled(PAGE_BODY, 0)?;
        init_page(&mut body, PageKind::Records, META_BLOCK + 1 + page);
        let first = u64::from(page) * geometry.records_per_page as u64;
        for place in 0..geometry.records_per_page {
            let i = first + place as u64;
            if i >= self.records {
                break;
            }
            let mut record = RecordMut::open(&mut body, page + 1, place, geometry)?;
            match self.plan(i) {
                Plan::Element(element) => self.write_element(&mut record, element)?,
                Plan::Tail(element, part) => self.write_tail(&mut record, element, part)?,
                Plan::Upper(level, position) => self.write_upper(&mut record, level, position)?,
                Plan::Overflow(index) => self.write_overflow(&mut record, index)?,
            }
        }
        Ok(body)
    }

    fn write_element(&self, record: &mut RecordMut<'_>, element: u32) -> Result<()> {
        let overflow = self.overflows.partition_point(|overflow| overflow.element < element);
        let overflow = match self.overflows.get(overflow) {
            Some(found) if found.element == element => {
                Some(self.node(self.overflow_start + overflow as u64)?)
            }
            _ => None,
        };
        record.write_element(
            &self.element(element, 0, overflow, None)?,
            self.rows.stored(element as usize),
        );
        record.push_tid(self.rows.info(element as usize).tid());
        let start = self.twins.partition_point(|twin| twin.element < element);
        let own = self.twins[start..].iter().take_while(|twin| twin.element == element);
        for twin in own {
            if !record.push_tid(twin.tid()) {
                break;
            }
        }
        let neighbors = self.graph.neighbors(element).iter().copied();
        self.write_slots(
            record,
            element,
            neighbors.map(|n| (n, self.numbering.of(n), self.parents[n as usize] == element)),
        )
    }

    fn write_tail(&self, record: &mut RecordMut<'_>, element: u32, part: usize) -> Result<()> {
        let own = self.numbering.of(element);
        let before = self.node(own + part as u64 - 1)?;
        let vector = self.rows.stored(element as usize);
        let part_of_it = self.hnsw.geometry().part(part, vector.len());
        record.write_tail(Some(before), &vector[part_of_it]);
        record.set_tail(self.tail(element, part + 1)?);
        Ok(())
    }

    fn write_upper(&self, record: &mut RecordMut<'_>, level: usize, position: usize) -> Result<()> {
        let UpperLevel { elements, neighbors } = &self.graph.upper[level - 1];
        let element = elements[position];
        let base = self.element_node(element)?;
        let below = match level {
            1 => base,
            _ => {
                let elements = &self.graph.upper[level - 2].elements;
                let position = elements.binary_search(&element).unwrap_or(0);
                self.upper_node(level - 1, position)?
            }
        };
        let fixed = self.element(element, level as u8, Some(below), Some(base))?;
        record.write_element(&fixed, self.rows.stored(element as usize));
        let list = &neighbors[position * self.graph.degree..][..self.graph.degree];
        let list = list.iter().copied().take_while(|&n| n != NO_NEIGHBOR);
        let start = self.upper_starts[level - 1];
        self.write_slots(
            record,
            element,
            list.map(|n| (elements[n as usize], start + u64::from(n), false)),
        )
    }

    fn write_overflow(&self, record: &mut RecordMut<'_>, index: usize) -> Result<()> {
        let overflow = &self.overflows[index];
        let next = match overflow.last {
            true => None,
            false => Some(self.node(self.overflow_start + index as u64 + 1)?),
        };
        record.write_overflow(self.element_node(overflow.element)?, next);
        for twin in &self.twins[overflow.tids.clone()] {
            record.push_tid(twin.tid());
        }
        Ok(())
    }

    fn element(
        &self,
        element: u32,
        level: u8,
        link: Option<NodeNo>,
        base: Option<NodeNo>,
    ) -> Result<Element> {
        let info = self.rows.info(element as usize);
        let tail = self.tail(element, 1)?;
        Ok(Element { level, info: info.stored_info(), link, base, tail })
    }

    /// Fills the slots of `owner`; `neighbors` are element, record, and whether the edge is a
    /// reachability edge.
    fn write_slots(
        &self,
        record: &mut RecordMut<'_>,
        owner: u32,
        neighbors: impl Iterator<Item = (u32, u64, bool)>,
    ) -> Result<()> {
        let geometry = self.hnsw.geometry();
        let mut code = vec![0; geometry.code_bytes()];
        let mut pair =
            self.hnsw.coder().map(|coder| Pair::new(coder, self.rows, self.vectors, owner));
        for (index, (element, i, reachability)) in neighbors.enumerate() {
            let (mut add, mut scale) = ([0; 2], [0; 2]);
            if let Some(pair) = &mut pair {
                let factors = pair.encode(element, &mut code);
                (add, scale) = (factors.add.to_le_bytes(), factors.res.to_le_bytes());
            } else if geometry.coded() {
                code.copy_from_slice(&self.rows.stored(element as usize)[..geometry.code_bytes()]);
            }
            let slot = Slot { neighbor: self.node(i)?, reachability, add, scale, code: &code };
            record.set_slot(index, &slot);
        }
        Ok(())
    }
}

/// A tree of edges by which all elements are reached from the entry, on short paths: the parent of
/// each. A parent has no more children than [`max_reachability_edges`] says, as these edges never give
/// way to later neighbors, unless an element would be out of reach.
fn parents(graph: &Graph) -> memory::Result<Vec<u32>> {
    let mut parents = filled(graph.len(), NO_NEIGHBOR)?;
    let mut reached = Vec::new();
    reached.try_push(graph.entry)?;
    for most in [max_reachability_edges(graph.degree), graph.degree] {
        let mut next = 0;
        while let Some(&owner) = reached.get(next) {
            next += 1;
            let free = |&&id: &&u32| parents[id as usize] == NO_NEIGHBOR && id != graph.entry;
            let children: Vec<u32> =
                graph.neighbors(owner).iter().filter(free).take(most).copied().collect();
            children.iter().for_each(|&id| parents[id as usize] = owner);
            reached.try_extend(children)?;
        }
    }
    Ok(parents)
}

/// Splits the rows that do not fit the records of their elements into overflow records.
fn plan_overflows(hnsw: &Hnsw, twins: &[Twin]) -> memory::Result<Vec<Overflow>> {
    let geometry = hnsw.geometry();
    let capacity = geometry.overflow_tids().max(1);
    let mut overflows = Vec::new();
    let mut start = 0;
    for own in twins.chunk_by(|a, b| a.element == b.element) {
        let end = start + own.len();
        let mut at = start + (geometry.inline_tids - 1).min(own.len());
        while at < end {
            let next = end.min(at + capacity);
            let (element, last) = (own[0].element, next == end);
            overflows.try_push(Overflow { element, tids: at..next, last })?;
            at = next;
        }
        start = end;
    }
    Ok(overflows)
}
