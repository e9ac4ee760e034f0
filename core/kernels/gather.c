/* gather.c - Gather of any type by rows, on several threads. Indices are checked before anything is copied. */
#include "base/memory.h"
#include "kernels/kernel.h"

typedef struct state {
	ovl_type index_type;
	int64_t size; /* of an element, bytes */
	int64_t batch, outer, axis, inner, picks; /* data is [batch, outer, axis, inner], indices [batch, picks] */
} state;

static int64_t product(const ovl_desc *d, int from, int to)
{
	int64_t n = 1;
	for (int i = from; i < to; i++)
		n *= d->dims[i];
	return n;
}

/* batch_dims follows from the ranks: the result has those of data and indices but for the axis and the batch dimensions, which are there once. */
static bool measure(const ovl_problem *p, state *s)
{
	const ovl_desc *data = &p->in[0], *indices = &p->in[1], *at = &p->in[2];
	int64_t batch = data->rank + indices->rank - 1 - p->out[0].rank, axis;
	if (!p->in_data[2] || ovl_desc_count(at) != 1 || (at->type != OVL_I64 && at->type != OVL_I32))
		return false;
	axis = at->type == OVL_I64 ? *(const int64_t *)p->in_data[2] : *(const int32_t *)p->in_data[2];
	axis += axis < 0 ? data->rank : 0;
	if (batch < 0 || batch > indices->rank || axis < batch || axis >= data->rank)
		return false;
	*s = (state){indices->type, (int64_t)ovl_type_size(data->type), product(data, 0, (int)batch), product(data, (int)batch, (int)axis), data->dims[axis],
		product(data, (int)axis + 1, data->rank), product(indices, (int)batch, indices->rank)};
	return s->batch == product(indices, 0, (int)batch) && s->batch * s->outer * s->picks * s->inner == ovl_desc_count(&p->out[0]);
}

static const char *accept(ovl_problem *p)
{
	state s;
	if (p->n_posts || p->n_op_in != 3)
		return "posts";
	if (!ovl_type_size(p->in[0].type) || p->in[0].type == OVL_STRING || p->in[0].type != p->out[0].type)
		return "string or packed type";
	if (p->in[1].type != OVL_I32 && p->in[1].type != OVL_I64)
		return "indices are neither i32 nor i64";
	if (!measure(p, &s))
		return "axis is not known";
	p->in_packed[2] = true;
	return NULL;
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	state *s = ovl_alloc(sizeof *s);
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a gather");
	if (!measure(p, s) || !ovl_desc_is_dense(&p->in[0]) || !ovl_desc_is_dense(&p->in[1]) || !ovl_desc_is_dense(&p->out[0])) {
		ovl_free(s);
		return ovl_fail(err, OVL_E_INTERNAL, "Gather was prepared with values it did not accept");
	}
	out->state = s;
	return OVL_OK;
}

static int64_t index_at(const state *s, const void *indices, int64_t i)
{
	int64_t k = s->index_type == OVL_I64 ? ((const int64_t *)indices)[i] : ((const int32_t *)indices)[i];
	return k < 0 ? k + s->axis : k;
}

typedef struct job {
	const state *s;
	const ovl_call *call;
	int64_t chunk, rows;
} job;

#define ELEMENTS(T)                                                                                                                        \
	for (int64_t i = 0; i < n; i++)                                                                                                    \
		((T *)to)[i] = ((const T *)from)[index_at(s, indices, first + i)];                                                         \
	return;

/* inner is one element: no calls in the loop. */
static void pick_elements(const state *s, void *to, const void *from, const void *indices, int64_t first, int64_t n)
{
	switch (s->size) {
	case 1: ELEMENTS(uint8_t)
	case 2: ELEMENTS(uint16_t)
	case 4: ELEMENTS(uint32_t)
	default: ELEMENTS(uint64_t)
	}
}

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	const state *s = j->s;
	const char *data = j->call->in[0];
	char *out = j->call->out[0];
	int64_t bytes = s->inner * s->size, last = (chunk + 1) * j->chunk;
	(void)worker;
	last = last < j->rows ? last : j->rows;
	for (int64_t r = chunk * j->chunk; r < last;) {
		int64_t pick = r % s->picks, plane = r / s->picks, first = plane / s->outer * s->picks + pick;
		int64_t n = s->picks - pick < last - r ? s->picks - pick : last - r;
		const char *from = data + plane * s->axis * bytes;
		if (s->inner == 1)
			pick_elements(s, out + r * bytes, from, j->call->in[1], first, n);
		else
			for (int64_t i = 0; i < n; i++)
				memcpy(out + (r + i) * bytes, from + index_at(s, j->call->in[1], first + i) * bytes, (size_t)bytes);
		r += n;
	}
}

static ovl_status check(const state *s, const ovl_call *call)
{
	for (int64_t i = 0, n = s->batch * s->picks; i < n; i++) {
		int64_t k = index_at(s, call->in[1], i);
		if (k < 0 || k >= s->axis)
			return ovl_fail(call->err, OVL_E_ARGUMENT, "Gather: index %lld (element %lld of the indices) is outside of a dimension of size %lld",
				(long long)(s->index_type == OVL_I64 ? ((const int64_t *)call->in[1])[i] : ((const int32_t *)call->in[1])[i]), (long long)i, (long long)s->axis);
	}
	return OVL_OK;
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	int64_t rows = s->batch * s->outer * s->picks;
	job j = {s, call, 1, rows};
	if (rows == 0)
		return OVL_OK;
	OVL_TRY(check(s, call));
	if (s->inner == 0)
		return OVL_OK;
	j.chunk = ovl_pool_chunk(call->pool, rows, 1 + 65536 / (s->inner * s->size + 16));
	ovl_pool_run(call->pool, (rows + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel gather = {.name = "gather", .ops = "Gather", .isa = OVL_ISA_SCALAR, .accept = accept, .prepare = prepare, .run = run};
const ovl_kernel *const ovl_kernels_gather[] = {&gather, NULL};
