#include "ops/support_move.h"
#include "base/memory.h"
#include "ops/support_walk.h"
#include "tensor/convert.h"

ovl_place ovl_place_of(ovl_tensor *t)
{
	ovl_place p = {.tensor = t};
	ovl_dense_strides(&t->shape, p.strides);
	return p;
}

#define STEP_COPY(T)                                                             \
	do {                                                                     \
		T *to_ = (T *)to;                                                \
		const T *from_ = (const T *)from;                                \
		for (int64_t i_ = 0; i_ < n; i_++)                               \
			to_[i_ * to_step] = from_[i_ * from_step];               \
	} while (0)

static void copy_steps(void *to, int64_t to_step, const void *from, int64_t from_step, int64_t n, size_t size)
{
	if (to_step == 1 && from_step == 1) {
		memcpy(to, from, (size_t)n * size);
		return;
	}
	switch (size) {
	case 1: STEP_COPY(uint8_t); break;
	case 2: STEP_COPY(uint16_t); break;
	case 4: STEP_COPY(uint32_t); break;
	default: STEP_COPY(uint64_t); break;
	}
}

static ovl_status copy_strings(ovl_tensor *to, int64_t to_at, int64_t to_step, const ovl_tensor *from, int64_t from_at, int64_t from_step, int64_t n, ovl_error *err)
{
	const ovl_string *s = (const ovl_string *)from->data;
	for (int64_t i = 0; i < n; i++) {
		const ovl_string *one = &s[from_at + i * from_step];
		OVL_TRY(ovl_tensor_set_string(to, to_at + i * to_step, one->data, one->size, err));
	}
	return OVL_OK;
}

static ovl_status move_steps(ovl_run *run, ovl_tensor *to, int64_t to_at, int64_t to_step, const ovl_tensor *from, int64_t from_at, int64_t from_step, int64_t n)
{
	if (to->type != from->type || ovl_type_packed(to->type))
		return ovl_fail(run->err, OVL_E_INTERNAL, "%s: cannot move %s elements to %s", run->op->name, ovl_type_name(from->type), ovl_type_name(to->type));
	if (to->type == OVL_STRING)
		return copy_strings(to, to_at, to_step, from, from_at, from_step, n, run->err);
	size_t size = ovl_type_size(to->type);
	copy_steps((char *)to->data + (size_t)to_at * size, to_step, (const char *)from->data + (size_t)from_at * size, from_step, n, size);
	return OVL_OK;
}

ovl_status ovl_move(ovl_run *run, const ovl_place *to, const ovl_place *from, const ovl_shape *shape)
{
	ovl_walk w;
	ovl_walk_start(&w, shape, 2, (const int64_t *const[]){to->strides, from->strides});
	for (; !w.done; ovl_walk_next(&w)) {
		OVL_RUN_CHECK_CANCEL(run);
		OVL_TRY(move_steps(run, to->tensor, to->at + w.pos[0], w.step[0], from->tensor, from->at + w.pos[1], w.step[1], w.inner));
	}
	return OVL_OK;
}

ovl_status ovl_move_row(ovl_run *run, ovl_tensor *to, int64_t to_at, const ovl_tensor *from, int64_t from_at, int64_t n)
{
	OVL_RUN_CHECK_CANCEL(run);
	return n > 0 ? move_steps(run, to, to_at, 1, from, from_at, 1, n) : OVL_OK;
}

ovl_status ovl_move_fill(ovl_run *run, ovl_tensor *to, const ovl_tensor *value, int64_t at)
{
	OVL_RUN_CHECK_CANCEL(run);
	int64_t n = ovl_tensor_count(to);
	return n > 0 ? move_steps(run, to, 0, 1, value, at, 0, n) : OVL_OK;
}

/* ---- types that do not fill bytes ---- */

static ovl_type wide_type(ovl_type t)
{
	switch (t) {
	case OVL_I2:
	case OVL_I4: return OVL_I8;
	case OVL_U2:
	case OVL_U4: return OVL_U8;
	case OVL_U1: return OVL_U8;
	case OVL_F8E4M3: return OVL_F32;
	case OVL_F8E5M2:
	case OVL_F8E4M3FNUZ:
	case OVL_F8E5M2FNUZ:
	case OVL_F8E8M0:
	case OVL_F4E2M1: return OVL_F32;
	default: return t;
	}
}

static bool any_tensor(const ovl_run *run, bool (*is)(ovl_type))
{
	for (int i = 0; i < run->n_in; i++)
		if (run->in[i] && is(run->in[i]->type))
			return true;
	for (int i = 0; i < run->n_out; i++)
		if (run->out[i] && is(run->out[i]->type))
			return true;
	return false;
}

static bool is_packed(ovl_type t) { return ovl_type_packed(t); }
static bool is_narrow(ovl_type t) { return wide_type(t) != t; }
bool ovl_run_packed(const ovl_run *run) { return any_tensor(run, is_packed); }
bool ovl_run_narrow(const ovl_run *run) { return any_tensor(run, is_narrow); }

/* The tensor itself with a new reference, or a widened copy. */
static ovl_status widen(ovl_run *run, const ovl_tensor *t, bool fill, ovl_tensor **out)
{
	if (!t || !is_narrow(t->type)) {
		*out = t ? ovl_tensor_retain(t) : NULL;
		return OVL_OK;
	}
	OVL_TRY(ovl_tensor_new(wide_type(t->type), &t->shape, out, run->err));
	if (fill)
		ovl_convert(t->type, t->data, 0, (*out)->type, (*out)->data, 0, ovl_tensor_count(t), true);
	return OVL_OK;
}

ovl_status ovl_run_unpacked(ovl_run *run, ovl_status (*fn)(ovl_run *run))
{
	int n = run->n_in + run->n_out;
	ovl_tensor **t = (ovl_tensor **)ovl_calloc((size_t)n + 1, sizeof *t);
	if (!t)
		return ovl_fail(run->err, OVL_E_MEMORY, "%s: out of memory", run->op->name);
	ovl_status status = OVL_OK;
	for (int i = 0; i < n && status == OVL_OK; i++)
		status = widen(run, i < run->n_in ? run->in[i] : run->out[i - run->n_in], i < run->n_in, &t[i]);
	if (status == OVL_OK) {
		ovl_run wide = *run;
		wide.in = t;
		wide.out = t + run->n_in;
		status = fn(&wide);
	}
	for (int i = 0; i < run->n_out && status == OVL_OK; i++) {
		ovl_tensor *from = t[run->n_in + i], *to = run->out[i];
		if (to && from != to)
			ovl_convert(from->type, from->data, 0, to->type, to->data, 0, ovl_tensor_count(to), true);
	}
	for (int i = 0; i < n; i++)
		ovl_tensor_release(t[i]);
	ovl_free(t);
	return status;
}
