/* MatMul. A 1-D operand is a row (first) or a column (second) whatever the transpose flags say, and its dimension is not in the output. */
#include "ops/matmul.h"
#include "ops/support_work.h"

ovl_status ovl_matmul_resolve(const ovl_matmul_params *p, const ovl_shape *a, const ovl_shape *b, ovl_matmul_geometry *out, ovl_error *err)
{
	ovl_matmul_geometry g = {0};
	int ra = a->rank - 2, rb = b->rank - 2;
	bool ta = p->transpose_a && a->rank > 1, tb = p->transpose_b && b->rank > 1;
	char ta_text[200], tb_text[200];
	ovl_shape batch_a = ovl_shape_of(ra, a->dims), batch_b = ovl_shape_of(rb, b->dims);
	int64_t rows_a, cols_a, rows_b, cols_b, step;
	if (a->rank < 1 || b->rank < 1)
		return ovl_fail(err, OVL_E_SHAPE, "MatMul: a scalar is no operand");
	rows_a = a->rank > 1 ? a->dims[ra] : 1;
	cols_a = a->dims[a->rank - 1];
	rows_b = b->rank > 1 ? b->dims[rb] : b->dims[0];
	cols_b = b->rank > 1 ? b->dims[rb + 1] : 1;
	g.m = ta ? cols_a : rows_a;
	g.k = ta ? rows_a : cols_a;
	g.n = tb ? rows_b : cols_b;
	g.a_row = ta ? 1 : cols_a;
	g.a_col = ta ? cols_a : 1;
	g.b_row = tb ? 1 : cols_b;
	g.b_col = tb ? cols_b : 1;
	if (g.k != (tb ? cols_b : rows_b) || !ovl_shape_broadcast(&batch_a, &batch_b, &g.batch))
		return ovl_fail(err, OVL_E_SHAPE, "MatMul: shapes %s%s and %s%s do not fit", ovl_shape_text(a, ta_text, sizeof ta_text),
			ta ? " (transposed)" : "", ovl_shape_text(b, tb_text, sizeof tb_text), tb ? " (transposed)" : "");
	step = rows_a * cols_a;
	for (int i = ra - 1, o = g.batch.rank - 1; i >= 0; step *= a->dims[i], i--, o--)
		g.batch_a[o] = a->dims[i] == 1 ? 0 : step;
	step = rows_b * cols_b;
	for (int i = rb - 1, o = g.batch.rank - 1; i >= 0; step *= b->dims[i], i--, o--)
		g.batch_b[o] = b->dims[i] == 1 ? 0 : step;
	g.out = g.batch;
	if (a->rank > 1)
		g.out.dims[g.out.rank++] = g.m;
	if (b->rank > 1)
		g.out.dims[g.out.rank++] = g.n;
	*out = g;
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	const ovl_matmul_params *p = in->params;
	const ovl_pshape *a = &in->in_shape[0], *b = &in->in_shape[1];
	ovl_pshape batch_a, batch_b, out = ovl_pshape_any();
	ovl_dim m, k, k_b, n;
	ovl_type type;
	char ta[200], tb[200];
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC));
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	OVL_TRY(ovl_infer_rank(in, 0, 1, OVL_MAX_RANK));
	OVL_TRY(ovl_infer_rank(in, 1, 1, OVL_MAX_RANK));
	if (a->ranked && b->ranked) {
		int ra = a->rank, rb = b->rank;
		batch_a = *a;
		batch_b = *b;
		batch_a.rank = ra > 2 ? ra - 2 : 0;
		batch_b.rank = rb > 2 ? rb - 2 : 0;
		m = ra == 1 ? ovl_dim_of(1) : a->dims[p->transpose_a ? ra - 1 : ra - 2];
		k = a->dims[ra == 1 ? 0 : p->transpose_a ? ra - 2 : ra - 1];
		k_b = b->dims[rb == 1 ? 0 : p->transpose_b ? rb - 1 : rb - 2];
		n = rb == 1 ? ovl_dim_of(1) : b->dims[p->transpose_b ? rb - 2 : rb - 1];
		if (!ovl_dim_merge(k, k_b, &k) || !ovl_pshape_broadcast(&batch_a, &batch_b, &out))
			return ovl_infer_fail(in, OVL_E_SHAPE, "shapes %s%s and %s%s do not fit", ovl_pshape_text(a, ta, sizeof ta),
				p->transpose_a ? " (transposed)" : "", ovl_pshape_text(b, tb, sizeof tb), p->transpose_b ? " (transposed)" : "");
		if (ra > 1)
			out.dims[out.rank++] = m;
		if (rb > 1)
			out.dims[out.rank++] = n;
	}
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

/* out[m, n] += a * b, the inner loop along rows of b. */
#define PRODUCT(TYPE, T)                                                                         \
	static void product_##TYPE(const ovl_matmul_geometry *g, const T *a, const T *b, T *out) \
	{                                                                                        \
		memset(out, 0, (size_t)(g->m * g->n) * sizeof *out);                             \
		for (int64_t i = 0; i < g->m; i++, out += g->n)                                  \
			for (int64_t k = 0; k < g->k; k++) {                                     \
				T x = a[i * g->a_row + k * g->a_col];                            \
				const T *row = b + k * g->n;                                     \
				for (int64_t j = 0; j < g->n; j++)                               \
					out[j] += x * row[j];                                    \
			}                                                                        \
	}                                                                                        \
	static void rows_##TYPE(const ovl_matmul_geometry *g, const T *b, T *to)                 \
	{                                                                                        \
		for (int64_t k = 0; k < g->k; k++)                                               \
			for (int64_t j = 0; j < g->n; j++)                                       \
				*to++ = b[k * g->b_row + j * g->b_col];                          \
	}
OVL_EACH_WORK(PRODUCT)

static ovl_status matmul(ovl_work *w)
{
	ovl_type as = ovl_work_type(w->run->in[0]->type);
	int64_t item = (int64_t)ovl_type_size(as), at[OVL_MAX_RANK] = {0}, a_at = 0, b_at = 0, packed = -1, total;
	ovl_matmul_geometry g;
	const char *a, *b;
	char *y, *rows = NULL;
	OVL_TRY(ovl_matmul_resolve(w->params, ovl_work_shape(w, 0), ovl_work_shape(w, 1), &g, w->err));
	OVL_TRY(ovl_work_read(w, w->run->in[0], as, (const void **)&a));
	OVL_TRY(ovl_work_read(w, w->run->in[1], as, (const void **)&b));
	OVL_TRY(ovl_work_out(w, 0, as, &y));
	total = ovl_shape_elements(&g.batch);
	if (ovl_tensor_count(w->run->out[0]) == 0)
		return OVL_OK;
	if (g.b_col != 1)
		OVL_TRY(ovl_work_take(w, g.k * g.n, (size_t)item, &rows));
	for (int64_t i = 0; i < total; i++, y += g.m * g.n * item) {
		const char *from = b + b_at * item;
		OVL_RUN_CHECK_CANCEL(w->run);
		switch (as) {
#define CASE(TYPE, T)                                                                                                                          \
	case TYPE:                                                                                                                             \
		if (rows && packed != b_at)                                                                                                    \
			rows_##TYPE(&g, (const T *)(const void *)from, (T *)(void *)rows);                                                     \
		product_##TYPE(&g, (const T *)(const void *)(a + a_at * item), (const T *)(const void *)(rows ? rows : from), (T *)(void *)y); \
		break;
			OVL_EACH_WORK(CASE)
#undef CASE
		default:
			break;
		}
		packed = b_at;
		for (int d = g.batch.rank - 1; d >= 0; d--) {
			a_at += g.batch_a[d];
			b_at += g.batch_b[d];
			if (++at[d] < g.batch.dims[d])
				break;
			a_at -= at[d] * g.batch_a[d];
			b_at -= at[d] * g.batch_b[d];
			at[d] = 0;
		}
	}
	return OVL_OK;
}

static ovl_status matmul_run(ovl_run *run) { return ovl_work_run(run, matmul); }

static const ovl_attr attrs[] = {
	OVL_ATTR_BOOL(ovl_matmul_params, transpose_a, "false"),
	OVL_ATTR_BOOL(ovl_matmul_params, transpose_b, "false"),
	OVL_ATTR_END,
};

static const ovl_op matmul_v1 = {
	.name = "MatMul",
	.factory = "matmul",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data_a data_b",
	.params_size = sizeof(ovl_matmul_params),
	.attrs = attrs,
	.infer = infer,
	.run = matmul_run,
};

const ovl_op *const ovl_ops_matmul[] = {&matmul_v1, NULL};
