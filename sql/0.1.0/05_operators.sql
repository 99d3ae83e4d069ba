-- Distances; ORDER BY one of them and LIMIT is a nearest-neighbor search.

CREATE OPERATOR <-> (
	FUNCTION = l2_distance, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (vector, vector) IS 'Euclidean distance';

CREATE OPERATOR <#> (
	FUNCTION = vector_negative_inner_product, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (vector, vector) IS 'negative inner product';

CREATE OPERATOR <=> (
	FUNCTION = cosine_distance, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (vector, vector) IS 'cosine distance';

CREATE OPERATOR <+> (
	FUNCTION = l1_distance, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (vector, vector) IS 'taxicab distance';

-- Arithmetic, element by element.

CREATE OPERATOR + (
	FUNCTION = vector_add, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = +
);
COMMENT ON OPERATOR + (vector, vector) IS 'add';

CREATE OPERATOR - (
	FUNCTION = vector_sub, LEFTARG = vector, RIGHTARG = vector
);
COMMENT ON OPERATOR - (vector, vector) IS 'subtract';

CREATE OPERATOR * (
	FUNCTION = vector_mul, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = *
);
COMMENT ON OPERATOR * (vector, vector) IS 'multiply';

CREATE OPERATOR || (
	FUNCTION = vector_concat, LEFTARG = vector, RIGHTARG = vector
);
COMMENT ON OPERATOR || (vector, vector) IS 'concatenate';

-- Order: by the first element that differs, then by length.

CREATE OPERATOR < (
	FUNCTION = vector_lt, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (vector, vector) IS 'less than';

CREATE OPERATOR <= (
	FUNCTION = vector_le, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (vector, vector) IS 'less than or equal';

CREATE OPERATOR = (
	FUNCTION = vector_eq, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (vector, vector) IS 'equal';

CREATE OPERATOR <> (
	FUNCTION = vector_ne, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR <> (vector, vector) IS 'not equal';

CREATE OPERATOR >= (
	FUNCTION = vector_ge, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (vector, vector) IS 'greater than or equal';

CREATE OPERATOR > (
	FUNCTION = vector_gt, LEFTARG = vector, RIGHTARG = vector,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (vector, vector) IS 'greater than';
