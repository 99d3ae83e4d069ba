-- Makes vector_ext out of the members of pgvector 0.8: what move.sql runs, after it has dropped the indexes.
-- Types, operators, casts and btree classes are kept, as columns, views and functions depend on them; they
-- are the same.  Functions get their new code under their old identity.
\echo Use "psql -f move.sql" to load this file. \quit

DO $update$
DECLARE
	script text;
	statement text;
	kept int;
	member record;
BEGIN
	-- Classes know support functions by numbers that mean something else here.
	FOR member IN
		SELECT f.opfname, a.amname FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'vector_ext'
		JOIN pg_catalog.pg_opfamily f ON f.oid = d.objid AND d.classid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass
		JOIN pg_catalog.pg_am a ON a.oid = f.opfmethod AND a.amname IN ('hnsw', 'ivfflat')
		WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
	LOOP
		EXECUTE pg_catalog.format('DROP OPERATOR FAMILY %I USING %I', member.opfname, member.amname);
	END LOOP;
	DROP ACCESS METHOD hnsw;
	DROP ACCESS METHOD ivfflat;

	script := $vector_ext$
