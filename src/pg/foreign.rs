//! Foreign servers and their options, as `CREATE SERVER` and `CREATE USER MAPPING` made them.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::pg_sys::{self, AclResult, Datum, List, ObjectType, Oid, SysCacheIdentifier};

use super::encoding::{decode_c, encode};
use super::error::Report;
use super::node::pointers;
use super::version::may_use_server;

/// Options by their names.
pub type Options = Vec<(String, String)>;

/// A foreign server that the current user may use.
pub struct ForeignServer {
    /// Its name.
    pub name: String,
    /// The handler of its wrapper; 0 if it has none.
    pub handler: Oid,
    /// Whether only superusers can change it.
    pub is_of_superuser: bool,
    /// Its options.
    pub options: Options,
    /// Those of the current user's mapping, or else of the mapping of `PUBLIC`; none if there is neither.
    pub user_options: Options,
}

impl ForeignServer {
    /// The server of this name. PostgreSQL raises an error if there is none, or the current user lacks
    /// `USAGE`.
    ///
    /// # Errors
    /// If a name or option is no text.
    pub fn find(name: &str) -> Result<ForeignServer, Report> {
        let sql_name = encode(name)?;
        // SAFETY: a name that ends with NUL. What comes back is in memory of the call, with options that
        // the catalog has.
        unsafe {
            let server = pg_sys::GetForeignServerByName(sql_name.as_ptr(), false);
            let (oid, user) = ((*server).serverid, pg_sys::GetUserId());
            let access = may_use_server(oid, user);
            if access != AclResult::ACLCHECK_OK {
                let kind = ObjectType::OBJECT_FOREIGN_SERVER;
                pg_sys::aclcheck_error(access, kind, (*server).servername);
            }
            let wrapper = pg_sys::GetForeignDataWrapper((*server).fdwid);
            let has_mapping = [user, Oid::INVALID].iter().any(|&user| has_mapping(user, oid));
            let user_options = if has_mapping {
                options((*pg_sys::GetUserMapping(user, oid)).options)?
            } else {
                Options::new()
            };
            Ok(ForeignServer {
                name: decode_c((*server).servername)?,
                handler: (*wrapper).fdwhandler,
                is_of_superuser: pg_sys::superuser_arg((*server).owner),
                options: options((*server).options)?,
                user_options,
            })
        }
    }
}

fn has_mapping(user: Oid, server: Oid) -> bool {
    let cache = SysCacheIdentifier::USERMAPPINGUSERSERVER as i32;
    let key = [user, server].map(Datum::from);
    let oid = pg_sys::Anum_pg_user_mapping_oid as pg_sys::AttrNumber;
    // SAFETY: a look-up whose key has the parts of the cache's.
    let mapping =
        unsafe { pg_sys::GetSysCacheOid(cache, oid, key[0], key[1], Datum::null(), Datum::null()) };
    mapping != Oid::INVALID
}

/// The options of a list.
///
/// # Safety
/// It is a list of options whose values are strings.
unsafe fn options(list: *mut List) -> Result<Options, Report> {
    // SAFETY: as the caller says; names and values end with NUL.
    let option = |option: *mut pg_sys::DefElem| unsafe {
        let (name, value) = ((*option).defname, pg_sys::defGetString(option));
        Ok((decode_c(name)?, decode_c(value)?))
    };
    // SAFETY: the list is of such options.
    unsafe { pointers(list) }.map(option).collect()
}

/// What options belong to: the second argument of a validator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OptionsOf {
    /// A foreign-data wrapper.
    Wrapper,
    /// A server.
    Server,
    /// A user mapping.
    UserMapping,
    /// A foreign table, or a column of one.
    Table,
}

impl OptionsOf {
    /// By the catalog of such objects.
    pub fn catalog(catalog: Oid) -> OptionsOf {
        match catalog {
            pg_sys::ForeignDataWrapperRelationId => OptionsOf::Wrapper,
            pg_sys::ForeignServerRelationId => OptionsOf::Server,
            pg_sys::UserMappingRelationId => OptionsOf::UserMapping,
            _ => OptionsOf::Table,
        }
    }
}
