-- The alias "vector" of vector_ext.  Where vector_ext is in the database, the alias is a name that depends
-- on it; where it is not, all of vector_ext is created and updated as the alias.  (A script cannot create
-- another extension, so this is the way for CREATE EXTENSION vector to work on a fresh database.)
\echo Use "CREATE EXTENSION vector" or "ALTER EXTENSION vector UPDATE" to load this file. \quit

DO $alias$
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'vector_ext') THEN
		-- What "requires" in the control file would record: DROP and pg_dump keep the order.  An update
		-- begins by deleting it.
		INSERT INTO pg_catalog.pg_depend
			SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass, alias.oid, 0,
				'pg_catalog.pg_extension'::pg_catalog.regclass, vector_ext.oid, 0, 'n'
			FROM pg_catalog.pg_extension alias, pg_catalog.pg_extension vector_ext
			WHERE alias.extname OPERATOR(pg_catalog.=) 'vector'
				AND vector_ext.extname OPERATOR(pg_catalog.=) 'vector_ext';
		RETURN;
	END IF;
