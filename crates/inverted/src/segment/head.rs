//! What searches read of every segment and never changes: kept, so that it is read once.

use std::cell::RefCell;
use std::rc::Rc;

use memory::{Grow, copied};
use pages::{Error, PAGE_USABLE, PageStore, Result};

use super::root::Root;
use super::{Reader, SegmentInfo};
use crate::Scoring;
use crate::page::{Header, Part, Source};

/// The first pages of a segment.
#[derive(Debug)]
pub(crate) struct Head {
    info: SegmentInfo,
    pub root: Root,
    /// The page above all others of the dictionary, unless it is a leaf: vacuum changes these.
    pub top: Option<(Header, Vec<u8>)>,
}

impl Head {
    pub fn read<S: PageStore>(
        source: Source<'_, S>,
        info: &SegmentInfo,
        scoring: Scoring,
    ) -> Result<Self> {
        let root = Root::read(source, info, scoring)?;
        Ok(Self { info: *info, root, top: None })
    }

    /// The same with the top of the dictionary, for many look-ups.
    fn read_more<S: PageStore>(
        source: Source<'_, S>,
        info: &SegmentInfo,
        scoring: Scoring,
    ) -> Result<Self> {
        let mut head = Self::read(source, info, scoring)?;
        let tree = head.root.tree;
        if tree.level > 0 {
            head.top = Some(source.read(tree.root, Part::Dictionary, |header, body| {
                Ok((header, copied(body.get(..PAGE_USABLE).unwrap_or(&[]))?))
            })?);
        }
        Ok(head)
    }
}

/// The first pages of the segments of one index, at most two pages of each: who searches the index often
/// keeps them. Ids of segments are never used again, so what is known of a segment stays true.
#[derive(Debug, Default)]
pub struct Heads(RefCell<Vec<Rc<Head>>>);

impl Heads {
    /// Opens the segments of an index at one moment. What is known of others is forgotten.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open<'s, S: PageStore>(
        &self,
        store: &'s S,
        segments: &[SegmentInfo],
        scoring: Scoring,
    ) -> Result<Vec<Reader<'s, S>>> {
        let mut readers = memory::with_room(segments.len())?;
        for info in segments {
            let source = Source { store, id: info.id, pages: info.pages };
            let known = self.known(info);
            let head = match known {
                Some(head) => head,
                None => {
                    let head = Rc::new(Head::read_more(source, info, scoring)?);
                    let mut all = self.0.try_borrow_mut().map_err(|_| in_use())?;
                    all.retain(|other| segments.contains(&other.info));
                    all.try_push(Rc::clone(&head))?;
                    head
                }
            };
            readers.push(Reader::with_head(source, info, scoring, head));
        }
        Ok(readers)
    }

    fn known(&self, info: &SegmentInfo) -> Option<Rc<Head>> {
        let all = self.0.try_borrow().ok()?;
        all.iter().find(|head| head.info == *info).map(Rc::clone)
    }
}

fn in_use() -> Error {
    Error::Internal("heads of segments are in use".to_owned())
}
