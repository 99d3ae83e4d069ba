//! Runs a command with a server of its own, which has the alias extension `vector`: libpq's variables
//! (`PGHOST` …) name the server.  Usage: `with_server COMMAND [ARGUMENT …]`

use std::process::{Command, ExitCode};

use pg_test::{Cluster, Prefix, Result};

fn main() -> Result<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    let command = args.next().ok_or("usage: with_server COMMAND [ARGUMENT …]")?;
    let prefix = Prefix::new("with_server")?;
    prefix.make("install-alias")?;
    let cluster = Cluster::in_prefix(&prefix, "with_server", &[])?;
    let status = Command::new(command)
        .args(args)
        .env("PGHOST", cluster.socket_dir())
        .env("PGUSER", "postgres")
        .env("PGDATABASE", "postgres")
        .env("PG_BINDIR", prefix.bindir())
        .status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
