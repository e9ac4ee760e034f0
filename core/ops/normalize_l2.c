/* NormalizeL2 and GRN: division by the length of vectors along axes. */
#include "ops/support_walk.h"
#include "ops/support_work.h"

typedef struct params {
	float eps;
	int eps_mode; /* add, max */
	float bias;   /* GRN */
} params;

static ovl_status infer(ovl_infer *in)
{
	int axes[OVL_MAX_RANK * 2], n;
	bool known;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	if (in->n_in > 1) {
		OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INT));
		OVL_TRY(ovl_infer_rank(in, 1, 0, 1));
		if (in->in_shape[0].ranked)
			OVL_TRY(ovl_infer_axes(in, 1, in->in_shape[0].rank, &known, axes, &n));
	} else
		OVL_TRY(ovl_infer_rank(in, 0, 2, 4));
	return ovl_infer_same(in);
}

static ovl_status divide(ovl_work *w, const bool *reduced, double eps, bool at_least)
{
	const ovl_shape *s = ovl_work_shape(w, 0);
	int64_t dense[OVL_MAX_RANK], strides[OVL_MAX_RANK], groups = ovl_group_strides(s, reduced, strides);
	const double *x;
	double *y, *sums;
	ovl_walk k;
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(ovl_work_take(w, groups, sizeof *sums, &sums));
	ovl_dense_strides(s, dense);
	for (int pass = 0; pass < 2; pass++) {
		for (ovl_walk_start(&k, s, 2, (const int64_t *const[]){dense, strides}); !k.done; ovl_walk_next(&k)) {
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t i = 0; i < k.inner; i++) {
				int64_t at = k.pos[0] + i * k.step[0], of = k.pos[1] + i * k.step[1];
				if (pass == 0)
					sums[of] += x[at] * x[at];
				else
					y[at] = x[at] / sums[of];
			}
		}
		for (int64_t i = 0; pass == 0 && i < groups; i++)
			sums[i] = sqrt(at_least ? (sums[i] > eps ? sums[i] : eps) : sums[i] + eps);
	}
	return OVL_OK;
}

static ovl_status normalize_l2(ovl_work *w)
{
	const params *p = w->params;
	bool reduced[OVL_MAX_RANK];
	int n;
	OVL_TRY(ovl_work_axes(w, 1, ovl_work_shape(w, 0)->rank, reduced, &n));
	if (n == 0) { /* every element is divided by itself */
		const double *x;
		double *y;
		OVL_TRY(ovl_work_f64(w, 0, &x));
		OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
		for (int64_t i = ovl_tensor_count(w->run->out[0]); i > 0; i--)
			y[i - 1] = x[i - 1] != 0;
		return OVL_OK;
	}
	return divide(w, reduced, p->eps, p->eps_mode == 1);
}

static ovl_status grn(ovl_work *w)
{
	const params *p = w->params;
	return divide(w, (const bool[OVL_MAX_RANK]){[1] = true}, p->bias, false);
}

static ovl_status normalize_l2_run(ovl_run *run) { return ovl_work_run(run, normalize_l2); }

static ovl_status grn_run(ovl_run *run) { return ovl_work_run(run, grn); }

static const ovl_attr attrs[] = {
	OVL_ATTR_FLOAT(params, eps, NULL),
	OVL_ATTR_ENUM(params, eps_mode, NULL, "add max"),
	OVL_ATTR_END,
};
static const ovl_attr grn_attrs[] = {OVL_ATTR_FLOAT(params, bias, NULL), OVL_ATTR_END};

static const ovl_op normalize_l2_v1 = {
	.name = "NormalizeL2",
	.factory = "normalize_l2",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data axes",
	.params_size = sizeof(params),
	.attrs = attrs,
	.infer = infer,
	.run = normalize_l2_run,
};

static const ovl_op grn_v1 = {
	.name = "GRN",
	.factory = "grn",
	.since = 1,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "data",
	.params_size = sizeof(params),
	.attrs = grn_attrs,
	.infer = infer,
	.run = grn_run,
};

const ovl_op *const ovl_ops_normalize_l2[] = {&normalize_l2_v1, &grn_v1, NULL};
