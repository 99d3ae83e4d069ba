	$vector_ext$;
	script := pg_catalog.regexp_replace(script, '\nCREATE (FUNCTION|AGGREGATE) ', E'\nCREATE OR REPLACE \\1 ', 'g');
	-- What is kept, by statements: a type has two.  Its array, a member from PostgreSQL 17 on, has none.
	SELECT pg_catalog.sum(CASE
			WHEN EXISTS (SELECT FROM pg_catalog.pg_type t
				WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid
					AND t.typarray OPERATOR(pg_catalog.=) d.objid) THEN 0
			WHEN d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid THEN 2
			ELSE 1 END) INTO kept
		FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
			AND e.extname OPERATOR(pg_catalog.=) 'vector_ext'
		WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
			AND d.deptype OPERATOR(pg_catalog.=) 'e'
			AND d.classid OPERATOR(pg_catalog.=) ANY (ARRAY['pg_catalog.pg_type', 'pg_catalog.pg_cast',
				'pg_catalog.pg_operator', 'pg_catalog.pg_opclass']::pg_catalog.regclass[]::pg_catalog.oid[]);
	FOR statement IN
		SELECT pg_catalog.regexp_split_to_table(script, ';\n(?=\s*\n|--|CREATE|COMMENT|ALTER)')
	LOOP
		BEGIN
			EXECUTE statement;
		EXCEPTION WHEN duplicate_object OR duplicate_function THEN
			kept := kept OPERATOR(pg_catalog.-) 1;
			IF kept OPERATOR(pg_catalog.<) 0 THEN
				RAISE EXCEPTION 'something that is not of pgvector has a name that vector_ext takes'
					USING DETAIL = pg_catalog.format('%s (or something before that).', SQLERRM),
						ERRCODE = 'duplicate_object';
			END IF;
		END;
	END LOOP;
	IF kept OPERATOR(pg_catalog.<>) 0 THEN
		RAISE EXCEPTION 'this pgvector has % objects that vector_ext does not know', kept;
	END IF;

	-- What is left is of access methods.  Should something depend on it, nothing of all this happens.
	FOR member IN
		SELECT p.oid::pg_catalog.regprocedure AS signature FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
			AND e.extname OPERATOR(pg_catalog.=) 'vector_ext'
		JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) d.objid
			AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
		WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
			AND d.deptype OPERATOR(pg_catalog.=) 'e' AND p.probin OPERATOR(pg_catalog.<>) 'MODULE_PATHNAME'
	LOOP
		EXECUTE pg_catalog.format('DROP FUNCTION %s', member.signature);
	END LOOP;
END
$update$;
