//! What a node does about rows that do not pass: which strategy it follows, and what it knows of them.

#![allow(unsafe_code)] // runs a node of PostgreSQL's

use std::collections::HashSet;

use memory::Grow;
use pages::HeapTid;
use pgrx::pg_sys::{self, CustomScan, CustomScanState, EState};
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};
use tidset::TidSet;

use super::index_scan::IndexScan;
use super::members::Members;
use super::private::Private;
use super::strategy::{self, Outlook, Progress, Step};
use crate::am::scan::Walked;
use crate::am::work::{Filtered, Strategy};
use crate::pg::error::Report;
use crate::pg::memory::work_mem;
use crate::pg::relation;

/// Of so many rows that other indexes have not found, one is returned by the index, and stands for all.
const CONTROL: u64 = 16;

/// Values of the setting `vector_ext.filtered_scan`.
#[derive(Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
enum Forced {
    /// What takes least.
    #[name = c"auto"]
    Auto,
    /// The index finds rows, which are tested one by one.
    #[name = c"look"]
    Look,
    /// The same, among rows that other indexes have found.
    #[name = c"inline"]
    Inline,
    /// All rows that may pass are measured.
    #[name = c"exact"]
    Exact,
}

static FORCED: GucSetting<Forced> = GucSetting::<Forced>::new(Forced::Auto);

/// Makes the setting known.
pub fn register() {
    GucRegistry::define_enum_guc(
        c"vector_ext.filtered_scan",
        c"Sets how vector searches find rows that pass a filter.",
        c"\"auto\" chooses while a search runs; the others force one way, for tests.",
        &FORCED,
        GucContext::Userset,
        GucFlags::empty(),
    );
}

/// What a node knows of the rows that pass.
pub struct Filtering {
    /// None if rows must not be tested twice, or all pass.
    outlook: Option<Outlook>,
    /// Rows that the query wants, if that is known.
    wanted: u64,
    /// Whether the index leaves out rows that do not match the query.
    is_ranked: bool,
    members: Members,
    /// Whether the index finds only those.
    is_inline: bool,
    /// Whether all rows that may pass are measured.
    is_exact: bool,
    progress: Progress,
    /// Rows that the index has found and that passed; none if these are too many.
    passed: Option<HashSet<HeapTid>>,
}

impl Filtering {
    /// Prepares a node, and the one that makes the bitmap.
    ///
    /// # Safety
    /// PostgreSQL begins the node; `plan` is its plan.
    pub unsafe fn begin(
        node: &mut CustomScanState,
        plan: &CustomScan,
        private: &Private,
        estate: (*mut EState, i32),
    ) -> Self {
        // SAFETY: the node is being begun, with its plan.
        let of = unsafe { Members::begin(node, plan, private.keys, estate) };
        let wanted = private.wanted.rows() as u64;
        let outlook = private.outlook.map(|outlook| {
            // SAFETY: the node's table is open.
            let pages = f64::from(unsafe { relation::blocks(node.ss.ss_currentRelation) });
            // A walk collects only what a node is there for.
            let members = outlook.members.filter(|_| of.may_be_known());
            Outlook { members, ..outlook }.of_table(pages)
        });
        Self {
            outlook,
            wanted,
            is_ranked: private.matches,
            members: of,
            is_inline: false,
            is_exact: false,
            progress: Progress::default(),
            passed: Some(HashSet::new()),
        }
    }

    /// Whether rows may not pass.
    pub fn drops_rows(&self) -> bool {
        self.outlook.is_some()
    }

    /// What to do next.
    ///
    /// # Safety
    /// The node is being run.
    pub unsafe fn step(&self) -> Step {
        let Some(outlook) = &self.outlook else { return Step::Walk };
        let forced = FORCED.get();
        if self.is_exact {
            return Step::Exact;
        }
        // Too many keys tell nothing: the rows are found as if there were no other index.
        let members = outlook.members.filter(|_| self.members.may_be_known());
        let outlook = &Outlook { members, ..*outlook };
        // Who does not tell how many rows are wanted may want as many again.
        let passed = self.progress.passed;
        let next = if self.wanted == 0 { passed } else { 0 }.saturating_add(passed + 1);
        let wanted = self.wanted.max(next);
        let progress = Progress { wanted, ..self.progress };
        // Nothing was asked of the index yet.
        let begins = self.progress.looked == 0;
        let asks_keys = self.members.are_of_keys() && self.members.may_be_known();
        let step = match (self.members(), forced) {
            (_, Forced::Exact) => Step::Exact,
            (_, Forced::Look) => Step::Walk,
            (_, Forced::Inline) if begins => Step::Walk,
            (None, Forced::Auto) if begins && asks_keys => Step::Collect,
            (None, Forced::Auto) if begins && self.is_ranked => {
                strategy::begin_ranked(outlook, wanted as f64)
            }
            (None, Forced::Auto) if begins => strategy::begin(outlook, wanted as f64),
            (Some(members), Forced::Auto) if begins => {
                strategy::begin_among(count(members, outlook), outlook, wanted as f64)
            }
            (_, Forced::Inline) if self.is_inline || !self.members.may_be_known() => Step::Walk,
            (Some(_), _) if !self.is_inline => Step::Collect,
            (_, Forced::Inline) => Step::Collect,
            (Some(members), _) => strategy::inline(count(members, outlook), outlook, &progress),
            (None, _) => strategy::look(outlook, &progress),
        };
        // SAFETY: the node is being run.
        let are_few = || unsafe { self.members.are_few() };
        // Estimates may be old: an index that has hardly any row to find tells that at once.
        if begins && step == Step::Walk && forced == Forced::Auto && are_few() {
            return Step::Collect;
        }
        // Rows that were returned, and are not known any more, would come twice.
        if step == Step::Exact && self.passed.is_none() { Step::Walk } else { step }
    }

    /// Learns from other indexes which rows may pass, and lets this index, if it has begun to search, find
    /// only those.
    ///
    /// # Errors
    /// That memory is used up.
    ///
    /// # Safety
    /// The node is being run, and its scan has begun.
    pub unsafe fn collect(
        &mut self,
        node: &CustomScanState,
        index: &mut IndexScan,
    ) -> Result<(), Report> {
        // SAFETY: the node is being run.
        let members = unsafe { self.members.learn(node, self.most_keys())? };
        if self.progress.looked == 0 {
            // The index is told once it has begun to search.
            return Ok(());
        }
        let Some(members) = members else { return Ok(()) };
        let mut left_out = 0u64;
        let filter = move |tid| {
            members.contains(tid) || {
                left_out += 1;
                // Now and then control comes back, as another way may be better.
                left_out.is_multiple_of(CONTROL)
            }
        };
        self.is_inline = true;
        // SAFETY: the scan has begun.
        unsafe {
            index.keep_only(Box::new(filter));
            self.tell(index);
        }
        self.progress.begun = (self.progress.looked, self.progress.index_pages);
        Ok(())
    }

    /// Begins to measure all rows that may pass. Returns those that the index has found before.
    ///
    /// # Errors
    /// That memory is used up.
    ///
    /// # Safety
    /// The node is being run.
    pub unsafe fn begin_exact(
        &mut self,
        node: &CustomScanState,
        index: &mut IndexScan,
    ) -> Result<HashSet<HeapTid>, Report> {
        // SAFETY: the node is being run.
        unsafe { self.members.learn(node, self.most_keys())? };
        self.is_exact = true;
        // SAFETY: the scan has begun.
        unsafe { self.tell(index) };
        Ok(self.passed.take().unwrap_or_default())
    }

    /// Keys beyond which to look them up takes longer than to read the table.
    fn most_keys(&self) -> f64 {
        self.outlook.map_or(0.0, |outlook| outlook.table_rows)
    }

    /// The rows that may pass, if that is known.
    pub fn members(&self) -> Option<&TidSet> {
        self.members.known()
    }

    /// The index that keys of another relation are looked up in.
    pub fn key_index(&self) -> Option<pg_sys::Oid> {
        self.members.key_index()
    }

    /// Whether a row that the index has found may pass.
    pub fn may_pass(&self, tid: HeapTid) -> bool {
        let asks = self.is_inline || self.members.are_of_keys();
        !asks || self.members().is_none_or(|members| members.contains(tid))
    }

    /// Counts a row that the index has found, and tells the index how many have passed. `may_pass` is
    /// what [`may_pass`](Self::may_pass) says of it; `passed` is its address if it passed.
    ///
    /// # Errors
    /// That memory is used up.
    ///
    /// # Safety
    /// The scan of the index has begun.
    pub unsafe fn looked(
        &mut self,
        index: &mut IndexScan,
        may_pass: bool,
        passed: Option<HeapTid>,
    ) -> Result<(), Report> {
        if self.outlook.is_none() {
            return Ok(());
        }
        let before = (self.progress.looked, self.progress.index_pages);
        self.progress.looked += if may_pass { 1 } else { CONTROL };
        if let Some(tid) = passed {
            self.progress.passed += 1;
            let most = work_mem() / 16;
            if let Some(rows) = &mut self.passed {
                rows.try_push(tid)?;
            }
            if self.passed.as_ref().is_some_and(|rows| rows.len() > most) {
                self.passed = None;
            }
        }
        // SAFETY: the scan has begun.
        let walked = unsafe { self.tell(index) };
        (self.progress.index_pages, self.progress.ahead) = (walked.pages, walked.ahead);
        let (looked, pages) = before;
        if looked == 0 {
            self.progress.begun = (0, self.progress.index_pages);
        } else if self.progress.index_pages > pages {
            self.progress.settled = before;
        }
        Ok(())
    }

    /// Tells the index what was done.
    ///
    /// # Safety
    /// The scan of the index has begun.
    unsafe fn tell(&self, index: &mut IndexScan) -> Walked {
        // SAFETY: the scan has begun.
        self.filtered().map_or(Walked::default(), |done| unsafe { index.filtered(done) })
    }

    /// Begins anew.
    ///
    /// # Safety
    /// The node is asked to; its parameters may have changed.
    pub unsafe fn reset(&mut self, node: &CustomScanState) {
        // SAFETY: the node is asked to begin anew.
        unsafe { self.members.reset(node) };
        (self.is_inline, self.is_exact) = (false, false);
        self.progress = Progress::default();
        self.passed = Some(HashSet::new());
    }

    /// Ends the node that tells of other rows.
    ///
    /// # Safety
    /// The node is being ended.
    pub unsafe fn end(&mut self) {
        // SAFETY: the node is being ended.
        unsafe { self.members.end() };
    }

    /// What was done about conditions, if there are any.
    pub fn filtered(&self) -> Option<Filtered> {
        let outlook = &self.outlook?;
        let strategy = match (self.is_exact, self.is_inline) {
            (true, _) => Strategy::Exact,
            (false, true) => Strategy::Inline,
            (false, false) => Strategy::Look,
        };
        let Progress { looked, passed, .. } = self.progress;
        let members = self.members().map(|members| count(members, outlook) as u64);
        Some(Filtered { strategy, looked, passed, members })
    }
}

/// Rows of a set: those known, and all rows of blocks of which nothing else is known.
fn count(members: &TidSet, outlook: &Outlook) -> f64 {
    let of_block = outlook.table_rows / outlook.table_pages.max(1.0);
    members.rows() as f64 + members.unknown_blocks() as f64 * of_block
}
