//! Sorted postings in a temporary file.
//!
//! A run is a sequence of rows, sorted by term and then by ordinal. A row holds the bytes of its term
//! (u8), the term, and some of its postings: ordinal less the last, value (inner product: u32) and
//! positions as in the write buffer; numbers as LEB128.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use memory::Grow;
use pages::{Error, Result};
use space::{Space, Strings};

use super::{Pause, no_space};
use crate::buffer::{push_number, take_number};
use crate::gather::{Gathered, Sink};
use crate::meta::Options;
use crate::score::Scoring;
use crate::segment::Writer;

/// Bytes from which on a row is ended.
const ROW: usize = 1 << 20;

/// Postings of some documents, sorted.
#[derive(Debug)]
pub(super) struct Run {
    rows: Strings,
    /// Number of rows.
    len: usize,
}

impl Run {
    /// Writes documents, of which the first has the ordinal `first`.
    pub(super) fn write(
        gathered: &Gathered,
        first: u32,
        options: Options,
        space: &mut Space<'_>,
        pause: &Pause<'_>,
    ) -> Result<Self> {
        let mut rows = Strings::new();
        rows.move_to_file(space).map_err(no_space)?;
        let weighted = options.scoring == Scoring::InnerProduct;
        let (row, run) = (Vec::new(), Self { rows, len: 0 });
        let mut writer = RunWriter { run, space, first, weighted, row, head: 0, last: 0 };
        gathered.tell(options.positions, pause, &mut writer)?;
        writer.end_row()?;
        Ok(writer.run)
    }
}

struct RunWriter<'a, 'h> {
    run: Run,
    space: &'a mut Space<'h>,
    first: u32,
    weighted: bool,
    row: Vec<u8>,
    /// Bytes of the row before its postings.
    head: usize,
    /// The ordinal of the last posting in the row, or 0.
    last: u32,
}

impl RunWriter<'_, '_> {
    /// Writes the row, if there are postings in it, and begins another one of the same term.
    fn end_row(&mut self) -> Result<()> {
        if self.row.len() > self.head {
            self.run.rows.push(&self.row, self.space).map_err(no_space)?;
            self.run.len += 1;
        }
        self.row.truncate(self.head);
        self.last = 0;
        Ok(())
    }
}

impl Sink for RunWriter<'_, '_> {
    fn term(&mut self, term: &[u8]) -> Result<()> {
        self.end_row()?;
        self.row.clear();
        // Terms are at most 255 bytes long.
        self.row.push(term.len() as u8);
        self.row.extend_from_slice(term);
        self.head = self.row.len();
        Ok(())
    }

    fn posting(&mut self, ordinal: u32, value: u32, positions: &[u32]) -> Result<()> {
        // A number takes at most five bytes.
        let more = positions.len().saturating_add(2).saturating_mul(5);
        if self.row.len().saturating_add(more) > ROW {
            self.end_row()?;
        }
        self.row.try_reserve(more).map_err(|_| Error::OutOfMemory)?;
        let ordinal = self.first.wrapping_add(ordinal);
        push_number(ordinal.wrapping_sub(self.last), &mut self.row);
        self.last = ordinal;
        if self.weighted {
            self.row.extend(value.to_le_bytes());
            return Ok(());
        }
        push_number(value, &mut self.row);
        let mut before = 0;
        for &position in positions {
            push_number(position.wrapping_sub(before), &mut self.row);
            before = position;
        }
        Ok(())
    }
}

/// Passes the terms of all runs, in order, with their postings to `writer`.
pub(super) fn merge(runs: &[Run], options: Options, writer: &mut Writer<'_>) -> Result<()> {
    let mut next = memory::filled(runs.len(), 0usize)?;
    let mut heap = BinaryHeap::new();
    for (i, run) in runs.iter().enumerate() {
        push_next(&mut heap, run, i, &mut next)?;
    }
    let (mut positions, mut last): (_, Option<&[u8]>) = (Vec::new(), None);
    while let Some(Reverse((term, i, postings))) = heap.pop() {
        if last != Some(term) {
            writer.term(term)?;
            last = Some(term);
        }
        let wrong = || Error::Internal("a run of a build is damaged".to_owned());
        write_postings(postings, options, writer, &mut positions)?.ok_or_else(wrong)?;
        push_next(&mut heap, &runs[i], i, &mut next)?;
    }
    Ok(())
}

type Row<'r> = Reverse<(&'r [u8], usize, &'r [u8])>;

fn push_next<'r>(
    heap: &mut BinaryHeap<Row<'r>>,
    run: &'r Run,
    i: usize,
    next: &mut [usize],
) -> Result<()> {
    if next[i] == run.len {
        return Ok(());
    }
    let row = run.rows.row(next[i]);
    next[i] += 1;
    let (term, postings) = row
        .split_first()
        .and_then(|(&len, rest)| rest.split_at_checked(usize::from(len)))
        .unwrap_or_default();
    Ok(heap.try_push(Reverse((term, i, postings)))?)
}

/// None if the row is damaged.
fn write_postings(
    mut bytes: &[u8],
    options: Options,
    writer: &mut Writer<'_>,
    positions: &mut Vec<u32>,
) -> Result<Option<()>> {
    let mut ordinal = 0u32;
    while !bytes.is_empty() {
        let Some(gap) = take_number(&mut bytes) else { return Ok(None) };
        ordinal = ordinal.wrapping_add(gap);
        positions.clear();
        let value = if options.scoring == Scoring::InnerProduct {
            let Some((&value, rest)) = bytes.split_first_chunk() else { return Ok(None) };
            bytes = rest;
            u32::from_le_bytes(value)
        } else {
            let Some(value) = take_number(&mut bytes) else { return Ok(None) };
            let mut position = 0u32;
            for _ in 0..if options.positions { value } else { 0 } {
                let Some(gap) = take_number(&mut bytes) else { return Ok(None) };
                position = position.wrapping_add(gap);
                positions.try_push(position)?;
            }
            value
        };
        writer.posting(ordinal, value, positions)?;
    }
    Ok(Some(()))
}
