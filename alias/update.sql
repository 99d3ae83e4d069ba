	-- The alias has version numbers of pgvector, whose files it may have replaced.
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d
			ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
				AND d.refobjid OPERATOR(pg_catalog.=) e.oid
				AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
				AND d.deptype OPERATOR(pg_catalog.=) 'e'
			JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) d.objid
			WHERE e.extname OPERATOR(pg_catalog.=) 'vector'
				AND p.proname OPERATOR(pg_catalog.=) 'vector_ext_info') THEN
		RAISE EXCEPTION 'the extension "vector" of this database is pgvector, which vector_ext cannot update'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Install pgvector again, or move the database: see docs/migrate-from-pgvector.md.';
	END IF;
	EXECUTE $vector_ext$
