//! Writing gathered documents as a segment.

use pages::{Coordination, Error, Result};

use crate::allocate::Taker;
use crate::gather::{Gathered, Sink};
use crate::meta::{Chain, Options};
use crate::segment::{SegmentInfo, Writer};

/// Writes a segment into pages of `taker`.
pub(crate) fn write_segment<S: Coordination>(
    mut taker: Taker<'_, S>,
    options: Options,
    gathered: &Gathered,
) -> Result<(SegmentInfo, Chain)> {
    let id = taker.segment();
    let mut writer = Writer::new(&mut taker, options.scoring, options.positions, id);
    for &(tid, length) in gathered.documents() {
        writer.document(tid, length)?;
    }
    // Few documents: the store pauses when it takes pages.
    gathered.tell(options.positions, &|| Ok(()), &mut writer)?;
    let info = writer.finish()?;
    Ok((info, taker.finish()?))
}

impl Sink for Writer<'_> {
    fn term(&mut self, term: &[u8]) -> Result<()> {
        Writer::term(self, term)
    }

    fn posting(&mut self, ordinal: u32, value: u32, positions: &[u32]) -> Result<()> {
        Writer::posting(self, ordinal, value, positions)
    }
}

/// What a writer refuses was read from pages that are damaged, such as `block`.
pub(crate) fn damaged(block: u32) -> impl Fn(Error) -> Error {
    move |error| {
        if matches!(error, Error::Internal(_)) {
            Error::corrupted(block, "page holds an impossible posting")
        } else {
            error
        }
    }
}
