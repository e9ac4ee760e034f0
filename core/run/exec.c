#define _GNU_SOURCE
#include "run/exec.h"
#include "base/log.h"

#include <string.h>
#include <time.h>

/* A plan as one executor knows it: addresses of its values, ready to be used. */
typedef struct instance {
	ovl_plan *plan;
	ovl_buffer *arena;
	void **at; /* per value */
	ovl_tensor *tensors; /* per value: what reference steps see; buffer NULL tells that nobody may keep them */
	ovl_tensor **late; /* per slot: tensors made by this run */
	int *late_slots; /* the slots that have one */
	int *patched; /* values in input or output slots, whose address changes from run to run */
	int n_patched;
	ovl_tensor **dense_in; /* per input: a dense copy where the user's tensor has holes */
	ovl_tensor **temp_out; /* per output: where the user's tensor cannot be written directly */
	int n_late;
	uint64_t used;
} instance;

typedef struct child {
	const ovl_program *program;
	ovl_exec *exec;
} child;

struct ovl_exec {
	ovl_pool *pool;
	ovl_buffer *scratch;
	OVL_VEC(instance *) instances;
	OVL_VEC(child) children; /* executors of bodies */
	void **args;
	ovl_tensor **ref_args;
	size_t args_cap, ref_cap;
	uint64_t clock;
	int depth, stream;
};

enum { MAX_INSTANCES = 8, MAX_DEPTH = 32 };

static ovl_status no_memory(ovl_error *err) { return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a run"); }

ovl_exec *ovl_exec_new(ovl_pool *pool, int stream)
{
	ovl_exec *e = ovl_calloc(1, sizeof *e);
	if (e) {
		e->pool = pool;
		e->stream = stream;
	}
	return e;
}

enum { COPY_BYTES = 64 << 10 }; /* of a chunk */

typedef struct copy_job {
	char *to;
	const char *from;
	size_t size;
} copy_job;

static void copy_chunk(void *arg, int64_t chunk, int worker)
{
	const copy_job *j = arg;
	size_t at = (size_t)chunk * COPY_BYTES;
	(void)worker;
	memcpy(j->to + at, j->from + at, j->size - at < COPY_BYTES ? j->size - at : COPY_BYTES);
}

void ovl_exec_copy(ovl_exec *e, void *to, const void *from, size_t size)
{
	copy_job job = {to, from, size};
	ovl_pool_run(e->pool, (int64_t)((size + COPY_BYTES - 1) / COPY_BYTES), copy_chunk, &job);
}

int ovl_exec_stream(const ovl_exec *e) { return e->stream; }

static void drop_tensors(ovl_tensor **list, int n)
{
	for (int i = 0; list && i < n; i++) {
		ovl_tensor_release(list[i]);
		list[i] = NULL;
	}
}

static void free_instance(instance *x)
{
	if (!x)
		return;
	if (x->plan) {
		drop_tensors(x->late, (int)x->plan->slots.n);
		drop_tensors(x->dense_in, x->plan->n_inputs);
		drop_tensors(x->temp_out, x->plan->n_outputs);
	}
	ovl_buffer_release(x->arena);
	ovl_free(x->at);
	ovl_free(x->tensors);
	ovl_free(x->late);
	ovl_free(x->late_slots);
	ovl_free(x->patched);
	ovl_free(x->dense_in);
	ovl_free(x->temp_out);
	ovl_plan_release(x->plan);
	ovl_free(x);
}

void ovl_exec_trim(ovl_exec *e)
{
	for (size_t i = 0; i < e->instances.n; i++)
		free_instance(e->instances.at[i]);
	e->instances.n = 0;
	for (size_t i = 0; i < e->children.n; i++)
		ovl_exec_free(e->children.at[i].exec);
	e->children.n = 0;
	ovl_buffer_release(e->scratch);
	e->scratch = NULL;
}

void ovl_exec_free(ovl_exec *e)
{
	if (!e)
		return;
	ovl_exec_trim(e);
	ovl_vec_free(&e->instances);
	ovl_vec_free(&e->children);
	ovl_free(e->args);
	ovl_free(e->ref_args);
	ovl_free(e);
}

size_t ovl_exec_bytes(const ovl_exec *e)
{
	size_t n = e->scratch ? e->scratch->size : 0;
	for (size_t i = 0; i < e->instances.n; i++)
		n += e->instances.at[i]->arena ? e->instances.at[i]->arena->size : 0;
	for (size_t i = 0; i < e->children.n; i++)
		n += ovl_exec_bytes(e->children.at[i].exec);
	return n;
}

/* ---- instances ---- */

static const ovl_slot *root_slot(const ovl_plan *p, const ovl_value_ref *v, size_t *at)
{
	int slot = v->slot;
	*at = v->offset;
	while (p->slots.at[slot].merged >= 0) {
		*at += p->slots.at[slot].merged_at;
		slot = p->slots.at[slot].merged;
	}
	return &p->slots.at[slot];
}

static void fill_addresses(instance *x)
{
	const ovl_plan *p = x->plan;
	for (size_t i = 0; i < p->values.n; i++) {
		const ovl_value_ref *v = &p->values.at[i];
		size_t at;
		const ovl_slot *s = root_slot(p, v, &at);
		ovl_tensor *t = &x->tensors[i];
		t->refs = 1 << 30;
		t->type = v->desc.type;
		t->shape.rank = v->desc.rank;
		memcpy(t->shape.dims, v->desc.dims, sizeof t->shape.dims);
		memcpy(t->strides, v->desc.strides, sizeof t->strides);
		if (s->kind == OVL_SLOT_ARENA)
			x->at[i] = (char *)x->arena->data + s->offset + at;
		else if (s->kind == OVL_SLOT_CONST)
			x->at[i] = s->constant ? (char *)s->constant->data + at : NULL;
		else if (s->kind != OVL_SLOT_LATE)
			x->patched[x->n_patched++] = (int)i;
		t->data = x->at[i];
	}
}

static ovl_status make_instance(ovl_exec *e, ovl_plan *plan, instance **out, ovl_error *err)
{
	instance *x = ovl_calloc(1, sizeof *x);
	size_t nv = plan->values.n + 1;
	if (!x)
		return no_memory(err);
	x->plan = ovl_plan_retain(plan);
	x->arena = ovl_buffer_new(plan->arena_size + 64, true);
	x->at = ovl_calloc(nv, sizeof *x->at);
	x->tensors = ovl_calloc(nv, sizeof *x->tensors);
	x->late = ovl_calloc(plan->slots.n + 1, sizeof *x->late);
	x->late_slots = ovl_calloc(plan->slots.n + 1, sizeof *x->late_slots);
	x->patched = ovl_calloc(nv, sizeof *x->patched);
	x->dense_in = ovl_calloc((size_t)plan->n_inputs + 1, sizeof *x->dense_in);
	x->temp_out = ovl_calloc((size_t)plan->n_outputs + 1, sizeof *x->temp_out);
	if (!x->arena || !x->at || !x->tensors || !x->late || !x->late_slots || !x->patched || !x->dense_in || !x->temp_out || !ovl_vec_reserve(&e->instances, e->instances.n + 1)) {
		free_instance(x);
		return no_memory(err);
	}
	fill_addresses(x);
	for (size_t i = 0; i < plan->slots.n; i++)
		if (plan->slots.at[i].kind == OVL_SLOT_LATE)
			x->late_slots[x->n_late++] = (int)i;
	e->instances.at[e->instances.n++] = x;
	*out = x;
	return OVL_OK;
}

static void evict_instance(ovl_exec *e)
{
	size_t oldest = 0;
	for (size_t i = 1; i < e->instances.n; i++)
		if (e->instances.at[i]->used < e->instances.at[oldest]->used)
			oldest = i;
	free_instance(e->instances.at[oldest]);
	e->instances.at[oldest] = e->instances.at[--e->instances.n];
}

static ovl_status reserve_scratch(ovl_exec *e, const ovl_plan *plan, ovl_error *err)
{
	ovl_buffer *b;
	if (e->scratch && e->scratch->size >= plan->scratch_size)
		return OVL_OK;
	b = ovl_buffer_new(plan->scratch_size + 64, false);
	if (!b)
		return no_memory(err);
	ovl_buffer_release(e->scratch);
	e->scratch = b;
	return OVL_OK;
}

static ovl_status reserve_args(ovl_exec *e, const ovl_plan *plan, ovl_error *err)
{
	size_t most = 0;
	for (size_t i = 0; i < plan->steps.n; i++)
		if ((size_t)(plan->steps.at[i].n_in + plan->steps.at[i].n_out) > most)
			most = (size_t)(plan->steps.at[i].n_in + plan->steps.at[i].n_out);
	if (!ovl_grow(&e->args, &e->args_cap, most + 1, sizeof *e->args) || !ovl_grow(&e->ref_args, &e->ref_cap, most + 1, sizeof *e->ref_args))
		return no_memory(err);
	return OVL_OK;
}

static ovl_status find_instance(ovl_exec *e, ovl_plan *plan, instance **out, ovl_error *err)
{
	*out = NULL;
	for (size_t i = 0; i < e->instances.n; i++)
		if (e->instances.at[i]->plan == plan)
			*out = e->instances.at[i];
	if (!*out) {
		if (e->instances.n >= MAX_INSTANCES)
			evict_instance(e);
		OVL_TRY(reserve_scratch(e, plan, err));
		OVL_TRY(reserve_args(e, plan, err));
		OVL_TRY(make_instance(e, plan, out, err));
	}
	(*out)->used = ++e->clock;
	return OVL_OK;
}

/* ---- inputs and outputs ---- */

static bool overlaps(const ovl_tensor *a, const ovl_tensor *b)
{
	const char *x = a->data, *y = b->data;
	ovl_desc da = {.type = a->type, .rank = a->shape.rank}, db = {.type = b->type, .rank = b->shape.rank};
	memcpy(da.dims, a->shape.dims, sizeof da.dims), memcpy(da.strides, a->strides, sizeof da.strides);
	memcpy(db.dims, b->shape.dims, sizeof db.dims), memcpy(db.strides, b->strides, sizeof db.strides);
	return x < y + ovl_desc_span(&db) && y < x + ovl_desc_span(&da);
}

static ovl_status bind_inputs(instance *x, const ovl_exec_io *io, ovl_error *err)
{
	for (int k = 0; k < x->n_patched; k++) { /* a value whose type the body could not know may turn out to be another */
		const ovl_value_ref *v = &x->plan->values.at[x->patched[k]];
		size_t at;
		const ovl_slot *s = root_slot(x->plan, v, &at);
		ovl_type got = s->kind == OVL_SLOT_INPUT ? io->inputs[s->index]->type : v->desc.type;
		if (got != v->desc.type && (ovl_type_owns(got) || ovl_type_owns(v->desc.type) || v->desc.type == OVL_DYNAMIC))
			return ovl_fail(err, OVL_E_TYPE, "input %d is of type %s, expected %s", s->index, ovl_type_name(got), ovl_type_name(v->desc.type));
	}
	for (int i = 0; i < x->plan->n_inputs; i++) {
		ovl_tensor *t = io->inputs[i];
		if (ovl_tensor_dense(t))
			continue;
		if (!x->dense_in[i])
			OVL_TRY(ovl_tensor_new_raw(t->type, &t->shape, &x->dense_in[i], err));
		OVL_TRY(ovl_tensor_copy(t, x->dense_in[i], err));
	}
	return OVL_OK;
}

static bool writes_directly(const instance *x, const ovl_exec_io *io, int i)
{
	const ovl_tensor *t = io->outputs[i];
	const ovl_value_ref *v = &x->plan->values.at[x->plan->output_values[i]];
	if (!x->plan->output_direct[i] || !t || !ovl_tensor_dense(t) || t->type != v->desc.type || ovl_type_owns(t->type))
		return false;
	for (int k = 0; k < x->plan->n_inputs; k++)
		if (overlaps(t, io->inputs[k]))
			return false;
	for (int k = 0; k < x->plan->n_outputs; k++) /* one tensor given for two outputs: each is computed apart, the last one is what stays */
		if (k != i && io->outputs[k] && overlaps(t, io->outputs[k]))
			return false;
	return true;
}

static ovl_status bind_outputs(instance *x, const ovl_exec_io *io, ovl_error *err)
{
	for (int i = 0; i < x->plan->n_outputs; i++) {
		const ovl_desc *d = &x->plan->values.at[x->plan->output_values[i]].desc;
		ovl_shape s;
		if (!x->plan->output_direct[i] || writes_directly(x, io, i))
			continue;
		if (!io->outputs[i]) { /* the caller gets the tensor itself */
			ovl_tensor_release(x->temp_out[i]);
			x->temp_out[i] = NULL;
		}
		s = ovl_shape_of(d->rank, d->dims);
		if (!x->temp_out[i])
			OVL_TRY(ovl_tensor_new(d->type, &s, &x->temp_out[i], err));
	}
	return OVL_OK;
}

static void patch_addresses(instance *x, const ovl_exec_io *io)
{
	const ovl_plan *p = x->plan;
	for (int k = 0; k < x->n_patched; k++) {
		int i = x->patched[k];
		size_t at;
		const ovl_slot *s = root_slot(p, &p->values.at[i], &at);
		ovl_tensor *t;
		if (s->kind == OVL_SLOT_INPUT)
			t = ovl_tensor_dense(io->inputs[s->index]) ? io->inputs[s->index] : x->dense_in[s->index];
		else
			t = writes_directly(x, io, s->index) ? io->outputs[s->index] : x->temp_out[s->index];
		x->at[i] = (char *)t->data + at;
		x->tensors[i].data = x->at[i];
	}
}

/* Output i as a tensor: the late tensor, the temporary one, or a view on arena or constant memory. */
static ovl_tensor *output_tensor(instance *x, int i)
{
	int v = x->plan->output_values[i];
	if (x->plan->values.at[v].late)
		return x->late[x->plan->values.at[v].slot];
	return x->plan->output_direct[i] ? x->temp_out[i] : &x->tensors[v];
}

static ovl_status deliver(instance *x, const ovl_exec_io *io, ovl_error *err)
{
	for (int i = 0; i < x->plan->n_outputs; i++) {
		ovl_tensor *t;
		if (writes_directly(x, io, i))
			continue;
		t = output_tensor(x, i);
		if (!io->outputs[i]) {
			if (t->buffer)
				io->outputs[i] = ovl_tensor_retain(t);
			else
				OVL_TRY(ovl_tensor_clone(t, &io->outputs[i], err));
			if (t == x->temp_out[i]) {
				ovl_tensor_release(t);
				x->temp_out[i] = NULL;
			}
			continue;
		}
		if (!ovl_shape_equal(&io->outputs[i]->shape, &t->shape))
			OVL_TRY(ovl_tensor_set_shape(io->outputs[i], &t->shape, err));
		OVL_TRY(ovl_tensor_copy(t, io->outputs[i], err));
	}
	return OVL_OK;
}

/* ---- steps ---- */

typedef struct ref_user {
	ovl_exec *exec;
	const ovl_exec_io *io;
} ref_user;

static ovl_exec *child_of(ovl_exec *e, const ovl_program *program)
{
	ovl_exec *c;
	for (size_t i = 0; i < e->children.n; i++)
		if (e->children.at[i].program == program)
			return e->children.at[i].exec;
	c = ovl_exec_new(e->pool, e->stream);
	if (!c || !ovl_vec_push(&e->children, ((child){program, c}))) {
		ovl_exec_free(c);
		return NULL;
	}
	c->depth = e->depth + 1;
	return c;
}

static ovl_status run_body(void *user, ovl_program *program, int step_body, ovl_tensor *const *in, int n_in, ovl_tensor **out, int n_out, ovl_error *err)
{
	ref_user *u = user;
	ovl_exec *c = child_of(u->exec, program);
	ovl_exec_io io = *u->io;
	ovl_shape shapes[64];
	ovl_plan *plan;
	ovl_status st;
	(void)step_body;
	if (!c)
		return no_memory(err);
	if (c->depth > MAX_DEPTH)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "bodies are nested more than %d deep", MAX_DEPTH);
	if (n_in != ovl_program_inputs(program) || n_out != ovl_program_outputs(program) || n_in > 64)
		return ovl_fail(err, OVL_E_INTERNAL, "a body with %d inputs and %d outputs was called with %d and %d", ovl_program_inputs(program), ovl_program_outputs(program), n_in, n_out);
	for (int i = 0; i < n_in; i++)
		shapes[i] = in[i]->shape;
	OVL_TRY(ovl_program_plan(program, shapes, &plan, err));
	for (int i = 0; i < n_out; i++)
		out[i] = NULL;
	io.inputs = in;
	io.outputs = out;
	io.times = NULL;
	st = ovl_exec_run(c, plan, &io, err);
	ovl_plan_release(plan);
	for (int i = 0; st != OVL_OK && i < n_out; i++) {
		ovl_tensor_release(out[i]);
		out[i] = NULL;
	}
	return st;
}

static ovl_status get_variable(void *user, const char *id, ovl_tensor **out, ovl_error *err)
{
	const ref_user *u = user;
	if (!u->io->variable_get)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "variable '%s' is used where there is no state", id);
	return u->io->variable_get(u->io->user, id, out, err);
}

static ovl_status set_variable(void *user, const char *id, ovl_tensor *value, ovl_error *err)
{
	const ref_user *u = user;
	if (!u->io->variable_set)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "variable '%s' is used where there is no state", id);
	return u->io->variable_set(u->io->user, id, value, err);
}

static ovl_tensor *step_tensor(instance *x, int value)
{
	if (value < 0)
		return NULL;
	return x->plan->values.at[value].late ? x->late[x->plan->values.at[value].slot] : &x->tensors[value];
}

static ovl_status run_reference(ovl_exec *e, instance *x, const ovl_step *s, const ovl_exec_io *io, ovl_error *err)
{
	ref_user user = {e, io};
	ovl_ref_host host = {&user, io->cancel, run_body, get_variable, set_variable};
	ovl_tensor **in = e->ref_args, **out = in + s->n_in;
	ovl_status st;
	for (int i = 0; i < s->n_in; i++)
		in[i] = step_tensor(x, s->in[i]);
	for (int i = 0; i < s->n_out; i++)
		out[i] = x->plan->values.at[s->out[i]].late ? NULL : &x->tensors[s->out[i]];
	st = ovl_ref_run(s->ref, &host, in, s->n_in, out, s->n_out, err);
	for (int i = 0; i < s->n_out; i++) {
		ovl_tensor *t = out[i];
		if (!x->plan->values.at[s->out[i]].late) {
			if (st == OVL_OK && t != &x->tensors[s->out[i]]) { /* the operator replaced the planned tensor by one of its own */
				if (!ovl_shape_equal(&t->shape, &x->tensors[s->out[i]].shape))
					st = ovl_fail(err, OVL_E_INTERNAL, "node '%s' gave output %d another shape than planned", s->name, i);
				else
					st = ovl_tensor_copy(t, &x->tensors[s->out[i]], err);
				ovl_tensor_release(t);
			}
			continue;
		}
		if (t && !t->buffer) { /* memory of the arena: it will be used again */
			ovl_tensor *own = NULL;
			ovl_status cloned = ovl_tensor_clone(t, &own, err);
			ovl_tensor_release(t);
			t = own;
			st = st == OVL_OK ? cloned : st;
		}
		ovl_tensor_release(x->late[x->plan->values.at[s->out[i]].slot]);
		x->late[x->plan->values.at[s->out[i]].slot] = t;
	}
	return st;
}

static ovl_status run_step(ovl_exec *e, instance *x, const ovl_step *s, const ovl_exec_io *io, ovl_error *err)
{
	ovl_call call = {.state = s->prep.state, .in = e->args, .out = e->args + s->n_in, .scratch = e->scratch->data, .rooms = (char *)e->scratch->data + x->plan->shared_size,
		.room_size = x->plan->room_size, .pool = e->pool, .cancel = io->cancel, .err = err};
	if (!s->kernel)
		return run_reference(e, x, s, io, err);
	for (int i = 0; i < s->n_in + s->n_out; i++)
		e->args[i] = s->in[i] < 0 ? NULL : x->at[s->in[i]];
	if (s->kernel->run(&call) == OVL_OK)
		return OVL_OK;
	return ovl_error_prefix(err, "node '%s'", s->name);
}

static double cpu_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static ovl_status timed_step(ovl_exec *e, instance *x, size_t i, const ovl_exec_io *io, ovl_error *err)
{
	double real = ovl_now_us(), cpu = cpu_us();
	ovl_status st = run_step(e, x, &x->plan->steps.at[i], io, err);
	io->times[i].start_us = real;
	io->times[i].real_us = ovl_now_us() - real;
	io->times[i].cpu_us = cpu_us() - cpu;
	return st;
}

static void free_late(instance *x, int step)
{
	for (int k = 0; k < x->n_late; k++) {
		int i = x->late_slots[k];
		if (x->plan->slots.at[i].last == step && x->late[i]) {
			ovl_tensor_release(x->late[i]);
			x->late[i] = NULL;
		}
	}
}

static ovl_status run_steps(ovl_exec *e, instance *x, const ovl_exec_io *io, ovl_error *err)
{
	const ovl_plan *p = x->plan;
	for (size_t i = 0; i < p->steps.n; i++) {
		if (io->cancel && __atomic_load_n(io->cancel, __ATOMIC_RELAXED))
			return ovl_fail(err, OVL_E_CANCELLED, "the run was cancelled");
		if (io->times)
			OVL_TRY(timed_step(e, x, i, io, err));
		else
			OVL_TRY(run_step(e, x, &p->steps.at[i], io, err));
		if (x->n_late)
			free_late(x, (int)i);
	}
	return OVL_OK;
}

ovl_status ovl_exec_run(ovl_exec *e, ovl_plan *plan, const ovl_exec_io *io, ovl_error *err)
{
	instance *x;
	ovl_status st;
	OVL_TRY(find_instance(e, plan, &x, err));
	OVL_TRY(bind_inputs(x, io, err));
	OVL_TRY(bind_outputs(x, io, err));
	patch_addresses(x, io);
	ovl_pool_enter(e->pool);
	st = run_steps(e, x, io, err);
	ovl_pool_leave(e->pool);
	if (st == OVL_OK)
		st = deliver(x, io, err);
	if (x->n_late)
		drop_tensors(x->late, (int)plan->slots.n);
	return st;
}
