//! A database of its own for each system, with the table `items (id, v)`.

use std::io::Write;
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

/// Fills `items` with the first `rows` of `base` and further columns: `columns` as CREATE TABLE has them,
/// values as the line of a row in COPY's text format. Rows are in the order of their numbers.
pub fn copy_with(
    client: &mut Client,
    base: &Matrix<f32>,
    rows: usize,
    columns: &str,
    line: impl Fn(usize) -> String,
) -> Result<()> {
    client.batch_execute(&format!(
        "ALTER TABLE items RENAME TO vectors; CREATE TABLE traits (id int4, {columns})"
    ))?;
    copy(client, "vectors", base, 0..rows)?;
    let mut copy = client.copy_in("COPY traits FROM STDIN")?;
    for row in 0..rows {
        copy.write_all(format!("{row}\t{}\n", line(row)).as_bytes())?;
    }
    copy.finish()?;
    Ok(client.batch_execute(
        "CREATE TABLE items AS SELECT * FROM vectors JOIN traits USING (id) ORDER BY id;
         DROP TABLE vectors, traits; ALTER TABLE items ALTER v SET NOT NULL, ADD PRIMARY KEY (id)",
    )?)
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
