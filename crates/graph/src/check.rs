//! Structural check: finds what a scan would trip over, and what no scan could reach.

use pages::{
    Error, Geometry, META_BLOCK, NodeNo, PageKind, PageStore, Record, Result, State, is_new,
    page_kind,
};

use crate::Hnsw;

/// Something wrong with an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The block it was found in, if it lies in one.
    pub block: Option<u32>,
    /// What is wrong.
    pub what: String,
}

/// Reads all pages and reports every problem.
///
/// Sound while rows are inserted and vacuumed beside it: what these leave in between two steps is
/// no problem, only what they would never leave.
pub fn check<S: PageStore>(store: &S, report: &mut dyn FnMut(Problem)) -> Result<()> {
    let hnsw = match Hnsw::open(store) {
        Ok(hnsw) => hnsw,
        Err(error) => return tell(report, META_BLOCK, error),
    };
    let mut check = Check {
        geometry: *hnsw.geometry(),
        states: Vec::new(),
        edges: Vec::new(),
        bases: Vec::new(),
    };
    let blocks = store.blocks()?;
    for block in META_BLOCK + 1..blocks {
        store.pause()?;
        if let Err(error) = check.page(store, block) {
            tell(report, block, error)?;
            let per_page = check.geometry.records_per_page;
            check.states.truncate(block as usize * per_page);
            check.states.resize((block as usize + 1) * per_page, Place::BROKEN);
        }
    }
    check.report_edges(report);
    check.report_entry(&hnsw, report);
    check.report_unreachable(&hnsw, report);
    Ok(())
}

/// Reports what is wrong with a page; an interrupt goes up.
fn tell(report: &mut dyn FnMut(Problem), block: u32, error: Error) -> Result<()> {
    match error {
        Error::Interrupted | Error::Crashed => return Err(error),
        Error::Corrupted { block, what } => {
            report(Problem { block: Some(block), what: what.to_owned() });
        }
        Error::Version { .. } | Error::Limit(_) | Error::Internal(_) => {
            report(Problem { block: Some(block), what: error.to_string() });
        }
    }
    Ok(())
}

/// What is remembered of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    state: State,
    level: u8,
    broken: bool,
}

impl Place {
    const FREE: Self = Self { state: State::Free, level: 0, broken: false };
    const BROKEN: Self = Self { broken: true, ..Self::FREE };
}

struct Check {
    geometry: Geometry,
    /// By record number.
    states: Vec<Place>,
    /// From element to neighbor.
    edges: Vec<(NodeNo, NodeNo)>,
    /// What upper records stand for.
    bases: Vec<NodeNo>,
}

impl Check {
    fn page<S: PageStore>(&mut self, store: &S, block: u32) -> Result<()> {
        let per_page = self.geometry.records_per_page;
        let first = block as usize * per_page;
        self.states.resize(first, Place::FREE);
        let page = store.read(block)?;
        if is_new(&page) {
            return Ok(());
        }
        if page_kind(&page, block)? != PageKind::Records {
            return Err(Error::corrupted(block, "page does not hold records"));
        }
        for place in 0..per_page {
            let record = Record::read(&page, block, place, &self.geometry)?;
            let node = NodeNo::at(block, place, &self.geometry)?;
            let (state, level) = (record.state(), record.element().level);
            self.states.push(Place { state, level, broken: false });
            if record.is_element() {
                self.edges.extend(record.neighbors().map(|neighbor| (node, neighbor)));
                let element = record.element();
                self.bases.extend(element.base.filter(|_| level > 0));
                if level > 0 && (element.link.is_none() || element.base.is_none()) {
                    return Err(Error::corrupted(block, "upper record leads nowhere"));
                }
                if record.neighbors().any(|neighbor| neighbor == node) {
                    return Err(Error::corrupted(block, "element is its own neighbor"));
                }
            }
        }
        Ok(())
    }

    fn place(&self, node: NodeNo) -> Option<Place> {
        self.states.get(node.0 as usize).copied()
    }

    /// Edges must lead to elements of the same level.
    fn report_edges(&self, report: &mut dyn FnMut(Problem)) {
        for &(from, to) in &self.edges {
            let owner = self.place(from).unwrap_or(Place::BROKEN);
            let what = match self.place(to) {
                None => "leads beyond the end of the index",
                Some(place) if place.broken || owner.state == State::Dying => continue,
                Some(place) if matches!(place.state, State::Free | State::Tids) => {
                    "leads to a record that is not an element"
                }
                Some(place) if place.level != owner.level => "leads to another level",
                Some(_) => continue,
            };
            let block = Some(from.block(&self.geometry));
            report(Problem { block, what: format!("edge from {} to {} {what}", from.0, to.0) });
        }
    }

    fn report_entry(&self, hnsw: &Hnsw, report: &mut dyn FnMut(Problem)) {
        let Some(entry) = hnsw.meta().entry else { return };
        let sound = self.place(entry).is_some_and(|place| {
            place.broken
                || matches!(place.state, State::Live | State::Dying)
                    && place.level == hnsw.meta().entry_level
        });
        if !sound {
            let what = "entry point is not an element of its level".to_owned();
            report(Problem { block: Some(META_BLOCK), what });
        }
    }

    /// Live elements of level 0 that no path leads to from where searches begin.
    fn report_unreachable(&mut self, hnsw: &Hnsw, report: &mut dyn FnMut(Problem)) {
        let level0 = |place: Option<Place>| place.is_some_and(|place| place.level == 0);
        self.edges.sort_unstable();
        let mut reached = vec![false; self.states.len()];
        let mut todo: Vec<NodeNo> = hnsw.meta().entry.into_iter().collect();
        // Descents lead from upper records to what they stand for.
        todo.extend(&self.bases);
        while let Some(node) = todo.pop() {
            let Some(seen) = reached.get_mut(node.0 as usize).filter(|seen| !**seen) else {
                continue;
            };
            *seen = true;
            let start = self.edges.partition_point(|&(from, _)| from < node);
            let own = self.edges[start..].iter().take_while(|&&(from, _)| from == node);
            todo.extend(own.map(|&(_, to)| to).filter(|&to| level0(self.place(to))));
        }
        for (number, place) in self.states.iter().enumerate() {
            let live = place.state == State::Live && place.level == 0 && !place.broken;
            if live && !reached[number] {
                let node = NodeNo(number as u32);
                let what = format!("element {number} cannot be reached");
                report(Problem { block: Some(node.block(&self.geometry)), what });
            }
        }
    }
}
