//! The benchmarks, each with its command line.

mod any_data;
mod build;
mod call;
mod cold;
mod dump;
mod filter;
mod filter_grid;
mod full_text;
mod plans;
mod search;
mod sparse;
mod write;

use pico_args::Arguments;

use crate::{Result, options};

/// A benchmark.
struct Command {
    /// Its name, and what must follow.
    usage: &'static str,
    /// What it does, in one line, then more about it, and its own options.
    help: &'static str,
    /// Measures and reports.
    run: fn(Arguments) -> Result<()>,
}

const COMMANDS: [Command; 12] = [
    search::COMMAND,
    sparse::COMMAND,
    any_data::COMMAND,
    call::COMMAND,
    build::COMMAND,
    write::COMMAND,
    cold::COMMAND,
    plans::COMMAND,
    filter::COMMAND,
    filter_grid::COMMAND,
    full_text::COMMAND,
    dump::COMMAND,
];

impl Command {
    fn name(&self) -> &str {
        self.usage.split(' ').next().unwrap_or_default()
    }
}

/// Runs the command that the command line names, or prints help.
pub fn run() -> Result<()> {
    let mut arguments = Arguments::from_env();
    let name = arguments.subcommand()?.unwrap_or_default();
    let command = COMMANDS.iter().find(|command| command.name() == name);
    match (command, arguments.contains(["-h", "--help"])) {
        (Some(command), false) => return (command.run)(arguments),
        (Some(Command { usage, help, .. }), true) => {
            print!("Usage: benches {usage} [OPTION]...\n\n{help}{}", options::HELP);
        }
        (None, _) if name.is_empty() => {
            println!("Usage: benches COMMAND [OPTION]...\n");
            for command in &COMMANDS {
                let summary = command.help.lines().next().unwrap_or_default();
                println!("  {:<11}  {summary}", command.name());
            }
            println!("\nbenches COMMAND --help lists the options.");
        }
        (None, _) => return Err(format!("unknown benchmark \"{name}\": see --help").into()),
    }
    Ok(())
}
