//! Pages of a segment that is being written: what was kept of it names them, but may be damaged.

use memory::Grow;
use pages::Result;

use crate::bytes::Bytes;
use crate::page::NONE;

/// The pages that were handed out for a segment.
#[derive(Debug)]
pub(crate) struct Owned {
    /// In ascending order, and whether something lies there.
    blocks: Vec<(u32, bool)>,
}

impl Owned {
    pub fn new(handed_out: &[u32]) -> Result<Self> {
        let mut blocks = memory::with_room(handed_out.len())?;
        blocks.try_extend(handed_out.iter().map(|&block| (block, false)))?;
        blocks.sort_unstable();
        Ok(Self { blocks })
    }

    /// Fails unless `block` is among them and nothing else lies there, or it is [`NONE`] and may be.
    pub fn claim(&mut self, block: u32, may_be_none: bool, bytes: &Bytes<'_>) -> Result<()> {
        if block == NONE && may_be_none {
            return Ok(());
        }
        let found = self.blocks.binary_search_by_key(&block, |&(block, _)| block);
        match found.ok().and_then(|at| self.blocks.get_mut(at)) {
            Some((_, claimed @ false)) => *claimed = true,
            _ => return Err(bytes.error("page that was begun is not of the segment")),
        }
        Ok(())
    }

    /// Whether `block` is among them.
    pub fn has(&self, block: u32) -> bool {
        self.blocks.binary_search_by_key(&block, |&(block, _)| block).is_ok()
    }
}
