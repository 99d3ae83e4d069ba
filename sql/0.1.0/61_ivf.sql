-- Access method ivf: ivfflat with codes, and with lists and probes that need no setting.

CREATE FUNCTION ivfhandler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION ivfhandler(internal) IS 'ivf index access method handler';

CREATE ACCESS METHOD ivf TYPE INDEX HANDLER ivfhandler;
COMMENT ON ACCESS METHOD ivf IS 'ivf index access method';

CREATE OPERATOR CLASS vector_l2_ops
	DEFAULT FOR TYPE vector USING ivf AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <<->> (vector, vsphere),
	FUNCTION 1 vector_l2_squared_distance(vector, vector),
	FUNCTION 3 ivf_vector_l2_support(internal);

CREATE OPERATOR CLASS vector_ip_ops
	FOR TYPE vector USING ivf AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <<#>> (vector, vsphere),
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 3 ivf_vector_ip_support(internal);

CREATE OPERATOR CLASS vector_cosine_ops
	FOR TYPE vector USING ivf AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <<=>> (vector, vsphere),
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 2 vector_norm(vector),
	FUNCTION 3 ivf_vector_cosine_support(internal);

CREATE OPERATOR CLASS halfvec_l2_ops
	DEFAULT FOR TYPE halfvec USING ivf AS
	OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <<->> (halfvec, halfvec_sphere),
	FUNCTION 1 halfvec_l2_squared_distance(halfvec, halfvec),
	FUNCTION 3 ivf_halfvec_l2_support(internal);

CREATE OPERATOR CLASS halfvec_ip_ops
	FOR TYPE halfvec USING ivf AS
	OPERATOR 1 <#> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <<#>> (halfvec, halfvec_sphere),
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 3 ivf_halfvec_ip_support(internal);

CREATE OPERATOR CLASS halfvec_cosine_ops
	FOR TYPE halfvec USING ivf AS
	OPERATOR 1 <=> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <<=>> (halfvec, halfvec_sphere),
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 2 l2_norm(halfvec),
	FUNCTION 3 ivf_halfvec_cosine_support(internal);

CREATE OPERATOR CLASS bf16vec_l2_ops
	DEFAULT FOR TYPE bf16vec USING ivf AS
	OPERATOR 1 <-> (bf16vec, bf16vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<->> (bf16vec, bf16vec_sphere),
	FUNCTION 1 bf16vec_l2_squared_distance(bf16vec, bf16vec),
	FUNCTION 3 ivf_bf16vec_l2_support(internal);

CREATE OPERATOR CLASS bf16vec_ip_ops
	FOR TYPE bf16vec USING ivf AS
	OPERATOR 1 <#> (bf16vec, bf16vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<#>> (bf16vec, bf16vec_sphere),
	FUNCTION 1 bf16vec_negative_inner_product(bf16vec, bf16vec),
	FUNCTION 3 ivf_bf16vec_ip_support(internal);

CREATE OPERATOR CLASS bf16vec_cosine_ops
	FOR TYPE bf16vec USING ivf AS
	OPERATOR 1 <=> (bf16vec, bf16vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<=>> (bf16vec, bf16vec_sphere),
	FUNCTION 1 bf16vec_negative_inner_product(bf16vec, bf16vec),
	FUNCTION 2 l2_norm(bf16vec),
	FUNCTION 3 ivf_bf16vec_cosine_support(internal);

CREATE OPERATOR CLASS i8vec_l2_ops
	DEFAULT FOR TYPE i8vec USING ivf AS
	OPERATOR 1 <-> (i8vec, i8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<->> (i8vec, i8vec_sphere),
	FUNCTION 1 i8vec_l2_squared_distance(i8vec, i8vec),
	FUNCTION 3 ivf_i8vec_l2_support(internal);

CREATE OPERATOR CLASS i8vec_ip_ops
	FOR TYPE i8vec USING ivf AS
	OPERATOR 1 <#> (i8vec, i8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<#>> (i8vec, i8vec_sphere),
	FUNCTION 1 i8vec_negative_inner_product(i8vec, i8vec),
	FUNCTION 3 ivf_i8vec_ip_support(internal);

CREATE OPERATOR CLASS i8vec_cosine_ops
	FOR TYPE i8vec USING ivf AS
	OPERATOR 1 <=> (i8vec, i8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<=>> (i8vec, i8vec_sphere),
	FUNCTION 1 i8vec_negative_inner_product(i8vec, i8vec),
	FUNCTION 2 l2_norm(i8vec),
	FUNCTION 3 ivf_i8vec_cosine_support(internal);

CREATE OPERATOR CLASS bit_hamming_ops
	DEFAULT FOR TYPE bit USING ivf AS
	OPERATOR 1 <~> (bit, bit) FOR ORDER BY float_ops,
	FUNCTION 1 hamming_distance(bit, bit),
	FUNCTION 3 ivf_bit_hamming_support(internal);
