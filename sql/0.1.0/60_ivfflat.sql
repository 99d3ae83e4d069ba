-- Access method ivfflat: inverted lists.

CREATE FUNCTION ivfflathandler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION ivfflathandler(internal) IS 'ivfflat index access method handler';

CREATE ACCESS METHOD ivfflat TYPE INDEX HANDLER ivfflathandler;
COMMENT ON ACCESS METHOD ivfflat IS 'ivfflat index access method';

-- Support function 3: what an operator class says to the access method.

CREATE FUNCTION ivf_vector_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION ivf_vector_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION ivf_vector_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE OPERATOR CLASS vector_l2_ops
	DEFAULT FOR TYPE vector USING ivfflat AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <<->> (vector, vsphere),
	FUNCTION 1 vector_l2_squared_distance(vector, vector),
	FUNCTION 3 ivf_vector_l2_support(internal);

CREATE OPERATOR CLASS vector_ip_ops
	FOR TYPE vector USING ivfflat AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <<#>> (vector, vsphere),
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 3 ivf_vector_ip_support(internal);

CREATE OPERATOR CLASS vector_cosine_ops
	FOR TYPE vector USING ivfflat AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <<=>> (vector, vsphere),
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 2 vector_norm(vector),
	FUNCTION 3 ivf_vector_cosine_support(internal);

CREATE FUNCTION ivf_halfvec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION ivf_halfvec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION ivf_halfvec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE OPERATOR CLASS halfvec_l2_ops
	FOR TYPE halfvec USING ivfflat AS
	OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <<->> (halfvec, halfvec_sphere),
	FUNCTION 1 halfvec_l2_squared_distance(halfvec, halfvec),
	FUNCTION 3 ivf_halfvec_l2_support(internal);

CREATE OPERATOR CLASS halfvec_ip_ops
	FOR TYPE halfvec USING ivfflat AS
	OPERATOR 1 <#> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <<#>> (halfvec, halfvec_sphere),
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 3 ivf_halfvec_ip_support(internal);

CREATE OPERATOR CLASS halfvec_cosine_ops
	FOR TYPE halfvec USING ivfflat AS
	OPERATOR 1 <=> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <<=>> (halfvec, halfvec_sphere),
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 2 l2_norm(halfvec),
	FUNCTION 3 ivf_halfvec_cosine_support(internal);

CREATE FUNCTION ivf_bf16vec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION ivf_bf16vec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION ivf_bf16vec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE OPERATOR CLASS bf16vec_l2_ops
	FOR TYPE bf16vec USING ivfflat AS
	OPERATOR 1 <-> (bf16vec, bf16vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<->> (bf16vec, bf16vec_sphere),
	FUNCTION 1 bf16vec_l2_squared_distance(bf16vec, bf16vec),
	FUNCTION 3 ivf_bf16vec_l2_support(internal);

CREATE OPERATOR CLASS bf16vec_ip_ops
	FOR TYPE bf16vec USING ivfflat AS
	OPERATOR 1 <#> (bf16vec, bf16vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<#>> (bf16vec, bf16vec_sphere),
	FUNCTION 1 bf16vec_negative_inner_product(bf16vec, bf16vec),
	FUNCTION 3 ivf_bf16vec_ip_support(internal);

CREATE OPERATOR CLASS bf16vec_cosine_ops
	FOR TYPE bf16vec USING ivfflat AS
	OPERATOR 1 <=> (bf16vec, bf16vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<=>> (bf16vec, bf16vec_sphere),
	FUNCTION 1 bf16vec_negative_inner_product(bf16vec, bf16vec),
	FUNCTION 2 l2_norm(bf16vec),
	FUNCTION 3 ivf_bf16vec_cosine_support(internal);

CREATE FUNCTION ivf_i8vec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION ivf_i8vec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION ivf_i8vec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE OPERATOR CLASS i8vec_l2_ops
	FOR TYPE i8vec USING ivfflat AS
	OPERATOR 1 <-> (i8vec, i8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<->> (i8vec, i8vec_sphere),
	FUNCTION 1 i8vec_l2_squared_distance(i8vec, i8vec),
	FUNCTION 3 ivf_i8vec_l2_support(internal);

CREATE OPERATOR CLASS i8vec_ip_ops
	FOR TYPE i8vec USING ivfflat AS
	OPERATOR 1 <#> (i8vec, i8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<#>> (i8vec, i8vec_sphere),
	FUNCTION 1 i8vec_negative_inner_product(i8vec, i8vec),
	FUNCTION 3 ivf_i8vec_ip_support(internal);

CREATE OPERATOR CLASS i8vec_cosine_ops
	FOR TYPE i8vec USING ivfflat AS
	OPERATOR 1 <=> (i8vec, i8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<=>> (i8vec, i8vec_sphere),
	FUNCTION 1 i8vec_negative_inner_product(i8vec, i8vec),
	FUNCTION 2 l2_norm(i8vec),
	FUNCTION 3 ivf_i8vec_cosine_support(internal);

CREATE FUNCTION ivf_bit_hamming_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE OPERATOR CLASS bit_hamming_ops
	FOR TYPE bit USING ivfflat AS
	OPERATOR 1 <~> (bit, bit) FOR ORDER BY float_ops,
	FUNCTION 1 hamming_distance(bit, bit),
	FUNCTION 3 ivf_bit_hamming_support(internal);
