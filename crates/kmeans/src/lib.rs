//! K-means for many clusters of vectors of many dimensions.
//!
//! * Clusters are made in two levels: some √k groups, then clusters within each group, as many as
//!   its share of the rows. So no group starves, and seeding costs next to nothing.
//! * Rounds of Lloyd's algorithm follow over all clusters, in which a row is compared with those of
//!   the few groups nearest to it. What that misses is a fraction of a percent of the rows.
//! * Distances are taken block by block, as products of matrices ([`kernels::inner_products`]); those far
//!   smaller than the vectors are long, of which products tell nothing, from differences.
//! * Clusters that stay small take a row of the largest cluster of their group for a new centroid.
//!
//! The result depends on the rows, the options and the kind of CPU, not on the number of threads.

mod assign;
mod clusters;
mod device;
mod groups;
mod rows;
mod seed;
mod train;
mod update;

pub use assign::assign;
pub use clusters::Clusters;
pub use device::{Assigner, Failure, train_on};
pub use rows::Rows;
pub use train::{Options, refine, train, training_bytes};
