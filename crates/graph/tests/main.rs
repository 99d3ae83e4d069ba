//! The tests of this crate in one program, linked once; those that replace the allocator have their own.

mod any_data;
mod any_data_churn;
mod any_form;
mod bits;
mod blur;
mod bytes;
mod calibrate;
mod check;
mod check_free;
mod corruption;
mod crash;
mod crash_growth;
mod device;
mod extremes;
mod fuzz;
mod hubs;
mod meanwhile;
mod memory;
mod pause;
mod search;
mod sparse;
mod split;
mod stored;
mod support;
mod vacuum;
