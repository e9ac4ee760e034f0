/* ScaledDotProductAttention: softmax(query * key^T * scale + mask) * value. */
#include "ops/attention.h"
#include "ops/support_walk.h"
#include "ops/support_work.h"

static bool given(const ovl_infer *in, int i) { return i < in->n_in && (in->in_type[i] != OVL_DYNAMIC || in->in_shape[i].ranked); }

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *q = &in->in_shape[0], *k = &in->in_shape[1], *v = &in->in_shape[2];
	ovl_pshape batch[3], out = ovl_pshape_any();
	ovl_dim same;
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	for (int i = 0; i < 3; i++) {
		OVL_TRY(ovl_infer_rank(in, i, 2, OVL_MAX_RANK));
		OVL_TRY(ovl_infer_merge_types(in, 0, i, &type));
		batch[i] = in->in_shape[i];
		batch[i].rank -= 2;
	}
	if (given(in, 3))
		OVL_TRY(ovl_infer_type_in(in, 3, OVL_MASK_FLOAT | OVL_MASK(OVL_BOOLEAN)));
	if (given(in, 4))
		OVL_TRY(ovl_infer_type_in(in, 4, OVL_MASK_FLOAT));
	if (q->ranked && k->ranked && v->ranked) {
		if (!ovl_pshape_broadcast(&batch[0], &batch[1], &out) || !ovl_pshape_broadcast(&out, &batch[2], &out) ||
			!ovl_dim_merge(q->dims[q->rank - 1], k->dims[k->rank - 1], &same) ||
			!ovl_dim_merge(k->dims[k->rank - 2], v->dims[v->rank - 2], &same))
			return ovl_infer_fail(in, OVL_E_SHAPE, "query, key and value do not fit together");
		out.dims[out.rank++] = q->dims[q->rank - 2];
		out.dims[out.rank++] = v->dims[v->rank - 1];
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

typedef struct sizes {
	ovl_shape batch; /* of the output */
	int64_t l, s, e, v;
	double scale;
	bool causal;
	ovl_type as;
} sizes;

static double dot(ovl_type as, const void *a, const void *b, int64_t n)
{
	double sum = 0;
	if (as == OVL_F32)
		for (int64_t i = 0; i < n; i++)
			sum += (double)((const float *)a)[i] * (double)((const float *)b)[i];
	else
		for (int64_t i = 0; i < n; i++)
			sum += ((const double *)a)[i] * ((const double *)b)[i];
	return sum;
}

static void add_scaled(ovl_type as, const void *row, double by, int64_t n, double *sum)
{
	if (as == OVL_F32)
		for (int64_t i = 0; i < n; i++)
			sum[i] += by * (double)((const float *)row)[i];
	else
		for (int64_t i = 0; i < n; i++)
			sum[i] += by * ((const double *)row)[i];
}

/* One query against all keys. mask: additive or NULL, mask_step: from one key's entry to the next. */
static void attend(
	const sizes *z, int64_t l, const char *q, const char *k, const char *v, const double *mask, int64_t mask_step, double *p, double *out)
{
	size_t item = ovl_type_size(z->as);
	int64_t keys = z->causal && l + 1 < z->s ? l + 1 : z->s;
	double top = -INFINITY, sum = 0;
	for (int64_t s = 0; s < keys; s++) {
		p[s] = dot(z->as, q, k + (size_t)(s * z->e) * item, z->e) * z->scale + (mask ? mask[s * mask_step] : 0);
		top = p[s] > top ? p[s] : top;
	}
	for (int64_t s = 0; s < keys; s++)
		sum += p[s] = top == -INFINITY ? 0 : exp(p[s] - top);
	memset(out, 0, (size_t)z->v * sizeof *out);
	for (int64_t s = 0; s < keys; s++)
		if (p[s] != 0)
			add_scaled(z->as, v + (size_t)(s * z->v) * item, p[s] / sum, z->v, out);
}

/* The mask as numbers to add. */
static ovl_status read_mask(ovl_work *w, const double **out)
{
	const ovl_tensor *t = w->run->in[3];
	double *added;
	if (t->type != OVL_BOOLEAN)
		return ovl_work_f64(w, 3, out);
	OVL_TRY(ovl_work_take(w, ovl_tensor_count(t), sizeof *added, &added));
	for (int64_t i = 0; i < ovl_tensor_count(t); i++)
		added[i] = ((const uint8_t *)t->data)[i] ? 0 : -INFINITY;
	*out = added;
	return OVL_OK;
}

static ovl_status batch_strides(ovl_work *w, const ovl_shape *s, const ovl_shape *batch, int tail, int64_t step, int64_t *out)
{
	ovl_shape own = ovl_shape_of(s->rank - tail, s->dims);
	if (s->rank < tail || !ovl_walk_broadcast(&own, batch, out))
		return ovl_work_fail(w, OVL_E_SHAPE, "an input does not broadcast to the others");
	for (int i = 0; i < batch->rank; i++)
		out[i] *= step;
	return OVL_OK;
}

static ovl_status attention(ovl_work *w)
{
	const ovl_sdpa_params *params = w->params;
	const ovl_shape *qs = ovl_work_shape(w, 0), *ks = ovl_work_shape(w, 1), *vs = ovl_work_shape(w, 2), *os = &w->run->out[0]->shape;
	int64_t strides[4][OVL_MAX_RANK] = {{0}}, mask_row = 0, mask_step = 0;
	const char *q, *k, *v;
	const double *mask = NULL;
	double *y, *p;
	size_t item;
	ovl_walk at;
	sizes z = {.batch = ovl_shape_of(os->rank - 2, os->dims),
		.l = qs->dims[qs->rank - 2],
		.s = ks->dims[ks->rank - 2],
		.e = qs->dims[qs->rank - 1],
		.v = vs->dims[vs->rank - 1],
		.causal = params->causal,
		.as = w->run->in[0]->type == OVL_F64 ? OVL_F64 : OVL_F32};
	if (ks->dims[ks->rank - 1] != z.e || vs->dims[vs->rank - 2] != z.s)
		return ovl_work_fail(w, OVL_E_SHAPE, "query, key and value do not fit together");
	z.scale = z.e > 0 ? 1 / sqrt((double)z.e) : 1;
	if (ovl_work_has(w, 4))
		OVL_TRY(ovl_work_scalar(w, 4, &z.scale));
	item = ovl_type_size(z.as);
	OVL_TRY(ovl_work_read(w, w->run->in[0], z.as, (const void **)&q));
	OVL_TRY(ovl_work_read(w, w->run->in[1], z.as, (const void **)&k));
	OVL_TRY(ovl_work_read(w, w->run->in[2], z.as, (const void **)&v));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(ovl_work_take(w, z.s, sizeof *p, &p));
	OVL_TRY(batch_strides(w, qs, &z.batch, 2, z.l * z.e, strides[0]));
	OVL_TRY(batch_strides(w, ks, &z.batch, 2, z.s * z.e, strides[1]));
	OVL_TRY(batch_strides(w, vs, &z.batch, 2, z.s * z.v, strides[2]));
	if (ovl_work_has(w, 3) && !z.causal) {
		ovl_shape scores = z.batch;
		int64_t all[OVL_MAX_RANK];
		scores.dims[scores.rank++] = z.l;
		scores.dims[scores.rank++] = z.s;
		if (!ovl_walk_broadcast(ovl_work_shape(w, 3), &scores, all))
			return ovl_work_fail(w, OVL_E_SHAPE, "the mask does not broadcast to [batch..., %lld, %lld]", (long long)z.l, (long long)z.s);
		memcpy(strides[3], all, sizeof all);
		mask_row = all[scores.rank - 2];
		mask_step = all[scores.rank - 1];
		OVL_TRY(read_mask(w, &mask));
	}
	if (ovl_tensor_count(w->run->out[0]) == 0)
		return OVL_OK;
	for (ovl_walk_start(&at, &z.batch, 4, (const int64_t *const[]){strides[0], strides[1], strides[2], strides[3]}); !at.done; ovl_walk_next(&at))
		for (int64_t b = 0; b < at.inner; b++)
			for (int64_t l = 0; l < z.l; l++, y += z.v) {
				const double *row = mask ? mask + at.pos[3] + b * at.step[3] + l * mask_row : NULL;
				OVL_RUN_CHECK_CANCEL(w->run);
				attend(&z, l, q + (size_t)(at.pos[0] + b * at.step[0] + l * z.e) * item,
					k + (size_t)(at.pos[1] + b * at.step[1]) * item, v + (size_t)(at.pos[2] + b * at.step[2]) * item, row,
					mask_step, p, y);
			}
	return OVL_OK;
}

static ovl_status attention_run(ovl_run *run) { return ovl_work_run(run, attention); }

static const ovl_attr attrs[] = {OVL_ATTR_BOOL(ovl_sdpa_params, causal, "false"), OVL_ATTR_END};

static const ovl_op sdpa_v13 = {
	.name = "ScaledDotProductAttention",
	.since = 13,
	.min_inputs = 3,
	.max_inputs = 5,
	.outputs = 1,
	.inputs = "query key value attention_mask scale",
	.params_size = sizeof(ovl_sdpa_params),
	.attrs = attrs,
	.infer = infer,
	.run = attention_run,
};

const ovl_op *const ovl_ops_scaled_dot_product_attention[] = {&sdpa_v13, NULL};
