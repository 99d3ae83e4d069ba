//! The GPU without a GPU: in place of NVIDIA's driver stands an emulator that runs the kernels on the CPU.
#![cfg(feature = "cuda")]

mod detection;
mod emulated;
mod emulator;
mod ptx;
