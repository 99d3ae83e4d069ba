//! A database of its own for each system, with the table `items (id, v)`.

use std::ops::Range;

use pg_test::copy_vectors;
use postgres::Client;

use crate::Result;
use crate::matrix::Matrix;
use crate::server::Server;
use crate::systems::System;

/// The database of `system`.
pub fn name(system: &System) -> String {
    format!("sql_bench_{}", system.name)
}

/// Makes the system's database anew, with its extension and an empty table `items` for vectors of
/// `dims` dimensions; returns a connection to it.
pub fn create(server: &Server, system: &System, dims: usize) -> Result<Client> {
    create_with(server, system, &format!("vector({dims})"))
}

/// The same for values of `sql_type`.
pub fn create_with(server: &Server, system: &System, sql_type: &str) -> Result<Client> {
    let name = name(system);
    drop(server, system)?;
    server.maintenance()?.batch_execute(&format!("CREATE DATABASE {name}"))?;
    let mut client = server.connect(&name)?;
    client
        .batch_execute(&format!("CREATE EXTENSION {} CASCADE", system.extension))
        .map_err(|e| format!("{}: {}", system.name, text(&e)))?;
    client.batch_execute(&format!(
        "SET client_min_messages = warning;
         CREATE TABLE items (id int4 PRIMARY KEY, v {sql_type} NOT NULL)"
    ))?;
    Ok(client)
}

/// Copies `rows` of `base` into `table`; a row's number is its id.
pub fn copy(
    client: &mut Client,
    table: &str,
    base: &Matrix<f32>,
    rows: Range<usize>,
) -> Result<()> {
    let first = i32::try_from(rows.start)?;
    Ok(copy_vectors(client, table, first, rows.map(|row| base.row(row)))?)
}

/// Removes the system's database, if there is one.
pub fn drop(server: &Server, system: &System) -> Result<()> {
    let statement = format!("DROP DATABASE IF EXISTS {}", name(system));
    Ok(server.maintenance()?.batch_execute(&statement)?)
}

/// The server's words for `error`.
pub fn text(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}
