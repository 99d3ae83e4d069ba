//! Compares a GPU with the CPU on random rows, and measures its rates. Needs no server.
//!
//! ```text
//! gpu_check [smallest | small | rates] [--gpu NUMBER]
//! ```
//!
//! `smallest` and `small` compare such sets only, as is right under a checker of memory; `rates` measures
//! only. Without any of them, all is done. Ends with 0 if all is well, 1 if results differ or the GPU
//! fails, 2 if there is no GPU that can be used.

mod compare;
mod rates;
mod rows;

use std::process::ExitCode;

use gpu::{CudaOptions, NoGpu, open_cuda};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let number = arguments.iter().skip_while(|argument| *argument != "--gpu").nth(1);
    let ordinal = number.and_then(|number| number.parse().ok()).unwrap_or(0);
    let mut device = match open_cuda(&CudaOptions { ordinal, memory_limit: None }) {
        Ok(device) => device,
        Err(NoGpu::NotThere(why) | NoGpu::Unusable(why)) => {
            eprintln!("no GPU can be used: {why}");
            return ExitCode::from(2);
        }
    };
    println!("{}", device.name());
    let device = &mut *device;
    let done = if has("smallest") {
        compare::smallest(device)
    } else if has("small") {
        compare::small(device)
    } else if has("rates") {
        rates::measure(device)
    } else {
        compare::small(device)
            .and_then(|()| compare::large(device))
            .and_then(|()| rates::measure(device))
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}
