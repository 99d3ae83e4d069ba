//! Who holds whom by a tether.

use memory::{Grow, Result, filled};

use crate::format::NodeNo;

/// The owner of each element's tether, by record number: four bytes each, and one for what is known.
#[derive(Debug)]
pub(super) struct Owners {
    root: Option<NodeNo>,
    of: Vec<u32>,
    reached: Vec<bool>,
}

impl Owners {
    /// Nobody of `count` records holds anybody; all chains start from `root`.
    pub(super) fn new(root: Option<NodeNo>, count: usize) -> Result<Self> {
        let (of, reached) = (filled(count, NodeNo::encode(None))?, filled(count, false)?);
        Ok(Self { root, of, reached })
    }

    pub(super) fn root(&self) -> Option<NodeNo> {
        self.root
    }

    /// Notes that `owner` holds `node`. Records added meanwhile are none of our concern.
    pub(super) fn set(&mut self, node: NodeNo, owner: NodeNo) {
        if let Some(of) = self.of.get_mut(node.0 as usize) {
            *of = owner.0;
        }
    }

    /// Whether anybody holds `node`.
    pub(super) fn has(&self, node: NodeNo) -> bool {
        self.owner(node).is_some()
    }

    fn owner(&self, node: NodeNo) -> Option<NodeNo> {
        self.of.get(node.0 as usize).copied().and_then(NodeNo::decode)
    }

    /// Whether a chain of tethers leads from the root to `node`.
    pub(super) fn reach(&mut self, node: NodeNo) -> Result<bool> {
        let mut path = Vec::new();
        let mut at = node;
        while Some(at) != self.root && !self.reached.get(at.0 as usize).is_some_and(|&r| r) {
            let Some(owner) = self.owner(at).filter(|_| path.len() <= self.of.len()) else {
                return Ok(false);
            };
            path.try_push(at)?;
            at = owner;
        }
        // Every node of the path has an owner, and so a place.
        path.iter().for_each(|node| self.reached[node.0 as usize] = true);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_lead_from_the_root_or_not_at_all() {
        let mut owners = Owners::new(Some(NodeNo(1)), 10).expect("memory");
        for (node, owner) in [(2, 1), (3, 2), (5, 6), (6, 5), (7, 9)] {
            owners.set(NodeNo(node), NodeNo(owner));
        }
        let reached = |owners: &mut Owners, node| owners.reach(NodeNo(node)).expect("memory");
        assert!((0..12).filter(|&node| reached(&mut owners, node)).eq([1, 2, 3]));
        owners.set(NodeNo(5), NodeNo(3));
        assert!(reached(&mut owners, 6) && !reached(&mut owners, 7));
    }
}
