/* pad.c - Pad of any type, dense or channels-last: for each dimension a table tells which input position an output position comes from; rows are copied whole. */
#include "ops/pad.h"
#include "base/memory.h"
#include "kernels/kernel.h"

typedef struct state {
	int rank; /* dimensions in the order of the output's memory, the contiguous one last */
	int64_t size;
	int64_t dims[OVL_MAX_RANK], from[OVL_MAX_RANK], to[OVL_MAX_RANK]; /* of the output; strides */
	int64_t *map[OVL_MAX_RANK]; /* input position, -1: the pad value */
	int64_t kept, kept_at, kept_from; /* along the last dimension: a run that is copied as it is */
	int value; /* the input with the pad value; -1: zeros */
	int64_t rows;
	int64_t tables[];
} state;

static bool begins_of(const ovl_problem *p, int64_t *begin)
{
	const ovl_desc *b = &p->in[1];
	if (!p->in_data[1] || ovl_desc_count(b) != p->in[0].rank || (b->type != OVL_I64 && b->type != OVL_I32))
		return false;
	for (int i = 0; i < p->in[0].rank; i++)
		begin[i] = b->type == OVL_I64 ? ((const int64_t *)p->in_data[1])[i] : ((const int32_t *)p->in_data[1])[i];
	return true;
}

/* The element that stands at `at` (0: the first of the data); -1: the pad value, -2: out of reach. */
static int64_t source(int mode, int64_t at, int64_t size)
{
	if (at >= 0 && at < size)
		return at;
	if (mode == OVL_PAD_CONSTANT)
		return -1;
	if (mode == OVL_PAD_EDGE)
		at = at < 0 ? 0 : size - 1;
	else if (mode == OVL_PAD_REFLECT)
		at = at < 0 ? -at : 2 * (size - 1) - at;
	else
		at = at < 0 ? -at - 1 : 2 * size - 1 - at;
	return at >= 0 && at < size ? at : -2;
}

static bool reachable(const ovl_problem *p, const int64_t *begin)
{
	int mode = ((const ovl_pad_params *)p->params)->pad_mode;
	for (int d = 0; d < p->in[0].rank; d++) {
		int64_t last = p->out[0].dims[d] - 1 - begin[d];
		if (begin[d] < -p->in[0].dims[d] || begin[d] > p->out[0].dims[d])
			return false;
		if (source(mode, -begin[d], p->in[0].dims[d]) == -2 || source(mode, last, p->in[0].dims[d]) == -2)
			return false;
	}
	return true;
}

static const char *accept(ovl_problem *p)
{
	const ovl_desc *d = &p->in[0];
	int64_t begin[OVL_MAX_RANK], ld;
	if (p->n_posts)
		return "posts";
	if (!ovl_type_size(d->type) || d->type == OVL_STRING || d->type != p->out[0].type || d->rank < 1 || d->rank != p->out[0].rank)
		return "string or packed type";
	if (!begins_of(p, begin))
		return "pads are not known";
	if (!ovl_desc_count(&p->out[0]) || !ovl_desc_count(d) || !reachable(p, begin))
		return "nothing to copy, or pads out of reach";
	if (p->n_op_in > 3 && (ovl_desc_count(&p->in[3]) != 1 || p->in[3].type != d->type))
		return "the pad value is no scalar";
	p->in_form[0] = !ovl_desc_is_dense(d) && ovl_desc_is_cl(d, &ld) ? OVL_FORM_CL : OVL_FORM_DENSE;
	p->out_form[0] = OVL_FORM_LIKE;
	p->in_packed[1] = true;
	p->in_packed[2] = p->in_data[2] != NULL;
	return NULL;
}

static void order_dims(const ovl_desc *o, int *order)
{
	for (int i = 0; i < o->rank; i++) {
		int k = i;
		for (; k > 0 && o->dims[i] != 1 && o->strides[order[k - 1]] < o->strides[i] && o->dims[order[k - 1]] != 1; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
}

/* The contiguous dimension goes last; dimensions of size 1 have meaningless strides and stay where they are otherwise. */
static void last_contiguous(const ovl_desc *o, const ovl_desc *d, int *order)
{
	for (int i = o->rank - 1; i >= 0; i--) {
		int a = order[i];
		if (o->strides[a] == 1 && o->dims[a] != 1 && (d->dims[a] == 1 || d->strides[a] == 1)) {
			memmove(&order[i], &order[i + 1], (size_t)(o->rank - 1 - i) * sizeof *order);
			order[o->rank - 1] = a;
			return;
		}
	}
}

static void find_kept(state *s, int64_t begin, int64_t in)
{
	int64_t n = s->dims[s->rank - 1];
	s->kept_at = begin > 0 ? begin : 0;
	s->kept_from = begin > 0 ? 0 : -begin;
	s->kept = in - s->kept_from < n - s->kept_at ? in - s->kept_from : n - s->kept_at;
	if (s->kept < 0 || s->kept_at >= n)
		s->kept = 0;
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	const ovl_desc *d = &p->in[0], *o = &p->out[0];
	int mode = ((const ovl_pad_params *)p->params)->pad_mode, order[OVL_MAX_RANK];
	int64_t begin[OVL_MAX_RANK], entries = 0, *table;
	state *s;
	for (int i = 0; i < o->rank; i++)
		entries += o->dims[i];
	s = ovl_calloc(1, sizeof *s + (size_t)entries * sizeof *s->tables);
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a padding");
	if (!begins_of(p, begin)) {
		ovl_free(s);
		return ovl_fail(err, OVL_E_INTERNAL, "Pad was prepared with values it did not accept");
	}
	order_dims(o, order);
	last_contiguous(o, d, order);
	table = s->tables;
	s->rank = o->rank;
	s->size = (int64_t)ovl_type_size(o->type);
	s->value = mode == OVL_PAD_CONSTANT && p->n_op_in > 3 ? 3 : -1;
	s->rows = 1;
	for (int i = 0; i < s->rank; i++) {
		int a = order[i];
		s->dims[i] = o->dims[a];
		s->to[i] = o->strides[a];
		s->from[i] = d->strides[a];
		s->map[i] = table;
		for (int64_t k = 0; k < o->dims[a]; k++)
			*table++ = source(mode, k - begin[a], d->dims[a]);
		if (i + 1 < s->rank)
			s->rows *= o->dims[a];
	}
	if ((s->to[s->rank - 1] == 1 || s->dims[s->rank - 1] == 1) && (s->from[s->rank - 1] == 1 || d->dims[order[s->rank - 1]] == 1))
		find_kept(s, begin[order[s->rank - 1]], d->dims[order[s->rank - 1]]);
	out->state = s;
	return OVL_OK;
}

static void fill(const state *s, char *to, int64_t step, int64_t n, const void *value)
{
	if (!value && step == 1) {
		memset(to, 0, (size_t)(n * s->size));
		return;
	}
	for (int64_t i = 0; i < n; i++)
		if (value)
			memcpy(to + i * step * s->size, value, (size_t)s->size);
		else
			memset(to + i * step * s->size, 0, (size_t)s->size);
}

static void border(const state *s, char *to, const char *from, int64_t first, int64_t last, const void *value)
{
	int d = s->rank - 1;
	for (int64_t i = first; i < last; i++) {
		int64_t k = s->map[d][i];
		if (k < 0)
			fill(s, to + i * s->to[d] * s->size, 1, 1, value);
		else
			memcpy(to + i * s->to[d] * s->size, from + k * s->from[d] * s->size, (size_t)s->size);
	}
}

static void pad_row(const state *s, const ovl_call *call, int64_t row)
{
	int d = s->rank - 1;
	const void *value = s->value >= 0 ? call->in[s->value] : NULL;
	const char *from = call->in[0];
	char *to = call->out[0];
	bool inside = true;
	for (int i = d - 1; i >= 0; i--) {
		int64_t k = row % s->dims[i], at = s->map[i][k];
		row /= s->dims[i];
		to += k * s->to[i] * s->size;
		from += (at < 0 ? 0 : at) * s->from[i] * s->size;
		inside = inside && at >= 0;
	}
	if (!inside) {
		fill(s, to, s->to[d], s->dims[d], value);
		return;
	}
	border(s, to, from, 0, s->kept_at, value);
	memcpy(to + s->kept_at * s->size, from + s->kept_from * s->size, (size_t)(s->kept * s->size));
	border(s, to, from, s->kept_at + s->kept, s->dims[d], value);
}

typedef struct job {
	const state *s;
	const ovl_call *call;
	int64_t chunk;
} job;

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	int64_t last = (chunk + 1) * j->chunk;
	(void)worker;
	for (int64_t r = chunk * j->chunk; r < last && r < j->s->rows; r++)
		pad_row(j->s, j->call, r);
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	job j = {s, call, ovl_pool_chunk(call->pool, s->rows, 1 + 65536 / (s->dims[s->rank - 1] * s->size + 64))};
	ovl_pool_run(call->pool, (s->rows + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel pad = {.name = "pad", .ops = "Pad", .isa = OVL_ISA_SCALAR, .accept = accept, .prepare = prepare, .run = run};
const ovl_kernel *const ovl_kernels_pad[] = {&pad, NULL};
