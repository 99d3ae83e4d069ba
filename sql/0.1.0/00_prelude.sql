-- The files of this folder, in the order of their numbers, are the script of CREATE EXTENSION.
\echo Use "CREATE EXTENSION vector_ext" to load this file. \quit

-- All of this runs as a superuser, in a schema that an ordinary user may own and have filled: names
-- of types and arguments of declarations are exact, and expressions name the schema of everything
-- that they call, operators too. SECURITY.md tells the rules.

-- Names of access methods are global in a database, and clients look for the one type "vector".
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d
			ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
				AND d.refobjid OPERATOR(pg_catalog.=) e.oid
				AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
				AND d.deptype OPERATOR(pg_catalog.=) 'e'
			JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) d.objid
			WHERE e.extname OPERATOR(pg_catalog.=) 'vector'
				AND p.proname OPERATOR(pg_catalog.=) 'vector_ext_info') THEN
		RAISE EXCEPTION 'this database has vector_ext already, as the extension "vector"'
			USING ERRCODE = 'duplicate_object',
				HINT = 'Nothing is missing: the extension "vector" is the alias of vector_ext, with all that it has.';
	END IF;
	IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'vector')
		OR EXISTS (SELECT FROM pg_catalog.pg_am
			WHERE amname OPERATOR(pg_catalog.=) ANY (ARRAY['hnsw', 'ivfflat']::pg_catalog.name[])) THEN
		RAISE EXCEPTION 'cannot create vector_ext in a database that has pgvector'
			USING ERRCODE = 'duplicate_object',
				HINT = 'A database has either vector_ext or pgvector: use another database, or drop the extension "vector" first.';
	END IF;
END
$$;
