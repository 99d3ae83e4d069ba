//! The foreign-data wrapper `vector_ext_model`: its servers are models, and have no tables.

use models::{Place, validate};
use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use pgrx::pg_sys::Oid;

use crate::pg::array::Texts;
use crate::pg::error::Report;
use crate::pg::foreign::OptionsOf;
use crate::pg::function::pg_functions;
use crate::pg::role::is_superuser;

pg_functions! {
    /// Asked for by `IMPORT FOREIGN SCHEMA`, and by queries of foreign tables.
    fn vector_ext_model_handler() -> Result<(), Report> {
        Err(no_tables())
    }

    /// Checks options, in `name=value` form, as the user who sets them. PostgreSQL gives all options
    /// that the object would have, so who may not set one cannot change the others beside it either.
    fn vector_ext_model_validator(options: Texts, catalog: Oid) -> Result<(), Report> {
        let place = match OptionsOf::catalog(catalog) {
            OptionsOf::Wrapper => Place::Wrapper,
            OptionsOf::Server => Place::Server,
            OptionsOf::UserMapping => Place::UserMapping,
            OptionsOf::Table => return Err(no_tables()),
        };
        let option = |option: &String| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            (name.to_owned(), value.to_owned())
        };
        let options: Vec<(String, String)> = options.0.iter().map(option).collect();
        Ok(validate(place, &options, is_superuser())?)
    }
}

fn no_tables() -> Report {
    Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, "servers of vector_ext_model have no tables")
        .detail("They are models.")
        .hint("Call embed() or rerank() with the name of the server.")
}
