//! Building the graph of many vectors at once, in plain memory, with several threads.
//!
//! The graph is a hierarchical navigable small world (Malkov and Yashunin, arXiv 1603.09320)
//! with a few choices of its own:
//!
//! * Levels are sparse: one element of 16 to 256 also stands on level 1, see `crate::level`.
//!   Descending saves little of a search, and what stands on upper levels costs space.
//! * Every level allows `2m` neighbors, and lists are filled up with the nearest of the
//!   neighbors that the diversity rule left out. A reader gets them at no further cost.
//! * A full list gives up one neighbor at a time. It remembers why each is there, so
//!   that a new one is compared with the diverse only, instead of all with all.
//! * Levels are built from the top down, and the elements of a level begin the next: every
//!   other element then starts its search from the finished level above.
//! * At the end every element can be reached from the entry on level 0.

pub(crate) mod batch;
mod beam;
mod connect;
mod distances;
mod graph;
mod level;
mod links;
mod strata;

#[cfg(test)]
mod tests;

pub use distances::{Distances, FlatDistances, Sq8Distances};
pub use graph::{Graph, NO_NEIGHBOR, Searcher, UpperLevel};

use memory::{OutOfMemory, copied};
use space::{NoSpace, Space};
use threads::{Stopped, Workers};

use distances::Subset;
use level::{build_level, descend};
use strata::Strata;

/// What a graph is built with.
#[derive(Clone, Copy, Debug)]
pub struct BuildOptions {
    /// Half the number of neighbors an element may have; 2 ..= 100.
    pub m: usize,
    /// Width of the search for the neighbors of a new element, at least 1.
    pub ef_construction: usize,
    /// Number of threads that insert, at least 1, beside the calling thread. With one the graph
    /// depends on the data, the options and the seed alone.
    pub threads: usize,
    /// Decides which elements stand on upper levels.
    pub seed: u64,
}

/// Why there is no graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// The tick function asked to stop.
    Cancelled,
    /// The operating system gives no more memory.
    OutOfMemory,
    /// The temporary file could not be made larger, with the reason.
    File(String),
    /// More than 2^32 - 2 elements.
    TooManyElements,
    /// A thread panicked with this message: a bug.
    Panicked(String),
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cancelled => f.write_str("graph build was cancelled"),
            Self::OutOfMemory => f.write_str("out of memory while building the graph"),
            Self::File(why) => write!(f, "could not extend the temporary file: {why}"),
            Self::TooManyElements => f.write_str("too many elements for one graph"),
            Self::Panicked(message) => write!(f, "graph build failed: {message}"),
        }
    }
}

impl std::error::Error for BuildError {}

impl From<OutOfMemory> for BuildError {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl From<NoSpace> for BuildError {
    fn from(reason: NoSpace) -> Self {
        match reason {
            NoSpace::OutOfMemory => Self::OutOfMemory,
            NoSpace::File(why) => Self::File(why),
        }
    }
}

impl From<Stopped> for BuildError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Cancelled => Self::Cancelled,
            Stopped::OutOfMemory => Self::OutOfMemory,
            Stopped::Panicked(message) => Self::Panicked(message),
        }
    }
}

/// Elements a thread takes at a time: neighbors in the order of insertion are often neighbors in
/// space, and should not be inserted by two threads at once.
const BATCH: usize = 16;

/// Bytes that the lists of a build take for each element, apart from what is always in memory.
pub(crate) fn list_bytes(m: usize) -> usize {
    2 * m * (size_of::<u32>() + size_of::<f32>())
}

/// Bytes for each element that are always in memory: the order of insertion, later the parents and
/// the queue of the final check; the level.
pub(crate) const SMALL_BYTES: usize = 2 * size_of::<u32>() + 1;

/// Builds the graph of all elements of `data`, its lists where `space` has room for them.
///
/// `on_tick` is called on the calling thread about every 20 ms with the number of elements that
/// are done; the build stops soon after it returns false, or panics.
///
/// # Errors
/// See [`BuildError`].
pub fn build_graph<D: Distances>(
    data: &D,
    options: &BuildOptions,
    space: &mut Space,
    on_tick: &mut dyn FnMut(usize) -> bool,
) -> Result<Graph, BuildError> {
    let options = &BuildOptions { m: options.m.clamp(2, 100), ..*options };
    let degree = 2 * options.m;
    let count = u32::try_from(data.len()).ok().filter(|&count| count < NO_NEIGHBOR);
    let strata = Strata::new(count.ok_or(BuildError::TooManyElements)?, options.seed)?;
    let mut workers = Workers::new(options.threads, on_tick).in_batches(BATCH);
    let mut above: Vec<UpperLevel> = Vec::new();
    for (i, elements) in strata.upper.iter().enumerate().rev() {
        let seeds = strata.positions_of_level_above(i)?;
        let view = Subset { data, elements };
        let enter = |position: u32| {
            let element = descend(data, &above, degree, elements[position as usize])?;
            elements.binary_search(&element).ok().map(|position| position as u32)
        };
        let neighbors = build_level(&view, &seeds, &enter, options, space, &mut workers)?;
        above.push(UpperLevel { elements: copied(elements)?, neighbors });
    }
    workers.count(true);
    let seeds = strata.upper.first().map_or(&[][..], |elements| elements);
    let enter = |element: u32| descend(data, &above, degree, element);
    let level0 = build_level(data, seeds, &enter, options, space, &mut workers)?;
    workers.count(false);
    above.reverse();
    let mut graph = Graph::new(strata, degree, level0, above);
    connect::connect(&mut graph, data, options.ef_construction, &mut workers)?;
    Ok(graph)
}
