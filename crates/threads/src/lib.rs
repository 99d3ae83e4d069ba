//! Threads that work for a host which runs on one: the calling thread watches over them, tells how
//! far they are, and stops them.

mod spawn;
mod workers;

pub use spawn::{SpawnGuard, set_spawn_guard, spawn};
pub use workers::{Stopped, Workers};
