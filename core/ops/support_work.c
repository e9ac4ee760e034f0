#include "ops/support_work.h"
#include "tensor/convert.h"

#include <stdarg.h>
#include <stdio.h>

/* Nothing is to be written: loops over the other sizes, however large, are not begun. */
static bool nothing_to_do(const ovl_run *run)
{
	for (int i = 0; i < run->n_out; i++)
		if (!run->out[i] || ovl_tensor_count(run->out[i]) > 0)
			return false;
	return run->op->outputs > 0;
}

ovl_status ovl_work_run(ovl_run *run, ovl_status (*body)(ovl_work *w))
{
	ovl_work w = {.run = run, .params = run->params, .err = run->err};
	ovl_status st = nothing_to_do(run) ? OVL_OK : body(&w);
	for (size_t i = 0; st == OVL_OK && i < w.results.n; i++) {
		ovl_work_result *r = &w.results.at[i];
		if (!ovl_convert(r->type, r->data, 0, r->tensor->type, r->tensor->data, 0, ovl_tensor_count(r->tensor), true))
			st = ovl_work_fail(&w, OVL_E_TYPE, "no result of type %s can be made", ovl_type_name(r->tensor->type));
	}
	for (size_t i = 0; i < w.blocks.n; i++)
		ovl_free(w.blocks.at[i]);
	ovl_vec_free(&w.blocks);
	ovl_vec_free(&w.results);
	return st;
}

ovl_type ovl_work_type(ovl_type t) { return t == OVL_F64 ? OVL_F64 : ovl_type_is_float(t) ? OVL_F32 : OVL_I64; }

static ovl_status take(ovl_work *w, int64_t count, size_t size, bool zeroed, void **out)
{
	size_t bytes;
	void *p;
	if (count < 0 || !ovl_mul_ok((size_t)count, size, &bytes) || !ovl_add_ok(bytes, 64, &bytes))
		return ovl_work_fail(w, OVL_E_MEMORY, "%lld elements are too many", (long long)count);
	p = zeroed ? ovl_calloc(1, bytes) : ovl_alloc(bytes);
	if (!p || !ovl_vec_push(&w->blocks, p)) {
		ovl_free(p);
		return ovl_work_fail(w, OVL_E_MEMORY, "not enough memory for %zu bytes", bytes);
	}
	*out = p;
	return OVL_OK;
}

ovl_status ovl_work_take(ovl_work *w, int64_t count, size_t size, void *out) { return take(w, count, size, true, out); }

ovl_status ovl_work_read(ovl_work *w, const ovl_tensor *t, ovl_type as, const void **out)
{
	void *p = NULL;
	int64_t n;
	if (!t)
		return ovl_work_fail(w, OVL_E_INTERNAL, "an input is missing");
	n = ovl_tensor_count(t);
	if (t->type == as && t->data) {
		*out = t->data;
		return OVL_OK;
	}
	OVL_TRY(take(w, n, ovl_type_size(as), false, &p));
	if (n > 0 && !ovl_convert(t->type, t->data, 0, as, p, 0, n, true))
		return ovl_work_fail(w, OVL_E_TYPE, "an input of type %s cannot be read as %s", ovl_type_name(t->type), ovl_type_name(as));
	*out = p;
	return OVL_OK;
}

ovl_status ovl_work_out_tensor(ovl_work *w, ovl_tensor *t, ovl_type as, void *out)
{
	void *p = t->data;
	if (t->type != as || !p) {
		OVL_TRY(take(w, ovl_tensor_count(t), ovl_type_size(as), false, &p));
		if (!ovl_vec_push(&w->results, ((ovl_work_result){t, as, p})))
			return ovl_work_fail(w, OVL_E_MEMORY, "not enough memory");
	}
	memcpy(out, &p, sizeof p);
	return OVL_OK;
}

ovl_status ovl_work_out(ovl_work *w, int i, ovl_type as, void *out) { return ovl_work_out_tensor(w, w->run->out[i], as, out); }

ovl_status ovl_work_scalar(ovl_work *w, int i, double *out)
{
	if (ovl_tensor_count(w->run->in[i]) != 1)
		return ovl_work_fail(w, OVL_E_SHAPE, "input %d must hold one number, it holds %lld", i, (long long)ovl_tensor_count(w->run->in[i]));
	*out = ovl_tensor_f64_at(w->run->in[i], 0);
	return OVL_OK;
}

ovl_status ovl_work_fail(ovl_work *w, ovl_status code, const char *fmt, ...)
{
	char text[700];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return ovl_fail(w->err, code, "%s: %s", w->run->op->name, text);
}

int64_t ovl_group_strides(const ovl_shape *s, const bool *reduced, int64_t *strides)
{
	int64_t groups = 1;
	for (int i = s->rank - 1; i >= 0; i--) {
		strides[i] = reduced[i] ? 0 : groups;
		groups *= reduced[i] ? 1 : s->dims[i];
	}
	return groups;
}

ovl_status ovl_work_axes(ovl_work *w, int i, int rank, bool *flags, int *count)
{
	int64_t values[OVL_MAX_RANK * 2], n;
	OVL_TRY(ovl_tensor_to_i64(w->run->in[i], values, OVL_MAX_RANK * 2, &n, w->err));
	memset(flags, 0, OVL_MAX_RANK * sizeof *flags);
	for (int64_t k = 0; k < n; k++) {
		int axis;
		OVL_TRY(ovl_axis(values[k], rank, w->run->op->name, &axis, w->err));
		if (flags[axis])
			return ovl_work_fail(w, OVL_E_ARGUMENT, "axis %d is given twice", axis);
		flags[axis] = true;
	}
	*count = (int)n;
	return OVL_OK;
}
