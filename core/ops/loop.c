/* Loop and TensorIterator: run a body again and again. Inputs may be cut into parts, one for each iteration; outputs may be put together from parts;
 * back edges hand a result on to a parameter of the next iteration. Loop has a trip count (input 0, negative: none) and a condition (input 1) and
 * asks its body whether to go on. */
#include "ops/support_body.h"

static bool is_loop(const ovl_op *op) { return op->name[0] == 'L'; }

/* ---- parts of a sliced input ---- */

typedef struct cut {
	int axis;
	int64_t start, step, part, count; /* part i begins at start + i * step */
} cut;

/* start and end count from the end when negative: -1 is behind the last entry. */
static ovl_status cut_of(
	const char *op, int64_t axis, int64_t start, int64_t end, int64_t stride, int64_t part, int rank, int64_t dim, cut *out, ovl_error *err)
{
	cut c = {.step = stride, .part = part};
	int64_t length;
	OVL_TRY(ovl_axis(axis, rank, op, &c.axis, err));
	start += start < 0 ? dim + 1 : 0;
	end += end < 0 ? dim + 1 : 0;
	length = stride > 0 ? end - start : start - end;
	if (stride == 0 || stride == INT64_MIN || part <= 0 || start < 0 || start > dim || end < 0 || end > dim || length < 0 || length % stride)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: a size of %lld cannot be cut from %lld to %lld by steps of %lld and parts of %lld", op,
			(long long)dim, (long long)start, (long long)end, (long long)stride, (long long)part);
	c.count = length / (stride > 0 ? stride : -stride);
	c.start = stride > 0 ? start : start + stride;
	for (int i = 0; i < 2 && c.count > 0; i++) {
		int64_t from = c.start + (i ? c.count - 1 : 0) * c.step;
		if (from < 0 || part > dim || from > dim - part)
			return ovl_fail(err, OVL_E_ARGUMENT, "%s: parts of %lld do not fit a size of %lld", op, (long long)part, (long long)dim);
	}
	*out = c;
	return OVL_OK;
}

/* ---- inference ---- */

/* How many iterations; -1: not known. */
static ovl_status count_of(ovl_infer *in, const ovl_body *body, int64_t *out)
{
	*out = -1;
	for (size_t i = 0; i < body->ins.n; i++) {
		const ovl_body_in *m = &body->ins.at[i];
		const ovl_pshape *s = &in->in_shape[m->input];
		int axis;
		cut c;
		if (!m->sliced || !s->ranked)
			continue;
		OVL_TRY(ovl_axis(m->axis, s->rank, in->op->name, &axis, in->err));
		if (!ovl_dim_static(s->dims[axis]))
			continue;
		OVL_TRY(cut_of(in->op->name, m->axis, m->start, m->end, m->stride, m->part_size, s->rank, s->dims[axis].min, &c, in->err));
		if (*out >= 0 && *out != c.count)
			return ovl_infer_fail(
				in, OVL_E_SHAPE, "its sliced inputs tell of %lld and of %lld iterations", (long long)*out, (long long)c.count);
		*out = c.count;
	}
	return OVL_OK;
}

/* Loop: what its trip count and conditions say. */
static void loop_count(ovl_infer *in, const ovl_body *body, const ovl_known *results, int64_t *count)
{
	const ovl_tensor *trips = in->in_value[0], *start = in->in_value[1];
	const ovl_tensor *on = body->condition_result >= 0 ? results->values[body->condition_result] : NULL;
	bool endless =
		start && on && ovl_tensor_count(start) == 1 && ovl_tensor_count(on) == 1 && ovl_tensor_i64_at(start, 0) && ovl_tensor_i64_at(on, 0);
	int64_t n = trips && ovl_tensor_count(trips) == 1 ? ovl_tensor_i64_at(trips, 0) : -1;
	if (start && ovl_tensor_count(start) == 1 && !ovl_tensor_i64_at(start, 0))
		*count = 0;
	else if (on && ovl_tensor_count(on) == 1 && !ovl_tensor_i64_at(on, 0) && start && n != 0 && (trips || *count > 0))
		*count = 1;
	else if (endless && n >= 0)
		*count = *count >= 0 && *count < n ? *count : n;
	else
		*count = -1;
}

/* What parameter p sees in the first iteration. */
static ovl_status first_feed(ovl_infer *in, const ovl_body *body, int p, ovl_known *feed)
{
	const ovl_body_in *m = ovl_body_feed(body, p);
	bool back = false;
	if (!m) { /* the iteration number: whatever the body says it takes */
		const ovl_parameter_params *q = body->graph->parameters.at[p]->params;
		feed->types[p] = q->element_type;
		feed->shapes[p] = q->shape;
		return OVL_OK;
	}
	feed->types[p] = in->in_type[m->input];
	feed->shapes[p] = in->in_shape[m->input];
	if (m->sliced && feed->shapes[p].ranked) {
		int axis;
		OVL_TRY(ovl_axis(m->axis, feed->shapes[p].rank, in->op->name, &axis, in->err));
		feed->shapes[p].dims[axis] = ovl_dim_of(m->part_size);
	}
	for (size_t i = 0; i < body->back.n; i++)
		back = back || body->back.at[i].parameter == p;
	if (!back && !m->sliced && in->in_value[m->input])
		feed->values[p] = ovl_tensor_retain(in->in_value[m->input]);
	return OVL_OK;
}

/* Opens what differs between a parameter and the result that is handed back to it. True when something changed. */
static bool widen(const ovl_body *body, ovl_known *feed, const ovl_known *results)
{
	bool changed = false;
	for (size_t i = 0; i < body->back.n; i++) {
		ovl_pshape *a = &feed->shapes[body->back.at[i].parameter];
		const ovl_pshape *b = &results->shapes[body->back.at[i].result];
		if (!a->ranked)
			continue;
		if (!b->ranked || a->rank != b->rank) {
			*a = ovl_pshape_any();
			changed = true;
			continue;
		}
		for (int d = 0; d < a->rank; d++)
			if (b->dims[d].min < a->dims[d].min || b->dims[d].max > a->dims[d].max) {
				a->dims[d] = OVL_DIM_ANY;
				changed = true;
			}
	}
	return changed;
}

static ovl_status describe(ovl_infer *in, const ovl_body *body, const ovl_known *results, int64_t count)
{
	for (size_t i = 0; i < body->outs.n; i++) {
		const ovl_body_out *m = &body->outs.at[i];
		ovl_pshape s = results->shapes[m->result];
		if (m->sliced && s.ranked) {
			int axis;
			OVL_TRY(ovl_axis(m->axis, s.rank, in->op->name, &axis, in->err));
			s.dims[axis] = count >= 0 ? ovl_dim_mul(ovl_dim_of(count), s.dims[axis]) : OVL_DIM_ANY;
		} else if (count == 0)
			s = ovl_pshape_any(); /* what came in comes out */
		ovl_infer_out(in, m->output, results->types[m->result], &s);
	}
	return OVL_OK;
}

static ovl_status settle(ovl_infer *in, const ovl_body *body, ovl_known *feed, int64_t count)
{
	ovl_status st;
	for (int round = 0;; round++) {
		ovl_known results = {0};
		bool again = false;
		OVL_TRY(ovl_known_new(in, body->graph->results.n, &results));
		st = ovl_infer_body(
			in, 0, feed->n, feed->types, feed->shapes, feed->values, results.n, results.types, results.shapes, results.values);
		if (st == OVL_OK && count != 1 && round < 3 * OVL_MAX_RANK)
			again = widen(body, feed, &results);
		if (st == OVL_OK && !again) {
			if (is_loop(in->op))
				loop_count(in, body, &results, &count);
			st = describe(in, body, &results, count);
		}
		ovl_known_free(&results);
		if (st != OVL_OK || !again)
			return st;
	}
}

static ovl_status infer(ovl_infer *in)
{
	const ovl_body *body;
	ovl_known feed;
	ovl_status st = OVL_OK;
	int64_t count;
	if (!in->node)
		return OVL_OK; /* the outputs stay open */
	if (in->node->bodies.n != 1)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "it has %zu bodies, expected 1", in->node->bodies.n);
	body = &in->node->bodies.at[0];
	OVL_TRY(ovl_infer_set_outputs(in, ovl_body_outputs(body)));
	OVL_TRY(ovl_body_check(body, in->n_in, in->n_out, in->op->name, in->err));
	OVL_TRY(count_of(in, body, &count));
	OVL_TRY(ovl_known_new(in, body->graph->parameters.n, &feed));
	for (int p = 0; st == OVL_OK && p < feed.n; p++)
		st = first_feed(in, body, p, &feed);
	if (st == OVL_OK)
		st = settle(in, body, &feed, count);
	ovl_known_free(&feed);
	return st;
}

/* ---- run ---- */

typedef OVL_VEC(ovl_tensor *) tensors;

typedef struct state {
	ovl_work *w;
	const ovl_body *body;
	int n_in, n_out;
	ovl_tensor **carried;    /* per parameter: what a back edge brought, else NULL */
	ovl_tensor **in, **made; /* per parameter: what is given to the body; made here for this iteration, or NULL */
	ovl_tensor **out;        /* per result, of the last iteration */
	tensors *parts;          /* per entry of body->outs that is sliced */
	cut *cuts;               /* per entry of body->ins that is sliced */
	int64_t limit;           /* of iterations; -1: none */
} state;

static void release_all(ovl_tensor **t, int n)
{
	for (int i = 0; i < n; i++) {
		ovl_tensor_release(t[i]);
		t[i] = NULL;
	}
}

static ovl_status open_state(state *s)
{
	ovl_run *run = s->w->run;
	const ovl_body *body = s->body;
	s->n_in = (int)body->graph->parameters.n;
	s->n_out = (int)body->graph->results.n;
	s->limit = -1;
	OVL_TRY(ovl_body_check(body, run->n_in, run->n_out, run->op->name, run->err));
	OVL_TRY(ovl_work_take(s->w, s->n_in, sizeof(ovl_tensor *), &s->carried));
	OVL_TRY(ovl_work_take(s->w, s->n_in, sizeof(ovl_tensor *), &s->in));
	OVL_TRY(ovl_work_take(s->w, s->n_in, sizeof(ovl_tensor *), &s->made));
	OVL_TRY(ovl_work_take(s->w, s->n_out, sizeof(ovl_tensor *), &s->out));
	OVL_TRY(ovl_work_take(s->w, (int64_t)body->ins.n, sizeof(cut), &s->cuts));
	OVL_TRY(ovl_work_take(s->w, (int64_t)body->outs.n, sizeof(tensors), &s->parts));
	for (size_t i = 0; i < body->ins.n; i++) {
		const ovl_body_in *m = &body->ins.at[i];
		const ovl_shape *x = &run->in[m->input]->shape;
		int axis;
		if (!m->sliced)
			continue;
		OVL_TRY(ovl_axis(m->axis, x->rank, run->op->name, &axis, run->err));
		OVL_TRY(cut_of(run->op->name, m->axis, m->start, m->end, m->stride, m->part_size, x->rank, x->dims[axis], &s->cuts[i], run->err));
		if (s->limit >= 0 && s->limit != s->cuts[i].count && !is_loop(run->op))
			return ovl_work_fail(s->w, OVL_E_SHAPE, "its inputs tell of %lld and of %lld iterations", (long long)s->limit,
				(long long)s->cuts[i].count);
		if (s->limit < 0 || s->cuts[i].count < s->limit)
			s->limit = s->cuts[i].count;
	}
	if (is_loop(run->op)) {
		int64_t trips;
		if (ovl_tensor_count(run->in[0]) != 1 || ovl_tensor_count(run->in[1]) != 1)
			return ovl_work_fail(s->w, OVL_E_SHAPE, "the trip count and the condition must be one value each");
		trips = ovl_tensor_i64_at(run->in[0], 0);
		if (trips >= 0 && (s->limit < 0 || trips < s->limit))
			s->limit = trips;
		if (!ovl_tensor_i64_at(run->in[1], 0))
			s->limit = 0;
	} else if (s->limit < 0)
		s->limit = 1;
	return OVL_OK;
}

static ovl_status iteration_number(state *s, int p, int64_t i)
{
	const ovl_parameter_params *q = s->body->graph->parameters.at[p]->params;
	int rank = q->shape.ranked && q->shape.rank == 1 ? 1 : 0;
	ovl_tensor *t;
	OVL_TRY(ovl_tensor_from_i64(rank, &i, 1, &t, s->w->err));
	if (q->element_type == OVL_I64 || q->element_type == OVL_DYNAMIC) {
		s->made[p] = t;
		return OVL_OK;
	}
	ovl_status st = ovl_tensor_astype(t, q->element_type, &s->made[p], s->w->err);
	ovl_tensor_release(t);
	return st;
}

static ovl_status take_part(ovl_tensor *x, const cut *c, int64_t i, ovl_tensor **out, ovl_error *err)
{
	int64_t first[OVL_MAX_RANK] = {0}, last[OVL_MAX_RANK];
	ovl_tensor *view;
	ovl_status st;
	for (int d = 0; d < x->shape.rank; d++)
		last[d] = x->shape.dims[d];
	first[c->axis] = c->start + i * c->step;
	last[c->axis] = first[c->axis] + c->part;
	OVL_TRY(ovl_tensor_roi(x, first, last, &view, err));
	st = ovl_tensor_densify(view, out, err);
	ovl_tensor_release(view);
	return st;
}

static ovl_status feed(state *s, int64_t i)
{
	ovl_run *run = s->w->run;
	release_all(s->made, s->n_in);
	for (int p = 0; p < s->n_in; p++) {
		const ovl_body_in *m = ovl_body_feed(s->body, p);
		if (p == s->body->iteration_parameter) {
			OVL_TRY(iteration_number(s, p, i));
			s->in[p] = s->made[p];
		} else if (s->carried[p])
			s->in[p] = s->carried[p];
		else if (m->sliced) {
			OVL_TRY(take_part(run->in[m->input], &s->cuts[m - s->body->ins.at], i, &s->made[p], run->err));
			s->in[p] = s->made[p];
		} else
			s->in[p] = run->in[m->input];
	}
	return OVL_OK;
}

/* Keeps what the iteration gave. */
static ovl_status collect(state *s)
{
	for (size_t i = 0; i < s->body->outs.n; i++) {
		ovl_tensor *t = s->out[s->body->outs.at[i].result];
		if (!s->body->outs.at[i].sliced)
			continue;
		if (!ovl_vec_push(&s->parts[i], t))
			return ovl_work_fail(s->w, OVL_E_MEMORY, "not enough memory");
		ovl_tensor_retain(t);
	}
	for (size_t i = 0; i < s->body->back.n; i++) {
		ovl_tensor **to = &s->carried[s->body->back.at[i].parameter];
		ovl_tensor_release(*to);
		*to = ovl_tensor_retain(s->out[s->body->back.at[i].result]);
	}
	return OVL_OK;
}

static ovl_status iterate(state *s, int64_t *done)
{
	ovl_run *run = s->w->run;
	int on = s->body->condition_result;
	*done = 0;
	for (int64_t i = 0; s->limit < 0 || i < s->limit; i++) {
		OVL_RUN_CHECK_CANCEL(run);
		OVL_TRY(feed(s, i));
		release_all(s->out, s->n_out);
		OVL_TRY(run->body(run, 0, s->in, s->n_in, s->out, s->n_out));
		OVL_TRY(collect(s));
		*done = i + 1;
		if (on >= 0 && is_loop(run->op)) {
			if (ovl_tensor_count(s->out[on]) != 1)
				return ovl_work_fail(s->w, OVL_E_SHAPE, "the body's condition must be one boolean");
			if (!ovl_tensor_i64_at(s->out[on], 0))
				break;
		}
	}
	return OVL_OK;
}

/* Puts parts side by side along the axis; backwards when they were taken backwards. */
static ovl_status join(state *s, const ovl_body_out *m, const tensors *parts)
{
	ovl_run *run = s->w->run;
	ovl_shape shape = parts->at[0]->shape;
	int64_t first[OVL_MAX_RANK] = {0}, last[OVL_MAX_RANK], at = 0, total = 0;
	ovl_tensor *to;
	int axis;
	OVL_TRY(ovl_axis(m->axis, shape.rank, run->op->name, &axis, run->err));
	for (size_t k = 0; k < parts->n; k++) {
		ovl_shape other = parts->at[k]->shape;
		total += other.rank > axis ? other.dims[axis] : 0;
		if (other.rank > axis)
			other.dims[axis] = shape.dims[axis];
		if (!ovl_shape_equal(&other, &shape))
			return ovl_work_fail(s->w, OVL_E_SHAPE, "output %d cannot be put together: iterations give different shapes", m->output);
	}
	shape.dims[axis] = total;
	OVL_TRY(ovl_run_output(run, m->output, parts->at[0]->type, &shape, &to));
	memcpy(last, shape.dims, sizeof last);
	for (size_t k = 0; k < parts->n; k++) {
		ovl_tensor *from = parts->at[m->stride < 0 ? parts->n - 1 - k : k], *view;
		ovl_status st;
		first[axis] = at;
		last[axis] = at += from->shape.dims[axis];
		OVL_TRY(ovl_tensor_roi(to, first, last, &view, run->err));
		st = ovl_tensor_copy(from, view, run->err);
		ovl_tensor_release(view);
		OVL_TRY(st);
	}
	return OVL_OK;
}

/* An output of no iteration: what would have been carried, or an empty list of parts. */
static ovl_status output_of_none(state *s, const ovl_body_out *m)
{
	ovl_run *run = s->w->run;
	const ovl_output *o = ovl_source(s->body->graph->results.at[m->result], 0);
	ovl_shape shape = {0};
	ovl_tensor *to;
	int axis;
	for (size_t i = 0; !m->sliced && i < s->body->back.n; i++)
		if (s->body->back.at[i].result == m->result) {
			const ovl_body_in *from = ovl_body_feed(s->body, s->body->back.at[i].parameter);
			ovl_tensor *x = from ? run->in[from->input] : NULL;
			if (!x)
				break;
			OVL_TRY(ovl_run_output(run, m->output, x->type, &x->shape, &to));
			return ovl_tensor_copy(x, to, run->err);
		}
	if (o->type == OVL_DYNAMIC)
		return ovl_work_fail(s->w, OVL_E_TYPE, "output %d has no type without an iteration", m->output);
	shape.rank = o->shape.ranked ? o->shape.rank : m->sliced ? (int)m->axis + 1 : 0;
	for (int d = 0; d < shape.rank; d++)
		shape.dims[d] = o->shape.ranked ? o->shape.dims[d].min : 0;
	if (m->sliced) {
		OVL_TRY(ovl_axis(m->axis, shape.rank, run->op->name, &axis, run->err));
		shape.dims[axis] = 0;
	}
	return ovl_run_output(run, m->output, o->type, &shape, &to);
}

static ovl_status give(state *s, int64_t done)
{
	ovl_run *run = s->w->run;
	for (size_t i = 0; i < s->body->outs.n; i++) {
		const ovl_body_out *m = &s->body->outs.at[i];
		ovl_tensor *from, *to;
		if (done == 0) {
			OVL_TRY(output_of_none(s, m));
			continue;
		}
		if (m->sliced) {
			OVL_TRY(join(s, m, &s->parts[i]));
			continue;
		}
		from = s->out[m->result];
		OVL_TRY(ovl_run_output(run, m->output, from->type, &from->shape, &to));
		OVL_TRY(ovl_tensor_copy(from, to, run->err));
	}
	return OVL_OK;
}

static ovl_status loop(ovl_work *w)
{
	state s = {.w = w};
	int64_t done = 0;
	ovl_status st;
	if (!w->run->node || w->run->node->bodies.n != 1 || !w->run->body)
		return ovl_work_fail(w, OVL_E_INTERNAL, "its body is not there");
	s.body = &w->run->node->bodies.at[0];
	OVL_TRY(open_state(&s));
	st = iterate(&s, &done);
	if (st == OVL_OK)
		st = give(&s, done);
	release_all(s.carried, s.n_in);
	release_all(s.made, s.n_in);
	release_all(s.out, s.n_out);
	for (size_t i = 0; i < s.body->outs.n; i++) {
		release_all(s.parts[i].at, (int)s.parts[i].n);
		ovl_vec_free(&s.parts[i]);
	}
	return st;
}

static ovl_status loop_run(ovl_run *run) { return ovl_work_run(run, loop); }

static const ovl_op loop_v5 = {
	.name = "Loop",
	.since = 5,
	.min_inputs = 2,
	.max_inputs = -1,
	.outputs = -1,
	.inputs = "trip_count execution_condition inputs...",
	.flags = OVL_OP_NO_BUILDER | OVL_OP_SEQUENCE,
	.infer = infer,
	.run = loop_run,
};

static const ovl_op tensor_iterator_v1 = {
	.name = "TensorIterator",
	.since = 1,
	.min_inputs = 1,
	.max_inputs = -1,
	.outputs = -1,
	.inputs = "inputs...",
	.flags = OVL_OP_NO_BUILDER | OVL_OP_SEQUENCE,
	.infer = infer,
	.run = loop_run,
};

const ovl_op *const ovl_ops_loop[] = {&loop_v5, &tensor_iterator_v1, NULL};
