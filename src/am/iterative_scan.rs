//! Values of the settings `hnsw.iterative_scan` and `ivf.iterative_scan`.

use pgrx::PostgresGucEnum;

/// What a scan does when the rows that it looked for at first are used up.
#[derive(Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum IterativeScan {
    /// It ends.
    #[name = c"off"]
    Off,
    /// It goes on; rows may come slightly out of order.
    #[name = c"relaxed_order"]
    RelaxedOrder,
    /// It goes on, in exact order.
    #[name = c"strict_order"]
    StrictOrder,
}
