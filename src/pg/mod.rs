//! The safe floor under everything that talks to PostgreSQL. Knows no vector.

mod ahead;
pub mod array;
pub mod batch;
pub mod bulk;
pub mod error;
pub mod function;
pub mod lock;
pub mod message;
pub mod node;
pub mod number;
pub mod numbering;
pub mod page;
pub mod plan;
pub mod progress;
mod recent;
pub mod record;
pub mod relation;
pub mod rows;
pub mod setting;
pub mod shared;
pub mod signals;
pub mod spi;
pub mod store;
pub mod temp_file;
pub mod tid;
pub mod varlena;
pub mod version;
