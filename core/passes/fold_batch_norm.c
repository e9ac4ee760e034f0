/* Batch normalisation with known statistics is one product and one sum per channel; behind a convolution these go into its weights and bias (fold_scale). */
#include "ops/norm.h"
#include "passes/pass.h"

#include <math.h>

/* Inputs of opset 1 and of opset 5: data, gamma, beta, mean, variance. */
static const int places[2][5] = {{2, 0, 1, 3, 4}, {0, 1, 2, 3, 4}};

static bool known(const ovl_node *n, const int *at, ovl_tensor **parts, int64_t *channels)
{
	for (int i = 1; i < 5; i++) {
		parts[i] = ovl_node_value(n->in.at[at[i]]);
		if (!parts[i] || (parts[i]->type != OVL_F32 && parts[i]->type != OVL_F64) || parts[i]->type != parts[1]->type || parts[i]->shape.rank != 1 ||
			ovl_tensor_count(parts[i]) != ovl_tensor_count(parts[1]))
			return false;
	}
	*channels = ovl_tensor_count(parts[1]);
	return true;
}

/* Written as floats of either width: both have the place for it. */
static void put(ovl_tensor *t, int64_t i, double v)
{
	if (t->type == OVL_F64)
		((double *)t->data)[i] = v;
	else
		((float *)t->data)[i] = (float)v;
}

static ovl_status numbers(const ovl_node *n, ovl_tensor *const *parts, int rank, ovl_tensor **scale, ovl_tensor **shift, ovl_error *err)
{
	double eps = ((const ovl_batch_norm_params *)n->params)->epsilon;
	ovl_shape s = {.rank = rank};
	for (int i = 0; i < rank; i++)
		s.dims[i] = 1;
	s.dims[1] = ovl_tensor_count(parts[1]);
	OVL_TRY(ovl_tensor_new(parts[1]->type, &s, scale, err));
	if (ovl_tensor_new(parts[1]->type, &s, shift, err) != OVL_OK) {
		ovl_tensor_release(*scale);
		return err->code;
	}
	for (int64_t c = 0; c < s.dims[1]; c++) {
		double k = ovl_tensor_f64_at(parts[1], c) / sqrt(ovl_tensor_f64_at(parts[4], c) + eps);
		put(*scale, c, k);
		put(*shift, c, ovl_tensor_f64_at(parts[2], c) - ovl_tensor_f64_at(parts[3], c) * k);
	}
	return OVL_OK;
}

static ovl_status fold(ovl_graph *g, ovl_node *n, bool *changed, ovl_error *err)
{
	const int *at = places[n->op->since >= 5];
	const ovl_pshape *data = &ovl_source(n, at[0])->shape;
	ovl_tensor *parts[5], *scale, *shift;
	int64_t channels;
	ovl_end in[2], last;
	ovl_node *product, *sum;
	if (!known(n, at, parts, &channels) || !data->ranked || data->rank < 2 || ovl_source(n, at[0])->type != parts[1]->type)
		return OVL_OK;
	OVL_TRY(numbers(n, parts, data->rank, &scale, &shift, err));
	if (ovl_pass_constant(g, scale, &in[1], err) != OVL_OK) {
		ovl_tensor_release(shift);
		return err->code;
	}
	OVL_TRY(ovl_pass_constant(g, shift, &last, err));
	in[0] = n->in.at[at[0]];
	OVL_TRY(ovl_pass_node(g, "Multiply", NULL, in, 2, &product, err));
	in[0] = (ovl_end){product, 0};
	in[1] = last;
	OVL_TRY(ovl_pass_node(g, "Add", n->name, in, 2, &sum, err));
	*changed = true;
	return ovl_pass_replace(g, n, sum, err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	for (size_t i = 0, n = g->nodes.n; i < n; i++) {
		ovl_node *node = g->nodes.at[i];
		if (ovl_match_live(node) && ovl_match_is(node, "BatchNormInference") && node->in.n == 5)
			OVL_TRY(fold(g, node, changed, err));
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_fold_batch_norm = {"fold_batch_norm", 210, run};
