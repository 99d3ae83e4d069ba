//! What `ALTER INDEX … SET` and `RESET` make of an index, told before it is done. PostgreSQL has an access
//! method look at storage parameters alone, without the index that is to have them.

#![allow(unsafe_code)] // looks into the catalog

use std::sync::OnceLock;

use pgrx::pg_sys::{self, Datum, ObjectAccessType, Oid, SysCacheIdentifier};

use super::error::Report;
use super::object_access::{self, Access};
use super::relation::Opened;

/// Accepts or refuses an index with the storage parameters that it is to have, as `pg_class` has them.
pub type Check = fn(&Opened, Datum) -> Result<(), Report>;

static CHECK: OnceLock<Check> = OnceLock::new();

/// Has every change of an index checked. To be called once, when the library is loaded, which is at the
/// latest when PostgreSQL opens an index of ours in order to change it.
pub fn watch(check: Check) {
    if CHECK.set(check).is_ok() {
        object_access::observe(on_access);
    }
}

fn on_access(Access { kind, class, object }: Access) {
    if kind != ObjectAccessType::OAT_POST_ALTER || class != pg_sys::RelationRelationId {
        return;
    }
    // SAFETY: a look-up in the catalog; of an unknown relation it gives 0.
    let kind = unsafe { pg_sys::get_rel_relkind(object) } as u8;
    if kind == pg_sys::RELKIND_INDEX
        && let Some(check) = CHECK.get()
        && let Some(index) = Opened::find(object)
    {
        check(&index, parameters(object)).unwrap_or_else(|error| error.raise());
    }
}

/// The storage parameters in the newest row of a relation, which this command has just written; null where
/// it has none.
fn parameters(relation: Oid) -> Datum {
    let (kind, cache) = (pg_sys::AccessShareLock as i32, SysCacheIdentifier::RELOID as i32);
    // SAFETY: the first column of pg_class is its OID, and the index has it alone. The scan sees what is not
    // visible to the command yet. The value is copied before the row is released.
    unsafe {
        let class = pg_sys::table_open(pg_sys::RelationRelationId, kind);
        let mut key = pg_sys::ScanKeyData::default();
        let (column, equal) = (pg_sys::Anum_pg_class_oid, pg_sys::BTEqualStrategyNumber);
        let (column, equal) = (column as i16, equal as u16);
        let function = pg_sys::F_OIDEQ.into();
        pg_sys::ScanKeyInit(&raw mut key, column, equal, function, Datum::from(relation));
        let snapshot = &raw mut pg_sys::SnapshotSelfData;
        let by = pg_sys::ClassOidIndexId.into();
        let scan = pg_sys::systable_beginscan(class, by, true, snapshot, 1, &raw mut key);
        let row = pg_sys::systable_getnext(scan);
        let mut value = Datum::null();
        if !row.is_null() {
            let mut is_null = false;
            let column = pg_sys::Anum_pg_class_reloptions as i16;
            let found = pg_sys::SysCacheGetAttr(cache, row, column, &raw mut is_null);
            if !is_null {
                value = Datum::from(pg_sys::pg_detoast_datum_copy(found.cast_mut_ptr()));
            }
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(class, kind);
        value
    }
}
