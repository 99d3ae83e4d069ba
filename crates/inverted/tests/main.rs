//! The tests of this crate in one program, linked once; those that replace the allocator have their own.

mod build;
mod common;
mod crash;
mod damage;
mod fuzz;
mod matching;
mod meanwhile;
mod model;
mod search;
mod segment;
mod stored;
mod support;
