/* Einsum: sums of products over labelled dimensions, e.g. "bij,bjk->bik". Operands are contracted one after the other. */
#include "ops/support_einsum.h"
#include "ops/support_work.h"

static ovl_status infer(ovl_infer *in)
{
	const ovl_einsum_params *p = in->params;
	ovl_dim sizes[OVL_EINSUM_LABELS];
	bool known[OVL_EINSUM_LABELS] = {false};
	int ellipsis = 0;
	ovl_pshape out = ovl_pshape_any();
	ovl_einsum e;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC));
	OVL_TRY(ovl_einsum_parse(p->equation, in->n_in, &e, in->err));
	for (int i = 0; i < in->n_in; i++) {
		const ovl_pshape *s = &in->in_shape[i];
		ovl_type type;
		OVL_TRY(ovl_infer_merge_types(in, 0, i, &type));
		if (!s->ranked) {
			ovl_infer_out(in, 0, in->in_type[0], &out);
			return OVL_OK;
		}
		if (e.in[i].ellipsis >= 0 && s->rank - e.in[i].n > ellipsis)
			ellipsis = s->rank - e.in[i].n;
		OVL_TRY(ovl_einsum_spread(&e.in[i], s->rank - e.in[i].n, in->err));
		for (int k = 0; k < e.in[i].n; k++) {
			int l = e.in[i].labels[k];
			if (!known[l])
				sizes[l] = s->dims[k];
			else if (!ovl_dim_broadcast(sizes[l], s->dims[k], &sizes[l]))
				return ovl_infer_fail(
					in, OVL_E_SHAPE, "dimension %d of operand %d does not agree with the others of its label", k, i);
			known[l] = true;
		}
	}
	if (e.out.ellipsis >= 0)
		OVL_TRY(ovl_einsum_spread(&e.out, ellipsis, in->err));
	if (e.out.n > OVL_MAX_RANK)
		return ovl_infer_fail(in, OVL_E_SHAPE, "the output would have %d dimensions", e.out.n);
	out = ovl_pshape_rank(e.out.n);
	for (int k = 0; k < e.out.n; k++) {
		if (!known[e.out.labels[k]])
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "the output names a label that no operand has");
		for (int j = 0; j < k; j++)
			if (e.out.labels[j] == e.out.labels[k])
				return ovl_infer_fail(in, OVL_E_ARGUMENT, "the output names a label twice");
		out.dims[k] = sizes[e.out.labels[k]];
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* ---- run ---- */

/* An operand, or what came of several: for each label a stride (0: not there, or of size 1). */
typedef struct view {
	const void *data;
	int64_t stride[OVL_EINSUM_LABELS];
	bool has[OVL_EINSUM_LABELS];
} view;

/* Sums a[..] * b[..] over the labels `inner` for each place of `outer`, whose results lie densely one after the other. */
typedef struct nest {
	int n_outer, n_inner;
	int outer[OVL_EINSUM_LABELS], inner[OVL_EINSUM_LABELS];
	int64_t size[OVL_EINSUM_LABELS];
} nest;

static bool step(const nest *z, const int *labels, int n, int64_t *at, const view *a, const view *b, int64_t *pa, int64_t *pb)
{
	for (int d = n - 1; d >= 0; d--) {
		int l = labels[d];
		*pa += a->stride[l];
		*pb += b->stride[l];
		if (++at[d] < z->size[l])
			return true;
		*pa -= at[d] * a->stride[l];
		*pb -= at[d] * b->stride[l];
		at[d] = 0;
	}
	return false;
}

#define CONTRACT(TYPE, T, SUM)                                                                                       \
	static ovl_status contract_##TYPE(ovl_run *run, const nest *z, const view *a, const view *b, T *out)         \
	{                                                                                                            \
		int64_t at[OVL_EINSUM_LABELS] = {0}, pa = 0, pb = 0;                                                            \
		int last = z->n_inner - 1;                                                                           \
		int64_t n = last >= 0 ? z->size[z->inner[last]] : 1, sa = last >= 0 ? a->stride[z->inner[last]] : 0, \
			sb = last >= 0 ? b->stride[z->inner[last]] : 0;                                              \
		do {                                                                                                 \
			int64_t in[OVL_EINSUM_LABELS] = {0}, qa = pa, qb = pb;                                                  \
			SUM sum = 0;                                                                                 \
			OVL_RUN_CHECK_CANCEL(run);                                                                   \
			do {                                                                                         \
				const T *x = (const T *)a->data + qa, *y = (const T *)b->data + qb;                  \
				for (int64_t i = 0; i < n; i++)                                                      \
					sum += (SUM)x[i * sa] * (SUM)y[i * sb];                                      \
			} while (last > 0 && step(z, z->inner, last, in, a, b, &qa, &qb));                           \
			*out++ = (T)sum;                                                                             \
		} while (step(z, z->outer, z->n_outer, at, a, b, &pa, &pb));                                         \
		return OVL_OK;                                                                                       \
	}
CONTRACT(OVL_F32, float, double)
CONTRACT(OVL_F64, double, double)
CONTRACT(OVL_I64, uint64_t, uint64_t)

static ovl_status contract(ovl_work *w, ovl_type as, const nest *z, const view *a, const view *b, void *out)
{
	for (int i = 0; i < z->n_outer; i++)
		if (z->size[z->outer[i]] == 0)
			return OVL_OK;
	for (int i = 0; i < z->n_inner; i++)
		if (z->size[z->inner[i]] == 0) {
			int64_t n = 1;
			for (int k = 0; k < z->n_outer; k++)
				n *= z->size[z->outer[k]];
			memset(out, 0, (size_t)n * ovl_type_size(as));
			return OVL_OK;
		}
	return as == OVL_F32   ? contract_OVL_F32(w->run, z, a, b, out)
	       : as == OVL_F64 ? contract_OVL_F64(w->run, z, a, b, out)
			       : contract_OVL_I64(w->run, z, a, b, out);
}

static ovl_status open_view(ovl_work *w, int i, const ovl_einsum_term *t, ovl_type as, int64_t *size, view *out)
{
	const ovl_shape *s = ovl_work_shape(w, i);
	int64_t strides[OVL_MAX_RANK];
	memset(out, 0, sizeof *out);
	OVL_TRY(ovl_work_read(w, w->run->in[i], as, &out->data));
	ovl_dense_strides(s, strides);
	for (int k = 0; k < t->n; k++) {
		int l = t->labels[k];
		if (size[l] > 1 && s->dims[k] > 1 && size[l] != s->dims[k])
			return ovl_work_fail(w, OVL_E_SHAPE, "dimension %d of operand %d has size %lld, another of its label %lld", k, i,
				(long long)s->dims[k], (long long)size[l]);
		if (size[l] < 0 || size[l] == 1)
			size[l] = s->dims[k];
		out->has[l] = true;
		if (s->dims[k] != 1) /* a label that is there twice walks along the diagonal */
			out->stride[l] += strides[k];
	}
	return OVL_OK;
}

/* Contracts a with b, keeping labels of the output and of operands still to come. */
static ovl_status fold(ovl_work *w, const ovl_einsum *e, int next, ovl_type as, const int64_t *size, const view *a, const view *b, view *out)
{
	bool keep[OVL_EINSUM_LABELS] = {false};
	nest z = {0};
	int64_t n = 1;
	void *data;
	for (int i = next; i < e->n; i++)
		for (int k = 0; k < e->in[i].n; k++)
			keep[e->in[i].labels[k]] = true;
	for (int k = 0; k < e->out.n; k++)
		keep[e->out.labels[k]] = true;
	memcpy(z.size, size, sizeof z.size);
	if (next == e->n) /* the last: in the order of the output */
		for (int k = 0; k < e->out.n; k++)
			z.outer[z.n_outer++] = e->out.labels[k];
	for (int l = 0; l < OVL_EINSUM_LABELS; l++)
		if (a->has[l] || b->has[l]) {
			if (!keep[l])
				z.inner[z.n_inner++] = l;
			else if (next < e->n)
				z.outer[z.n_outer++] = l;
		}
	for (int i = 0; i < z.n_outer; i++)
		if (__builtin_mul_overflow(n, size[z.outer[i]], &n))
			return ovl_work_fail(w, OVL_E_SHAPE, "an intermediate result is too large");
	if (next == e->n)
		OVL_TRY(ovl_work_out(w, 0, as, &data));
	else
		OVL_TRY(ovl_work_take(w, n, ovl_type_size(as), &data));
	OVL_TRY(contract(w, as, &z, a, b, data));
	memset(out, 0, sizeof *out);
	out->data = data;
	n = 1;
	for (int i = z.n_outer - 1; i >= 0; i--) {
		out->has[z.outer[i]] = true;
		out->stride[z.outer[i]] = n;
		n *= size[z.outer[i]];
	}
	return OVL_OK;
}

static ovl_status einsum(ovl_work *w)
{
	static const float one_f = 1;
	static const double one_d = 1;
	static const uint64_t one_i = 1;
	const ovl_einsum_params *p = w->params;
	ovl_type as = ovl_work_type(w->run->in[0]->type);
	int64_t size[OVL_EINSUM_LABELS];
	int ellipsis = 0;
	view *in, result = {.data = as == OVL_F32 ? (const void *)&one_f : as == OVL_F64 ? (const void *)&one_d : (const void *)&one_i};
	ovl_einsum e;
	OVL_TRY(ovl_einsum_parse(p->equation, w->run->n_in, &e, w->err));
	OVL_TRY(ovl_work_take(w, e.n, sizeof *in, &in));
	for (int l = 0; l < OVL_EINSUM_LABELS; l++)
		size[l] = -1;
	for (int i = 0; i < e.n; i++) {
		int dims = ovl_work_shape(w, i)->rank - e.in[i].n;
		ellipsis = e.in[i].ellipsis >= 0 && dims > ellipsis ? dims : ellipsis;
		OVL_TRY(ovl_einsum_spread(&e.in[i], dims, w->err));
		OVL_TRY(open_view(w, i, &e.in[i], as, size, &in[i]));
	}
	if (e.out.ellipsis >= 0)
		OVL_TRY(ovl_einsum_spread(&e.out, ellipsis, w->err));
	if (e.n > 1) {
		result = in[0];
		for (int i = 1; i < e.n; i++) {
			view next;
			OVL_TRY(fold(w, &e, i + 1, as, size, &result, &in[i], &next));
			result = next;
		}
		return OVL_OK;
	}
	return fold(w, &e, 1, as, size, &in[0], &result, &(view){0});
}

static ovl_status einsum_run(ovl_run *run) { return ovl_work_run(run, einsum); }

static const ovl_attr attrs[] = {OVL_ATTR_STRING(ovl_einsum_params, equation, NULL), OVL_ATTR_END};

static const ovl_op einsum_v7 = {
	.name = "Einsum",
	.since = 7,
	.min_inputs = 1,
	.max_inputs = -1,
	.outputs = 1,
	.inputs = "inputs...",
	.params_size = sizeof(ovl_einsum_params),
	.attrs = attrs,
	.infer = infer,
	.run = einsum_run,
};

const ovl_op *const ovl_ops_einsum[] = {&einsum_v7, NULL};
