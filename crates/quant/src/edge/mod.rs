//! Codes of a neighbor relative to the element whose list it stands in.
//!
//! After RaBitQ (Gao and Long, arXiv 2405.12497) and its extension to several bits per coordinate
//! (arXiv 2409.09913), centered on the owning element: the residual r = x - c of a neighbor x of
//! element c is rotated, its first coordinates are rounded to a few levels x̄, and two factors per
//! neighbor turn ⟨q, x̄⟩ into an unbiased estimate of the reduced distance of x and query q. As ⟨q - c,
//! x̄⟩ = ⟨q, x̄⟩ - ⟨c, x̄⟩ and the second term is known when the code is made, a query is prepared once
//! and not once per element.
//!
//! With f = |r|² / ⟨r, x̄⟩ over the coded coordinates, the estimate is
//!
//! ```text
//! base + alpha · add + res · ⟨q, x̄⟩
//! ```
//!
//! | metric | base | alpha | res | add |
//! |---|---|---|---|---|
//! | L2, cosine | \|q - c\|² | 1 | -2f | \|r\|² + 2f⟨c, x̄⟩ |
//! | inner product | -⟨q, c⟩ | ⟨q, c⟩ / \|c\|², 0 if c = 0 | -f | f⟨c, x̄⟩ - ⟨c, r⟩ |
//!
//! For the inner product, alpha·c is the part of q along c, for which ⟨·, r⟩ is known exactly;
//! only the rest is estimated.

mod angles;
mod coder;
mod levels;
mod query;
mod residual;

pub use angles::Angles;
pub use coder::{EdgeCoder, Factors, PreparedOwner};
pub use query::{EdgeQuery, SeenOwner};

#[cfg(test)]
mod tests;
