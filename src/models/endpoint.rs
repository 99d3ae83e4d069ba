//! The model that a server's name stands for.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use models::{Endpoint, Input, Place, validate};
use pgrx::PgSqlErrorCode::{ERRCODE_INSUFFICIENT_PRIVILEGE, ERRCODE_WRONG_OBJECT_TYPE};
use pgrx::pg_sys::Oid;

use crate::pg::catalog::function;
use crate::pg::error::Report;
use crate::pg::foreign::{ForeignServer, Options};
use crate::pg::function::{Args, Argument, Callee};

/// Models that a session keeps at most, with their connections or files.
const MAX_MODELS: usize = 16;
/// Bytes of a text that a static model embeds sooner than a thread would start.
const SHORT: usize = 4096;

thread_local! {
    /// The models of this session, the one used last at the end.
    static KNOWN: RefCell<Vec<Rc<Model>>> = const { RefCell::new(Vec::new()) };
    static COUNT: RefCell<u64> = const { RefCell::new(0) };
}

/// A server with the options of the current user.
pub struct Model {
    /// What tells it from all models that this session has used before.
    pub number: u64,
    /// The server's name.
    pub name: String,
    /// What is called.
    pub endpoint: Endpoint,
    /// Whether it has embedded something in this session, so that a static one is loaded.
    pub has_embedded: Cell<bool>,
    options: Options,
    user_options: Options,
}

impl Model {
    /// The model of the server `name`, for the current user. `schema` is that of the extension.
    ///
    /// # Errors
    /// If the server is of another wrapper, or its options and those of the user do not make a model.
    pub fn find(name: &str, schema: Oid) -> Result<Rc<Model>, Report> {
        let server = model_server(name, schema)?;
        check_secrets(&server)?;
        let is_same = |model: &Rc<Model>| {
            model.name == server.name
                && model.options == server.options
                && model.user_options == server.user_options
        };
        let known = KNOWN.with_borrow_mut(|known| {
            let place = known.iter().position(is_same)?;
            let model = known.remove(place);
            known.push(model.clone());
            Some(model)
        });
        known.map_or_else(|| Model::open(server), Ok)
    }

    /// Whether the server has an option.
    pub fn has_option(&self, name: &str) -> bool {
        self.options.iter().any(|(option, _)| option == name)
    }

    /// Whether it embeds these inputs so soon that nobody needs to interrupt it.
    pub fn embeds_at_once(&self, inputs: &[Input]) -> bool {
        self.endpoint.is_static()
            && self.has_embedded.get()
            && matches!(inputs, [Input::Text(text)] if text.len() <= SHORT)
    }

    fn open(server: ForeignServer) -> Result<Rc<Model>, Report> {
        let ForeignServer { name, options, user_options, .. } = server;
        let endpoint = Endpoint::new(&name, &options, &user_options)?;
        let number = COUNT.with_borrow_mut(|count| {
            *count += 1;
            *count
        });
        let model = Rc::new(Model {
            number,
            name,
            endpoint,
            has_embedded: Cell::new(false),
            options,
            user_options,
        });
        KNOWN.with_borrow_mut(|known| {
            known.push(model.clone());
            if known.len() > MAX_MODELS {
                known.remove(0);
            }
        });
        Ok(model)
    }
}

/// The server `name`, which the current user may use.
///
/// # Errors
/// If it is of another wrapper.
pub fn model_server(name: &str, schema: Oid) -> Result<ForeignServer, Report> {
    let server = ForeignServer::find(name)?;
    if function(schema, c"vector_ext_model_handler", &[]) == Some(server.handler) {
        return Ok(server);
    }
    let message = format!("server \"{}\" is not a model", server.name);
    Err(Report::new(ERRCODE_WRONG_OBJECT_TYPE, message)
        .hint("Models are servers of the foreign-data wrapper vector_ext_model."))
}

/// A key that only a superuser may name, such as that in an environment variable of the server, goes only
/// to addresses that a superuser has set: the owner of the server could set another.
fn check_secrets(server: &ForeignServer) -> Result<(), Report> {
    if server.is_of_superuser || validate(Place::UserMapping, &server.user_options, false).is_ok() {
        return Ok(());
    }
    let message = format!(
        "user mapping of server \"{}\" has options for servers of superusers only",
        server.name
    );
    Err(Report::new(ERRCODE_INSUFFICIENT_PRIVILEGE, message)
        .detail("The owner of the server could have the key sent to another address.")
        .hint("Make a superuser the owner of the server, or set api_key in the user mapping."))
}

/// The argument `server` of functions.
pub struct ModelName(pub Rc<Model>);

impl Argument<'_> for ModelName {
    fn take(args: &mut Args) -> Result<ModelName, Report> {
        let Callee(callee) = args.callee();
        let name: String = args.take()?;
        Model::find(&name, Callee(callee).schema()).map(ModelName)
    }
}
