/* Requests: tensors and state of one user, and the life of a run: idle -> queued -> running -> (done, until settled) -> idle. */
#define _GNU_SOURCE
#include "ovlite.h"
#include "base/log.h"
#include "run/compiled.h"
#include "run/completions.h"
#include "run/profile.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What it costs to hand a run to a worker that sleeps; and what a run may take that was thought to be shorter than that. */
static const double hand_over_us = 30, long_us = 100;
enum { REMEMBER_SLOW = 8 };

typedef enum run_state { IDLE, QUEUED, RUNNING, DONE } run_state;

/* One input or output: the tensor in use, whether a user gave it, and a batch in its place. */
typedef struct binding {
	ovl_tensor *tensor;
	bool given;
	ovl_tensor **batch;
	size_t n_batch;
	ovl_tensor *joined; /* the batch in one piece, kept from run to run */
} binding;

typedef struct state_slot {
	ovl_tensor *now; /* NULL: not written yet, or reset */
	ovl_tensor *next; /* written by the run under way; becomes `now` when it succeeds */
	ovl_tensor *shown; /* zeros, shown to who looks before the first run */
	bool touched; /* `shown` was handed out: what the user wrote in it counts */
} state_slot;

struct ovl_request {
	int refs; /* atomic */
	ovl_compiled *compiled;
	binding *side[2];
	state_slot *states;
	ovl_job job;
	int state; /* run_state, atomic; changes under the lock */
	int cancel; /* atomic */
	int waiting; /* threads asleep in wait: under the lock */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	ovl_error outcome;
	ovl_completion completion;
	ovl_completions *notify;
	double latency_us;
	int slow; /* runs to come for which a long one among the last is remembered */
	ovl_plan *plan; /* of the last run: the first guess for the next one */
	ovl_shape *shapes;
	ovl_tensor **in, **out; /* of the run under way */
	ovl_profile profile;
};

static ovl_status no_memory(ovl_error *err) { return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a request"); }

/* ---- life ---- */

ovl_status ovl_request_new(ovl_compiled *c, ovl_request **out, ovl_error *err)
{
	ovl_request *r = ovl_calloc(1, sizeof *r);
	pthread_condattr_t attr;
	if (!r)
		return no_memory(err);
	r->refs = 1;
	r->compiled = ovl_compiled_retain(c);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->ended, &attr);
	pthread_condattr_destroy(&attr);
	for (int s = 0; s < 2; s++)
		r->side[s] = ovl_calloc(c->n_ports[s] + 1, sizeof **r->side);
	r->states = ovl_calloc(c->n_variables + 1, sizeof *r->states);
	r->shapes = ovl_calloc(c->n_ports[0] + 1, sizeof *r->shapes);
	r->in = ovl_calloc(c->n_ports[0] + 1, sizeof *r->in);
	r->out = ovl_calloc(c->n_ports[1] + 1, sizeof *r->out);
	if (!r->side[0] || !r->side[1] || !r->states || !r->shapes || !r->in || !r->out) {
		ovl_request_release(r);
		return no_memory(err);
	}
	*out = r;
	return OVL_OK;
}

ovl_request *ovl_request_retain(ovl_request *r)
{
	__atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);
	return r;
}

static void clear_batch(binding *b)
{
	for (size_t i = 0; i < b->n_batch; i++)
		ovl_tensor_release(b->batch[i]);
	ovl_free(b->batch);
	ovl_tensor_release(b->joined);
	b->batch = NULL;
	b->joined = NULL;
	b->n_batch = 0;
}

void ovl_request_release(ovl_request *r)
{
	if (!r || __atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (int s = 0; s < 2; s++)
		for (size_t i = 0; r->side[s] && i < r->compiled->n_ports[s]; i++) {
			ovl_tensor_release(r->side[s][i].tensor);
			clear_batch(&r->side[s][i]);
		}
	for (size_t i = 0; r->states && i < r->compiled->n_variables; i++) {
		ovl_tensor_release(r->states[i].now);
		ovl_tensor_release(r->states[i].next);
		ovl_tensor_release(r->states[i].shown);
	}
	ovl_free(r->side[0]);
	ovl_free(r->side[1]);
	ovl_free(r->states);
	ovl_free(r->shapes);
	ovl_free(r->in);
	ovl_free(r->out);
	ovl_profile_close(&r->profile, r->compiled, r->plan);
	ovl_plan_release(r->plan);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->ended);
	ovl_compiled_release(r->compiled);
	ovl_free(r);
}

ovl_compiled *ovl_request_compiled(const ovl_request *r) { return r->compiled; }
static run_state state_of(const ovl_request *r) { return (run_state)__atomic_load_n(&r->state, __ATOMIC_ACQUIRE); }
bool ovl_request_busy(const ovl_request *r) { return state_of(r) != IDLE; }
bool ovl_request_running(const ovl_request *r) { return state_of(r) == QUEUED || state_of(r) == RUNNING; }

static ovl_status refuse_busy(const ovl_request *r, ovl_error *err)
{
	if (!ovl_request_busy(r))
		return OVL_OK;
	return ovl_fail(err, OVL_E_BUSY, "the request is running; wait for it (wait, wait_for) or cancel it first");
}

/* ---- tensors ---- */

static const char *side_name(ovl_side s) { return s == OVL_INPUT ? "input" : "output"; }

static const char *port_name(const ovl_port *p) { return p->n_names ? p->names[0] : ""; }

static ovl_status check_position(const ovl_request *r, ovl_side side, size_t i, ovl_error *err)
{
	if (i < r->compiled->n_ports[side])
		return OVL_OK;
	return ovl_fail(err, OVL_E_NOT_FOUND, "there is no %s %zu; the model has %zu", side_name(side), i + 1, r->compiled->n_ports[side]);
}

static ovl_shape smallest_shape(const ovl_port *p)
{
	ovl_shape s = {.rank = p->shape.ranked ? p->shape.rank : 1};
	for (int i = 0; i < s.rank; i++)
		s.dims[i] = p->shape.ranked && ovl_dim_static(p->shape.dims[i]) ? p->shape.dims[i].min : 0;
	return s;
}

static ovl_status make_tensor(const ovl_request *r, ovl_side side, size_t i, ovl_error *err)
{
	const ovl_port *p = &r->compiled->ports[side][i];
	ovl_shape s = smallest_shape(p);
	binding *b = &r->side[side][i];
	if (b->tensor)
		return OVL_OK;
	return ovl_tensor_new(p->type == OVL_DYNAMIC ? OVL_F32 : p->type, &s, &b->tensor, err);
}

ovl_status ovl_request_get_tensor(ovl_request *r, ovl_side side, size_t i, ovl_tensor **out, ovl_error *err)
{
	OVL_TRY(refuse_busy(r, err));
	OVL_TRY(check_position(r, side, i, err));
	if (r->side[side][i].n_batch)
		return ovl_fail(err, OVL_E_ARGUMENT, "input '%s' was set as a batch of %zu tensors, so it has no single tensor; set a whole tensor first",
			port_name(&r->compiled->ports[side][i]), r->side[side][i].n_batch);
	OVL_TRY(make_tensor(r, side, i, err));
	*out = ovl_tensor_retain(r->side[side][i].tensor);
	return OVL_OK;
}

static ovl_status check_fits(const ovl_port *p, ovl_side side, ovl_type type, const ovl_shape *shape, ovl_error *err)
{
	char want[200], got[200];
	bool empty = side == OVL_OUTPUT && !ovl_pshape_is_static(&p->shape) && ovl_shape_elements(shape) == 0;
	if (p->type != OVL_DYNAMIC && type != p->type)
		return ovl_fail(err, OVL_E_TYPE, "%s '%s' takes %s, got a tensor of %s; convert it (tensor:astype(\"%s\"))", side_name(side), port_name(p), ovl_type_name(p->type),
			ovl_type_name(type), ovl_type_name(p->type));
	if (!empty && !ovl_pshape_fits(&p->shape, shape))
		return ovl_fail(err, OVL_E_SHAPE, "%s '%s' takes shape %s, got %s", side_name(side), port_name(p), ovl_pshape_text(&p->shape, want, sizeof want),
			ovl_shape_text(shape, got, sizeof got));
	return OVL_OK;
}

ovl_status ovl_request_check_tensor(ovl_request *r, ovl_side side, size_t i, const ovl_tensor *t, ovl_error *err)
{
	OVL_TRY(refuse_busy(r, err));
	OVL_TRY(check_position(r, side, i, err));
	return check_fits(&r->compiled->ports[side][i], side, t->type, &t->shape, err);
}

ovl_status ovl_request_set_tensor(ovl_request *r, ovl_side side, size_t i, ovl_tensor *t, ovl_error *err)
{
	binding *b;
	OVL_TRY(ovl_request_check_tensor(r, side, i, t, err));
	b = &r->side[side][i];
	ovl_tensor_retain(t);
	ovl_tensor_release(b->tensor);
	clear_batch(b);
	b->tensor = t;
	b->given = true;
	return OVL_OK;
}

ovl_status ovl_request_input_for_copy(ovl_request *r, size_t i, const ovl_shape *shape, ovl_tensor **out, ovl_error *err)
{
	const ovl_port *p;
	binding *b;
	OVL_TRY(refuse_busy(r, err));
	OVL_TRY(check_position(r, OVL_INPUT, i, err));
	p = &r->compiled->ports[OVL_INPUT][i];
	b = &r->side[OVL_INPUT][i];
	OVL_TRY(check_fits(p, OVL_INPUT, p->type, shape, err));
	if (b->given || !b->tensor || b->n_batch) {
		ovl_tensor *fresh;
		OVL_TRY(ovl_tensor_new(p->type == OVL_DYNAMIC ? OVL_F32 : p->type, shape, &fresh, err));
		ovl_tensor_release(b->tensor);
		clear_batch(b);
		b->tensor = fresh;
		b->given = false;
	} else if (!ovl_shape_equal(&b->tensor->shape, shape))
		OVL_TRY(ovl_tensor_set_shape(b->tensor, shape, err));
	*out = ovl_tensor_retain(b->tensor);
	return OVL_OK;
}

/* ---- batches ---- */

bool ovl_request_has_batch(const ovl_request *r, size_t i) { return i < r->compiled->n_ports[0] && r->side[0][i].n_batch > 0; }

static ovl_shape batched_shape(const ovl_port *p, const ovl_tensor *first, size_t n)
{
	ovl_shape s = first->shape;
	s.dims[p->batch] = (int64_t)n;
	return s;
}

ovl_status ovl_request_check_batch(ovl_request *r, size_t i, ovl_tensor *const *tensors, size_t n, ovl_error *err)
{
	const ovl_port *p;
	ovl_shape whole;
	char a[200], b[200];
	OVL_TRY(refuse_busy(r, err));
	OVL_TRY(check_position(r, OVL_INPUT, i, err));
	p = &r->compiled->ports[OVL_INPUT][i];
	if (n == 0)
		return ovl_fail(err, OVL_E_ARGUMENT, "input '%s': a batch needs at least one tensor", port_name(p));
	if (n == 1)
		return ovl_request_check_tensor(r, OVL_INPUT, i, tensors[0], err);
	if (p->layout && p->batch < 0)
		return ovl_fail(err, OVL_E_ARGUMENT, "input '%s' has layout %s without a batch dimension N", port_name(p), p->layout);
	if (p->layout && p->batch != 0)
		return ovl_fail(err, OVL_E_ARGUMENT, "input '%s' has layout %s; batches are joined along the first dimension only", port_name(p), p->layout);
	for (size_t k = 0; k < n; k++) {
		if (tensors[k]->type != tensors[0]->type || (p->type != OVL_DYNAMIC && tensors[k]->type != p->type))
			return ovl_fail(err, OVL_E_TYPE, "input '%s' takes %s, tensor %zu of the batch is of %s", port_name(p), ovl_type_name(p->type), k + 1, ovl_type_name(tensors[k]->type));
		if (tensors[k]->shape.rank < 2 || tensors[k]->shape.dims[0] != 1 || !ovl_shape_equal(&tensors[k]->shape, &tensors[0]->shape))
			return ovl_fail(err, OVL_E_SHAPE, "input '%s': tensor %zu of the batch has shape %s, expected %s with 1 in the batch dimension", port_name(p), k + 1,
				ovl_shape_text(&tensors[k]->shape, a, sizeof a), ovl_pshape_text(&p->shape, b, sizeof b));
	}
	if (p->shape.ranked && p->shape.rank > 0 && ovl_dim_static(p->shape.dims[0]) && p->shape.dims[0].min != (int64_t)n)
		return ovl_fail(err, OVL_E_ARGUMENT, "input '%s' takes a batch of %lld, got %zu tensors", port_name(p), (long long)p->shape.dims[0].min, n);
	whole = batched_shape(p, tensors[0], n);
	return check_fits(p, OVL_INPUT, tensors[0]->type, &whole, err);
}

ovl_status ovl_request_set_batch(ovl_request *r, size_t i, ovl_tensor *const *tensors, size_t n, ovl_error *err)
{
	binding *b;
	ovl_tensor **copy;
	OVL_TRY(ovl_request_check_batch(r, i, tensors, n, err));
	if (n == 1)
		return ovl_request_set_tensor(r, OVL_INPUT, i, tensors[0], err);
	copy = ovl_memdup(tensors, n * sizeof *tensors);
	if (!copy)
		return no_memory(err);
	for (size_t k = 0; k < n; k++)
		ovl_tensor_retain(copy[k]);
	b = &r->side[OVL_INPUT][i];
	clear_batch(b);
	ovl_tensor_release(b->tensor);
	b->tensor = NULL;
	b->given = false;
	b->batch = copy;
	b->n_batch = n;
	return OVL_OK;
}

static ovl_status join_batch(const ovl_port *p, binding *b, ovl_error *err)
{
	ovl_shape s = batched_shape(p, b->batch[0], b->n_batch);
	int64_t first[OVL_MAX_RANK] = {0}, last[OVL_MAX_RANK];
	if (!b->joined)
		OVL_TRY(ovl_tensor_new(b->batch[0]->type, &s, &b->joined, err));
	memcpy(last, s.dims, sizeof last);
	for (size_t k = 0; k < b->n_batch; k++) {
		ovl_tensor *part;
		ovl_status st;
		first[0] = (int64_t)k;
		last[0] = (int64_t)k + 1;
		OVL_TRY(ovl_tensor_roi(b->joined, first, last, &part, err));
		st = ovl_tensor_copy(b->batch[k], part, err);
		ovl_tensor_release(part);
		OVL_TRY(st);
	}
	return OVL_OK;
}

/* ---- state ---- */

static ovl_status find_state(const ovl_request *r, const char *id, state_slot **out, ovl_error *err)
{
	for (size_t i = 0; i < r->compiled->n_variables; i++)
		if (strcmp(r->compiled->variables[i].id, id) == 0) {
			*out = &r->states[i];
			return OVL_OK;
		}
	return ovl_fail(err, OVL_E_INTERNAL, "variable '%s' is not known", id);
}

static ovl_status variable_get(void *user, const char *id, ovl_tensor **out, ovl_error *err)
{
	state_slot *s;
	OVL_TRY(find_state(user, id, &s, err));
	*out = s->next ? s->next : s->now ? s->now : s->touched ? s->shown : NULL;
	return OVL_OK;
}

static ovl_status variable_set(void *user, const char *id, ovl_tensor *value, ovl_error *err)
{
	state_slot *s;
	OVL_TRY(find_state(user, id, &s, err));
	if (s->next && ovl_shape_equal(&s->next->shape, &value->shape) && s->next->type == value->type)
		return ovl_tensor_copy(value, s->next, err);
	ovl_tensor_release(s->next);
	s->next = NULL;
	return ovl_tensor_clone(value, &s->next, err); /* the value's memory is the arena's */
}

static void settle_states(ovl_request *r, bool good)
{
	for (size_t i = 0; i < r->compiled->n_variables; i++) {
		state_slot *s = &r->states[i];
		if (good && s->next) {
			ovl_tensor_release(s->now);
			s->now = s->next;
			s->touched = false;
			s->next = NULL;
		}
		ovl_tensor_release(s->next);
		s->next = NULL;
	}
}

size_t ovl_request_states(ovl_request *r) { return r->compiled->n_variables; }
const char *ovl_request_state_name(ovl_request *r, size_t i) { return i < r->compiled->n_variables ? r->compiled->variables[i].id : NULL; }

static ovl_status check_state(const ovl_request *r, size_t i, ovl_error *err)
{
	OVL_TRY(refuse_busy(r, err));
	return i < r->compiled->n_variables ? OVL_OK : ovl_fail(err, OVL_E_NOT_FOUND, "there is no state %zu", i + 1);
}

ovl_status ovl_request_state_get(ovl_request *r, size_t i, ovl_tensor **out, ovl_error *err)
{
	state_slot *s;
	OVL_TRY(check_state(r, i, err));
	s = &r->states[i];
	if (!s->now && !s->shown) {
		const ovl_variable *v = &r->compiled->variables[i];
		ovl_port as_port = {.type = v->type, .shape = v->shape};
		ovl_shape shape = smallest_shape(&as_port);
		OVL_TRY(ovl_tensor_new(v->type == OVL_DYNAMIC ? OVL_F32 : v->type, &shape, &s->shown, err));
	}
	*out = ovl_tensor_retain(s->now ? s->now : s->shown);
	return OVL_OK;
}

ovl_status ovl_request_state_set(ovl_request *r, size_t i, const ovl_tensor *value, ovl_error *err)
{
	const ovl_variable *v;
	ovl_tensor *copy;
	char a[200], b[200];
	OVL_TRY(check_state(r, i, err));
	v = &r->compiled->variables[i];
	if (!ovl_pshape_fits(&v->shape, &value->shape))
		return ovl_fail(err, OVL_E_SHAPE, "state '%s' takes shape %s, got %s", v->id, ovl_pshape_text(&v->shape, a, sizeof a), ovl_shape_text(&value->shape, b, sizeof b));
	OVL_TRY(ovl_tensor_astype(value, v->type == OVL_DYNAMIC ? value->type : v->type, &copy, err));
	ovl_tensor_release(r->states[i].now);
	r->states[i].now = copy;
	return OVL_OK;
}

ovl_status ovl_request_state_reset(ovl_request *r, size_t i, ovl_error *err)
{
	state_slot *s;
	OVL_TRY(check_state(r, i, err));
	s = &r->states[i];
	ovl_tensor_release(s->now);
	ovl_tensor_release(s->shown);
	s->now = s->shown = NULL;
	s->touched = false;
	return OVL_OK;
}

/* ---- a run ---- */

static ovl_status prepare_inputs(ovl_request *r, ovl_error *err)
{
	for (size_t i = 0; i < r->compiled->n_ports[0]; i++) {
		binding *b = &r->side[0][i];
		const ovl_port *p = &r->compiled->ports[0][i];
		if (b->n_batch)
			OVL_TRY(join_batch(p, b, err));
		else
			OVL_TRY(make_tensor(r, OVL_INPUT, i, err));
		r->in[i] = b->n_batch ? b->joined : b->tensor;
		OVL_TRY(check_fits(p, OVL_INPUT, r->in[i]->type, &r->in[i]->shape, err)); /* the user may have reshaped a tensor that he held */
		r->shapes[i] = r->in[i]->shape;
	}
	return OVL_OK;
}

static bool plan_fits(const ovl_request *r)
{
	for (size_t i = 0; r->plan && i < r->compiled->n_ports[0]; i++)
		if (!ovl_shape_equal(&r->plan->input_shapes[i], &r->shapes[i]))
			return false;
	return r->plan != NULL;
}

static ovl_status new_plan(ovl_request *r, ovl_error *err)
{
	ovl_compiled *c = r->compiled;
	void (*planned)(ovl_compiled *) = NULL;
	ovl_plan *p;
	OVL_TRY(ovl_program_plan(c->program, r->shapes, &p, err));
	ovl_profile_leave(&r->profile, c, r->plan);
	ovl_plan_release(r->plan);
	r->plan = p;
	if (__atomic_load_n(&c->planned, __ATOMIC_RELAXED))
		planned = __atomic_exchange_n(&c->planned, NULL, __ATOMIC_ACQ_REL);
	if (planned)
		planned(c);
	return OVL_OK;
}

static ovl_status prepare_plan(ovl_request *r, ovl_error *err)
{
	if (!plan_fits(r))
		OVL_TRY(new_plan(r, err));
	return ovl_profile_prepare(&r->profile, &r->compiled->config, r->plan, err);
}

/* Own output tensors follow the shape of the plan; so do given ones of dynamic outputs. */
static ovl_status prepare_outputs(ovl_request *r, ovl_error *err)
{
	for (size_t i = 0; i < r->compiled->n_ports[1]; i++) {
		binding *b = &r->side[1][i];
		const ovl_value_ref *v = &r->plan->values.at[r->plan->output_values[i]];
		ovl_shape s = ovl_shape_of(v->desc.rank, v->desc.dims);
		r->out[i] = b->tensor;
		if (v->late) { /* made by the run; a tensor that is there gets its shape then */
			if (b->tensor && !b->given && v->desc.type != OVL_DYNAMIC && b->tensor->type != v->desc.type) {
				ovl_tensor_release(b->tensor);
				r->out[i] = b->tensor = NULL;
			}
			continue;
		}
		if (b->tensor && b->tensor->type != v->desc.type && !b->given) {
			ovl_tensor_release(b->tensor);
			b->tensor = NULL;
		}
		if (!b->tensor)
			OVL_TRY(ovl_tensor_new(v->desc.type, &s, &b->tensor, err));
		else if (!ovl_shape_equal(&b->tensor->shape, &s))
			OVL_TRY(ovl_tensor_set_shape(b->tensor, &s, err));
		r->out[i] = b->tensor;
	}
	return OVL_OK;
}

static void adopt_outputs(ovl_request *r)
{
	for (size_t i = 0; i < r->compiled->n_ports[1]; i++)
		if (!r->side[1][i].tensor && r->out[i])
			r->side[1][i].tensor = r->out[i];
}

static ovl_status execute(ovl_request *r, ovl_exec *exec, ovl_error *err)
{
	ovl_exec_io io = {.inputs = r->in, .outputs = r->out, .cancel = &r->cancel, .user = r, .variable_get = variable_get, .variable_set = variable_set};
	ovl_status st = prepare_inputs(r, err);
	if (st == OVL_OK)
		st = prepare_plan(r, err);
	if (st == OVL_OK)
		st = prepare_outputs(r, err);
	if (st != OVL_OK)
		return st;
	io.times = ovl_profile_begin(&r->profile, ovl_exec_stream(exec));
	st = ovl_exec_run(exec, r->plan, &io, err);
	ovl_profile_end(&r->profile, r->plan, st == OVL_OK);
	adopt_outputs(r);
	if (r->compiled->n_variables)
		settle_states(r, st == OVL_OK);
	return st;
}

static void mark_states(ovl_request *r)
{
	for (size_t i = 0; i < r->compiled->n_variables; i++)
		if (r->states[i].shown && !r->states[i].now) { /* the user may have written into the zeros that he was shown */
			const ovl_tensor *t = r->states[i].shown;
			const unsigned char *bytes = t->data;
			size_t n = ovl_tensor_bytes(t);
			for (size_t k = 0; k < n && !r->states[i].touched; k++)
				r->states[i].touched = bytes[k] != 0;
		}
}

static ovl_status begin(ovl_request *r, run_state state, ovl_error *err)
{
	int idle = IDLE;
	if (!__atomic_compare_exchange_n(&r->state, &idle, state, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return refuse_busy(r, err) == OVL_OK ? ovl_fail(err, OVL_E_BUSY, "the request is running") : err->code;
	__atomic_store_n(&r->cancel, 0, __ATOMIC_RELAXED);
	if (r->compiled->n_variables)
		mark_states(r);
	return OVL_OK;
}

static void note_time(ovl_request *r)
{
	int64_t ns = (int64_t)(r->latency_us * 1e3), least = r->plan ? __atomic_load_n(&r->plan->least_ns, __ATOMIC_RELAXED) : 0;
	if (r->plan && ns > 0 && (least == 0 || ns < least))
		__atomic_store_n(&r->plan->least_ns, ns, __ATOMIC_RELAXED);
	r->slow = r->latency_us > long_us ? REMEMBER_SLOW : r->slow > 0 ? r->slow - 1 : 0;
}

static void finish(ovl_request *r, ovl_status st, const ovl_error *err, double started)
{
	ovl_completions *q = r->notify;
	pthread_mutex_lock(&r->lock);
	r->latency_us = ovl_now_us() - started;
	if (st == OVL_OK)
		note_time(r);
	r->outcome.code = st;
	if (st != OVL_OK)
		r->outcome = *err;
	if (q) {
		r->completion.request = ovl_request_retain(r);
		r->completion.outcome.code = st;
		r->completion.outcome.message[0] = 0;
		if (st != OVL_OK)
			r->completion.outcome = *err;
	}
	r->notify = NULL;
	if (q) /* before the state says so: who has seen the end finds the completion; settle() waits for the lock */
		ovl_completions_push(q, &r->completion);
	__atomic_store_n(&r->state, q ? DONE : IDLE, __ATOMIC_RELEASE);
	if (r->waiting)
		pthread_cond_broadcast(&r->ended);
	pthread_mutex_unlock(&r->lock);
	ovl_completions_release(q);
}

ovl_status ovl_request_infer(ovl_request *r, ovl_error *err)
{
	double started = ovl_now_us();
	ovl_seat *seat;
	ovl_status st;
	OVL_TRY(begin(r, RUNNING, err));
	seat = ovl_engine_sit(r->compiled->engine);
	st = execute(r, ovl_seat_exec(seat), err);
	ovl_engine_stand(r->compiled->engine, seat);
	finish(r, st, err, started);
	return st;
}

enum { LARGE_BYTES = 128 << 10 };

/* Plain numbers, so many that two threads are faster. They still spin behind the run whose output this is. */
static bool copied_by_threads(const ovl_tensor *t)
{
	return ovl_tensor_dense(t) && !ovl_type_owns(t->type) && !ovl_type_packed(t->type) && ovl_tensor_bytes(t) >= LARGE_BYTES;
}

ovl_status ovl_request_copy_output(ovl_request *r, size_t i, ovl_tensor **out, ovl_error *err)
{
	ovl_tensor *t;
	ovl_seat *seat;
	ovl_status st;
	OVL_TRY(ovl_request_get_tensor(r, OVL_OUTPUT, i, &t, err));
	seat = copied_by_threads(t) ? ovl_engine_try_sit(r->compiled->engine) : NULL;
	if (!seat) {
		st = ovl_tensor_clone(t, out, err);
	} else {
		st = ovl_tensor_new_raw(t->type, &t->shape, out, err);
		if (st == OVL_OK)
			ovl_exec_copy(ovl_seat_exec(seat), (*out)->data, t->data, ovl_tensor_bytes(t));
		ovl_engine_stand(r->compiled->engine, seat);
	}
	ovl_tensor_release(t);
	return st;
}

static ovl_request *request_of(ovl_job *job) { return (ovl_request *)(void *)((char *)job - offsetof(ovl_request, job)); }

static void run_job(ovl_job *job, ovl_seat *seat)
{
	ovl_request *r = request_of(job);
	double started = ovl_now_us();
	ovl_error err;
	ovl_status st;
	__atomic_store_n(&r->state, RUNNING, __ATOMIC_RELEASE);
	err.code = OVL_OK;
	if (__atomic_load_n(&r->cancel, __ATOMIC_RELAXED))
		st = ovl_fail(&err, OVL_E_CANCELLED, "the run was cancelled");
	else
		st = execute(r, ovl_seat_exec(seat), &err);
	ovl_engine_stand(r->compiled->engine, seat);
	finish(r, st, &err, started);
	ovl_request_release(r); /* the run's own reference */
}

static bool is_quick(const ovl_request *r)
{
	int64_t least = plan_fits(r) ? __atomic_load_n(&r->plan->least_ns, __ATOMIC_RELAXED) : 0;
	return least > 0 && (double)least < hand_over_us * 1e3 && r->slow == 0;
}

/* A run that is over before a worker would have begun it is done by the call that starts it; to everybody else it looks like a run of a worker. */
static bool run_quick(ovl_request *r)
{
	ovl_seat *seat = is_quick(r) ? ovl_engine_try_sit(r->compiled->engine) : NULL;
	if (seat)
		run_job(&r->job, seat);
	return seat != NULL;
}

ovl_status ovl_request_start(ovl_request *r, ovl_completions *notify, ovl_error *err)
{
	ovl_status st;
	OVL_TRY(begin(r, QUEUED, err));
	st = prepare_inputs(r, err); /* a wrong shape is told by the call that starts */
	if (st == OVL_OK) {
		r->notify = notify ? ovl_completions_retain(notify) : NULL;
		r->job.run = run_job;
		ovl_request_retain(r);
		if (run_quick(r))
			return OVL_OK;
		st = ovl_engine_submit(r->compiled->engine, &r->job, err);
		if (st == OVL_OK)
			return OVL_OK;
		ovl_completions_release(r->notify);
		r->notify = NULL;
		ovl_request_release(r);
	}
	__atomic_store_n(&r->state, IDLE, __ATOMIC_RELEASE);
	return st;
}

/* No worker has begun yet: run here, when a seat is free. */
static void run_here(ovl_request *r)
{
	ovl_seat *seat;
	if (state_of(r) != QUEUED)
		return;
	seat = ovl_engine_try_sit(r->compiled->engine);
	if (!seat)
		return;
	if (ovl_engine_claim(r->compiled->engine, &r->job))
		run_job(&r->job, seat);
	else
		ovl_engine_stand(r->compiled->engine, seat);
}

static struct timespec deadline_after(int64_t ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

static void sleep_until_ended(ovl_request *r, int64_t ms)
{
	struct timespec until = deadline_after(ms < 0 ? 0 : ms);
	double spin = ovl_now_us() + 30;
	while (ovl_request_running(r) && ovl_now_us() < spin)
		;
	pthread_mutex_lock(&r->lock);
	r->waiting++;
	while (ovl_request_running(r)) {
		if (ms < 0)
			pthread_cond_wait(&r->ended, &r->lock);
		else if (pthread_cond_timedwait(&r->ended, &r->lock, &until) == ETIMEDOUT)
			break;
	}
	r->waiting--;
	pthread_mutex_unlock(&r->lock);
}

ovl_status ovl_request_wait(ovl_request *r, int64_t ms, bool *done, ovl_error *err)
{
	ovl_request_retain(r);
	if (ms < 0)
		run_here(r);
	if (ms != 0 && ovl_request_running(r))
		sleep_until_ended(r, ms);
	*done = !ovl_request_running(r);
	err->code = OVL_OK;
	if (*done) {
		pthread_mutex_lock(&r->lock);
		if (r->outcome.code != OVL_OK)
			*err = r->outcome;
		pthread_mutex_unlock(&r->lock);
	}
	ovl_request_release(r);
	return err->code;
}

void ovl_request_settle(ovl_request *r)
{
	pthread_mutex_lock(&r->lock);
	if (state_of(r) == DONE)
		__atomic_store_n(&r->state, IDLE, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&r->lock);
}

void ovl_request_cancel(ovl_request *r)
{
	if (ovl_request_running(r))
		__atomic_store_n(&r->cancel, 1, __ATOMIC_RELAXED);
}

double ovl_request_latency_ms(const ovl_request *r) { return r->latency_us / 1e3; }

ovl_request *ovl_completions_pop(ovl_completions *q, int64_t ms, ovl_error *error)
{
	ovl_completion *c = ovl_completions_take(q, ms);
	if (!c)
		return NULL;
	if (error)
		*error = c->outcome;
	return c->request; /* the list's reference goes to the caller */
}

/* ---- profile ---- */

static ovl_status current_plan(ovl_request *r, ovl_error *err)
{
	OVL_TRY(prepare_inputs(r, err));
	return prepare_plan(r, err);
}

ovl_status ovl_request_profile(ovl_request *r, const ovl_profile_entry **entries, size_t *n, ovl_error *err)
{
	OVL_TRY(refuse_busy(r, err));
	if (!r->plan)
		OVL_TRY(current_plan(r, err));
	return ovl_profile_entries(&r->profile, r->compiled, r->plan, entries, n, err);
}

ovl_status ovl_request_run_profile(ovl_request *r, ovl_run_profile *out, ovl_error *err)
{
	OVL_TRY(refuse_busy(r, err));
	return ovl_profile_run(&r->profile, r->compiled, r->plan, out, err);
}
