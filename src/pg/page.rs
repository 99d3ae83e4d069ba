//! The frame of an index page: PostgreSQL's header before the body, nothing behind it.
//!
//! A body ends in a trailer of the index's own, which is what PostgreSQL calls the special space.
//! What lies between `pd_lower` and `pd_upper` PostgreSQL takes for a hole that need not be logged:
//! there is none, unless [`shrink`] makes one of zeros that nothing follows.

#![allow(unsafe_code)] // pages are raw memory

use std::ops::Range;
use std::slice;

use pages::{PAGE_BODY, PAGE_USABLE};
use pgrx::pg_sys::{self, BLCKSZ, Buffer, Page, PageHeader};

/// Bytes of the header.
const HEADER: usize = BLCKSZ as usize - PAGE_BODY;

const _: () = assert!(HEADER == 24 && BLCKSZ == 8192, "bodies are made for pages of 8 kB");

/// Writes the header of an empty page; the body becomes zero.
///
/// # Safety
/// `page` is writable memory of a page.
pub unsafe fn init(page: Page) {
    // SAFETY: `page` is writable memory of a page; `PageInit` raises no error for these sizes.
    unsafe {
        pg_sys::PageInit(page, BLCKSZ as usize, PAGE_BODY - PAGE_USABLE);
        let header = page.cast::<pg_sys::PageHeaderData>();
        (*header).pd_lower = (*header).pd_upper;
    }
}

/// Makes the zeros that end the usable part of the body a hole.
///
/// # Safety
/// `page` is memory of a page with a header, which nobody else reads or writes.
pub unsafe fn shrink(page: Page) {
    // SAFETY: nobody else has the page, which has a header; the end of the body is at most `pd_upper`.
    unsafe { (*page.cast::<pg_sys::PageHeaderData>()).pd_lower = used_end(page) }
}

/// Makes the hole smaller where something has been written to it.
///
/// # Safety
/// As for [`shrink`].
pub unsafe fn grow(page: Page) {
    // SAFETY: nobody else has the page, which has a header.
    unsafe {
        let header = page.cast::<pg_sys::PageHeaderData>();
        if (*header).pd_lower < (*header).pd_upper {
            (*header).pd_lower = used_end(page).max((*header).pd_lower);
        }
    }
}

/// Offset in the page behind the last usable byte that is not zero.
///
/// # Safety
/// As for [`body`].
unsafe fn used_end(page: Page) -> u16 {
    // SAFETY: the page is readable, and nobody writes to it while we look.
    let usable = unsafe { &body(page)[..PAGE_USABLE] };
    let used = usable.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    (HEADER + used) as u16 // at most BLCKSZ
}

/// Tells that the WAL up to `lsn` must be on disk before the page is.
///
/// # Safety
/// `page` is memory of a page that nobody else reads or writes.
pub unsafe fn set_lsn(page: Page, lsn: pg_sys::XLogRecPtr) {
    let (xlogid, xrecoff) = ((lsn >> 32) as u32, lsn as u32);
    // SAFETY: nobody else has the page, whose memory begins with a header.
    unsafe {
        (*page.cast::<pg_sys::PageHeaderData>()).pd_lsn =
            pg_sys::PageXLogRecPtr { xlogid, xrecoff };
    }
}

/// Whether a page was added to the file but never written.
///
/// # Safety
/// `page` is readable memory of a page.
pub unsafe fn is_new(page: Page) -> bool {
    // SAFETY: the memory of a page begins with a header, also where that is zero.
    unsafe { (*(page as PageHeader)).pd_upper == 0 }
}

/// The body of a page.
///
/// # Safety
/// `page` is readable memory of a page that nobody writes to during `'a`.
#[inline]
pub unsafe fn body<'a>(page: Page) -> &'a [u8] {
    // SAFETY: the page is readable, nobody writes to it meanwhile, and header and body make it up.
    unsafe { slice::from_raw_parts(page.cast::<u8>().add(HEADER), PAGE_BODY) }
}

/// Has the processor load what a visit of the page in `buffer`, a shared one, looks at: PostgreSQL's
/// description of the buffer, the page's trailer, and these bytes of its body.
#[inline]
pub fn warm(buffer: Buffer, bytes: Range<usize>) {
    let index = buffer as usize - 1;
    // SAFETY: addresses fixed at server start; what is there is not read.
    let (descriptor, page) = unsafe {
        let descriptor = pg_sys::BufferDescriptors.wrapping_add(index);
        (descriptor, pg_sys::BufferBlocks.wrapping_add(index * BLCKSZ as usize).cast::<u8>())
    };
    let body = page.wrapping_add(HEADER);
    kernels::prefetch_at(descriptor.cast(), 1);
    kernels::prefetch_at(body.wrapping_add(PAGE_USABLE), 1);
    kernels::prefetch_at(body.wrapping_add(bytes.start), bytes.len());
}

/// The body of a page, to be written.
///
/// # Safety
/// `page` is memory of a page that nobody else reads or writes during `'a`.
#[inline]
pub unsafe fn body_mut<'a>(page: Page) -> &'a mut [u8] {
    // SAFETY: nobody else has the page meanwhile, and header and body make it up.
    unsafe { slice::from_raw_parts_mut(page.cast::<u8>().add(HEADER), PAGE_BODY) }
}
