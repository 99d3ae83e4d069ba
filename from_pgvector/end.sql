	$vector_ext$;
	script := pg_catalog.regexp_replace(script, '\nCREATE (FUNCTION|AGGREGATE) ', E'\nCREATE OR REPLACE \\1 ', 'g');
	-- What is kept, by statements: a type has two.
	SELECT pg_catalog.sum(CASE classid WHEN 'pg_catalog.pg_type'::pg_catalog.regclass THEN 2 ELSE 1 END) INTO kept
		FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'vector_ext'
		WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e' AND d.classid IN (
			'pg_catalog.pg_type'::pg_catalog.regclass, 'pg_catalog.pg_cast'::pg_catalog.regclass,
			'pg_catalog.pg_operator'::pg_catalog.regclass, 'pg_catalog.pg_opclass'::pg_catalog.regclass);
	FOR statement IN
		SELECT pg_catalog.regexp_split_to_table(script, ';\n(?=\s*\n|--|CREATE|COMMENT|ALTER)')
	LOOP
		BEGIN
			EXECUTE statement;
		EXCEPTION WHEN duplicate_object OR duplicate_function THEN
			kept := kept - 1;
			IF kept < 0 THEN
				RAISE EXCEPTION 'something that is not of pgvector has a name that vector_ext takes'
					USING DETAIL = SQLERRM || ' (or something before that).', ERRCODE = 'duplicate_object';
			END IF;
		END;
	END LOOP;
	IF kept <> 0 THEN
		RAISE EXCEPTION 'this pgvector has % objects that vector_ext does not know', kept;
	END IF;

	-- What is left is of access methods.  Should something depend on it, nothing of all this happens.
	FOR member IN
		SELECT p.oid::pg_catalog.regprocedure AS signature FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'vector_ext'
		JOIN pg_catalog.pg_proc p ON p.oid = d.objid AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
		WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
			AND p.probin <> 'MODULE_PATHNAME'
	LOOP
		EXECUTE pg_catalog.format('DROP FUNCTION %s', member.signature);
	END LOOP;
END
$update$;
