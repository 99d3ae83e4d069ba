//! The root page of a segment.
//!
//! | bytes | field |
//! |---|---|
//! | 16..20 | number of documents (u32) |
//! | 20 | flags (u8): 1 positions, 2 inner product |
//! | 21 | level of the root of the dictionary (u8) |
//! | 22..24 | zero |
//! | 24..28, 28..32 | dictionary: root, first leaf (u32), or 2^32 − 1 |
//! | 32..40 | number of terms (u64) |
//! | 40..48 | sum of lengths (u64) |
//! | 48..56 | number of postings (u64) |
//! | 56..60, 60..64 | long lengths: number, first page (u32) |
//! | 64..68 | first page of the list of blocks (u32) |
//! | 68..72 | number of pages (u32), this included |
//! | 72..80 | zero |
//! | 80.. | of each group of documents four blocks (u32); with more than 504 groups, blocks of pages with 508 groups each |

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use memory::Grow;
use pages::{Error, PageStore, Result};

use super::SegmentInfo;
use super::documents::{GROUP, GroupPages};
use crate::Scoring;
use crate::bytes::Bytes;
use crate::dictionary::Tree;
use crate::page::{Draft, HEADER, NONE, Pages, Part, SPACE, Source};

/// Bytes of the fields before the groups.
const FIELDS: usize = 64;
/// Groups that fit the root, and a page of groups.
const ROOT_GROUPS: usize = (SPACE - FIELDS) / GroupPages::SIZE;
const PAGE_GROUPS: usize = SPACE / GroupPages::SIZE;

const POSITIONS: u8 = 1;
const INNER_PRODUCT: u8 = 2;

/// What the root page of a segment holds.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub documents: u32,
    pub positions: bool,
    pub inner_product: bool,
    pub tree: Tree,
    pub terms: u64,
    pub total_length: u64,
    pub postings: u64,
    /// Number of long lengths, and the first page of their list.
    pub long: (u32, u32),
    /// First page of the list of blocks.
    pub blocks: u32,
    pub pages: u32,
    pub groups: Groups,
}

/// Where the pages of groups of documents are.
#[derive(Clone, Debug)]
pub(crate) enum Groups {
    Here(Vec<GroupPages>),
    /// Blocks of the pages that tell.
    Pages(Vec<u32>),
}

impl Root {
    /// Writes all but the number of pages, which [`finish`] adds.
    pub fn write(&self, draft: &mut Draft) {
        draft.push(&self.documents.to_le_bytes());
        let mut flags = 0;
        if self.positions {
            flags |= POSITIONS;
        }
        if self.inner_product {
            flags |= INNER_PRODUCT;
        }
        draft.push(&[flags, self.tree.level, 0, 0]);
        draft.push(&self.tree.root.to_le_bytes());
        draft.push(&self.tree.first_leaf.to_le_bytes());
        draft.push(&self.terms.to_le_bytes());
        draft.push(&self.total_length.to_le_bytes());
        draft.push(&self.postings.to_le_bytes());
        draft.push(&self.long.0.to_le_bytes());
        draft.push(&self.long.1.to_le_bytes());
        draft.push(&self.blocks.to_le_bytes());
        draft.push(&self.pages.to_le_bytes());
        draft.push(&[0; 8]);
        match &self.groups {
            Groups::Here(groups) => groups.iter().for_each(|group| draft.push(&group.to_bytes())),
            Groups::Pages(pages) => pages.iter().for_each(|block| draft.push(&block.to_le_bytes())),
        }
    }

    /// Reads the root page of a segment.
    pub fn read<S: PageStore>(
        source: Source<'_, S>,
        info: &SegmentInfo,
        scoring: Scoring,
    ) -> Result<Self> {
        source.read(info.root, Part::Root, |_, body| {
            let mut bytes = Bytes::at(body, HEADER as u16, info.root)?;
            let documents = bytes.u32()?;
            let [flags, level, _, _] = bytes.array()?;
            let tree = Tree { root: bytes.u32()?, level, first_leaf: bytes.u32()? };
            let (terms, total_length, postings) = (bytes.u64()?, bytes.u64()?, bytes.u64()?);
            let (long, blocks, pages) = ((bytes.u32()?, bytes.u32()?), bytes.u32()?, bytes.u32()?);
            bytes.take(8)?;
            let inner_product = flags & INNER_PRODUCT != 0;
            if documents != info.documents
                || pages != info.pages
                || inner_product != (scoring == Scoring::InnerProduct)
            {
                return Err(bytes.error("segment is not as the directory says"));
            }
            let groups = Groups::read(&mut bytes, (documents as usize).div_ceil(GROUP))?;
            let positions = flags & POSITIONS != 0;
            Ok(Self {
                documents,
                positions,
                inner_product,
                tree,
                terms,
                total_length,
                postings,
                long,
                blocks,
                pages,
                groups,
            })
        })
    }
}

impl Groups {
    /// Writes pages of groups if there are too many for the root.
    pub fn write(groups: Vec<GroupPages>, pages: &mut dyn Pages, id: u64) -> Result<Self> {
        if groups.len() <= ROOT_GROUPS {
            return Ok(Self::Here(groups));
        }
        let mut blocks = Vec::new();
        for groups in groups.chunks(PAGE_GROUPS) {
            let mut draft = Draft::new(pages, Part::Groups)?;
            blocks.try_push(draft.block)?;
            groups.iter().for_each(|group| draft.push(&group.to_bytes()));
            draft.finish(pages, id, NONE)?;
        }
        Ok(Self::Pages(blocks))
    }

    fn read(bytes: &mut Bytes<'_>, count: usize) -> Result<Self> {
        if count <= ROOT_GROUPS {
            let mut groups = memory::with_room(count)?;
            for _ in 0..count {
                groups.push(GroupPages::from_bytes(&bytes.array()?));
            }
            return Ok(Self::Here(groups));
        }
        let mut blocks = memory::with_room(count.div_ceil(PAGE_GROUPS))?;
        for _ in 0..count.div_ceil(PAGE_GROUPS) {
            blocks.push(bytes.u32()?);
        }
        Ok(Self::Pages(blocks))
    }

    /// Where the pages of a group are.
    pub fn get<S: PageStore>(&self, source: Source<'_, S>, group: usize) -> Result<GroupPages> {
        match self {
            Self::Here(groups) => groups.get(group).copied(),
            Self::Pages(blocks) => match blocks.get(group / PAGE_GROUPS) {
                Some(&block) => source.read(block, Part::Groups, |_, body| {
                    let groups = body.get(HEADER..).unwrap_or(&[]).as_chunks().0;
                    Ok(groups.get(group % PAGE_GROUPS).map(GroupPages::from_bytes))
                })?,
                None => None,
            },
        }
        .ok_or_else(|| Error::Internal(format!("segment has no documents of group {group}")))
    }
}
