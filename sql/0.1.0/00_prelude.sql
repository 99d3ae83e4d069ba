-- The files of this folder, in the order of their numbers, are the script of CREATE EXTENSION.
\echo Use "CREATE EXTENSION vector_ext" to load this file. \quit

-- Names of access methods are global in a database, and clients look for the one type "vector".
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d
			ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
				AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'e'
			JOIN pg_catalog.pg_proc p ON p.oid = d.objid
			WHERE e.extname = 'vector' AND p.proname = 'vector_ext_info') THEN
		RAISE EXCEPTION 'this database has vector_ext already, as the extension "vector"'
			USING ERRCODE = 'duplicate_object',
				HINT = 'Nothing is missing: the extension "vector" is the alias of vector_ext, with all that it has.';
	END IF;
	IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'vector')
		OR EXISTS (SELECT FROM pg_catalog.pg_am WHERE amname IN ('hnsw', 'ivfflat')) THEN
		RAISE EXCEPTION 'cannot create vector_ext in a database that has pgvector'
			USING ERRCODE = 'duplicate_object',
				HINT = 'A database has either vector_ext or pgvector: use another database, or drop the extension "vector" first.';
	END IF;
END
$$;
