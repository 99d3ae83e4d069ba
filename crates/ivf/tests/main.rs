//! The tests of this crate in one program, linked once; those that replace the allocator have their own.

mod any_data;
mod build;
mod crash;
mod device;
mod drift;
mod extremes;
mod fuzz;
mod insert;
mod pause;
mod rebalance;
mod search;
mod stored;
mod support;
