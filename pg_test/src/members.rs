//! What an extension consists of.

use postgres::Client;

/// All that an extension consists of, with all properties, without numbers that differ by database.
pub fn members(db: &mut Client, extension: &str) -> Vec<String> {
    let sql = "WITH member AS (
            SELECT classid, objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
            WHERE d.refclassid = 'pg_extension'::regclass AND deptype = 'e' AND extname = $1)
        SELECT pg_describe_object(classid, objid, 0) || ': ' || concat_ws(' ',
            obj_description(objid, classid::regclass::name),
            CASE WHEN prokind = 'f' THEN pg_get_functiondef(p.oid) END,
            aggtransfn::regproc, aggfinalfn::regproc, aggcombinefn::regproc, aggtranstype::regtype,
                agginitval, proparallel,
            typinput::regproc, typsend::regproc, typmodin::regproc, typlen, typstorage, typalign, typcategory,
            o.oprcode, o.oprcom::regoperator, o.oprnegate::regoperator, o.oprrest, o.oprjoin,
            castfunc::regprocedure, castcontext, amhandler, opcdefault,
            (SELECT string_agg(amprocnum || amproc::regprocedure::text, ' ' ORDER BY amprocnum)
                FROM pg_amproc WHERE amprocfamily = f.oid),
            (SELECT string_agg(amopstrategy || amopopr::regoperator::text, ' ' ORDER BY amopstrategy)
                FROM pg_amop WHERE amopfamily = f.oid))
        FROM member
        LEFT JOIN pg_proc p ON classid = 'pg_proc'::regclass AND p.oid = objid
        LEFT JOIN pg_aggregate ON aggfnoid = p.oid
        LEFT JOIN pg_type t ON classid = 'pg_type'::regclass AND t.oid = objid
        LEFT JOIN pg_operator o ON classid = 'pg_operator'::regclass AND o.oid = objid
        LEFT JOIN pg_cast c ON classid = 'pg_cast'::regclass AND c.oid = objid
        LEFT JOIN pg_am a ON classid = 'pg_am'::regclass AND a.oid = objid
        LEFT JOIN pg_opclass k ON classid = 'pg_opclass'::regclass AND k.oid = objid
        LEFT JOIN pg_opfamily f ON classid = 'pg_opfamily'::regclass AND f.oid = objid
        ORDER BY 1";
    db.query(sql, &[&extension]).unwrap().iter().map(|row| row.get(0)).collect()
}
