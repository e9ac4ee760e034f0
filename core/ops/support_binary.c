#include "ops/support_binary.h"
#include "ops/support_move.h"
#include "ops/support_walk.h"

static ovl_status mismatch(ovl_infer *in, int a, int b)
{
	char s[200], t[200];
	return ovl_infer_fail(in, OVL_E_SHAPE, "shapes %s and %s do not go together", ovl_pshape_text(&in->in_shape[a], s, sizeof s),
		ovl_pshape_text(&in->in_shape[b], t, sizeof t));
}

static int pdpd_start(int64_t axis, int rank, int other_rank) { return axis < 0 ? rank - other_rank : (int)(axis < OVL_MAX_RANK ? axis : OVL_MAX_RANK); }

/* Input b lies over the dimensions of a from `axis` on; its trailing ones may hang over. */
static ovl_status pdpd_shape(ovl_infer *in, int a, int b, int64_t axis, ovl_pshape *out)
{
	const ovl_pshape *x = &in->in_shape[a], *y = &in->in_shape[b];
	*out = *x;
	if (!x->ranked || !y->ranked)
		return OVL_OK;
	int start = pdpd_start(axis, x->rank, y->rank);
	for (int d = 0; d < y->rank; d++) {
		bool one = y->dims[d].min == 1 && y->dims[d].max == 1;
		int to = start + d;
		if (one)
			continue;
		if (to < 0 || to >= x->rank)
			return mismatch(in, a, b);
		ovl_dim merged;
		if (!ovl_dim_merge(x->dims[to], y->dims[d], &merged)) {
			if (y->dims[d].min <= 1)
				continue;
			return mismatch(in, a, b);
		}
		if (y->dims[d].min > 1)
			out->dims[to] = merged;
	}
	return OVL_OK;
}

ovl_status ovl_binary_shape(ovl_infer *in, int a, int b, const ovl_binary_params *p, ovl_pshape *out)
{
	const ovl_pshape *x = &in->in_shape[a], *y = &in->in_shape[b];
	bool ok = true;
	switch (p->auto_broadcast) {
	case OVL_BROADCAST_NUMPY: ok = ovl_pshape_broadcast(x, y, out); break;
	case OVL_BROADCAST_PDPD: return pdpd_shape(in, a, b, p->axis, out);
	default: ok = ovl_pshape_merge(x, y, out); break;
	}
	return ok ? OVL_OK : mismatch(in, a, b);
}

ovl_status ovl_binary_infer(ovl_infer *in, ovl_type out_type)
{
	ovl_type type;
	ovl_pshape shape;
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	OVL_TRY(ovl_binary_shape(in, 0, 1, (const ovl_binary_params *)in->params, &shape));
	ovl_infer_out(in, 0, out_type == OVL_DYNAMIC ? type : out_type, &shape);
	return OVL_OK;
}

ovl_status ovl_binary_strides(ovl_run *run, const ovl_binary_params *p, const ovl_shape *from, bool second, const ovl_shape *out, int64_t *strides)
{
	char a[200], b[200];
	ovl_shape padded = *from;
	if (p->auto_broadcast == OVL_BROADCAST_PDPD && second) {
		int start = pdpd_start(p->axis, out->rank, from->rank), used = from->rank;
		while (used > 0 && from->dims[used - 1] == 1 && start + used > out->rank)
			used--;
		padded.rank = out->rank;
		for (int d = 0; d < out->rank; d++)
			padded.dims[d] = d >= start && d - start < used ? from->dims[d - start] : 1;
	}
	if (ovl_walk_broadcast(&padded, out, strides))
		return OVL_OK;
	return ovl_fail(run->err, OVL_E_SHAPE, "%s: an input of shape %s does not go together with an output of shape %s", run->op->name,
		ovl_shape_text(from, a, sizeof a), ovl_shape_text(out, b, sizeof b));
}

ovl_status ovl_binary_run(ovl_run *run, const ovl_binary_params *p, ovl_binary_fn fn, ovl_status (*again)(ovl_run *))
{
	if (ovl_run_narrow(run))
		return ovl_run_unpacked(run, again);
	const ovl_tensor *a = run->in[0], *b = run->in[1];
	ovl_tensor *out = run->out[0];
	int64_t sa[OVL_MAX_RANK], sb[OVL_MAX_RANK], so[OVL_MAX_RANK];
	size_t size = ovl_type_size(a->type), out_size = ovl_type_size(out->type);
	OVL_TRY(ovl_binary_strides(run, p, &a->shape, false, &out->shape, sa));
	OVL_TRY(ovl_binary_strides(run, p, &b->shape, true, &out->shape, sb));
	ovl_dense_strides(&out->shape, so);
	ovl_walk w;
	ovl_walk_start(&w, &out->shape, 3, (const int64_t *const[]){sa, sb, so});
	for (; !w.done; ovl_walk_next(&w)) {
		ovl_binary_row r = {a->type, (const char *)a->data + w.pos[0] * (int64_t)size, (const char *)b->data + w.pos[1] * (int64_t)size,
			(char *)out->data + w.pos[2] * (int64_t)out_size, w.step[0], w.step[1], w.inner};
		OVL_RUN_CHECK_CANCEL(run);
		fn(&r);
	}
	return OVL_OK;
}
