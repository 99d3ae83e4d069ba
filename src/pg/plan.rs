//! Plans of statements that functions run, kept for the session as long as their memory allows.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::pg_sys::{self, CachedPlanSource, Oid};

use super::encoding::encode;
use super::error::Report;
use super::node::pointers;
use super::parameter::Parameter;
use super::spi::{expect, failed};

/// Plans that a session keeps at most.
const MAX_PLANS: usize = 256;
/// Bytes of plans that it keeps at most. The plan that was used last is kept, whatever its size.
const MAX_BYTES: usize = 16 << 20;

thread_local! {
    static PLANS: RefCell<Plans> = RefCell::default();
}

/// Plans by text and types of parameters. PostgreSQL revalidates a plan before each use: whatever
/// changes in the catalog, in row security or of the user makes a new one of it.
#[derive(Default)]
struct Plans {
    kept: HashMap<Key, Rc<CachedPlan>>,
    /// Uses so far.
    clock: u64,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    text: String,
    types: Vec<Oid>,
}

struct CachedPlan {
    plan: pg_sys::SPIPlanPtr,
    /// Bytes when it was used last.
    bytes: Cell<usize>,
    /// When that was.
    used: Cell<u64>,
    /// How many run it: a statement may call functions that run others.
    running: Cell<usize>,
}

impl CachedPlan {
    fn new(plan: pg_sys::SPIPlanPtr) -> CachedPlan {
        CachedPlan { plan, bytes: Cell::new(0), used: Cell::new(0), running: Cell::new(0) }
    }
}

/// A plan that is being run, until it is dropped.
pub struct Running(Rc<CachedPlan>);

impl Running {
    /// The plan of a statement, made at its first use.
    ///
    /// # Safety
    /// SPI is connected.
    ///
    /// # Errors
    /// Where the statement cannot be prepared.
    pub unsafe fn begin(text: &str, parameters: &[Parameter]) -> Result<Running, Report> {
        let types = parameters.iter().map(Parameter::of).collect();
        let key = Key { text: text.to_owned(), types };
        let known = PLANS.with_borrow(|plans| plans.kept.get(&key).cloned());
        let kept = match known {
            Some(kept) => kept,
            None => {
                // SAFETY: SPI is connected.
                let plan = unsafe { prepare(&key)? };
                let kept = Rc::new(CachedPlan::new(plan));
                PLANS.with_borrow_mut(|plans| plans.kept.insert(key, kept.clone()));
                kept
            }
        };
        kept.running.set(kept.running.get() + 1);
        PLANS.with_borrow_mut(|plans| plans.used(&kept));
        Ok(Running(kept))
    }

    /// The plan.
    pub fn plan(&self) -> pg_sys::SPIPlanPtr {
        self.0.plan
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.set(self.0.running.get() - 1);
        // SAFETY: a plan that is kept. Its sizes are looked up, which raises no errors.
        self.0.bytes.set(unsafe { bytes(self.0.plan) });
    }
}

impl Plans {
    /// Notes that a plan is used, and frees those that were used longest ago and have no place beside
    /// the others.
    fn used(&mut self, kept: &CachedPlan) {
        self.clock += 1;
        kept.used.set(self.clock);
        let mut bytes: usize = self.kept.values().map(|kept| kept.bytes.get()).sum();
        while bytes > MAX_BYTES || self.kept.len() > MAX_PLANS {
            let idle = self.kept.iter().filter(|(_, kept)| kept.running.get() == 0);
            let Some((key, _)) = idle.min_by_key(|(_, kept)| kept.used.get()) else { break };
            let key = key.clone();
            let Some(oldest) = self.kept.remove(&key) else { break };
            bytes -= oldest.bytes.get();
            // SAFETY: it was kept, nobody runs it, and nobody finds it any more.
            unsafe { pg_sys::SPI_freeplan(oldest.plan) };
        }
    }
}

/// # Safety
/// SPI is connected.
unsafe fn prepare(key: &Key) -> Result<pg_sys::SPIPlanPtr, Report> {
    let query = encode(&key.text)?;
    let count = i32::try_from(key.types.len()).map_err(|_| Report::internal("many parameters"))?;
    // SAFETY: the text ends with NUL and the types are as many as said; a plan that is kept lives
    // until it is freed.
    unsafe {
        let plan = pg_sys::SPI_prepare(query.as_ptr(), count, key.types.clone().as_mut_ptr());
        if plan.is_null() {
            return Err(failed("prepare", pg_sys::SPI_result));
        }
        expect(pg_sys::SPI_keepplan(plan), 0, "keep")?;
        Ok(plan)
    }
}

/// Memory that a plan takes.
///
/// # Safety
/// `plan` is kept.
unsafe fn bytes(plan: pg_sys::SPIPlanPtr) -> usize {
    // SAFETY: the sources of a plan are as many as it has statements. What they point to are contexts
    // of memory that live as long; the plan itself takes a few hundred bytes more.
    unsafe {
        let source = |source: *mut CachedPlanSource| {
            let generic = (*source).gplan.as_ref();
            let generic = generic.map_or(0, |plan| allocated(plan.context));
            allocated((*source).context) + generic
        };
        pointers(pg_sys::SPI_plan_get_plan_sources(plan)).map(source).sum()
    }
}

/// # Safety
/// `context` is a context of memory.
unsafe fn allocated(context: pg_sys::MemoryContext) -> usize {
    // SAFETY: `context` is a context of memory.
    unsafe { pg_sys::MemoryContextMemAllocated(context, true) }
}
