//! What other indexes say of the rows that may pass. They are asked at most once, and only if a strategy
//! needs it.

#![allow(unsafe_code)] // runs a node of PostgreSQL's

use std::ptr;
use std::rc::Rc;

use pgrx::pg_sys::{self, CustomScan, CustomScanState, EState, PlanState};
use tidset::TidSet;

use super::join_keys::JoinKeys;
use crate::pg::bitmap;
use crate::pg::error::Report;
use crate::pg::node::nodes;

/// Rows that are found in about the time in which an index finds one: they are on one of its pages, mostly.
const FEW: usize = 50;

/// The rows that may pass, if other indexes tell.
pub struct Members {
    /// Makes a bitmap of them, or gives keys; null if no index tells.
    node: *mut PlanState,
    /// Where the keys are looked up.
    keys: Option<JoinKeys>,
    /// The rows, once they were needed.
    set: Option<Rc<TidSet>>,
    /// Whether there are too many keys.
    are_too_many: bool,
}

impl Members {
    /// Prepares the node that tells.
    ///
    /// # Safety
    /// PostgreSQL begins `node`; `plan` is its plan.
    pub unsafe fn begin(
        node: &mut CustomScanState,
        plan: &CustomScan,
        keys: Option<JoinKeys>,
        (estate, flags): (*mut EState, i32),
    ) -> Self {
        let flags = flags & !(pg_sys::EXEC_FLAG_BACKWARD | pg_sys::EXEC_FLAG_MARK) as i32;
        let mut below = ptr::null_mut();
        // SAFETY: the node is being begun, with its plan. EXPLAIN shows, and parameters reach, what
        // `custom_ps` lists.
        unsafe {
            for child in nodes(plan.custom_plans) {
                below = pg_sys::ExecInitNode(child.as_ptr(), estate, flags);
                node.custom_ps = pg_sys::lappend(node.custom_ps, below.cast());
            }
        }
        Self { node: below, keys, set: None, are_too_many: false }
    }

    /// Whether an index tells.
    pub fn may_be_known(&self) -> bool {
        !self.node.is_null() && !self.are_too_many
    }

    /// Whether the set is a condition that is not tested elsewhere.
    pub fn are_of_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// The index that keys are looked up in.
    pub fn key_index(&self) -> Option<pg_sys::Oid> {
        self.keys.map(|keys| keys.index)
    }

    /// Whether an index is seen at once to find hardly any row, however many were estimated.
    ///
    /// # Safety
    /// The node is being run, and the one below is not.
    pub unsafe fn are_few(&self) -> bool {
        let asks = self.set.is_none() && self.may_be_known() && !self.are_of_keys();
        // SAFETY: the node below makes a bitmap, as it gives no keys.
        asks && unsafe { bitmap::finds_at_most(self.node, FEW) }
    }

    /// Asks, unless this was done. None if no index tells; keys tell nothing if there are more than `most`.
    ///
    /// # Errors
    /// That memory is used up.
    ///
    /// # Safety
    /// `node` is being run.
    pub unsafe fn learn(
        &mut self,
        node: &CustomScanState,
        most: f64,
    ) -> Result<Option<Rc<TidSet>>, Report> {
        if self.set.is_none() && self.may_be_known() {
            // SAFETY: the node below has not been run since it was begun or had to begin anew: its
            // result is kept until then.
            let set = unsafe {
                match self.keys {
                    Some(keys) => keys.rows(node, self.node, most)?,
                    None => Some(bitmap::rows_of(self.node)?),
                }
            };
            self.are_too_many = set.is_none();
            self.set = set.map(Rc::new);
        }
        Ok(self.set.clone())
    }

    /// The rows, if they are known.
    pub fn known(&self) -> Option<&TidSet> {
        self.set.as_deref()
    }

    /// Forgets the rows if they may be others now.
    ///
    /// # Safety
    /// `node` is asked to begin anew; its parameters may have changed.
    pub unsafe fn reset(&mut self, node: &CustomScanState) {
        // SAFETY: the node below was begun, and is used by this one only.
        unsafe {
            let Some(below) = self.node.as_mut() else { return };
            if !node.ss.ps.chgParam.is_null() {
                pg_sys::UpdateChangedParamSet(below, node.ss.ps.chgParam);
            }
            if !below.chgParam.is_null() {
                (self.set, self.are_too_many) = (None, false);
            }
        }
    }

    /// Ends the node below.
    ///
    /// # Safety
    /// `node` is being ended.
    pub unsafe fn end(&mut self) {
        if !self.node.is_null() {
            // SAFETY: begun by `begin`.
            unsafe { pg_sys::ExecEndNode(self.node) };
            self.node = ptr::null_mut();
        }
    }
}
