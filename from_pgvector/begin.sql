-- Makes vector_ext out of the members of pgvector 0.8: what move.sql runs, after it has dropped the indexes.
-- Types, operators, casts and btree classes are kept, as columns, views and functions depend on them; they
-- are the same.  Functions get their new code under their old identity.
\echo Use "psql -f move.sql" to load this file. \quit

DO $update$
DECLARE
	script pg_catalog.text;
	statement pg_catalog.text;
	kept integer;
	member record;
BEGIN
	-- Before, CREATE OR REPLACE in a script takes over what others have made.
	IF pg_catalog.current_setting('server_version_num')::integer OPERATOR(pg_catalog.<) 140005 THEN
		RAISE EXCEPTION 'pgvector can be moved in place only in PostgreSQL 14.5 or later'
			USING ERRCODE = 'feature_not_supported';
	END IF;

	-- Classes know support functions by numbers that mean something else here.
	FOR member IN
		SELECT n.nspname, f.opfname, a.amname FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
			AND e.extname OPERATOR(pg_catalog.=) 'vector_ext'
		JOIN pg_catalog.pg_opfamily f ON f.oid OPERATOR(pg_catalog.=) d.objid
			AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_opfamily'::pg_catalog.regclass::pg_catalog.oid
		JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) f.opfnamespace
		JOIN pg_catalog.pg_am a ON a.oid OPERATOR(pg_catalog.=) f.opfmethod
			AND a.amname OPERATOR(pg_catalog.=) ANY (ARRAY['hnsw', 'ivfflat']::pg_catalog.name[])
		WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
			AND d.deptype OPERATOR(pg_catalog.=) 'e'
	LOOP
		EXECUTE pg_catalog.format('DROP OPERATOR FAMILY %I.%I USING %I', member.nspname, member.opfname, member.amname);
	END LOOP;
	DROP ACCESS METHOD hnsw;
	DROP ACCESS METHOD ivfflat;

	script := $vector_ext$
