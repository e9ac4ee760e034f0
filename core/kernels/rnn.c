/* rnn.c - LSTM, GRU and plain recurrent cells and sequences.
 *
 * First the input's share of all gates of all steps is made by one product. Then step by step: the state's share, and the functions of the gates
 * while their sums are hot. Gates of a vector of units lie side by side ([block][gate][vl]), so that a chunk of a step is some units from product
 * to new state; the state has two buffers, since other chunks still read the old one. */
#include "kernels/rnn.h"
#include "base/memory.h"
#include "kernels/packs.h"
#include <stdio.h>
#include <string.h>

typedef struct rnn_state {
	const ovl_rnn_isa *isa;
	ovl_rnn_cell cell;
	ovl_rnn_params params;         /* numbers only */
	int x, h, c, lengths, w, r, b; /* inputs; -1: none */
	bool two_parts;                /* a GRU that resets before the product */
	int64_t batch, time, input, hidden, directions, gates;
	int64_t blocks, columns, ld;     /* of units; of all gates; distance of states */
	int64_t first_gates;             /* gates in the product of a step's first part */
	ovl_buffer *w_packed, *r_packed; /* per direction */
	int64_t w_size, r_size;          /* floats of one direction */
	float *x_bias, *h_bias;          /* per direction: [columns] */
	ovl_type length_type;
	int64_t rows_chunks, vec_chunks, unit_chunks;
	int64_t x_floats, p_floats, s_floats; /* sums from the input, sums from the state, one set of states */
} rnn_state;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static void find_inputs(rnn_state *s)
{
	int i = 2;
	s->x = 0;
	s->h = 1;
	s->c = s->cell.kind == OVL_RNN_LSTM ? i++ : -1;
	s->lengths = s->cell.sequence ? i++ : -1;
	s->w = i++;
	s->r = i++;
	s->b = i++;
}

static bool present(const ovl_problem *p, int i) { return i >= 0 && i < p->n_op_in && p->in[i].type != OVL_DYNAMIC; }

static const char *usual_functions(const ovl_rnn_cell *c)
{
	static const ovl_rnn_function lstm[] = {OVL_FN_SIGMOID, OVL_FN_TANH, OVL_FN_TANH};
	if (c->kind == OVL_RNN_PLAIN)
		return c->activations[0].fn == OVL_FN_TANH || c->activations[0].fn == OVL_FN_SIGMOID || c->activations[0].fn == OVL_FN_RELU
			       ? NULL
			       : "unusual activation";
	for (int i = 0; i < (c->kind == OVL_RNN_LSTM ? 3 : 2); i++)
		if (c->activations[i].fn != lstm[i])
			return "unusual activation";
	return NULL;
}

static const char *look(const ovl_problem *p, rnn_state *s)
{
	const ovl_rnn_params *params = p->params;
	const ovl_desc *x = &p->in[0];
	const char *why;
	ovl_error err;
	if (ovl_rnn_resolve(p->op, params, &s->cell, &err) != OVL_OK)
		return "unknown attributes";
	s->params = (ovl_rnn_params){
		.hidden_size = params->hidden_size, .direction = params->direction, .linear_before_reset = params->linear_before_reset};
	find_inputs(s);
	if (params->clip > 0 || params->input_forget)
		return "gates are clipped or coupled";
	if ((why = usual_functions(&s->cell)))
		return why;
	for (int i = 0; i < p->n_op_in; i++)
		if (i != s->lengths && p->in[i].type != OVL_F32 && p->in[i].type != OVL_DYNAMIC)
			return "not f32";
	for (int i = s->b + 1; i < p->n_op_in; i++)
		if (present(p, i))
			return "peepholes";
	if (!present(p, s->w) || !present(p, s->r) || !p->in_data[s->w] || !p->in_data[s->r] || (present(p, s->b) && !p->in_data[s->b]))
		return "weights are not constant";
	if (x->rank != (s->cell.sequence ? 3 : 2))
		return "rank";
	s->batch = x->dims[0];
	s->time = s->cell.sequence ? x->dims[1] : 1;
	s->input = x->dims[x->rank - 1];
	s->hidden = params->hidden_size;
	s->directions = s->cell.directions;
	s->gates = s->cell.gates;
	if (!s->batch || !s->time || !s->input || !s->hidden)
		return "empty";
	if (s->lengths >= 0 && p->in[s->lengths].type != OVL_I64 && p->in[s->lengths].type != OVL_I32)
		return "lengths are neither i64 nor i32";
	if (ovl_desc_count(&p->in[s->w]) != s->directions * s->gates * s->hidden * s->input ||
		ovl_desc_count(&p->in[s->r]) != s->directions * s->gates * s->hidden * s->hidden ||
		(present(p, s->b) && ovl_desc_count(&p->in[s->b]) != s->directions * s->cell.biases * s->hidden) ||
		ovl_desc_count(&p->in[s->h]) != s->batch * s->directions * s->hidden ||
		(s->c >= 0 && ovl_desc_count(&p->in[s->c]) != s->batch * s->directions * s->hidden) ||
		(s->lengths >= 0 && ovl_desc_count(&p->in[s->lengths]) != s->batch))
		return "shapes do not fit together";
	return NULL;
}

const char *ovl_rnn_accept(ovl_problem *p)
{
	rnn_state s = {0};
	const char *why = look(p, &s);
	if (why)
		return why;
	if (p->n_posts)
		return "posts behind a recurrent layer";
	p->in_packed[s.w] = p->in_packed[s.r] = true;
	if (present(p, s.b))
		p->in_packed[s.b] = true;
	return NULL;
}

/* ---- prepare ---- */

/* The row block of W and R that holds gate g in our order: f i c o, z r h. */
static int64_t gate_row(const rnn_state *s, int64_t g) { return s->cell.kind == OVL_RNN_LSTM ? s->cell.order[g] : g; }

typedef struct fill_args {
	const rnn_state *s;
	const float *from;
	int64_t k;
} fill_args;

/* Gates [first, first + n) of one direction: panels [block][gate]. */
static void fill_gates(const rnn_state *s, float *to, const float *from, int64_t k, int64_t first, int64_t n)
{
	int64_t vl = s->isa->gemm->vl;
	for (int64_t j = 0; j < s->blocks; j++)
		for (int64_t g = first; g < first + n; g++, to += k * vl)
			s->isa->gemm->pack(to, from + (gate_row(s, g) * s->hidden + j * vl) * k, k, least(vl, s->hidden - j * vl), 1, k, 0, 1);
}

static void fill_w(void *dst, void *arg)
{
	const fill_args *a = arg;
	for (int64_t d = 0; d < a->s->directions; d++)
		fill_gates(a->s, (float *)dst + d * a->s->w_size, a->from + d * a->s->gates * a->s->hidden * a->k, a->k, 0, a->s->gates);
}

/* Two parts: the gates z r, then h. */
static void fill_r(void *dst, void *arg)
{
	const fill_args *a = arg;
	const rnn_state *s = a->s;
	for (int64_t d = 0; d < s->directions; d++) {
		const float *from = a->from + d * s->gates * s->hidden * a->k;
		float *to = (float *)dst + d * s->r_size;
		fill_gates(s, to, from, a->k, 0, s->first_gates);
		if (s->two_parts)
			fill_gates(s, to + 2 * s->blocks * a->k * s->isa->gemm->vl, from, a->k, 2, 1);
	}
}

static ovl_status pack_weights(rnn_state *s, const ovl_problem *p, ovl_error *err)
{
	fill_args w = {s, p->in_data[s->w], s->input}, r = {s, p->in_data[s->r], s->hidden};
	char tag[128];
	size_t w_bytes, r_bytes;
	if (!ovl_mul_ok((size_t)(s->directions * s->columns) * sizeof(float), (size_t)s->input, &w_bytes) ||
		!ovl_mul_ok((size_t)(s->directions * s->columns) * sizeof(float), (size_t)s->hidden, &r_bytes))
		return ovl_fail(err, OVL_E_MEMORY, "the weights are too large");
	snprintf(tag, sizeof tag, "rnn%d vl%d h%lld i%lld d%lld o%d%d%d%d %d", (int)s->cell.kind, s->isa->gemm->vl, (long long)s->hidden,
		(long long)s->input, (long long)s->directions, s->cell.order[0], s->cell.order[1], s->cell.order[2], s->cell.order[3], s->two_parts);
	OVL_TRY(ovl_packs_get(p->packs, w.from, tag, w_bytes, fill_w, &w, &s->w_packed, err));
	tag[0] = 'R';
	return ovl_packs_get(p->packs, r.from, tag, r_bytes, fill_r, &r, &s->r_packed, err);
}

static ovl_status set_biases(rnn_state *s, const ovl_problem *p, ovl_error *err)
{
	int64_t vl = s->isa->gemm->vl, n = s->directions * s->columns;
	s->x_bias = ovl_calloc((size_t)n * 2, sizeof *s->x_bias);
	if (!s->x_bias)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for biases");
	s->h_bias = s->x_bias + n;
	if (!present(p, s->b))
		return OVL_OK;
	for (int64_t d = 0; d < s->directions; d++) {
		const float *from = (const float *)p->in_data[s->b] + d * s->cell.biases * s->hidden;
		for (int64_t u = 0; u < s->hidden; u++)
			for (int64_t g = 0; g < s->cell.biases; g++) {
				bool second = g == s->gates; /* of the state's share of h */
				int64_t at = d * s->columns + (u / vl * s->gates + (second ? 2 : g)) * vl + u % vl;
				(second ? s->h_bias : s->x_bias)[at] = from[(second ? g : gate_row(s, g)) * s->hidden + u];
			}
	}
	return OVL_OK;
}

static void set_chunks(rnn_state *s, int threads)
{
	double first = 2.0 * (double)(s->batch * s->time * s->columns) * (double)s->input,
	       step = 2.0 * (double)(s->batch * s->columns) * (double)s->hidden;
	int64_t want = threads <= 1 ? 1 : most(1, least((int64_t)(first / 2e5), 4 * (int64_t)threads)),
		tiles = ovl_gemm_tiles(s->batch * s->time, s->isa->gemm->mr);
	s->rows_chunks = least(want, tiles);
	s->vec_chunks = least((want + s->rows_chunks - 1) / s->rows_chunks, s->blocks);
	s->unit_chunks = threads <= 1 ? 1 : most(1, least(least((int64_t)(step / 5e4), 2 * (int64_t)threads / s->directions), s->blocks));
}

static ovl_status set_up(rnn_state *s, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	static const char *const names[] = {"rnn", "gru", "lstm"};
	int64_t vl = s->isa->gemm->vl, total;
	s->two_parts = s->cell.kind == OVL_RNN_GRU && !s->params.linear_before_reset;
	s->first_gates = s->two_parts ? 2 : s->gates;
	s->blocks = (s->hidden + vl - 1) / vl;
	s->columns = s->blocks * s->gates * vl;
	s->ld = s->blocks * vl;
	s->w_size = s->columns * s->input;
	s->r_size = s->columns * s->hidden;
	s->length_type = s->lengths >= 0 ? p->in[s->lengths].type : OVL_I64;
	set_chunks(s, p->threads);
	OVL_TRY(pack_weights(s, p, err));
	OVL_TRY(set_biases(s, p, err));
	s->x_floats = s->directions * s->batch * s->time * s->columns;
	s->p_floats = s->directions * s->batch * s->columns;
	s->s_floats = s->directions * s->batch * s->ld;
	if (__builtin_mul_overflow(s->directions * s->batch * s->time, s->columns, &s->x_floats) ||
		__builtin_add_overflow(s->x_floats, s->p_floats + 4 * s->s_floats, &total) || total > INT64_MAX / 8)
		return ovl_fail(err, OVL_E_MEMORY, "the scratch memory is too large");
	out->scratch = (size_t)total * sizeof(float);
	snprintf(out->detail, sizeof out->detail, "%s %lldx%lld->%lld", names[s->cell.kind], (long long)s->time, (long long)s->input,
		(long long)s->hidden);
	return OVL_OK;
}

ovl_status ovl_rnn_prepare(const ovl_rnn_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	rnn_state *s = ovl_calloc(1, sizeof *s);
	ovl_status status;
	const char *why;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a recurrent layer");
	s->isa = isa;
	why = look(p, s);
	status = why ? ovl_fail(err, OVL_E_INTERNAL, "recurrent layer: %s", why) : set_up(s, p, out, err);
	if (status != OVL_OK)
		ovl_rnn_release(s);
	else
		out->state = s;
	return status;
}

void ovl_rnn_release(void *state)
{
	rnn_state *s = state;
	if (!s)
		return;
	ovl_buffer_release(s->w_packed);
	ovl_buffer_release(s->r_packed);
	ovl_free(s->x_bias);
	ovl_free(s);
}

/* ---- run ---- */

typedef struct rnn_job {
	const rnn_state *s;
	const ovl_call *call;
	float *x_sums, *h_sums, *state[2], *cell, *reset; /* [direction][...] */
	int64_t step;
	int turn; /* which of the states is the old one */
	bool second_part;
} rnn_job;

static bool cancelled(const ovl_call *call) { return call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED); }

static int64_t length_of(const rnn_job *job, int64_t b)
{
	const rnn_state *s = job->s;
	const void *at = s->lengths < 0 ? NULL : job->call->in[s->lengths];
	return !at ? s->time : s->length_type == OVL_I32 ? ((const int32_t *)at)[b] : ((const int64_t *)at)[b];
}

static void input_chunk(void *arg, int64_t chunk, int worker)
{
	const rnn_job *job = arg;
	const rnn_state *s = job->s;
	const ovl_gemm_isa *isa = s->isa->gemm;
	int64_t m = chunk % s->rows_chunks, n = chunk / s->rows_chunks % s->vec_chunks, d = chunk / (s->rows_chunks * s->vec_chunks),
		rows = s->batch * s->time;
	int64_t first = ovl_gemm_tile_at(rows, s->rows_chunks, m), last = ovl_gemm_tile_at(rows, s->rows_chunks, m + 1);
	int64_t block = ovl_gemm_tile_at(s->blocks, s->vec_chunks, n), end = ovl_gemm_tile_at(s->blocks, s->vec_chunks, n + 1);
	ovl_gemm g = {.k = s->input,
		.n = s->columns,
		.ldc = s->columns,
		.b = (const float *)s->w_packed->data + d * s->w_size,
		.b_row = isa->vl,
		.b_vec = s->input * isa->vl,
		.bias = s->x_bias + d * s->columns};
	(void)worker;
	if (!cancelled(job->call))
		isa->run(&g, last - first, (const float *)job->call->in[s->x] + first * s->input, s->input,
			job->x_sums + (d * rows + first) * s->columns, NULL, 0, block * s->gates, (end - block) * s->gates);
}

/* The product of a state (or of the reset one) with the gates of blocks [block, end). `packed`: panels from the first block on. */
static void multiply(const rnn_job *job, int64_t d, const float *a, const float *packed, int64_t gates, const float *bias, int64_t block, int64_t end)
{
	const rnn_state *s = job->s;
	const ovl_gemm_isa *isa = s->isa->gemm;
	ovl_gemm g = {.k = s->hidden,
		.n = s->blocks * gates * isa->vl,
		.ldc = s->columns,
		.b = packed,
		.b_row = isa->vl,
		.b_vec = s->hidden * isa->vl,
		.bias = bias};
	float *to = job->h_sums + d * s->batch * s->columns + (job->second_part ? 2 * s->ld : 0);
	isa->run(&g, s->batch, a, s->ld, to, NULL, 0, block * gates, (end - block) * gates);
}

static void update(const rnn_job *job, int64_t d, int64_t b, int64_t block, int64_t end)
{
	const rnn_state *s = job->s;
	const ovl_rnn_isa *isa = s->isa;
	int64_t vl = isa->gemm->vl, unit = block * vl, row = (d * s->batch + b) * s->ld + unit, length = length_of(job, b), at = job->step;
	bool back = s->cell.sequence && (s->params.direction == OVL_RNN_REVERSE || d == 1);
	const float *h = job->h_sums + (d * s->batch + b) * s->columns;
	ovl_rnn_units u = {.n = least(s->hidden, end * vl) - unit,
		.old = job->state[job->turn] + row,
		.state = job->state[!job->turn] + row,
		.function = s->cell.activations[0]};
	if (at >= length) { /* this sequence is over */
		memcpy(u.state, u.old, (size_t)u.n * sizeof *u.state);
		return;
	}
	if (back)
		at = length - 1 - at;
	u.x = job->x_sums + ((d * s->batch + b) * s->time + at) * s->columns + block * s->gates * vl;
	u.cell = job->cell + row;
	if (s->cell.sequence)
		u.y = (float *)job->call->out[0] + ((b * s->directions + d) * s->time + at) * s->hidden + unit;
	u.h = h + block * s->first_gates * vl;
	if (s->cell.kind == OVL_RNN_LSTM) {
		isa->lstm(&u);
	} else if (s->cell.kind == OVL_RNN_PLAIN) {
		isa->plain(&u);
	} else if (!s->two_parts) {
		isa->gru(&u);
	} else if (!job->second_part) {
		u.cell = job->reset + row;
		isa->gru_gates(&u);
	} else {
		u.cell = (float *)(uintptr_t)u.h;
		u.h = h + 2 * s->ld + block * vl;
		isa->gru_blend(&u);
	}
}

static void step_chunk(void *arg, int64_t chunk, int worker)
{
	const rnn_job *job = arg;
	const rnn_state *s = job->s;
	int64_t n = chunk % s->unit_chunks, d = chunk / s->unit_chunks;
	int64_t block = ovl_gemm_tile_at(s->blocks, s->unit_chunks, n), end = ovl_gemm_tile_at(s->blocks, s->unit_chunks, n + 1);
	const float *packed = (const float *)s->r_packed->data + d * s->r_size, *states = job->state[job->turn] + d * s->batch * s->ld;
	(void)worker;
	if (job->second_part)
		multiply(job, d, job->reset + d * s->batch * s->ld, packed + 2 * s->ld * s->hidden, 1, NULL, block, end);
	else
		multiply(job, d, states, packed, s->first_gates, s->two_parts ? NULL : s->h_bias + d * s->columns, block, end);
	for (int64_t b = 0; b < s->batch; b++)
		update(job, d, b, block, end);
}

/* States come as [batch][direction][hidden] and are kept as [direction][batch][ld]. */
static void move_states(const rnn_state *s, float *kept, float *theirs, bool in)
{
	for (int64_t d = 0; d < s->directions; d++)
		for (int64_t b = 0; b < s->batch; b++) {
			float *k = kept + (d * s->batch + b) * s->ld, *t = theirs + (b * s->directions + d) * s->hidden;
			memcpy(in ? k : t, in ? t : k, (size_t)s->hidden * sizeof *k);
		}
}

static ovl_status check_lengths(const rnn_job *job, int64_t *longest)
{
	const rnn_state *s = job->s;
	*longest = 0;
	for (int64_t b = 0; b < s->batch; b++) {
		int64_t n = length_of(job, b);
		if (n < 0 || n > s->time)
			return ovl_fail(job->call->err, OVL_E_ARGUMENT, "sequence %lld has a length of %lld, expected 0 to %lld", (long long)b,
				(long long)n, (long long)s->time);
		*longest = most(*longest, n);
		for (int64_t d = 0; d < s->directions && s->cell.sequence; d++)
			memset((float *)job->call->out[0] + ((b * s->directions + d) * s->time + n) * s->hidden, 0,
				(size_t)((s->time - n) * s->hidden) * sizeof(float));
	}
	return OVL_OK;
}

ovl_status ovl_rnn_run(const ovl_call *call)
{
	const rnn_state *s = call->state;
	rnn_job job = {.s = s, .call = call, .x_sums = call->scratch};
	int64_t longest;
	int first_out = s->cell.sequence ? 1 : 0;
	job.h_sums = job.x_sums + s->x_floats;
	job.state[0] = job.h_sums + s->p_floats;
	job.state[1] = job.state[0] + s->s_floats;
	job.cell = job.state[1] + s->s_floats;
	job.reset = job.cell + s->s_floats;
	OVL_TRY(check_lengths(&job, &longest));
	ovl_pool_run(call->pool, s->directions * s->rows_chunks * s->vec_chunks, input_chunk, &job);
	move_states(s, job.state[0], call->in[s->h], true);
	if (s->c >= 0)
		move_states(s, job.cell, call->in[s->c], true);
	for (job.step = 0; job.step < longest && !cancelled(call); job.step++) {
		job.second_part = false;
		ovl_pool_run(call->pool, s->directions * s->unit_chunks, step_chunk, &job);
		if (s->two_parts) {
			job.second_part = true;
			ovl_pool_run(call->pool, s->directions * s->unit_chunks, step_chunk, &job);
		}
		job.turn = !job.turn;
	}
	if (cancelled(call))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	move_states(s, job.state[job.turn], call->out[first_out], false);
	if (s->c >= 0)
		move_states(s, job.cell, call->out[first_out + 1], false);
	return OVL_OK;
}
