//! Private PostgreSQL servers for the tests and the demo.
//!
//! [`Cluster`] is a server in a folder of its own that is gone when the value is dropped or the
//! process ends.  [`TestDb`] is a fresh database in a cluster that all tests of one program share.
//! The extension must be installed (`make install`) in the PostgreSQL that `PG_CONFIG` names.

pub mod any_data;
mod cluster;
pub mod data;
mod db;
mod done;
pub mod every_index;
mod imitation;
mod inspect;
mod kind;
mod load;
mod members;
mod models;
pub mod pgoutput;
mod place;
mod prefix;
mod process;
pub mod shards;
mod traps;
mod vector;
mod watchdog;

pub use cluster::Cluster;
pub use db::TestDb;
pub use done::{AtEnd, Done};
pub use imitation::imitate_pgvector;
pub use inspect::{
    buffers, explain_analyze, explain_plan, hint, index_problems, message, refusal, scans_index,
    sqlstate, text,
};
pub use kind::{Answers, Class, KINDS, Kind, Search};
pub use load::{SPARSE_DIMENSIONS, copy_vectors, random_sparse, random_vector};
pub use members::members;
pub use models::{MODEL_FILES, copy_model, create_model, sent, vector_of};
pub use place::clusters_dir;
pub use prefix::Prefix;
pub use process::{kill as signal, limit_file_size, limit_memory, wait_until};
pub use traps::{Signature, set_operator_traps, set_traps, signatures};
pub use vector::{DENSE_TYPES, Vector};

/// Anything that can go wrong with a server; tests unwrap it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// The result of everything here that talks to the operating system or a server.
pub type Result<T> = std::result::Result<T, Error>;

/// The major release of the server of a connection.
pub fn major(client: &mut postgres::Client) -> i32 {
    let query = "SELECT current_setting('server_version_num')::int / 10000";
    client.query_one(query, &[]).unwrap().get(0)
}

/// Whether a session can have its statistics counted at once; else says that the test at hand is skipped.
pub fn counts_at_once(client: &mut postgres::Client) -> bool {
    let can = major(client) >= 15;
    if !can {
        skipped("PostgreSQL before 15 counts some time later");
    }
    can
}

/// Says that the test at hand is skipped, and why.  Past the capture of test output: a skip must be
/// seen even where all passes.
pub fn skipped(why: &str) {
    use std::io::Write;
    // That a message cannot be shown does not fail a test.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
