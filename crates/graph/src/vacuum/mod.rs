//! Vacuum, in three passes over the pages, each cancellable and each leaving a sound index:
//!
//! 1. [`clear`] forgets dead heap tids; elements left without any are dying: searches pass through
//!    them, new edges avoid them.
//! 2. [`unlink`] replaces the edges that lead to dying elements. Before it the host waits for
//!    inserts that began before `clear` ended: they may not have known who is dying.
//! 3. [`free`] gives their records back.
//!
//! What a pass that was cut short left behind the next vacuum finds: dying elements are dying
//! until they are freed.

mod clear;
mod entry;
mod free;
mod parents;
mod repair;
mod unlink;

use memory::Grow;
use pages::Result;

use crate::format::{NodeNo, Tail};
use crate::nodes::NodeSet;

pub use clear::clear;
pub use free::free;
pub use unlink::unlink;

/// What [`clear`] found.
#[derive(Debug)]
pub struct Emptied {
    /// Dying records of all levels.
    nodes: Vec<NodeNo>,
    set: NodeSet,
    /// First tails of vectors whose elements were not written yet.
    unclaimed: Vec<Tail>,
    /// A live record of the highest level seen.
    live: Option<(u8, NodeNo)>,
    /// Rows that are left.
    remaining: u64,
}

impl Emptied {
    fn new() -> Self {
        let (nodes, set, unclaimed) = (Vec::new(), NodeSet::new(), Vec::new());
        Self { nodes, set, unclaimed, live: None, remaining: 0 }
    }

    fn add(&mut self, node: NodeNo) -> Result<()> {
        if self.set.insert(node)? {
            self.nodes.try_push(node)?;
        }
        Ok(())
    }

    /// Whether there is anything to unlink and free.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

/// What [`clear`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClearStats {
    /// Heap tids forgotten.
    pub removed: u64,
    /// Heap tids left.
    pub remaining: u64,
}
