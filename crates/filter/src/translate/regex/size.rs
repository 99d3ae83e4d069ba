//! How much work a pattern is for the host, so that none keeps it busy for long.

use regex_syntax::hir::{Hir, HirKind};

use super::Mistake;

/// Characters, classes and anchors, counted as often as they are repeated: the host makes states of
/// all of them.
const MAX_STATES: u64 = 10_000;

/// The same of neighbors that may all be empty, each of which the host joins to each: its work grows
/// with the third power, and is 0.4 s here.
const MAX_EMPTY: u64 = 1000;

/// Anchors are look-around in the host's notation.
const ANCHOR: u64 = 4;

/// # Errors
/// When the pattern is too large.
pub(super) fn check(hir: &Hir) -> Result<(), Mistake> {
    states(hir).map(|_| ())
}

fn states(hir: &Hir) -> Result<u64, Mistake> {
    let states = match hir.kind() {
        HirKind::Empty => 0,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(_) => 1,
        HirKind::Look(_) => ANCHOR,
        HirKind::Capture(capture) => states(&capture.sub)?,
        HirKind::Repetition(repetition) => {
            let once = states(&repetition.sub)?;
            let times = u64::from(repetition.max.unwrap_or(repetition.min).max(1));
            let all = once.saturating_mul(times);
            if times > 1 && may_be_empty(&repetition.sub) {
                at_most(all, MAX_EMPTY)?;
            }
            all
        }
        HirKind::Concat(parts) => {
            let (mut all, mut empty) = (0u64, 0u64);
            for part in parts {
                let states = states(part)?;
                all = all.saturating_add(states);
                empty = if may_be_empty(part) { empty.saturating_add(states) } else { 0 };
                if empty > states {
                    at_most(empty, MAX_EMPTY)?;
                }
            }
            all
        }
        HirKind::Alternation(branches) => {
            let mut all = 0u64;
            for branch in branches {
                all = all.saturating_add(states(branch)?);
            }
            all
        }
    };
    at_most(states, MAX_STATES)
}

fn may_be_empty(hir: &Hir) -> bool {
    hir.properties().minimum_len() == Some(0)
}

fn at_most(states: u64, limit: u64) -> Result<u64, Mistake> {
    if states > limit { Err(Mistake::too_large()) } else { Ok(states) }
}
