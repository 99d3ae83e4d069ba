//! The program behind `make demo`: a private server, real sentences, an HNSW index, searches that
//! a person can judge, and the index measured beside exact search.
//!
//! `demo` stops the server at the end, `demo psql` leaves it running and opens psql in it,
//! `demo stop` stops that one. `demo shards [ROWS]` spreads a table over three servers.

mod load;
mod measure;
mod one_call;
mod own_words;
mod relay;
mod search;
mod shards;
mod terminal;

use std::process::ExitCode;

use pg_test::{Cluster, Result};

/// The server's folder under [`pg_test::clusters_dir`].
const FOLDER: &str = "demo";

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    let outcome = match command.as_deref() {
        None => show().map(drop),
        Some("psql") => psql(),
        Some("stop") => stop(),
        Some("shards") => spread(),
        Some(other) => {
            Err(format!("there is no \"{other}\"; say nothing, psql, stop or shards").into())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map_or(String::new(), |cause| format!(": {cause}"));
            eprintln!("demo: {error}{cause}");
            ExitCode::FAILURE
        }
    }
}

/// The whole demo, in a new server.
fn show() -> Result<Cluster> {
    // Taking over a server that demo-psql left running, so that it ends before its folder goes.
    drop(Cluster::find(FOLDER)?);
    let cluster = Cluster::in_folder(FOLDER, &[])?;
    let mut client = cluster.connect()?;
    let version: String = client.query_one("SHOW server_version", &[])?.get(0);
    terminal::step("Server", &format!("PostgreSQL {version} in {}", cluster.data_dir().display()));

    let queries = load::tables(&mut client)?;
    load::index(&cluster, &mut client)?;
    search::examples(&mut client)?;
    one_call::examples(&mut client)?;
    own_words::example(&cluster, &mut client)?;
    measure::compare(&mut client, &queries)?;
    Ok(cluster)
}

/// Opens psql in the demo's server, which stays until `demo stop`.
fn psql() -> Result<()> {
    let cluster = match Cluster::find(FOLDER)? {
        Some(running) => running,
        None => show()?,
    };
    let mut psql = cluster.program("psql");
    cluster.leave_running()?;
    println!("\nThe server stays until `make demo-stop`.  Try:\n{}\n", search::SUGGESTION);
    psql.status()?;
    Ok(())
}

/// The same rows on one, two, and three servers.
fn spread() -> Result<()> {
    let rows = std::env::args().nth(2).map(|rows| rows.replace(['_', ','], "").parse());
    shards::show(rows.transpose().map_err(|_| "rows is a number")?)
}

/// Stops the server that `demo psql` left running.
fn stop() -> Result<()> {
    match Cluster::find(FOLDER)? {
        Some(_) => println!("The demo's server is stopped and removed."),
        None => println!("The demo's server is not running."),
    }
    Ok(())
}
