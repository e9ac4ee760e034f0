/* linear_attention.c - LinearAttention: a matrix of state for each head, which every position's key and value change and its query reads.
 *
 *     S = e^decay S;   S += key (x) rate (value - S^T key)  or  S += key (x) value;   output = scale S^T query
 *
 * query [batch, length, query heads * n], key [batch, length, heads * n], value [batch, length, heads * m], state [batch, heads, n, m];
 * decay [batch, length, heads * n or heads], rate [batch, length, heads or 1], each of which may be left out. Several query heads in a row share one state. */
#include "ops/support_work.h"

#include <math.h>

typedef struct params {
	int64_t q_num_heads, kv_num_heads;
	double scale; /* 0: one over the root of n */
} params;

enum { QUERY, KEY, VALUE, STATE, DECAY, RATE };

static ovl_status part_of(ovl_infer *in, int i, int64_t heads, ovl_dim *part)
{
	ovl_dim d = in->in_shape[i].ranked ? in->in_shape[i].dims[2] : OVL_DIM_ANY;
	OVL_TRY(ovl_infer_rank(in, i, 3, 3));
	*part = OVL_DIM_ANY;
	if (!ovl_dim_static(d))
		return OVL_OK;
	if (d.min % heads)
		return ovl_infer_fail(in, OVL_E_SHAPE, "the last dimension of input %d, %lld, is no multiple of %lld heads", i, (long long)d.min, (long long)heads);
	*part = ovl_dim_of(d.min / heads);
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	ovl_dim n, key, m;
	ovl_pshape out = ovl_pshape_rank(3), state = ovl_pshape_rank(4);
	for (int i = 0; i < in->n_in; i++)
		OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK_FLOAT));
	if (p->kv_num_heads < 1 || p->q_num_heads < 1 || p->q_num_heads % p->kv_num_heads)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "%lld heads of queries for %lld heads", (long long)p->q_num_heads, (long long)p->kv_num_heads);
	OVL_TRY(part_of(in, QUERY, p->q_num_heads, &n));
	OVL_TRY(part_of(in, KEY, p->kv_num_heads, &key));
	OVL_TRY(part_of(in, VALUE, p->kv_num_heads, &m));
	if (!ovl_dim_merge(n, key, &n))
		return ovl_infer_fail(in, OVL_E_SHAPE, "heads of queries and of keys differ in size");
	if (in->in_shape[QUERY].ranked)
		memcpy(out.dims, in->in_shape[QUERY].dims, 2 * sizeof *out.dims);
	if (ovl_dim_static(m) && !__builtin_mul_overflow(m.min, p->q_num_heads, &out.dims[2].min))
		out.dims[2].max = out.dims[2].min;
	state.dims[0] = out.dims[0], state.dims[1] = ovl_dim_of(p->kv_num_heads), state.dims[2] = n, state.dims[3] = m;
	ovl_infer_out(in, 0, in->in_type[QUERY], &out);
	ovl_infer_out(in, 1, in->in_type[STATE], &state);
	return OVL_OK;
}

typedef struct job {
	int64_t batch, length, heads, sharing, n, m, decays, rates; /* decays: numbers per position, 0: none */
	const double *in[6];
	double *out, *state, scale;
} job;

static ovl_status fits(ovl_work *w, int i, const job *j, int64_t last)
{
	const ovl_shape *s = ovl_work_shape(w, i);
	if (s->rank != 3 || s->dims[0] != j->batch || s->dims[1] != j->length || s->dims[2] != last)
		return ovl_work_fail(w, OVL_E_SHAPE, "input %d does not fit the query", i);
	return OVL_OK;
}

static ovl_status gates(ovl_work *w, job *j)
{
	if (ovl_work_has(w, DECAY)) {
		j->decays = ovl_work_shape(w, DECAY)->dims[2] == j->heads * j->n ? j->heads * j->n : j->heads;
		OVL_TRY(fits(w, DECAY, j, j->decays));
	}
	if (ovl_work_has(w, RATE)) {
		j->rates = ovl_work_shape(w, RATE)->dims[2] == 1 ? 1 : j->heads;
		OVL_TRY(fits(w, RATE, j, j->rates));
	}
	return OVL_OK;
}

static void change(const job *j, int64_t at, int64_t h, double *s, double *v)
{
	const double *k = j->in[KEY] + (at * j->heads + h) * j->n;
	double rate = j->rates ? j->in[RATE][at * j->rates + (j->rates > 1 ? h : 0)] : 1;
	memcpy(v, j->in[VALUE] + (at * j->heads + h) * j->m, (size_t)j->m * sizeof *v);
	for (int64_t a = 0; a < j->n; a++) {
		double keep = !j->decays ? 1 : exp(j->in[DECAY][at * j->decays + (j->decays == j->heads ? h : h * j->n + a)]);
		for (int64_t b = 0; b < j->m; b++) {
			s[a * j->m + b] *= keep;
			v[b] -= j->rates ? k[a] * s[a * j->m + b] : 0;
		}
	}
	for (int64_t a = 0; a < j->n; a++)
		for (int64_t b = 0; b < j->m; b++)
			s[a * j->m + b] += rate * k[a] * v[b];
}

static void read_state(const job *j, int64_t at, int64_t h, const double *s)
{
	for (int64_t q = h * j->sharing; q < (h + 1) * j->sharing; q++) {
		const double *query = j->in[QUERY] + (at * j->heads * j->sharing + q) * j->n;
		double *y = j->out + (at * j->heads * j->sharing + q) * j->m;
		memset(y, 0, (size_t)j->m * sizeof *y);
		for (int64_t a = 0; a < j->n; a++)
			for (int64_t b = 0; b < j->m; b++)
				y[b] += j->scale * query[a] * s[a * j->m + b];
	}
}

static ovl_status attend(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *q = ovl_work_shape(w, QUERY);
	job j = {.batch = q->dims[0], .length = q->dims[1], .heads = p->kv_num_heads, .sharing = p->q_num_heads / p->kv_num_heads, .n = q->dims[2] / p->q_num_heads};
	double *v;
	j.m = ovl_work_shape(w, VALUE)->dims[2] / p->kv_num_heads;
	j.scale = p->scale != 0 ? p->scale : 1 / sqrt((double)j.n);
	OVL_TRY(fits(w, KEY, &j, j.heads * j.n));
	OVL_TRY(fits(w, VALUE, &j, j.heads * j.m));
	OVL_TRY(gates(w, &j));
	for (int i = 0; i < 6; i++)
		if (ovl_work_has(w, i))
			OVL_TRY(ovl_work_f64(w, i, &j.in[i]));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &j.out));
	OVL_TRY(ovl_work_out(w, 1, OVL_F64, &j.state));
	OVL_TRY(ovl_work_take(w, j.m, sizeof *v, &v));
	if (ovl_tensor_count(w->run->in[STATE]) != ovl_tensor_count(w->run->out[1]))
		return ovl_work_fail(w, OVL_E_SHAPE, "input %d is no state of these heads", STATE);
	memcpy(j.state, j.in[STATE], (size_t)ovl_tensor_count(w->run->out[1]) * sizeof *j.state);
	for (int64_t b = 0; b < j.batch; b++)
		for (int64_t t = 0; t < j.length; t++)
			for (int64_t h = 0; h < j.heads; h++) {
				double *s = j.state + (b * j.heads + h) * j.n * j.m;
				OVL_RUN_CHECK_CANCEL(w->run);
				change(&j, b * j.length + t, h, s, v);
				read_state(&j, b * j.length + t, h, s);
			}
	return OVL_OK;
}

static ovl_status run(ovl_run *run) { return ovl_work_run(run, attend); }

static const ovl_attr attrs[] = {
	OVL_ATTR_INT(params, q_num_heads, NULL),
	OVL_ATTR_INT(params, kv_num_heads, NULL),
	OVL_ATTR_DOUBLE(params, scale, "0"),
	OVL_ATTR_END,
};

static const ovl_op linear_attention = {.name = "LinearAttention", .since = 1, .min_inputs = 4, .max_inputs = 6, .outputs = 2,
	.inputs = "query key value state decay rate", .flags = OVL_OP_NO_BUILDER, .params_size = sizeof(params), .attrs = attrs, .infer = infer, .run = run};

const ovl_op *const ovl_ops_linear_attention[] = {&linear_attention, NULL};
