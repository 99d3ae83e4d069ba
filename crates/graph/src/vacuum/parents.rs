//! The tree of reachability edges.

use memory::{Grow, Result, filled};

use crate::format::NodeNo;

/// The parent of each element, by record number: four bytes each, and one for what is known. The
/// parent is the owner of the reachability edge to the element.
#[derive(Debug)]
pub(super) struct Parents {
    root: Option<NodeNo>,
    of: Vec<u32>,
    reached: Vec<bool>,
}

impl Parents {
    /// None of `count` records has a parent yet; `root` never gets one.
    pub(super) fn new(root: Option<NodeNo>, count: usize) -> Result<Self> {
        let (of, reached) = (filled(count, NodeNo::encode(None))?, filled(count, false)?);
        Ok(Self { root, of, reached })
    }

    pub(super) fn root(&self) -> Option<NodeNo> {
        self.root
    }

    /// Notes that `parent` is the parent of `node`. Records added meanwhile are none of our concern.
    pub(super) fn set(&mut self, node: NodeNo, parent: NodeNo) {
        if let Some(of) = self.of.get_mut(node.0 as usize) {
            *of = parent.0;
        }
    }

    /// Whether `node` has a parent.
    pub(super) fn has(&self, node: NodeNo) -> bool {
        self.parent(node).is_some()
    }

    fn parent(&self, node: NodeNo) -> Option<NodeNo> {
        self.of.get(node.0 as usize).copied().and_then(NodeNo::decode)
    }

    /// Whether reachability edges lead from the root to `node`.
    pub(super) fn reach(&mut self, node: NodeNo) -> Result<bool> {
        let mut path = Vec::new();
        let mut at = node;
        while Some(at) != self.root && !self.reached.get(at.0 as usize).is_some_and(|&r| r) {
            let Some(parent) = self.parent(at).filter(|_| path.len() <= self.of.len()) else {
                return Ok(false);
            };
            path.try_push(at)?;
            at = parent;
        }
        // Every node of the path has a parent, and so a place.
        path.iter().for_each(|node| self.reached[node.0 as usize] = true);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_the_root_or_not_at_all() {
        let mut parents = Parents::new(Some(NodeNo(1)), 10).expect("memory");
        for (node, parent) in [(2, 1), (3, 2), (5, 6), (6, 5), (7, 9)] {
            parents.set(NodeNo(node), NodeNo(parent));
        }
        let reached = |parents: &mut Parents, node| parents.reach(NodeNo(node)).expect("memory");
        assert!((0..12).filter(|&node| reached(&mut parents, node)).eq([1, 2, 3]));
        parents.set(NodeNo(5), NodeNo(3));
        assert!(reached(&mut parents, 6) && !reached(&mut parents, 7));
    }
}
